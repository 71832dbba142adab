/**
 * How a gate moves: each way from one state to another, as a function from cell to cell. Every move is a new generation,
 * says why in words and numbers, and leaves behind what the next state must not see.
 *
 * It refuses to decide when: `health.ts` weighs the evidence, a person or a wider scope may speak as well.
 */
import { dropExcursion, settleExcursion, suspicion } from './detector.ts';
import type { Agreement, Bank } from './detector.ts';
import type { GateCause, GateNumbers, GateScope } from './evidence.ts';
import { chanceYears, numbersWords, scopeWords } from './gate-words.ts';
import { noProbes } from './health-cell.ts';
import type { Health, HealthCell, HealthState, Trouble } from './health-cell.ts';
import type { HealthRule } from './health-rule.ts';
import type { Instant } from './ids.ts';
import { freshTrial } from './trial.ts';

export type Transition = {
  readonly at: Instant;
  readonly from: HealthState;
  readonly to: HealthState;
  /** The whole sentence, numbers included. */
  readonly words: string;
  readonly cause: GateCause;
  /** What the evidence says is sick; null when nobody weighed it. */
  readonly scope: GateScope | null;
  readonly numbers: GateNumbers | null;
};
export type Observed = { readonly cell: HealthCell; readonly transition: Transition | null };

/** What `attribution.ts` says beside a target's own evidence. */
export type Attribution = { readonly scope: GateScope; readonly runnerUp: GateNumbers['runnerUp'] };

export function unmoved(cell: HealthCell): Observed {
  return { cell, transition: null };
}

export type Said = {
  readonly words: string;
  readonly cause: GateCause;
  readonly numbers?: GateNumbers | null;
};

export function moved(cell: HealthCell, health: Health, now: Instant, said: Said): Observed {
  const { words, cause, numbers = null } = said;
  return {
    cell: { ...cell, health, generation: cell.generation + 1, probing: noProbes },
    transition: {
      at: now,
      from: cell.health.state,
      to: health.state,
      words,
      cause,
      scope: cell.trouble?.scope ?? null,
      numbers,
    },
  };
}

function numbersOf(trouble: Trouble, bank: Bank, agreement: Agreement): GateNumbers {
  const { failed, total, since, runnerUp } = trouble;
  const { usual, p0, perSecond } = bank.tuning;
  return {
    failed,
    total,
    since,
    usual,
    budget: agreement.budget,
    chanceYears: trouble.cause === 'waiting' ? null : chanceYears({ failed, total, p0, perSecond }),
    runnerUp,
  };
}

function bankOf(cause: GateCause): 'failures' | 'slowness' {
  return cause === 'slow' ? 'slowness' : 'failures';
}

export function said(cell: HealthCell, trouble: Trouble, rule: HealthRule, before = ''): Required<Said> {
  const which = bankOf(trouble.cause);
  const numbers = numbersOf(trouble, cell[which], rule[which]);
  const { cause, scope } = trouble;
  const sick = scope === null || scope.kind === 'target' ? '' : `; what is sick: ${scopeWords(scope)}`;
  return { words: before + numbersWords(cause, numbers) + sick, cause, numbers };
}

/** Where attempts a second are fewer, only probes tell, and what they find is believed soon. */
const tellingPerSecond = 0.48;
/** A burst of twenty failures is no outage: at two attempts a second it lasts ten seconds, at less longer; and somewhat more. */
const burstPerSecond = 2.5;
/** Until it was watched for so long, how often a target is asked is not known. */
const watchedMsMin = 300_000;

/** How long the trouble of this target must last before it is believed. */
export function lastsMs({ failures }: HealthCell, { sustainMs }: HealthRule): number {
  const { background, tuning } = failures;
  if (tuning.perSecond < tellingPerSecond || background.spanMs < watchedMsMin) return sustainMs;
  return sustainMs * Math.max(1, burstPerSecond / tuning.perSecond);
}

/** A hiccup is counted from its first failure, which was before anybody could tell; but that may have been a stray one. */
function trialFrom({ since }: Trouble, ms: number, now: Instant): Instant {
  return Math.max(since + ms * 1.1, now + ms * 0.7) as Instant;
}

/** Out at once, quietly. */
export function shed(cell: HealthCell, trouble: Trouble, rule: HealthRule, now: Instant): Observed {
  const words = said(cell, trouble, rule);
  const health: Health = {
    state: 'shedding',
    since: now,
    words: words.words,
    trial: freshTrial,
    trialFrom: trialFrom(trouble, lastsMs(cell, rule), now),
    found: 0,
  };
  return moved({ ...cell, trouble, rounds: 0 }, health, now, words);
}

/** The wait before the first probe of a round, jittered by a tenth. */
function holdUntil(cell: HealthCell, rule: HealthRule, now: Instant, random: number): Instant {
  const grown = Math.min(rule.holdMsMax, rule.holdMs * 2 ** Math.min(cell.rounds, 16));
  const floor = cell.ejections >= 3 && cell.rounds === 0 ? rule.flapHoldMs : 0;
  const asked = Math.min(cell.retryAt, now + rule.retryAfterMsMax);
  return Math.max(now + Math.max(grown, floor) * (0.9 + 0.2 * random), asked) as Instant;
}

/** Declares it out (`relapse` false: another round of an ejection that was declared before). */
export function eject(
  cell: HealthCell,
  rule: HealthRule,
  now: Instant,
  random: number,
  how: Said & { readonly again: boolean },
): Observed {
  const counted: HealthCell = how.again
    ? { ...cell, rounds: cell.rounds + 1 }
    : { ...cell, rounds: 0, ejections: cell.ejections + 1 };
  const until = holdUntil(counted, rule, now, random);
  return moved(counted, { state: 'ejected', since: now, until, words: how.words, held: false }, now, how);
}

export function comeBack(cell: HealthCell, now: Instant, rule: HealthRule, how: Said): Observed {
  // What a ramp has begun to suspect is suspected still; a trial has answered what led to it.
  const answered = cell.health.state !== 'ramping';
  const settled: HealthCell = {
    ...cell,
    failures: answered ? settleExcursion(cell.failures, rule.failures, now) : cell.failures,
    slowness: answered ? settleExcursion(cell.slowness, rule.slowness, now) : cell.slowness,
    healthySince: now,
  };
  const back = moved(settled, { state: 'healthy' }, now, how);
  return { ...back, cell: { ...back.cell, trouble: null } };
}

/** Doubted enough to go out with a wider scope: it failed itself, more than once, and has not just proved itself well. */
export function isDoubted(cell: HealthCell, now: Instant): boolean {
  const { failures, healthySince, health } = cell;
  if (health.state !== 'healthy') return health.state !== 'ramping';
  return (
    (failures.excursion?.failed ?? 0) >= 2 && suspicion(failures) >= doubt && now - healthySince >= provenMs
  );
}

const doubt = 0.3;
/** A target that came back by proof is not condemned with others for this long. */
const provenMs = 120_000;

/** Sheds a target because a wider scope is found sick that it belongs to. Only what is healthy moves. */
export function shedWith(
  cell: HealthCell,
  attribution: Attribution,
  counts: { readonly failed: number; readonly total: number; readonly since: Instant },
  rule: HealthRule,
  now: Instant,
): Observed {
  if (cell.health.state !== 'healthy') return unmoved(cell);
  return shed(cell, { cause: 'failures', ...attribution, ...counts }, rule, now);
}

/** Brings a target back by a ramp: after its trial, or after a person had it off (its health is then not known). */
export function startRamp(cell: HealthCell, rule: HealthRule, now: Instant, how: Said): Observed {
  const clean: HealthCell = {
    ...cell,
    failures: dropExcursion(cell.failures, rule.failures, now),
    slowness: dropExcursion(cell.slowness, rule.slowness, now),
  };
  const { words } = how;
  return moved(clean, { state: 'ramping', since: now, step: 0, stepSince: now, seen: 0, words }, now, how);
}

/** A person keeps a target out until `until` whatever its probes say; `now` or earlier gives it back to its gate. */
export function holdOut(cell: HealthCell, until: Instant, now: Instant, words: string): Observed {
  const { health } = cell;
  if (health.state === 'ejected')
    return unmoved({ ...cell, health: { ...health, until, held: until > now, words } });
  if (until <= now) return unmoved(cell);
  return moved(cell, { state: 'ejected', since: now, until, words, held: true }, now, {
    words,
    cause: 'person',
  });
}

/** The same move, with what was found sick on it: in the cell, in the words and in the numbers. */
export function withAttribution(observed: Observed, attribution: Attribution, rule: HealthRule): Observed {
  const { cell, transition } = observed;
  const { trouble, health } = cell;
  if (transition === null || trouble === null || transition.numbers === null) return observed;
  const named: Trouble = { ...trouble, ...attribution };
  const told = said({ ...cell, trouble: named }, named, rule);
  const { words, numbers } = told;
  const out = health.state === 'shedding' || health.state === 'ejected' ? { ...health, words } : health;
  return {
    cell: { ...cell, trouble: named, health: out },
    transition: { ...transition, words, numbers, scope: attribution.scope },
  };
}
