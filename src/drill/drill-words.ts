/** Words of a drill's report, shared by the terminal and the page. */
import type { StrategyName } from '../simulation/rehearse.ts';
import { seenOutcomes } from '../simulation/tally.ts';
import type { SeenOutcome } from '../simulation/tally.ts';
import { countedShare } from '../core/percent.ts';
import { countWords } from '../core/words.ts';
import type { FeatureDrill, MinuteReport, Outcomes } from './drill-report.ts';

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

/** `$12.40`, or that it is not known. */
export function costText(usd: number | null): string {
  return usd === null ? 'not known' : `$${usd.toFixed(2)}`;
}
