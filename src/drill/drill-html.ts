/** A drill's report as one page: no script, no address outside, to be mailed or kept beside an agreement. */
import { durationWords } from '../core/words.ts';
import { escaped } from '../site/html.ts';
import { seenOutcomes } from '../simulation/tally.ts';
import type { SeenOutcome } from '../simulation/tally.ts';
import { countedShare } from '../core/percent.ts';
import type { DrillReport, FeatureDrill } from './drill-report.ts';
import { drillText } from './drill-text.ts';
import { goodShare, minuteText, outcomeWords, requestsOf, strategyWords } from './drill-words.ts';

const colours: Readonly<Record<SeenOutcome, string>> = {
  answered: '#2f855a',
  backup: '#3182ce',
  limited: '#805ad5',
  agreed: '#319795',
  cut: '#9b2c2c',
  asked: '#d69e2e',
  refused: '#718096',
  busy: '#dd6b20',
  failed: '#e53e3e',
};

const chart = { width: 920, height: 90 } as const;
const barsMax = 240;

/** What users saw, minute by minute, as stacked bars; several minutes in one bar where there are many. */
function chartOf({ minutes, title }: FeatureDrill): string {
  const perBar = Math.max(1, Math.ceil(minutes.length / barsMax));
  const count = Math.ceil(minutes.length / perBar);
  const width = chart.width / count;
  const bars: string[] = [];
  for (let bar = 0; bar < count; bar++) {
    const part = minutes.slice(bar * perBar, (bar + 1) * perBar);
    const total = part.reduce((sum, { outcomes }) => sum + requestsOf(outcomes), 0);
    let y = 0;
    for (const outcome of seenOutcomes) {
      const seen = part.reduce((sum, { outcomes }) => sum + outcomes[outcome], 0);
      if (seen === 0) continue;
      const height = (seen / total) * chart.height;
      bars.push(
        `<rect x="${(bar * width).toFixed(2)}" y="${y.toFixed(2)}" width="${(width + 0.05).toFixed(2)}" height="${height.toFixed(2)}" fill="${colours[outcome]}"><title>${minuteText(part[0]?.minute ?? 0)}: ${seen} ${outcomeWords[outcome]}</title></rect>`,
      );
      y += height;
    }
  }
  return `<svg viewBox="0 0 ${chart.width} ${chart.height}" shape-rendering="crispEdges" role="img" aria-label="${escaped(title)}: what users saw, minute by minute">${bars.join('')}</svg>`;
}

function featureSection(feature: FeatureDrill): string {
  const claims = feature.claims
    .map(
      ({ claim, outcome, why }) =>
        `<li class="${outcome}">${escaped(claim)}: ${outcome.replace('_', ' ')} (${escaped(why)})</li>`,
    )
    .join('');
  return `<section><h2>${escaped(feature.title)}</h2><p>${requestsOf(feature.outcomes)} requests, ${countedShare(goodShare(feature.outcomes))} answered.</p>${chartOf(feature)}${claims === '' ? '' : `<ul>${claims}</ul>`}</section>`;
}

function legend(): string {
  return `<p class="legend">${seenOutcomes
    .map((outcome) => `<span><i style="background:${colours[outcome]}"></i>${outcomeWords[outcome]}</span>`)
    .join(' ')}</p>`;
}

function strategies({ strategies: list }: DrillReport): string {
  const rows = list
    .map(
      ({ strategy, outcomes, attemptsPerRequest, waitMs, violations }) =>
        `<tr><th scope="row">${strategyWords[strategy]}</th><td>${countedShare(goodShare(outcomes))}</td><td>${outcomes.failed + outcomes.cut}</td><td>${outcomes.asked + outcomes.refused + outcomes.busy}</td><td>${attemptsPerRequest.toFixed(2)}</td><td>${durationWords(waitMs ?? 0)}</td><td>${violations}</td></tr>`,
    )
    .join('');
  return `<section><h2>The same with simpler means</h2><div class="wide"><table><thead><tr><th></th><th>answered</th><th>failed or cut</th><th>asked or refused</th><th>calls a request</th><th>95 % knew within</th><th>policy broken</th></tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a202c}
svg{width:100%;height:auto;border:1px solid #cbd5e0}h2{margin:2rem 0 .25rem;font-size:1.1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid #e2e8f0}
.legend span{margin-right:1rem;white-space:nowrap}.legend i{display:inline-block;width:.8em;height:.8em;margin-right:.3em}
.wide{overflow-x:auto}
.fails{color:#9b2c2c;font-weight:600}pre{white-space:pre-wrap;font-size:.85rem}`;

export function drillHtml(report: DrillReport): string {
  const text = drillText(report, (rows) => rows.map((row) => row.join('  ')).join('\n'));
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Drill: ${escaped(report.title)}</title><style>${style}</style></head><body><h1>Drill: ${escaped(report.title)}</h1><p>In virtual time, ${durationWords(report.durationMs)}; something is wrong from ${minuteText(report.trouble.from)} to ${minuteText(report.trouble.to)}. Seed ${report.seed}.</p>${legend()}${report.features.map(featureSection).join('')}${strategies(report)}<section><h2>In words</h2><pre>${escaped(text)}</pre></section></body></html>
`;
}
