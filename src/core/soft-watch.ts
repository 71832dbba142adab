/**
 * Whether the answers of a target that arrive are still like they were: empty, cut, refused, broken in form, late or
 * slow in their tokens, of odd length. One sequential test per signal, of the same family as the gate's (`detector.ts`):
 * each answer that a signal can be judged by is odd or is not, and the share of odd ones is compared with the share
 * learned for this target. It warns. It takes nothing out and brings nothing back.
 *
 * What is usual differs by orders of magnitude between uses (one product cuts a third of its answers on purpose), so
 * nothing is judged before two hundred answers were seen, and "worse" is meant relative to usual: three, ten and thirty
 * times the odds. What is compared with is the upper end of what is known about usual, so that knowing little makes slow
 * and not jumpy. The agreed rate of false alarms (`falseAlarm` of the gate) holds for all signals of a target together.
 *
 * A warning ends by proof as well: when it is four hundred times likelier that the answers are as usual again, or when it
 * has stood for a day: then that is what is usual now. One caller who asks oddly is set aside, not warned of; when it is
 * the users of one feature, the warning says so.
 *
 * State is small on purpose (`numbers` is one short array for all signals): there is one for every target.
 */
import { culprit, excursionAfter, suspectsAfter } from './detector.ts';
import type { Excursion, Suspect } from './detector.ts';
import { softSignals } from './evidence.ts';
import type { SoftSignal, Warning, WarningMove } from './evidence.ts';
import { whatIsOdd, warnedWords } from './soft-words.ts';
import type { Instant } from './ids.ts';

/** A warning, and the answers judged since, with how many were odd. */
export type SoftWarning = Warning & {
  readonly signal: SoftSignal;
  readonly total: number;
  readonly odd: number;
};

/** One answer judged by one signal. */
export type Sign = { readonly signal: SoftSignal; readonly odd: boolean };

/** Where an answer went; opaque but for the feature. */
export type Origin = {
  readonly callerKey: string | null;
  readonly requestKey: string | null;
  readonly feature: string | null;
};

type Open = {
  readonly signal: SoftSignal;
  readonly excursion: Excursion;
  readonly features: readonly Suspect[];
};
type SetAside = { readonly signal: SoftSignal; readonly key: string; readonly until: Instant };

export type SoftWatch = {
  /** For each signal: answers judged and odd ones (both fading), and the three sums. */
  readonly numbers: Float32Array;
  readonly spanMs: number;
  readonly fadedAt: Instant;
  readonly open: readonly Open[];
  readonly warnings: readonly SoftWarning[];
  readonly setAside: readonly SetAside[];
};

/** What is usual before anything is known, and below which nobody needs to be warned. */
const budgets: Readonly<Record<SoftSignal, number>> = {
  empty: 0.001,
  truncated: 0.02,
  tool_call_invalid: 0.005,
  structured_output_invalid: 0.005,
  refused: 0.005,
  slow_first_token: 0.03,
  slow_tokens: 0.01,
  odd_length: 0.05,
};

const fields = 5;
export const numbersLength = softSignals.length * fields;
const [seenAt, oddAt, lowAt, middleAt, highAt] = [0, 1, 2, 3, 4] as const;
const placeOf: Readonly<Record<SoftSignal, number>> = Object.fromEntries(
  softSignals.map((signal, index) => [signal, index * fields]),
) as Record<SoftSignal, number>;

const learnMin = 200;
const priorAnswers = 100;
const halfLifeMs = 86_400_000;
const fadeEveryMs = 3_600_000;
/** With a usual share above this a rise cannot be told. */
const usualMax = 0.6;
/** How far above what was learned the comparison stands: in odds, and in standard errors of what is known. */
const caution = 1.5;
const spreads = 2.5;
const worse = [3, 10, 30] as const;
/** That it stands higher makes false alarms rarer than agreed by itself: this much of the height is enough (`bench:warnings`). */
const slack = 0.8;
const oddMin = 5;
const aloneOddMin = 8;
/** Slow answers come in bursts, of the provider's making or our own: what is over in half a minute is no change. */
const lastsMs: Partial<Record<SoftSignal, number>> = { slow_first_token: 30_000, slow_tokens: 30_000 };
const attemptsMin = 50;
const clearNats = Math.log(400);
const acceptMs = 86_400_000;
const setAsideMs = 3_600_000;
const setAsideMax = 4;

const nothing: readonly never[] = [];

export function freshWatch(now: Instant): SoftWatch {
  return {
    numbers: new Float32Array(numbersLength),
    spanMs: 0,
    fadedAt: now,
    open: nothing,
    warnings: nothing,
    setAside: nothing,
  };
}

/** The share that has so many times the odds. */
function timesOdds(share: number, times: number): number {
  const odds = (share / (1 - share)) * times;
  return odds / (1 + odds);
}

type Tuning = {
  readonly usual: number;
  readonly p0: number;
  readonly height: number;
  readonly perSecond: number;
};

/** What a signal is compared with; null when a rise could not be told. */
function tuningOf(watch: SoftWatch, signal: SoftSignal, falseAlarmMs: number, now: Instant): Tuning | null {
  const at = placeOf[signal];
  const seen = watch.numbers[at + seenAt] ?? 0;
  const odd = watch.numbers[at + oddAt] ?? 0;
  const budget = budgets[signal];
  const known = seen + priorAnswers;
  const usual = (odd + budget * priorAnswers) / known;
  const upper = Math.max(
    budget,
    timesOdds(usual, caution),
    usual + spreads * Math.sqrt((usual * (1 - usual)) / known),
  );
  if (seen < learnMin || upper > usualMax) return null;
  const spanMs = Math.max(watch.spanMs + Math.max(0, now - watch.fadedAt), 60_000);
  const perSecond = (seen * 1_000) / spanMs;
  const attempts = (perSecond * falseAlarmMs * softSignals.length) / 1_000;
  return { usual, p0: upper, height: slack * Math.log(Math.max(attempts, attemptsMin)), perSecond };
}

/** How much likelier an answer is when things are so many times worse. */
function step(p0: number, times: number, odd: boolean): number {
  const p1 = timesOdds(p0, times);
  return odd ? Math.log(p1 / p0) : Math.log((1 - p1) / (1 - p0));
}

/** Counts fade so slowly that it is enough to let them do so once an hour. */
function faded(watch: SoftWatch, now: Instant): SoftWatch {
  const passed = now - watch.fadedAt;
  if (passed < fadeEveryMs) return watch;
  const kept = 2 ** (-passed / halfLifeMs);
  const numbers = watch.numbers.slice();
  for (const at of Object.values(placeOf)) {
    numbers[at + seenAt] = (numbers[at + seenAt] ?? 0) * kept;
    numbers[at + oddAt] = (numbers[at + oddAt] ?? 0) * kept;
  }
  return { ...watch, numbers, spanMs: watch.spanMs * kept + passed, fadedAt: now };
}

function isSetAside({ setAside }: SoftWatch, signal: SoftSignal, origin: Origin, now: Instant): boolean {
  return (
    setAside.length > 0 &&
    origin.callerKey !== null &&
    setAside.some((each) => each.signal === signal && each.key === origin.callerKey && each.until > now)
  );
}

/** The one feature of several that all of it comes from; null when there is none. */
function onlyIn({ features, excursion }: Open, p0: number): string | null {
  const found = culprit({ ...excursion, suspects: features }, p0);
  return found.kind === 'caller' ? found.key : null;
}

/** A watch while one answer is taken into account; `numbers` is its own. */
type Draft = {
  readonly numbers: Float32Array;
  open: readonly Open[];
  warnings: readonly SoftWarning[];
  setAside: readonly SetAside[];
};

const without = <T extends { readonly signal: SoftSignal }>(
  list: readonly T[],
  signal: SoftSignal,
): readonly T[] => (list.length === 0 ? list : list.filter((each) => each.signal !== signal));

/** Leaves what is usual, and forgets what was suspected of all signals but these. */
export function calmed(numbers: Float32Array, but: readonly SoftSignal[]): Float32Array {
  const calm = numbers.slice();
  for (const signal of softSignals) if (!but.includes(signal)) zero(calm, placeOf[signal]);
  return calm;
}

function zero(numbers: Float32Array, at: number): void {
  numbers[at + lowAt] = 0;
  numbers[at + middleAt] = 0;
  numbers[at + highAt] = 0;
}

function learn(numbers: Float32Array, at: number, total: number, odd: number): void {
  numbers[at + seenAt] = (numbers[at + seenAt] ?? 0) + total;
  numbers[at + oddAt] = (numbers[at + oddAt] ?? 0) + odd;
}

/** What an alarm amounts to. */
function alarmed(draft: Draft, open: Open, tuning: Tuning, now: Instant): WarningMove | null {
  const { signal, excursion } = open;
  const found = culprit(excursion, tuning.p0);
  if (found.kind === 'undecided' && (!found.alone || excursion.failed < aloneOddMin)) return null;
  zero(draft.numbers, placeOf[signal]);
  draft.open = without(draft.open, signal);
  if (found.kind === 'caller') {
    const aside = { signal, key: found.key, until: (now + setAsideMs) as Instant };
    draft.setAside = [aside, ...draft.setAside].slice(0, setAsideMax);
    return null;
  }
  const { total, failed, since } = excursion;
  const words = warnedWords(signal, { total, failed, since, ...tuning, onlyIn: onlyIn(open, tuning.p0) });
  const warning = { signal, since: excursion.since, at: now, words, total: 0, odd: 0 };
  draft.warnings = [...draft.warnings, warning];
  return { signal, to: 'warned', words };
}

function counted(
  draft: Draft,
  { signal, odd }: Sign,
  tuning: Tuning,
  origin: Origin,
  now: Instant,
): WarningMove | null {
  const { numbers } = draft;
  const at = placeOf[signal];
  const before = draft.open.find((each) => each.signal === signal);
  if (!odd && before === undefined) {
    learn(numbers, at, 1, 0);
    return null;
  }
  if (odd && origin.requestKey !== null && before?.excursion.requests.includes(origin.requestKey) === true)
    return null;
  const { p0, height } = tuning;
  let most = 0;
  for (const [index, times] of worse.entries()) {
    const sum = Math.min(height, Math.max(0, (numbers[at + lowAt + index] ?? 0) + step(p0, times, odd)));
    numbers[at + lowAt + index] = sum;
    if (sum > most) most = sum;
  }
  const { callerKey, requestKey, feature } = origin;
  const open: Open = {
    signal,
    excursion: excursionAfter(
      before?.excursion ?? null,
      { failed: odd, overloaded: false, callerKey, requestKey },
      now,
    ),
    features: suspectsAfter(before?.features ?? nothing, { failed: odd, callerKey: feature }),
  };
  if (most === 0) {
    learn(numbers, at, open.excursion.total, open.excursion.failed);
    draft.open = without(draft.open, signal);
    return null;
  }
  draft.open = [...without(draft.open, signal), open];
  // A Float32 may round the sum to just below the height it was held at.
  const isSure = most >= height - 1e-3 && open.excursion.failed >= oddMin;
  const hasLasted = now - open.excursion.since >= (lastsMs[signal] ?? 0);
  return isSure && hasLasted ? alarmed(draft, open, tuning, now) : null;
}

/** The end of a warning, when it is one. */
function judgedAgain(
  draft: Draft,
  warning: SoftWarning,
  odd: boolean,
  tuning: Tuning | null,
  now: Instant,
): WarningMove | null {
  const { signal } = warning;
  const at = placeOf[signal];
  const later = { ...warning, total: warning.total + 1, odd: warning.odd + (odd ? 1 : 0) };
  const before = draft.numbers[at + lowAt] ?? 0;
  const sum = tuning === null ? before : Math.min(0, before + step(tuning.p0, worse[0], odd));
  const isAccepted = now - warning.at >= acceptMs;
  if (sum > -clearNats && !isAccepted) {
    draft.numbers[at + lowAt] = sum;
    draft.warnings = draft.warnings.map((each) => (each === warning ? later : each));
    return null;
  }
  zero(draft.numbers, at);
  draft.warnings = without(draft.warnings, signal);
  const counts = `${later.odd} of ${later.total} later ${whatIsOdd[signal]}`;
  if (sum <= -clearNats) return { signal, to: 'cleared', words: `as usual again: ${counts}` };
  draft.numbers[at + seenAt] = 0;
  draft.numbers[at + oddAt] = 0;
  learn(draft.numbers, at, later.total, later.odd);
  return { signal, to: 'cleared', words: `${counts}, for a day now: that is taken for usual` };
}

/** Takes one answer into account, by every signal it can be judged by. */
export function hearSigns(
  given: SoftWatch,
  signs: readonly Sign[],
  origin: Origin,
  falseAlarmMs: number,
  now: Instant,
): { readonly watch: SoftWatch; readonly moves: readonly WarningMove[] } {
  if (signs.length === 0) return { watch: given, moves: nothing };
  const watch = faded(given, now);
  const { open, warnings, setAside } = watch;
  const draft: Draft = { numbers: watch.numbers.slice(), open, warnings, setAside };
  const moves: WarningMove[] = [];
  for (const sign of signs) {
    const { signal, odd } = sign;
    if (isSetAside(watch, signal, origin, now)) continue;
    const warning = draft.warnings.find((each) => each.signal === signal);
    const isQuiet = !odd && warning === undefined && !draft.open.some((each) => each.signal === signal);
    // A good answer while nothing is suspected: the common case, kept cheap.
    if (isQuiet) {
      learn(draft.numbers, placeOf[signal], 1, 0);
      continue;
    }
    const tuning = tuningOf(watch, signal, falseAlarmMs, now);
    if (warning === undefined && tuning === null) {
      learn(draft.numbers, placeOf[signal], 1, odd ? 1 : 0);
      continue;
    }
    const move =
      warning !== undefined
        ? judgedAgain(draft, warning, odd, tuning, now)
        : tuning === null
          ? null
          : counted(draft, sign, tuning, origin, now);
    if (move !== null) moves.push(move);
  }
  return { watch: { ...draft, spanMs: watch.spanMs, fadedAt: watch.fadedAt }, moves };
}

/** How suspicious a signal is, from 0 (as usual) to 1 (a warning stands). */
export function suspicionOf(
  watch: SoftWatch,
  signal: SoftSignal,
  falseAlarmMs: number,
  now: Instant,
): number {
  if (watch.warnings.some((each) => each.signal === signal)) return 1;
  const at = placeOf[signal];
  const { numbers } = watch;
  const most = Math.max(numbers[at + lowAt] ?? 0, numbers[at + middleAt] ?? 0, numbers[at + highAt] ?? 0);
  if (most === 0) return 0;
  const tuning = tuningOf(watch, signal, falseAlarmMs, now);
  return tuning === null ? 0 : Math.min(1, most / tuning.height);
}
