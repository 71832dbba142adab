/**
 * The detector: whether a target fails more often than usual, as early as mathematics allows, at a stated rate of
 * false alarms. One bank of three sequential tests (CUSUM) per signal.
 *
 * Each test compares two explanations of the outcomes: "as usual" (rate p0) and "sick" (rate p1). Every outcome adds
 * the logarithm of how much better the second explains it: failures add, successes subtract, the sum never falls below
 * zero, and the test speaks when it reaches the height h. No rule with the same rate of false alarms is faster for its
 * p1 (Moustakides 1986), and h = ln(attempts between false alarms) keeps that rate whatever p0 and p1 are (Lorden 1971).
 * Three values of p1 (half the breach, half as much again, nearly everything) cover brown-out to black-out.
 *
 * Since the sums rise from zero with a failure and come back to zero when it was nothing, attempts between two zeros
 * form an excursion. Its counts make the sentence in numbers; when it comes to nothing they are learned as usual, and
 * only then do p0 and h move. So the rule never changes while it is judging.
 *
 * Who failed matters too: a failing caller is not a failing target. The excursion keeps the callers that failed most,
 * and weighs "this one caller" against "everybody" by likelihood (`culprit`). A caller found guilty is set aside for a
 * while. Failures of one request are one piece of evidence.
 *
 * It refuses to act: what a raised alarm does is `health.ts`.
 */
import { attemptsPerSecond, comparedRate, learn, nothingKnown, usualRate } from './background.ts';
import type { Background } from './background.ts';
import type { Instant } from './ids.ts';

/** What was agreed about one signal. */
export type Agreement = {
  readonly budget: number;
  readonly breach: number;
  /** Mean time between false alarms. */
  readonly falseAlarmMs: number;
};

/** The tests' constants; moved only between excursions. */
export type Tuning = {
  readonly usual: number;
  readonly p0: number;
  readonly height: number;
  readonly perSecond: number;
  /** The rates of the gentle and the middling test; the violent one's is always the same. */
  readonly low: number;
  readonly middle: number;
};

export type Suspect = { readonly key: string; readonly total: number; readonly failed: number };

export type Excursion = {
  readonly since: Instant;
  readonly total: number;
  readonly failed: number;
  /** Failures that were overload. */
  readonly overloaded: number;
  readonly suspects: readonly Suspect[];
  /** Requests that failed already. */
  readonly requests: readonly string[];
  readonly latestFailure: Instant;
};

export type Bank = {
  readonly background: Background;
  readonly tuning: Tuning;
  /** The three sums, gentle to violent. */
  readonly low: number;
  readonly middle: number;
  readonly high: number;
  /** Attempts since the background was last brought up to date; all good, since no sum has risen. */
  readonly quiet: number;
  readonly quietSince: Instant;
  readonly latest: Instant;
  readonly excursion: Excursion | null;
};

export type Outcome = {
  readonly failed: boolean;
  readonly overloaded: boolean;
  readonly callerKey: string | null;
  readonly requestKey: string | null;
};

const violent = 0.9;
const suspectsMax = 8;
const requestsMax = 8;
/** Without news, suspicion halves in this time. */
const forgetMs = 1_800_000;
/** Pauses shorter than this do not make anything forget. */
const pauseMs = 10_000;
/** Good attempts counted before they are learned. */
const quietMax = 64;
const attemptsMin = 50;

function tune(background: Background, agreement: Agreement): Tuning {
  const { budget, breach, falseAlarmMs } = agreement;
  const p0 = comparedRate(background, budget, breach);
  const low = Math.min(0.5, Math.max(breach / 2, 4 * p0));
  const middle = Math.min(0.8, Math.max(1.5 * breach, 1.5 * low));
  const perSecond = attemptsPerSecond(background);
  // Three tests could alarm three times as often; that p0 stands half as high again as what was learned (`background.ts`)
  // lengthens the time between false alarms ninefold or more, so nothing is added for it.
  const height = Math.log(Math.max((perSecond * falseAlarmMs) / 1000, attemptsMin));
  return { usual: usualRate(background, budget), p0, height, perSecond, low, middle };
}

/** How much better a rate explains an outcome than the usual one. */
function step(p1: number, p0: number, failed: boolean): number {
  return failed ? Math.log(p1 / p0) : Math.log((1 - p1) / (1 - p0));
}

export function freshBank(agreement: Agreement, now: Instant, background: Background = nothingKnown): Bank {
  return {
    background,
    tuning: tune(background, agreement),
    low: 0,
    middle: 0,
    high: 0,
    quiet: 0,
    quietSince: now,
    latest: now,
    excursion: null,
  };
}

/** How suspicious it is, from 0 (as usual) to 1 (an alarm). */
export function suspicion(bank: Bank): number {
  return Math.max(bank.low, bank.middle, bank.high) / bank.tuning.height;
}

/** Ends an excursion that came to nothing, or a quiet stretch: what was seen is learned. */
function learned(bank: Bank, agreement: Agreement, now: Instant): Bank {
  const { excursion } = bank;
  const background = learn(bank.background, {
    total: bank.quiet + (excursion?.total ?? 0),
    failed: excursion?.failed ?? 0,
    spanMs: Math.max(0, now - bank.quietSince),
  });
  return freshBank(agreement, now, background);
}

export function suspectsAfter(
  suspects: readonly Suspect[],
  outcome: Pick<Outcome, 'callerKey' | 'failed'>,
): readonly Suspect[] {
  const { callerKey, failed } = outcome;
  if (callerKey === null) return suspects;
  let least = 0;
  for (let index = 0; index < suspects.length; index++) {
    const each = suspects[index];
    if (each === undefined) continue;
    if (each.key === callerKey) {
      const next = suspects.slice();
      next[index] = { key: callerKey, total: each.total + 1, failed: each.failed + (failed ? 1 : 0) };
      return next;
    }
    if (each.failed < (suspects[least]?.failed ?? 0)) least = index;
  }
  if (!failed) return suspects;
  const entry = { key: callerKey, total: 1, failed: 1 };
  if (suspects.length < suspectsMax) return [...suspects, entry];
  // The least suspicious makes room.
  return (suspects[least]?.failed ?? 0) <= 1 ? suspects.with(least, entry) : suspects;
}

export function excursionAfter(excursion: Excursion | null, outcome: Outcome, now: Instant): Excursion {
  const before = excursion ?? {
    since: now,
    total: 0,
    failed: 0,
    overloaded: 0,
    suspects: [],
    requests: [],
    latestFailure: now,
  };
  const { failed, requestKey } = outcome;
  return {
    since: before.since,
    total: before.total + 1,
    failed: before.failed + (failed ? 1 : 0),
    overloaded: before.overloaded + (failed && outcome.overloaded ? 1 : 0),
    suspects: suspectsAfter(before.suspects, outcome),
    requests:
      failed && requestKey !== null
        ? [requestKey, ...before.requests].slice(0, requestsMax)
        : before.requests,
    latestFailure: failed ? now : before.latestFailure,
  };
}

/** Whether this failure repeats a request that failed already. */
function repeats(bank: Bank, outcome: Outcome): boolean {
  return (
    outcome.failed &&
    outcome.requestKey !== null &&
    bank.excursion !== null &&
    bank.excursion.requests.includes(outcome.requestKey)
  );
}

/** A good answer while nothing is suspected: the common case, kept cheap. */
function quietly(bank: Bank, agreement: Agreement, now: Instant): Bank {
  if (bank.quiet >= quietMax - 1) return learned({ ...bank, quiet: bank.quiet + 1 }, agreement, now);
  return {
    background: bank.background,
    tuning: bank.tuning,
    low: 0,
    middle: 0,
    high: 0,
    quiet: bank.quiet + 1,
    quietSince: bank.quietSince,
    latest: now,
    excursion: null,
  };
}

/** Takes one outcome in. `now` never runs backwards here. */
export function count(bank: Bank, outcome: Outcome, agreement: Agreement, now: Instant): Bank {
  if (!outcome.failed && bank.excursion === null) return quietly(bank, agreement, now);
  if (repeats(bank, outcome)) return bank;
  const pause = now - bank.latest;
  const kept = pause > pauseMs ? 2 ** (-pause / forgetMs) : 1;
  const { p0, height, low, middle } = bank.tuning;
  const { failed } = outcome;
  const risen = (sum: number, p1: number): number =>
    Math.min(height, Math.max(0, sum * kept + step(p1, p0, failed)));
  const next: Bank = {
    background: bank.background,
    tuning: bank.tuning,
    low: risen(bank.low, low),
    middle: risen(bank.middle, middle),
    high: risen(bank.high, violent),
    quiet: bank.quiet,
    quietSince: bank.quietSince,
    latest: now,
    excursion: excursionAfter(bank.excursion, outcome, now),
  };
  return next.low === 0 && next.middle === 0 && next.high === 0 ? learned(next, agreement, now) : next;
}

/** Ends an excursion that a trial has found to be over, and learns from it. */
export function settleExcursion(bank: Bank, agreement: Agreement, now: Instant): Bank {
  return bank.excursion === null ? bank : learned(bank, agreement, now);
}

/** Forgets an excursion without learning from it: it was real, or somebody's own fault. */
export function dropExcursion(bank: Bank, agreement: Agreement, now: Instant): Bank {
  return freshBank(agreement, now, bank.background);
}

/** Log-likelihood of `failed` of `total` at a rate. */
export function logLikelihood(failed: number, total: number, rate: number): number {
  const p = Math.min(1 - 1e-6, Math.max(1e-6, rate));
  return failed * Math.log(p) + (total - failed) * Math.log(1 - p);
}

export type Culprit =
  /** Everybody fails. */
  | { readonly kind: 'target' }
  /** One caller fails and the others do not. */
  | { readonly kind: 'caller'; readonly key: string }
  /** No telling apart yet; `alone`: nobody else asks. */
  | { readonly kind: 'undecided'; readonly alone: boolean };

/** How much better one explanation must be, in nats, to be taken over the other: odds of about 1 in 7. */
const lead = 2;
/** A caller is set aside only when it is clearer than that: 1 in 50. */
const guiltyLead = 4;

/** Whether an excursion is the target's doing or that of the caller who failed most. */
export function culprit(excursion: Excursion, p0: number): Culprit {
  const top = excursion.suspects.reduce<Suspect | null>(
    (worst, each) => (worst === null || each.failed > worst.failed ? each : worst),
    null,
  );
  if (top === null || top.failed < 2) return { kind: 'target' };
  const others = { total: excursion.total - top.total, failed: excursion.failed - top.failed };
  const everybody = logLikelihood(excursion.failed, excursion.total, excursion.failed / excursion.total);
  const one =
    logLikelihood(top.failed, top.total, top.failed / top.total) +
    logLikelihood(others.failed, others.total, p0);
  if (everybody - one >= lead) return { kind: 'target' };
  if (one - everybody >= guiltyLead) return { kind: 'caller', key: top.key };
  return { kind: 'undecided', alone: others.total === 0 };
}
