/**
 * How many calls may be open at one target: a limit that is learnt, as a value: `judgeRound(limit, calls) → limit`.
 *
 * There is none until the target shows one. Two signs speak: it says that it is overloaded (429, 503, 529), or first
 * tokens come later than they typically do for prompts of that size, which is what a queue in front of the model looks
 * like from outside. How long an answer takes is no sign: that is its length. Calls are judged in rounds of a few. A
 * round with a sign sets the limit to a little less than what was open; each further one lowers it, and only calls that
 * began under the limit in force speak about it. Quiet rounds raise it again: quickly up to where it last was too much,
 * then carefully, then faster the longer nothing happens. Long quiet forgets it.
 *
 * A late first token may also mean that the model became slower, whatever we send. Then lowering the limit does not
 * help, and a limit that does not help only refuses people: when halving it left the delay as it was, the limit is
 * given up and the new pace is taken as typical.
 *
 * It refuses to judge health (that is the gate's) and to look at the length of answers.
 */
import type { Instant } from './ids.ts';

/** What a call showed about load, when its first token came or it failed before. */
export type CallSeen = {
  readonly startedAt: Instant;
  readonly seenAt: Instant;
  /** Calls open at the target when this one began, itself included. */
  readonly openAtStart: number;
  readonly inputTokens: number;
  readonly sign: LoadSign;
};

/**
 * Milliseconds to the first token; `overloaded`: the target said that it is too busy; `none`: it says nothing about
 * load (a whole answer, another failure).
 */
export type LoadSign = number | 'overloaded' | 'none';

/** A time of which this process itself was away for more than this share tells of it, not of the target. */
const absentShareMax = 0.2;

/** What a time to the first token shows. Our own absence may lie beside the target's work or before it: nobody can tell. */
export function timedSign(ms: number, absentMs: number): LoadSign {
  return absentMs > ms * absentShareMax ? 'none' : ms;
}

/** What first tokens typically take for one size of prompt, as natural logarithms of milliseconds. */
type Typical = {
  readonly mean: number;
  readonly spread: number;
  readonly seen: number;
  readonly firstAt: Instant | null;
  /** Enough was seen, for long enough, to compare with. */
  readonly known: boolean;
};

/** When the limit was first lowered in this trouble, and the longest delay near there, to know whether lowering helps. */
type FirstCut = { readonly open: number; readonly lateMs: number };

export type ConcurrencyLimit = {
  /** Null: nothing has shown a limit. */
  readonly most: number | null;
  readonly typical: readonly Typical[];
  /** How long it takes on average until one more call shows something: the pace at which it serves. Null: not known. */
  readonly msPerCall: number | null;
  /** Calls that began earlier say nothing about the limit in force. */
  readonly setAt: Instant;
  /** The last sign of too much; null when there was none yet. */
  readonly signAt: Instant | null;
  readonly firstCut: FirstCut | null;
};

/** Prompts are compared with prompts of their size: up to 1,000, 4,000, 16,000, 64,000 tokens, and more. */
const sizesMax = [1_000, 4_000, 16_000, 64_000] as const;
/** Timed calls of a size before it is known what is typical. */
const typicalMin = 16;
/**
 * … and how many times that time must have passed since the first. The first answers to come are the quickest of all
 * that were asked for: taken for typical, they would make every usual one look late.
 */
const typicalTimes = 8;
const roundCalls = 16;
/** Calls seen longer ago than this say nothing about load now. */
const roundMsMax = 60_000;
const late = {
  /** First tokens at least twice as late as typical, … */
  ratio: Math.log(2),
  /** … by more than chance explains, … */
  deviations: 4,
  /** … and by a time that a person notices. */
  msMin: 300,
} as const;
/** Below this share of "late", a round is quiet. */
const quietShare = 0.4;
/** A round with this many calls turned away is too much: a stray one is background. */
const overloadsMin = { free: 4, limited: 2 } as const;
/** One lowering leaves at least and at most this share; the estimate of the queue may be off by `error` of the calls. */
const cut = { least: 0.6, most: 0.85, error: 0.2 } as const;
const mostMin = 2;
/** After halving (`halved`), a delay still this large as a share of what it was means that lowering does not help. */
const unhelped = 0.8;
const halved = 0.5;
/** "Near" the first lowering, for the delay to compare with. */
const nearShare = 0.75;
/** Growth per second after a sign, doubling every `doublesMs` without another, up to the most. */
const growth = { perSecond: 0.005, doublesMs: 10_000, perSecondMost: 0.06 } as const;
/** A limit counts as used from this share on; one that is not used need not grow. */
const usedShare = 0.55;
export const forgetMs = 300_000;
/** What is typical is learnt this fast: quicker down than up, so that a slowly growing queue is not taken for normal. */
const learnMs = { down: 60_000, up: 600_000 } as const;
const learnShareMax = 0.2;
const spreadMin = 0.05;
const paceShare = 0.15;

export function noLimit(now: Instant): ConcurrencyLimit {
  const unknown: Typical = { mean: 0, spread: 0.25, seen: 0, firstAt: null, known: false };
  return {
    most: null,
    typical: Array.from({ length: sizesMax.length + 1 }, () => unknown),
    msPerCall: null,
    setAt: now,
    signAt: null,
    firstCut: null,
  };
}

function sizeOf(inputTokens: number): number {
  const at = sizesMax.findIndex((most) => inputTokens <= most);
  return at < 0 ? sizesMax.length : at;
}

const phaseOf = (limit: ConcurrencyLimit): 'free' | 'limited' => (limit.most === null ? 'free' : 'limited');

/** Whether there are enough calls to judge. Being told of overload is judged at once. */
export function isRoundOver(calls: readonly CallSeen[]): boolean {
  return calls.length >= roundCalls || calls.at(-1)?.sign === 'overloaded';
}

/** What a round came to. */
type Round = {
  readonly typical: readonly Typical[];
  readonly ms: number;
  readonly calls: number;
  readonly timed: number;
  readonly overloads: number;
  readonly openMost: number;
  /** How far first tokens were above typical, on average: as a logarithm, and in milliseconds. */
  readonly above: number;
  readonly lateMs: number;
  readonly spread: number;
};

/** What is typical after one more time, while it is not yet known. */
function beginner({ mean, spread, seen, firstAt }: Typical, logMs: number, seenAt: Instant): Typical {
  const next = mean + (logMs - mean) / (seen + 1);
  const since = firstAt ?? seenAt;
  return {
    firstAt: since,
    known: seen + 1 >= typicalMin && seenAt - since >= typicalTimes * Math.exp(next),
    mean: next,
    spread: seen === 0 ? spread : spread + ((logMs - next) ** 2 - spread) / (seen + 1),
    seen: seen + 1,
  };
}

function roundOf(limit: ConcurrencyLimit, calls: readonly CallSeen[], now: Instant): Round {
  let typical = limit.typical;
  let [counted, timed, overloads, openMost, above, squared, lateMs] = [0, 0, 0, 0, 0, 0, 0];
  let since = now;
  for (const { startedAt, seenAt, openAtStart, inputTokens, sign } of calls) {
    if (startedAt < limit.setAt || now - seenAt > roundMsMax) continue;
    counted++;
    since = Math.min(since, seenAt) as Instant;
    openMost = Math.max(openMost, openAtStart);
    if (sign === 'overloaded') overloads++;
    if (typeof sign !== 'number') continue;
    const size = sizeOf(inputTokens);
    const known = typical[size];
    if (known === undefined) continue;
    const logMs = Math.log(Math.max(1, sign));
    if (!known.known) {
      typical = typical.with(size, beginner(known, logMs, seenAt));
      continue;
    }
    timed++;
    above += logMs - known.mean;
    squared += (logMs - known.mean) ** 2;
    lateMs += sign - Math.exp(known.mean);
  }
  const each = Math.max(1, timed);
  return {
    typical,
    ms: now - since,
    calls: counted,
    timed,
    overloads,
    openMost,
    above: above / each,
    lateMs: lateMs / each,
    spread: Math.max(0, squared / each - (above / each) ** 2),
  };
}

type Verdict = 'too_much' | 'unclear' | 'quiet';

/** What typical spread to expect: the widest of the sizes known, to be on the safe side. */
function spreadOf(typical: readonly Typical[]): number {
  return typical.reduce((most, each) => (each.known ? Math.max(most, each.spread) : most), spreadMin);
}

function verdictOn(limit: ConcurrencyLimit, round: Round): Verdict {
  const { timed, above, lateMs, overloads } = round;
  if (overloads >= overloadsMin[phaseOf(limit)]) return 'too_much';
  if (timed >= typicalMin / 4 && lateMs >= late.msMin) {
    const chance = late.deviations * Math.sqrt(spreadOf(limit.typical) / timed);
    if (above >= Math.max(late.ratio, chance)) return 'too_much';
  }
  return overloads > 0 || (timed > 0 && above > late.ratio * quietShare) ? 'unclear' : 'quiet';
}

/** Moves what is typical by what a round showed: by time, so that a burst of traffic does not teach faster than a lull. */
function learnt({ typical, timed, above, spread, ms }: Round): readonly Typical[] {
  if (timed === 0) return typical;
  const share = Math.min(learnShareMax, ms / (above < 0 ? learnMs.down : learnMs.up));
  return typical.map((each) =>
    each.known
      ? { ...each, mean: each.mean + share * above, spread: each.spread + share * (spread - each.spread) }
      : each,
  );
}

/** Lowering it has not helped: the target is slow, not full. */
function givenUp(round: Round, now: Instant): ConcurrencyLimit {
  const typical = round.typical.map((each) =>
    each.known ? { ...each, mean: each.mean + round.above } : each,
  );
  return { ...noLimit(now), typical };
}

/** One round of a few calls says little about the pace: most of it is from before. */
function pace(limit: ConcurrencyLimit, { calls, ms }: Round): number | null {
  const { msPerCall } = limit;
  if (calls < 2) return msPerCall;
  const seen = ms / (calls - 1);
  return msPerCall === null ? seen : msPerCall + paceShare * (seen - msPerCall);
}

/** The share of a limit that stays: less, the more calls must be queueing behind it. */
function keptShare({ timed, lateMs }: Round, from: number, msPerCall: number | null): number {
  if (timed === 0 || msPerCall === null || msPerCall === 0) return cut.most;
  const queued = lateMs / msPerCall;
  return Math.min(cut.most, Math.max(cut.least, 1 + cut.error - queued / from));
}

function lowered(limit: ConcurrencyLimit, round: Round, open: number, now: Instant): ConcurrencyLimit {
  const { lateMs } = round;
  const from = Math.min(limit.most ?? Number.POSITIVE_INFINITY, Math.max(open, round.openMost));
  const first = limit.firstCut ?? { open: from, lateMs };
  const byDelay = round.overloads < overloadsMin[phaseOf(limit)];
  if (byDelay && from <= first.open * halved && lateMs >= first.lateMs * unhelped) return givenUp(round, now);
  const isNear = from >= first.open * nearShare;
  return {
    most: Math.max(mostMin, Math.floor(from * keptShare(round, from, limit.msPerCall))),
    typical: round.typical,
    msPerCall: limit.msPerCall,
    setAt: now,
    signAt: now,
    firstCut: isNear ? { ...first, lateMs: Math.max(first.lateMs, lateMs) } : first,
  };
}

/** How much a limit that is used may grow after a quiet round. */
function raised(limit: ConcurrencyLimit, most: number, round: Round, now: Instant): number {
  const doubled = 2 ** ((now - (limit.signAt ?? now)) / growth.doublesMs);
  const perSecond = Math.min(growth.perSecondMost, growth.perSecond * doubled);
  return most * (1 + (perSecond * round.ms) / 1000);
}

function quiet(limit: ConcurrencyLimit, round: Round, now: Instant): ConcurrencyLimit {
  const next = { ...limit, typical: learnt(round) };
  if (limit.most === null || limit.signAt === null) return next;
  const used = round.openMost >= limit.most * usedShare;
  if (!used && now - limit.signAt >= forgetMs) return { ...noLimit(now), typical: next.typical };
  return used ? { ...next, most: raised(limit, limit.most, round, now), firstCut: null } : next;
}

/** Judges the calls since the last judgement; null while there are too few. `open`: calls open at the target now. */
export function judgeRound(
  before: ConcurrencyLimit,
  calls: readonly CallSeen[],
  open: number,
  now: Instant,
): ConcurrencyLimit | null {
  const round = roundOf(before, calls, now);
  const limit = { ...before, msPerCall: pace(before, round) };
  const isFull = round.calls >= roundCalls;
  switch (verdictOn(limit, round)) {
    case 'too_much':
      return lowered(limit, round, open, now);
    case 'unclear':
      return isFull ? { ...limit, typical: learnt(round) } : null;
    case 'quiet':
      return isFull ? quiet(limit, round, now) : null;
  }
}

/** Forgets a limit that has long been quiet: nobody asks any more. */
export function settleLimit(limit: ConcurrencyLimit, now: Instant): ConcurrencyLimit {
  if (limit.most === null || limit.signAt === null || now - limit.signAt < forgetMs * 2) return limit;
  return { ...noLimit(now), typical: limit.typical };
}
