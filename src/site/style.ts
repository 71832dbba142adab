/** The site's style: light and dark, no picture and no font from elsewhere. Every colour is a variable that may be set. */

/** Seconds after which a page that was not loaded again says so: by style alone, without a script. */
export const staleSeconds = 120;

export const style = `
:root{color-scheme:light dark;--page:#f7f7f5;--card:#fff;--text:#1c1e21;--muted:#5b6068;--line:#dfe1e5;--accent:#1d4f91;--good:#146c3a;--note:#1d4f91;--warn:#8a4b00;--bad:#a4161a;--none:#8d939c;--radius:.75rem;--font:system-ui,sans-serif}
@media(prefers-color-scheme:dark){:root{--page:#131519;--card:#1b1e24;--text:#eceef1;--muted:#a4abb6;--line:#30353e;--accent:#8fbdf5;--good:#6fd79a;--note:#8fbdf5;--warn:#f0b464;--bad:#ff9a96;--none:#727985}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 var(--font);overflow-wrap:break-word}
main,.top,footer{max-width:46rem;margin:0 auto;padding:0 1rem}
.top{padding-top:2rem;display:flex;gap:.75rem;align-items:center;color:var(--muted)}
.top img{height:2rem;width:auto}
h1{font-size:1.6rem;line-height:1.25;margin:.25rem 0 1rem}
h2{font-size:1.1rem;margin:2.25rem 0 .75rem}
h3{font-size:1rem;margin:0 0 .25rem}
p{margin:.25rem 0}
.when,footer,.more,.past,.key,.note{color:var(--muted)}
ul.list{list-style:none;margin:0;padding:0;background:var(--card);border:1px solid var(--line);border-radius:var(--radius)}
ul.list>li{display:flex;flex-wrap:wrap;gap:.15rem 1rem;align-items:baseline;padding:.8rem 1rem}
ul.list>li+li{border-top:1px solid var(--line)}
.name{font-weight:600;flex:1 1 12rem}
.more{flex-basis:100%}
article{background:var(--card);border:1px solid var(--line);border-left:.35rem solid var(--warn);border-radius:var(--radius);padding:.9rem 1rem;margin:0 0 1rem}
article.over{border-left-color:var(--line)}
.normal,.working{color:var(--good)}.backup,.returning{color:var(--note)}.slow,.partial{color:var(--warn)}.paused,.unavailable,.failing{color:var(--bad)}
.past{flex-basis:100%;display:flex;gap:.75rem;align-items:center;font-size:.85rem}
.past span{min-width:4.2em;text-align:right}
.bars{flex:1;min-width:0;height:1.6rem}
.bars path{fill:none;stroke-width:.8}
.bars .g,.bars .u{stroke-width:24;stroke-dasharray:.8 .2}
.g{stroke:var(--good)}.u{stroke:var(--none);opacity:.55}.k{stroke:var(--note)}.w{stroke:var(--warn)}.b{stroke:var(--bad)}
.key{display:flex;flex-wrap:wrap;gap:.25rem 1rem;font-size:.85rem;margin:.6rem 0 0}
.key svg{width:.7rem;height:.7rem;margin-right:.35rem}.key path{stroke-width:10}
.stale{max-height:0;overflow:hidden;visibility:hidden;animation:stale 0s ${staleSeconds}s forwards}
.stale p,.old{background:var(--warn);color:var(--page);padding:.6rem 1rem;margin:0 0 1rem;border-radius:.5rem}
@keyframes stale{to{max-height:20rem;visibility:visible}}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1rem;margin:.5rem 0}
dt{color:var(--muted)}dd{margin:0}
@media(max-width:30rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}
table{width:100%;border-collapse:collapse;font-size:.9rem}th,td{text-align:left;padding:.35rem .5rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th,td:nth-child(2){white-space:nowrap}
.wide{overflow-x:auto}
a{color:var(--accent)}
.links{display:flex;flex-wrap:wrap;gap:.5rem 1.25rem}.links a{display:inline-block;min-height:24px}
footer{margin-top:3rem;padding-bottom:4rem;font-size:.9rem}
`.replaceAll('\n', '');
