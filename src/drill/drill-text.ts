/** A drill's report for the terminal. */
import { countWords, durationWords, listWords } from '../core/words.ts';
import { countedShare } from '../core/percent.ts';
import { passed } from './drill-report.ts';
import type { DrillReport, FeatureDrill, Isolation, StrategyDrill, TargetDrill } from './drill-report.ts';
import {
  costText,
  goodShare,
  hedgesText,
  minuteText,
  outcomesText,
  phasesOf,
  requestsOf,
  strategyWords,
} from './drill-words.ts';

/** Columns as wide as their widest cell. */
type Table = (rows: readonly (readonly string[])[]) => string;

const claimWords = { holds: 'holds', fails: 'FAILS', not_rehearsed: 'not rehearsed here' } as const;
const phasesMax = 24;

function featureText(feature: FeatureDrill, table: Table): string {
  const phases = phasesOf(feature.minutes);
  const rows = phases
    .slice(0, phasesMax)
    .map(({ from, to, outcomes, waitMs }) => [
      `  ${minuteText(from)}–${minuteText(to)}`,
      `95 % knew within ${durationWords(waitMs)}`,
      outcomesText(outcomes),
    ]);
  const more = phases.length - phasesMax;
  return [
    `${feature.title} (${feature.feature}): ${countWords(requestsOf(feature.outcomes), 'request')}, ${countedShare(goodShare(feature.outcomes))} answered`,
    table(rows),
    ...(more > 0 ? [`  … and ${more} more changes; --json has every minute`] : []),
    ...(feature.hedges === null ? [] : [`  ${hedgesText(feature.hedges)}`]),
    ...feature.claims.map(({ claim, outcome, why }) => `  ${claimWords[outcome]}: ${claim} (${why})`),
  ].join('\n');
}

function isolationText({ target, sheddingMs, ejectedMs, words, normalMs }: Isolation): string {
  const out = [
    sheddingMs === null ? null : `set aside after ${durationWords(sheddingMs)}`,
    ejectedMs === null ? null : `declared out after ${durationWords(ejectedMs)}`,
  ].filter((part) => part !== null);
  if (out.length === 0) return `  ${target}: its gate did not close`;
  const back =
    normalMs === null
      ? 'not back within the drill'
      : `back to normal ${durationWords(normalMs)} after the end`;
  return `  ${target}: ${[...out, back].join(', ')}\n    ${words ?? ''}`;
}

function targetRow({
  target,
  calls,
  failed,
  openMost,
  callsPerMinuteMost,
  costUsd,
}: TargetDrill): readonly string[] {
  return [
    `  ${target}`,
    countWords(calls, 'call'),
    `${failed} failed`,
    `≤ ${callsPerMinuteMost} a minute, ≤ ${openMost} open`,
    costText(costUsd),
  ];
}

const strategyHead = ['', 'errors', 'held back', 'calls each', '95 % knew', 'policy broken'];

function strategyRow({
  strategy,
  outcomes,
  attemptsPerRequest,
  waitMs,
  violations,
}: StrategyDrill): readonly string[] {
  return [
    `  ${strategyWords[strategy]}`,
    String(outcomes.failed + outcomes.cut),
    String(outcomes.asked + outcomes.refused + outcomes.busy),
    attemptsPerRequest.toFixed(2),
    durationWords(waitMs ?? 0),
    String(violations),
  ];
}

function costLine({ costUsd, usualCostUsd, targets }: DrillReport): string {
  if (costUsd === null || usualCostUsd === null) {
    const missing = targets.filter((target) => target.costUsd === null).map(({ target }) => target);
    return `What it costs in all is not known: the price of ${listWords(missing)} is missing (models: { NAME: { price: { input, output } } }).`;
  }
  const more = costUsd - usualCostUsd;
  return `Cost at list price: ${costText(costUsd)}, ${costText(Math.abs(more))} ${more < 0 ? 'less' : 'more'} than usual.`;
}

function verdict(report: DrillReport): string {
  if (report.violations > 0)
    return `POLICY BROKEN: ${countWords(report.violations, 'call')} went where policy forbids. Please report this as a bug.`;
  const failing = report.features
    .flatMap(({ claims }) => claims)
    .filter(({ outcome }) => outcome === 'fails').length;
  return passed(report)
    ? 'Policy was kept by every call, and no claim that was rehearsed failed.'
    : `Policy was kept by every call, but ${countWords(failing, 'claim')} of the configuration did not hold.`;
}

export function drillText(report: DrillReport, table: Table): string {
  const { from, to } = report.trouble;
  return [
    `${report.title}: ${minuteText(from)} to ${minuteText(to)} of ${durationWords(report.durationMs)} (seed ${report.seed})`,
    ...report.features.map((feature) => featureText(feature, table)),
    ...(report.isolation.length === 0
      ? []
      : [['Out of routing', ...report.isolation.map(isolationText)].join('\n')]),
    ['Load and cost', table(report.targets.map(targetRow)), `  ${costLine(report)}`].join('\n'),
    [
      `The same with simpler means${report.comparedShare < 1 ? ` (estimated from ${countedShare(report.comparedShare)} of the traffic)` : ''}`,
      table([strategyHead, ...report.strategies.map(strategyRow)]),
    ].join('\n'),
    verdict(report),
  ].join('\n\n');
}
