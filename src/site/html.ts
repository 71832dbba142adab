/** The status page as HTML: no script, one file, readable by people, screen readers and printers. */
import type { FeatureStatus } from '../core/status.ts';
import type { ModelStatus, StatusPage } from '../core/status-page.ts';
import { momentText } from '../core/moment.ts';
import { barsSvg } from './bars.ts';

const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0) ?? 0};`);

/** A shape besides a colour, for those who do not see colours. */
const featureSigns: Readonly<Record<FeatureStatus, string>> = {
  normal: '✓',
  backup: '⇄',
  slow: '…',
  partial: '!',
  paused: '❚❚',
  unavailable: '✕',
};
const modelSigns: Readonly<Record<ModelStatus, string>> = {
  working: '✓',
  failing: '✕',
  returning: '↗',
  paused: '❚❚',
};

/** Seconds after which a page that was not loaded again says so: by style alone, without a script. */
const staleSeconds = 120;

const style = `
:root{color-scheme:light dark;--page:#f7f7f5;--card:#fff;--text:#1c1e21;--muted:#5b6068;--line:#dfe1e5;--good:#146c3a;--note:#1d4f91;--warn:#8a4b00;--bad:#a4161a}
@media(prefers-color-scheme:dark){:root{--page:#131519;--card:#1b1e24;--text:#eceef1;--muted:#a4abb6;--line:#30353e;--good:#6fd79a;--note:#8fbdf5;--warn:#f0b464;--bad:#ff9a96}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:46rem;margin:0 auto;padding:2rem 1rem 4rem}
h1{font-size:1.6rem;line-height:1.25;margin:.25rem 0 1.5rem}
h2{font-size:1.1rem;margin:2.25rem 0 .75rem}
p{margin:.25rem 0}
.brand,.when,footer{color:var(--muted)}
ul{list-style:none;margin:0;padding:0;background:var(--card);border:1px solid var(--line);border-radius:.75rem}
li{display:flex;flex-wrap:wrap;gap:.15rem 1rem;align-items:baseline;padding:.8rem 1rem}
li+li{border-top:1px solid var(--line)}
.name{font-weight:600;flex:1 1 12rem}
.state{white-space:nowrap}
.more{flex-basis:100%;color:var(--muted)}
article{background:var(--card);border:1px solid var(--line);border-left:.35rem solid var(--warn);border-radius:.75rem;padding:.9rem 1rem;margin:0 0 1rem}
article h3{font-size:1rem;margin:0 0 .25rem}
.normal,.working{color:var(--good)}.backup,.returning{color:var(--note)}.slow,.partial{color:var(--warn)}.paused,.unavailable,.failing{color:var(--bad)}
.stale{max-height:0;overflow:hidden;animation:stale 0s ${staleSeconds}s forwards}
.stale p{background:var(--warn);color:var(--page);padding:.6rem 1rem;margin:0 0 1rem;border-radius:.5rem}
@keyframes stale{to{max-height:10rem}}
.past{flex-basis:100%;display:flex;gap:.75rem;align-items:center;color:var(--muted);font-size:.85rem}
.bars{flex:1;min-width:0;height:1.6rem}
.bars path{fill:none;stroke-width:.8}
.bars .g,.bars .u{stroke-width:24;stroke-dasharray:.8 .2}
.g,.key .g{stroke:var(--good)}.u{stroke:var(--line)}.k{stroke:var(--note)}.w{stroke:var(--warn)}.b{stroke:var(--bad)}
.key{display:flex;flex-wrap:wrap;gap:.25rem 1rem;color:var(--muted);font-size:.85rem;margin:.6rem 0 0}
.key svg{width:.7rem;height:.7rem;margin-right:.35rem}.key path{stroke-width:10}
a{color:var(--note)}
footer{margin-top:3rem;font-size:.9rem}
`.replaceAll('\n', '');

const readable = (at: number): string => `${momentText(at).slice(0, 16).replace('T', ' ')} UTC`;

const time = (at: number): string => `<time datetime="${momentText(at)}">${readable(at)}</time>`;

function past({ past: { days, uptime, words } }: StatusPage['features'][number]): string {
  const figure = uptime === null ? 'no data' : `${uptime.toFixed(2)} %`;
  return `<span class="past">${barsSvg(days, escaped(words))}<span>${figure}</span></span>`;
}

/** What the bars' colours mean. */
const key = `<p class="key">${[
  ['g', 'no failures'],
  ['k', 'on a backup model'],
  ['w', 'slow or partly failing'],
  ['b', 'paused or not available'],
  ['u', 'no data'],
]
  .map(
    ([style, words]) =>
      `<span><svg viewBox="0 0 10 10" aria-hidden="true"><path class="${style}" d="M0 5H10"/></svg>${words}</span>`,
  )
  .join('')}</p>`;

function featureItem(feature: StatusPage['features'][number]): string {
  const more =
    feature.backup === null ? '' : `<span class="more">${escaped(feature.backup)} answers instead.</span>`;
  return `<li><span class="name">${escaped(feature.title)}</span><span class="state ${feature.status}"><span aria-hidden="true">${featureSigns[feature.status]}</span> ${feature.words}</span>${more}${past(feature)}</li>`;
}

function modelItem(model: StatusPage['models'][number]): string {
  const more = model.since === null ? '' : `<span class="more">since ${time(model.since)}</span>`;
  return `<li><span class="name">${escaped(model.model)}</span><span class="state ${model.status}"><span aria-hidden="true">${modelSigns[model.status]}</span> ${model.words}</span>${more}</li>`;
}

function eventArticle(event: StatusPage['events'][number]): string {
  return `<article><h3>${escaped(event.title)}</h3><p>${escaped(event.words)}</p><p class="when">since ${time(event.since)}</p></article>`;
}

export function statusHtml(page: StatusPage): string {
  const events =
    page.events.length === 0 ? '' : `<h2>What is going on</h2>${page.events.map(eventArticle).join('')}`;
  const features =
    page.features.length === 0
      ? '<p>No features are configured.</p>'
      : `<ul>${page.features.map(featureItem).join('')}</ul>${key}`;
  const models =
    page.models.length === 0 ? '' : `<h2>Models</h2><ul>${page.models.map(modelItem).join('')}</ul>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escaped(page.headline)} – status</title><style>${style}</style></head>
<body><main><p class="brand">Status of AI features</p><h1 class="${page.overall}">${escaped(page.headline)}</h1>
<div class="stale" role="status"><p>This page is more than two minutes old. Load it again to see how things are now.</p></div>
${events}<h2>Features</h2>${features}${models}
<footer><p>As of ${time(page.generatedAt)}. For programs: <a href="/api/v2/summary.json">summary.json</a>.</p></footer></main></body></html>
`;
}
