/** What users saw, counted per feature and minute, and what targets bore. */
import type { WarningMove } from '../core/evidence.ts';
import type { IdentityNews } from '../core/identity.ts';
import type { Transition } from '../core/gate-moves.ts';
import type { TargetName } from '../core/ids.ts';
import type { Target } from '../core/target.ts';
import type { Ending } from './served-target.ts';

/** What became of a request, as its user saw it. */
export const seenOutcomes = [
  /** The preferred model answered. */
  'answered',
  /** Another one did. */
  'backup',
  /** The limited mode did. */
  'limited',
  /** Another one did, after the user was asked and agreed. */
  'agreed',
  /** The answer broke off. */
  'cut',
  /** The user was asked whether another model may be used, and did not agree. */
  'asked',
  /** Refused as the policy says. */
  'refused',
  /** Refused because every target was full. */
  'busy',
  'failed',
] as const;
export type SeenOutcome = (typeof seenOutcomes)[number];

const outcomeIndex = Object.fromEntries(seenOutcomes.map((outcome, index) => [outcome, index])) as Record<
  SeenOutcome,
  number
>;

/** Waiting times are counted in classes that grow by a quarter, from 50 ms to about three minutes. */
const waitClasses = 38;
const waitLeastMs = 50;
const waitGrowth = Math.log(1.25);

function waitClass(ms: number): number {
  if (ms <= waitLeastMs) return 0;
  return Math.min(waitClasses - 1, Math.ceil(Math.log(ms / waitLeastMs) / waitGrowth));
}

export class FeatureTally {
  readonly #minutes: number;
  readonly #outcomes: Int32Array;
  readonly #waits: Int32Array;
  attempts = 0;
  /** Second calls because a first one stayed silent, and those of them that answered first. */
  hedges = 0;
  hedgesWon = 0;
  /** Targets that were called for it. */
  readonly called = new Map<TargetName, Target>();

  constructor(minutes: number) {
    this.#minutes = minutes;
    this.#outcomes = new Int32Array(minutes * seenOutcomes.length);
    this.#waits = new Int32Array(minutes * waitClasses);
  }

  /** `waitedMs`: until the first token, or until the user was told that there is none. */
  count(minute: number, outcome: SeenOutcome, waitedMs: number): void {
    if (minute >= this.#minutes) return;
    const at = minute * seenOutcomes.length + outcomeIndex[outcome];
    this.#outcomes[at] = (this.#outcomes[at] ?? 0) + 1;
    const wait = minute * waitClasses + waitClass(waitedMs);
    this.#waits[wait] = (this.#waits[wait] ?? 0) + 1;
  }

  /** Requests by outcome in minutes `[from, to)`. */
  outcomes(from = 0, to = this.#minutes): Record<SeenOutcome, number> {
    const sums = Object.fromEntries(seenOutcomes.map((outcome) => [outcome, 0])) as Record<
      SeenOutcome,
      number
    >;
    for (let minute = from; minute < Math.min(to, this.#minutes); minute++)
      for (const outcome of seenOutcomes)
        sums[outcome] += this.#outcomes[minute * seenOutcomes.length + outcomeIndex[outcome]] ?? 0;
    return sums;
  }

  /** The waiting time that `share` of the requests did not exceed; null when there were none. */
  waitMs(share: number, from = 0, to = this.#minutes): number | null {
    const classes = Array.from({ length: waitClasses }, () => 0);
    let total = 0;
    for (let minute = from; minute < Math.min(to, this.#minutes); minute++)
      for (let each = 0; each < waitClasses; each++) {
        const count = this.#waits[minute * waitClasses + each] ?? 0;
        classes[each] = (classes[each] ?? 0) + count;
        total += count;
      }
    if (total === 0) return null;
    let seen = 0;
    const at = classes.findIndex((count) => (seen += count) >= total * share);
    return Math.round(waitLeastMs * Math.exp(waitGrowth * at));
  }
}

export class TargetTally {
  readonly target: Target;
  readonly #calls: Int32Array;
  calls = 0;
  failed = 0;
  /** Calls of the gateway's own. */
  probes = 0;
  open = 0;
  openMost = 0;
  costUsd = 0;

  constructor(target: Target, minutes: number) {
    this.target = target;
    this.#calls = new Int32Array(minutes);
  }

  begin(minute: number): void {
    this.calls++;
    this.open++;
    this.openMost = Math.max(this.openMost, this.open);
    this.#calls[minute] = (this.#calls[minute] ?? 0) + 1;
  }

  /** `costUsd`: of an answer. */
  end(how: Ending, costUsd: number): void {
    this.open--;
    if (how === 'failed') this.failed++;
    else if (how === 'good') this.costUsd += costUsd;
  }

  /** Calls in one minute. */
  in(minute: number): number {
    return this.#calls[minute] ?? 0;
  }
}

export type Transitioned = Transition & {
  readonly target: TargetName;
  /** From the start of the run. */
  readonly atMs: number;
};

/** What was noticed of a target's answers. */
type Noticed<T> = T & { readonly target: TargetName; readonly atMs: number };

/** A call that policy forbids. There must be none. */
export type Violation = {
  readonly feature: string;
  readonly target: TargetName;
  readonly rule: 'data_policy' | 'fallback' | 'switch';
};

const violationsKept = 20;

export class RunTally {
  readonly minutes: number;
  readonly features = new Map<string, FeatureTally>();
  readonly targets = new Map<TargetName, TargetTally>();
  readonly transitions: Transitioned[] = [];
  readonly warnings: Noticed<WarningMove>[] = [];
  readonly news: Noticed<IdentityNews>[] = [];
  readonly violations: Violation[] = [];
  violationCount = 0;
  /** Of them, calls to what somebody had switched off. */
  switchViolations = 0;

  constructor(minutes: number) {
    this.minutes = minutes;
  }

  feature(name: string): FeatureTally {
    let tally = this.features.get(name);
    if (tally === undefined) this.features.set(name, (tally = new FeatureTally(this.minutes)));
    return tally;
  }

  target(target: Target): TargetTally {
    let tally = this.targets.get(target.name);
    if (tally === undefined) this.targets.set(target.name, (tally = new TargetTally(target, this.minutes)));
    return tally;
  }

  violate(violation: Violation): void {
    this.violationCount++;
    if (violation.rule === 'switch') this.switchViolations++;
    if (this.violations.length < violationsKept) this.violations.push(violation);
  }
}
