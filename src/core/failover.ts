/**
 * Failover as a state machine: `next(state, event) → state, command`. After each outcome it says what to do: attempt a
 * target (perhaps after a wait), or finish.
 *
 * The failure table decides what is allowed; this machine adds the order and the limits. The same target is asked
 * again at most once in a request: quickly after an internal error or a reset, with another key when a key was at
 * fault, or after the provider's own Retry-After when that is short. A silent target is not asked twice. Then the
 * next target of the plan is asked at once: waiting helps a busy target, not a different one. What the caller did
 * wrong is never tried elsewhere, and a request that was too long goes only to a larger window.
 *
 * A target that is full is passed over without waiting. Only when every target that is left is full does the request
 * wait in line, at all of them at once, and goes where a place comes free first.
 *
 * It works only before the commit point. After it there is no second attempt, so there is no event for it.
 */
import { failureRow } from './failure.ts';
import type { Failure } from './failure.ts';
import { isNonEmpty } from './ids.ts';
import type { Instant, NonEmpty } from './ids.ts';
import type { Target } from './target.ts';
import type { WhyNext } from './record.ts';

export type FailoverLimits = { readonly attemptsMax: number; readonly retryAfterMaxMs: number };

export type FailoverState = {
  readonly plan: NonEmpty<Target>;
  readonly index: number;
  readonly attempts: number;
  /** The current target has had its second chance. */
  readonly triedAgain: boolean;
  readonly keysTried: number;
  readonly last: Failure | null;
  /** Targets passed over because they were full. */
  readonly full: readonly Target[];
  readonly deadline: Instant;
  readonly limits: FailoverLimits;
};

export type FailoverEvent =
  | { readonly kind: 'begin' }
  /** The attempt failed before the commit point. `otherKey`: the provider has another usable key; `budget`: the target's retry budget has a retry left. */
  | {
      readonly kind: 'failed';
      readonly failure: Failure;
      readonly otherKey: boolean;
      readonly budget: boolean;
    }
  /** The target was taken out before it was asked (a switch, a gate): no attempt was made. */
  | { readonly kind: 'skipped' }
  /** A switch ended the attempt: not the target's failure, but the call was made. */
  | { readonly kind: 'stopped' }
  /** The target had no room for one more call. */
  | { readonly kind: 'full' }
  /** A place came free at one of those waited for; null: none did in time. */
  | { readonly kind: 'waited'; readonly target: Target | null };

export type Command =
  | {
      readonly kind: 'attempt';
      readonly target: Target;
      readonly waitMs: number;
      readonly why: 'first' | Exclude<WhyNext, null>;
    }
  /** Every target left is full: wait for a place at any of these. */
  | { readonly kind: 'wait'; readonly targets: NonEmpty<Target> }
  /** `passed_on`: the failure is the caller's to see. `exhausted`: nothing is left to try. `no_room`: all were full. */
  | {
      readonly kind: 'finish';
      readonly because: 'passed_on' | 'exhausted' | 'deadline' | 'attempts_used' | 'no_room';
    };

export type Step = { readonly state: FailoverState; readonly command: Command };

/** Jittered wait before the quick retry of the same target, so that many requests do not retry in step. */
const quickRetryMs = { least: 20, spread: 180 };
/** Added to a provider's Retry-After, for the same reason. */
const hintJitterMs = 100;
/** With less time than this left, an attempt could not finish. */
const usefulMs = 50;

export function startFailover(
  plan: NonEmpty<Target>,
  deadline: Instant,
  limits: FailoverLimits,
): FailoverState {
  return {
    plan,
    index: -1,
    attempts: 0,
    triedAgain: false,
    keysTried: 1,
    last: null,
    full: [],
    deadline,
    limits,
  };
}

function finish(state: FailoverState, because: Extract<Command, { kind: 'finish' }>['because']): Step {
  return { state, command: { kind: 'finish', because } };
}

function attemptSame(
  state: FailoverState,
  target: Target,
  waitMs: number,
  why: Exclude<WhyNext, null>,
): Step {
  const again = {
    ...state,
    attempts: state.attempts + 1,
    triedAgain: why === 'other_key' ? state.triedAgain : true,
    keysTried: why === 'other_key' ? state.keysTried + 1 : state.keysTried,
  };
  return { state: again, command: { kind: 'attempt', target, waitMs, why } };
}

/** Nothing is left that has room: wait where there was none. */
function lineUp(state: FailoverState, accepts: (target: Target) => boolean): Step {
  const targets = state.full.filter(accepts);
  return isNonEmpty(targets) ? { state, command: { kind: 'wait', targets } } : finish(state, 'exhausted');
}

/** From here on only those that were full are left to try. */
function afterWait(state: FailoverState, target: Target | null): Step {
  if (target === null) return finish(state, 'no_room');
  const admitted: FailoverState = {
    ...state,
    plan: [target, ...state.full.filter((each) => each !== target)],
    full: [],
    index: 0,
    attempts: state.attempts + 1,
    triedAgain: false,
    keysTried: 1,
  };
  const why = state.attempts === 0 ? 'first' : 'next_target';
  return { state: admitted, command: { kind: 'attempt', target, waitMs: 0, why } };
}

const all = (): boolean => true;

/** The next target of the plan that `accepts` allows. */
function moveOn(
  state: FailoverState,
  why: 'first' | 'next_target',
  accepts: (target: Target) => boolean,
): Step {
  let index = state.index + 1;
  let target = state.plan[index];
  while (target !== undefined && !accepts(target)) target = state.plan[++index];
  if (target === undefined) return lineUp(state, accepts);
  // Spelt out: it runs with every request.
  const moved: FailoverState = {
    plan: state.plan,
    index,
    attempts: state.attempts + 1,
    triedAgain: false,
    keysTried: 1,
    last: state.last,
    full: state.full,
    deadline: state.deadline,
    limits: state.limits,
  };
  return { state: moved, command: { kind: 'attempt', target, waitMs: 0, why } };
}

/** Whether a second chance here leaves an attempt for each target behind it: another one is worth more than the same. */
function leavesRoom({ plan, index, attempts, limits }: FailoverState): boolean {
  return attempts + (plan.length - 1 - index) < limits.attemptsMax;
}

/** How to ask the same target again, if at all. */
function sameTarget(
  state: FailoverState,
  event: Extract<FailoverEvent, { kind: 'failed' }>,
  now: Instant,
  random: number,
): Step | null {
  const target = state.plan[state.index];
  const { failure } = event;
  const row = failureRow(failure.class);
  if (target === undefined || row.retrySame === 'no') return null;
  if (row.counts === 'key' && event.otherKey && state.keysTried < target.provider.keys.length)
    return attemptSame(state, target, 0, 'other_key');
  if (state.triedAgain || !event.budget || !leavesRoom(state)) return null;
  // A provider that says how long to wait is believed, whatever kind of failure it says it with.
  switch (row.retrySame === 'once' && failure.retryAfterMs !== null ? 'hint' : row.retrySame) {
    case 'other_key':
      return null;
    case 'once':
      return attemptSame(
        state,
        target,
        Math.round(quickRetryMs.least + quickRetryMs.spread * random),
        'same_target_retry',
      );
    case 'hint': {
      const { retryAfterMs } = failure;
      if (retryAfterMs === null || retryAfterMs > state.limits.retryAfterMaxMs) return null;
      const waitMs = Math.round(retryAfterMs + hintJitterMs * random);
      return now + waitMs + usefulMs < state.deadline
        ? attemptSame(state, target, waitMs, 'same_target_waited')
        : null;
    }
  }
}

function afterFailure(
  state: FailoverState,
  event: Extract<FailoverEvent, { kind: 'failed' }>,
  now: Instant,
  random: number,
): Step {
  const failed = { ...state, last: event.failure };
  const row = failureRow(event.failure.class);
  if (row.moveOn === 'no') return finish(failed, 'passed_on');
  if (now + usefulMs >= state.deadline) return finish(failed, 'deadline');
  if (state.attempts >= state.limits.attemptsMax) return finish(failed, 'attempts_used');
  const again = sameTarget(failed, event, now, random);
  if (again !== null) return again;
  if (row.moveOn === 'yes') return moveOn(failed, 'next_target', all);
  const window = state.plan[state.index]?.model.contextTokens ?? 0;
  const step = moveOn(failed, 'next_target', (target) => target.model.contextTokens > window);
  return step.command.kind === 'finish' ? finish(failed, 'passed_on') : step;
}

/** What to do after an event. `random` in [0, 1) jitters waits. */
export function next(state: FailoverState, event: FailoverEvent, now: Instant, random: number): Step {
  switch (event.kind) {
    case 'begin':
      return moveOn(state, 'first', all);
    case 'skipped': {
      const step = moveOn({ ...state, attempts: state.attempts - 1 }, 'next_target', all);
      return now >= state.deadline ? finish(state, 'deadline') : step;
    }
    case 'stopped':
      if (now >= state.deadline) return finish(state, 'deadline');
      return state.attempts >= state.limits.attemptsMax
        ? finish(state, 'attempts_used')
        : moveOn(state, 'next_target', () => true);
    case 'full': {
      const target = state.plan[state.index];
      const full = target === undefined ? state.full : [...state.full, target];
      return moveOn({ ...state, full, attempts: state.attempts - 1 }, 'next_target', all);
    }
    case 'waited':
      return afterWait(state, event.target);
    case 'failed':
      return afterFailure(state, event, now, random);
  }
}
