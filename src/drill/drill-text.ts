/** A drill's report for the terminal. */
import { countWords, durationWords } from '../core/words.ts';
import { countedShare } from '../core/percent.ts';
import type {
  DrillReport,
  FeatureDrill,
  Isolation,
  StrategyDrill,
  TargetDrill,
  WarningDrill,
} from './drill-report.ts';
import {
  claimWords,
  costLine,
  costText,
  goodShare,
  hedgesText,
  isolationText,
  loadText,
  minuteText,
  noteTexts,
  outcomesText,
  passedOverText,
  phasesOf,
  requestsOf,
  strategyWords,
  verdict,
} from './drill-words.ts';

/** Columns as wide as their widest cell. */
type Table = (rows: readonly (readonly string[])[]) => string;

const phasesMax = 24;

function featureText(feature: FeatureDrill, table: Table): string {
  const phases = phasesOf(feature.minutes);
  const rows = phases
    .slice(0, phasesMax)
    .map(({ from, to, outcomes, waitMs }) => [
      `  ${minuteText(from)}–${minuteText(to)}`,
      `95 % waited ≤ ${durationWords(waitMs)}`,
      outcomesText(outcomes),
    ]);
  const more = phases.length - phasesMax;
  return [
    `${feature.title} (${feature.feature}): ${countWords(requestsOf(feature.outcomes), 'request')}, ${countedShare(goodShare(feature.outcomes))} answered`,
    ...(feature.passedOver === null ? [] : [`  ${passedOverText(feature.passedOver)}`]),
    table(rows),
    ...(more > 0 ? [`  … and ${more} more changes; --json has every minute`] : []),
    ...(feature.hedges === null ? [] : [`  ${hedgesText(feature.hedges)}`]),
    ...feature.claims.map(({ claim, outcome, why }) => `  ${claimWords[outcome]}: ${claim} (${why})`),
  ].join('\n');
}

function isolationLine({ words, ...isolation }: Isolation): string {
  const line = `  ${isolation.target}: ${isolationText(isolation)}`;
  return words === null ? line : `${line}\n    ${words}`;
}

function targetRow(target: TargetDrill): readonly string[] {
  return [
    `  ${target.target}${target.struck ? ' *' : ''}`,
    countWords(target.calls, 'call'),
    `${target.failed} failed`,
    loadText(target),
    `≤ ${target.openMost} open`,
    costText(target.costUsd),
  ];
}

function warningLine({ target, atMs, words }: WarningDrill): string {
  return `  ${target}, ${minuteText(Math.floor(atMs / 60_000))}: ${words}`;
}

const strategyHead = ['', 'errors', 'held back', 'calls each', '95 % waited ≤', 'policy broken'];

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

export function drillText(report: DrillReport, table: Table): string {
  const { from, to } = report.trouble;
  return [
    `${report.title}: ${minuteText(from)} to ${minuteText(to)} of ${durationWords(report.durationMs)} (seed ${report.seed})`,
    ...noteTexts(report),
    ...report.features.map((feature) => featureText(feature, table)),
    ...(report.isolation.length === 0
      ? []
      : [['Out of routing', ...report.isolation.map(isolationLine)].join('\n')]),
    ...(report.warnings.length === 0 ? [] : [['Warnings', ...report.warnings.map(warningLine)].join('\n')]),
    [
      `Load and cost${report.targets.some(({ struck }) => struck) ? ' (*: in trouble)' : ''}`,
      table(report.targets.map(targetRow)),
      `  ${costLine(report)}`,
    ].join('\n'),
    [
      `The same with simpler means${report.comparedShare < 1 ? ` (estimated from ${countedShare(report.comparedShare)} of the traffic)` : ''}`,
      table([strategyHead, ...report.strategies.map(strategyRow)]),
    ].join('\n'),
    verdict(report),
  ].join('\n\n');
}
