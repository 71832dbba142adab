/** A drill's report as one page: no script, no address outside, to be mailed or kept beside an agreement. */
import { countedShare } from '../core/percent.ts';
import { countWords, durationWords } from '../core/words.ts';
import { escaped } from '../site/html.ts';
import { outcomeCharts, outcomeColour } from './drill-charts.ts';
import { passed } from './drill-report.ts';
import type { ClaimResult } from './drill-claims.ts';
import type { DrillReport, FeatureDrill, MinuteReport } from './drill-report.ts';
import {
  claimWords,
  costLine,
  costText,
  goodShare,
  hedgesText,
  isolationText,
  minuteText,
  noteTexts,
  outcomesText,
  outcomeWords,
  passedOverText,
  phasesOf,
  requestsOf,
  strategyWords,
  verdict,
} from './drill-words.ts';
import { seenOutcomes } from '../simulation/tally.ts';

/** More minutes than this are told in parts only. */
const minutesMax = 1_440;

type Cells = readonly string[];

/** A table that can be moved sideways where it is wider than the window; the first cell of a row names it. */
function tableOf(caption: string, head: Cells, rows: readonly Cells[]): string {
  const heads = head.map((cell) => `<th scope="col">${escaped(cell)}</th>`).join('');
  const body = rows
    .map(([first = '', ...rest]) => {
      const cells = rest.map((cell) => `<td>${escaped(cell)}</td>`).join('');
      return `<tr><th scope="row">${escaped(first)}</th>${cells}</tr>`;
    })
    .join('');
  return `<div class="wide" tabindex="0" role="region" aria-label="${escaped(caption)}"><table><caption>${escaped(caption)}</caption><thead><tr>${heads}</tr></thead><tbody>${body}</tbody></table></div>`;
}

const waitText = (ms: number | null): string => (ms === null ? '–' : `≤ ${durationWords(ms)}`);

function phaseTable({ minutes, title }: FeatureDrill): string {
  const rows = phasesOf(minutes).map(({ from, to, outcomes, waitMs }) => [
    `${minuteText(from)}–${minuteText(to)}`,
    waitText(waitMs),
    outcomesText(outcomes),
  ]);
  return tableOf(`${title}: what users saw`, ['when', '95 % waited', 'what they saw'], rows);
}

function minuteTable({ minutes, title }: FeatureDrill): string {
  if (minutes.length > minutesMax)
    return '<p>There are too many minutes for a page: --json has every one.</p>';
  const kinds = seenOutcomes.filter((outcome) => minutes.some(({ outcomes }) => outcomes[outcome] > 0));
  const row = ({ minute, outcomes, waitMs }: MinuteReport): Cells => [
    minuteText(minute),
    ...kinds.map((kind) => String(outcomes[kind])),
    waitText(waitMs),
  ];
  const head = ['minute', ...kinds.map((kind) => outcomeWords[kind]), '95 % waited'];
  return `<details><summary>Every minute</summary>${tableOf(`${title}, minute by minute`, head, minutes.map(row))}</details>`;
}

function claimItem({ claim, outcome, why }: ClaimResult): string {
  return `<li class="${outcome}"><b>${claimWords[outcome]}</b>: ${escaped(claim)} (${escaped(why)})</li>`;
}

function featureSection(feature: FeatureDrill, report: DrillReport): string {
  const { title, outcomes, hedges, claims } = feature;
  const facts = [
    `${countWords(requestsOf(outcomes), 'request')}, ${countedShare(goodShare(outcomes))} answered.`,
    feature.passedOver === null ? [] : `${passedOverText(feature.passedOver)}.`,
    hedges === null ? [] : `It ${hedgesText(hedges)}.`,
  ].flat();
  const list = claims.length === 0 ? '' : `<ul class="claims">${claims.map(claimItem).join('')}</ul>`;
  return `<section><h2>${escaped(title)}</h2><p>${escaped(facts.join(' '))}</p>${outcomeCharts(feature, report.trouble)}${list}${phaseTable(feature)}${minuteTable(feature)}</section>`;
}

function legend({ features }: DrillReport): string {
  return `<ul class="legend">${seenOutcomes
    .filter((outcome) => features.some(({ outcomes }) => outcomes[outcome] > 0))
    .map((outcome) => `<li><i style="background:${outcomeColour(outcome)}"></i>${outcomeWords[outcome]}</li>`)
    .join('')}</ul>`;
}

function isolationSection({ isolation, warnings }: DrillReport): string {
  const out = isolation.map(
    ({ words, ...each }) =>
      `<li><b>${escaped(each.target)}</b>: ${escaped(isolationText(each))}${words === null ? '' : `<br><small>${escaped(words)}</small>`}</li>`,
  );
  const warned = warnings.map(
    ({ target, atMs, words }) =>
      `<li><b>${escaped(target)}</b>, warned at ${minuteText(Math.floor(atMs / 60_000))}: ${escaped(words)}</li>`,
  );
  if (out.length + warned.length === 0) return '';
  return `<section><h2>Out of routing</h2><ul>${[...out, ...warned].join('')}</ul></section>`;
}

function loadSection(report: DrillReport): string {
  const rows = report.targets.map((target) => [
    target.struck ? `${target.target} (in trouble)` : target.target,
    String(target.calls),
    String(target.failed),
    target.callsPerMinuteUsual === null ? '–' : String(Math.round(target.callsPerMinuteUsual)),
    String(target.callsPerMinuteMost),
    String(target.openMost),
    costText(target.costUsd),
  ]);
  const head = [
    'target',
    'calls',
    'failed',
    'a minute, usually',
    'a minute, at most',
    'open, at most',
    'cost',
  ];
  return `<section><h2>Load and cost</h2><p>${escaped(costLine(report))}</p>${tableOf('Load and cost of each target', head, rows)}</section>`;
}

function strategySection({ strategies, comparedShare }: DrillReport): string {
  const rows = strategies.map(({ strategy, outcomes, attemptsPerRequest, waitMs, violations }) => [
    strategyWords[strategy],
    countedShare(goodShare(outcomes)),
    String(outcomes.failed + outcomes.cut),
    String(outcomes.asked + outcomes.refused + outcomes.busy),
    attemptsPerRequest.toFixed(2),
    waitText(waitMs),
    String(violations),
  ]);
  const head = ['means', 'answered', 'errors', 'held back', 'calls each', '95 % waited', 'policy broken'];
  const estimated =
    comparedShare < 1 ? `<p>Estimated from ${countedShare(comparedShare)} of the traffic.</p>` : '';
  return `<section><h2>The same with simpler means</h2>${estimated}${tableOf('The same trouble with simpler means', head, rows)}</section>`;
}

const style = `:root{color-scheme:light dark;--ink:#1a202c;--paper:#fff;--line:#cbd5e0;--bad:#9b2c2c;--soft:#4a5568}
@media (prefers-color-scheme:dark){:root{--ink:#e2e8f0;--paper:#171923;--line:#4a5568;--bad:#feb2b2;--soft:#a0aec0}}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:var(--ink);background:var(--paper);overflow-wrap:break-word}
svg{display:block;width:100%;height:auto}h1{line-height:1.2}h2{margin:2.5rem 0 .25rem;font-size:1.2rem}
figure{margin:.75rem 0}figcaption,small,caption{color:var(--soft);font-size:.85rem;text-align:left}
.axis{display:flex;justify-content:space-between;color:var(--soft);font-size:.85rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line)}
tbody th{font-weight:500;white-space:nowrap}.wide{overflow-x:auto;margin:.75rem 0}
.legend,.claims{list-style:none;padding:0}.legend li{display:inline-block;margin-right:1rem}.legend i{display:inline-block;width:.8em;height:.8em;margin-right:.3em}
.verdict{padding:.75rem 1rem;border-left:.4rem solid #2f855a}.verdict.failed{border-color:var(--bad)}.fails{color:var(--bad)}summary{cursor:pointer}`;

export function drillHtml(report: DrillReport): string {
  const { title, trouble, durationMs, seed } = report;
  const notes = noteTexts(report).map((note) => `<p>${escaped(note)}</p>`);
  const parts = [
    `<h1>Drill: ${escaped(title)}</h1>`,
    `<p>In virtual time, ${durationWords(durationMs)}; something is wrong from ${minuteText(trouble.from)} to ${minuteText(trouble.to)}. Seed ${seed}.</p>`,
    `<p class="verdict${passed(report) ? '' : ' failed'}">${escaped(verdict(report))}</p>`,
    ...notes,
    legend(report),
    ...report.features.map((feature) => featureSection(feature, report)),
    isolationSection(report),
    loadSection(report),
    strategySection(report),
  ];
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Drill: ${escaped(title)}</title><style>${style}</style></head><body><main>${parts.join('\n')}</main></body></html>
`;
}
