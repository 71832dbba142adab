/** Words of a drill's report, shared by the terminal and the page. */
import type { StrategyName } from '../simulation/rehearse.ts';
import { seenOutcomes } from '../simulation/tally.ts';
import type { SeenOutcome } from '../simulation/tally.ts';
import { countedShare } from '../core/percent.ts';
import { countWords, durationWords, listWords } from '../core/words.ts';
import { passed } from './drill-report.ts';
import type {
  DrillReport,
  FeatureDrill,
  Isolation,
  MinuteReport,
  Outcomes,
  TargetDrill,
} from './drill-report.ts';

export const outcomeWords: Readonly<Record<SeenOutcome, string>> = {
  answered: 'answered as usual',
  backup: 'answered by a backup',
  limited: 'answered in limited mode',
  agreed: 'asked, agreed and were answered',
  cut: 'cut off',
  asked: 'asked, and did not agree',
  refused: 'refused by policy',
  busy: 'turned away, all full',
  failed: 'saw an error',
};

export const strategyWords: Readonly<Record<StrategyName, string>> = {
  breakwater: 'Breakwater',
  no_gateway: 'no gateway',
  retry_only: 'retries only',
  naive_fallback: 'retries, then the next',
  common_breaker: 'breaker: half of 5 in 30 s',
};

export const requestsOf = (outcomes: Outcomes): number =>
  Object.values(outcomes).reduce((sum, count) => sum + count, 0);

export const goodShare = (outcomes: Outcomes): number => {
  const total = requestsOf(outcomes);
  return total === 0 ? 1 : (outcomes.answered + outcomes.backup + outcomes.limited + outcomes.agreed) / total;
};

/** `97 % answered by a backup, 3 % saw an error`. */
export function outcomesText(outcomes: Outcomes): string {
  const total = requestsOf(outcomes);
  if (total === 0) return 'no requests';
  return seenOutcomes
    .filter((outcome) => outcomes[outcome] > 0)
    .toSorted((one, other) => outcomes[other] - outcomes[one])
    .map((outcome) => `${countedShare(outcomes[outcome] / total)} ${outcomeWords[outcome]}`)
    .join(', ');
}

/** `01:05`: hours and minutes from the start. */
export function minuteText(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}

export type Phase = {
  readonly from: number;
  readonly to: number;
  readonly outcomes: Outcomes;
  readonly waitMs: number;
};

/** Which outcomes a minute has at all, large and small ones apart: minutes alike are told together. */
function picture({ outcomes }: MinuteReport): string {
  const total = requestsOf(outcomes);
  return seenOutcomes
    .map((outcome) => {
      const share = total === 0 ? 0 : outcomes[outcome] / total;
      return share === 0 ? '-' : share < noticeable ? 'some' : share < 1 - noticeable ? 'part' : 'most';
    })
    .map((word, index) => (word === 'some' && index < goodOutcomes ? '-' : word))
    .join(' ');
}

const noticeable = 0.1;
/** The first four outcomes are answers. */
const goodOutcomes = 4;

/** Minutes that look alike, one after another, as one. */
export function phasesOf(minutes: readonly MinuteReport[]): readonly Phase[] {
  const phases: {
    from: number;
    to: number;
    outcomes: Record<SeenOutcome, number>;
    waitMs: number;
    look: string;
  }[] = [];
  for (const each of minutes) {
    const look = picture(each);
    const last = phases.at(-1);
    if (last === undefined || last.look !== look) {
      phases.push({
        from: each.minute,
        to: each.minute + 1,
        outcomes: { ...each.outcomes },
        waitMs: each.waitMs ?? 0,
        look,
      });
      continue;
    }
    last.to = each.minute + 1;
    last.waitMs = Math.max(last.waitMs, each.waitMs ?? 0);
    for (const outcome of seenOutcomes) last.outcomes[outcome] += each.outcomes[outcome];
  }
  return phases;
}

export function hedgesText({ sent, won }: NonNullable<FeatureDrill['hedges']>): string {
  return `asked a second target ${countWords(sent, 'time')} because the first was silent; it answered first ${countWords(won, 'time')}`;
}

/** Who answers a feature when its first choice may not. */
export function passedOverText({ target, why, usual }: NonNullable<FeatureDrill['passedOver']>): string {
  return `${target}, its first choice, may not have its data (${why}): ${usual} answers always`;
}

export const claimWords = { holds: 'holds', fails: 'FAILS', not_rehearsed: 'not rehearsed here' } as const;

/** How a struck target went out of routing and came back. */
export function isolationText({
  sheddingMs,
  ejectedMs,
  normalMs,
  byKey,
  unasked,
}: Omit<Isolation, 'words'>): string {
  if (unasked) return 'nothing was sent to it in this drill, so its trouble changed nothing';
  const out = [
    sheddingMs === null ? [] : `set aside after ${durationWords(sheddingMs)}`,
    ejectedMs === null ? [] : `declared out after ${durationWords(ejectedMs)}`,
  ].flat();
  if (out.length === 0)
    return byKey
      ? "its gate did not close: such failures set the provider's keys aside instead"
      : 'its gate did not close';
  const back =
    normalMs === null
      ? 'not back within the drill'
      : `back to normal ${durationWords(normalMs)} after the end`;
  return [...out, back].join(', ');
}

/** `120 a minute at most, usually 4`. */
export function loadText({ callsPerMinuteMost, callsPerMinuteUsual }: TargetDrill): string {
  const usually = callsPerMinuteUsual === null ? '' : ` (usually ${Math.round(callsPerMinuteUsual)})`;
  return `≤ ${callsPerMinuteMost} a minute${usually}`;
}

export function costLine({ costUsd, usualCostUsd, targets }: DrillReport): string {
  if (costUsd === null || usualCostUsd === null) {
    const missing = targets.filter((target) => target.costUsd === null).map(({ target }) => target);
    return `What it costs in all is not known: the price of ${listWords(missing)} is missing (models: { NAME: { price: { input, output } } }).`;
  }
  const more = costUsd - usualCostUsd;
  return `Cost at list price: ${costText(costUsd)}, ${costText(Math.abs(more))} ${more < 0 ? 'less' : 'more'} than usual.`;
}

export function verdict(report: DrillReport): string {
  if (report.violations > 0)
    return `POLICY BROKEN: ${countWords(report.violations, 'call')} went where policy forbids. Please report this as a bug.`;
  const failing = report.features
    .flatMap(({ claims }) => claims)
    .filter(({ outcome }) => outcome === 'fails').length;
  return passed(report)
    ? 'Policy was kept by every call, and no claim that was rehearsed failed.'
    : `Policy was kept by every call, but ${countWords(failing, 'claim')} of the configuration did not hold.`;
}

/** What a reader must know beside the figures. */
export function noteTexts({ notes, start }: DrillReport): readonly string[] {
  const time = new Date(start).toISOString().slice(11, 16);
  return [
    ...notes.map((note) => `Part of the scenario changes nothing here: ${note}.`),
    ...(time === '00:00' ? [] : [`Gates tell the time of day; it is ${time} UTC when the drill begins.`]),
  ];
}

/** `$12.40`, or that it is not known. */
export function costText(usd: number | null): string {
  return usd === null ? 'not known' : `$${usd.toFixed(2)}`;
}
