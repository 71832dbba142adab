/**
 * The health of one target (or of one provider key), as a value: `observe(cell, evidence) → cell`.
 *
 * The rule is the simple, sound one. Two signals trip it, both counted at the *end* of answers: a run of consecutive
 * failures, which catches a dead target after a handful of requests at any traffic; and the share of failures in a
 * sliding window of exact buckets (not an average that a burst could hide in), which catches one that fails often.
 * The share that trips is the gate's `breach`.
 *
 * The way back is earned. From the moment of ejection the target is left alone for a hold that doubles with each
 * relapse and is jittered, so that replicas do not return in step. Then one request at a time may try it (a probe);
 * a few in a row must pass, because a target that fails half of its requests passes a single probe half of the time.
 * Then a ramp: a growing share of requests, under a stricter watch than usual. A relapse starts over.
 *
 * Only evidence of the current generation moves a cell: an answer that began before the ejection says nothing about
 * the return. Time that runs backwards is treated as standing still.
 *
 * It refuses to attribute: which target is at fault was decided by the failure table. It never looks at switches, so
 * it cannot undo one.
 */
import type { Evidence, GateCause, GateNumbers, GateScope } from './evidence.ts';
import type { HealthRule } from './health-rule.ts';
import type { Instant } from './ids.ts';

export type Health =
  | { readonly state: 'healthy' }
  /** Quiet re-routing at first strong evidence. The simple rule goes straight to `ejected`. */
  | { readonly state: 'shedding'; readonly since: Instant; readonly words: string }
  | { readonly state: 'ejected'; readonly since: Instant; readonly until: Instant; readonly words: string }
  | {
      readonly state: 'probing';
      readonly since: Instant;
      readonly passed: number;
      readonly probeStartedAt: Instant | null;
      readonly words: string;
    }
  | {
      readonly state: 'ramping';
      readonly since: Instant;
      readonly step: number;
      readonly stepSince: Instant;
      readonly words: string;
    };
export type HealthState = Health['state'];

const bucketCount = 10;

/** Exact counts of the last `windowMs`, in ten buckets; `head` is the number of the newest one. */
type Window = { readonly head: number; readonly ok: readonly number[]; readonly failed: readonly number[] };

export type HealthCell = {
  readonly health: Health;
  /** Grows with every change of state; evidence carries the generation it began under. */
  readonly generation: number;
  readonly consecutive: number;
  readonly window: Window;
  /** Ejections not yet forgotten. */
  readonly ejections: number;
  readonly healthySince: Instant;
  readonly latest: Instant;
};

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

const emptyWindow: Window = {
  head: 0,
  ok: Array.from({ length: bucketCount }, () => 0),
  failed: Array.from({ length: bucketCount }, () => 0),
};

export function freshCell(now: Instant): HealthCell {
  return {
    health: { state: 'healthy' },
    generation: 0,
    consecutive: 0,
    window: emptyWindow,
    ejections: 0,
    healthySince: now,
    latest: now,
  };
}

/** Counts one outcome in the bucket of its time, clearing the buckets that time has passed. */
function count(window: Window, good: boolean, windowMs: number, now: Instant): Window {
  const bucket = Math.max(Math.floor(now / (windowMs / bucketCount)), window.head);
  const ok = [...window.ok];
  const failed = [...window.failed];
  const passed = Math.min(bucket - window.head, bucketCount);
  for (let step = 1; step <= passed; step++) {
    ok[(window.head + step) % bucketCount] = 0;
    failed[(window.head + step) % bucketCount] = 0;
  }
  const row = good ? ok : failed;
  const slot = bucket % bucketCount;
  row[slot] = (row[slot] ?? 0) + 1;
  return { head: bucket, ok, failed };
}

const sum = (list: readonly number[]): number => list.reduce((total, each) => total + each, 0);

type Said = { readonly words: string; readonly cause: GateCause };

function moved(cell: HealthCell, health: Health, now: Instant, said: Said): Observed {
  const { words, cause } = said;
  return {
    cell: {
      ...cell,
      health,
      generation: cell.generation + 1,
      consecutive: 0,
      window: { ...emptyWindow, head: cell.window.head },
    },
    transition: {
      at: now,
      from: cell.health.state,
      to: health.state,
      words,
      cause,
      scope: null,
      numbers: null,
    },
  };
}

function eject(cell: HealthCell, rule: HealthRule, now: Instant, random: number, words: string): Observed {
  const forgotten = cell.health.state === 'healthy' && now - cell.healthySince >= rule.forgetMs;
  const ejections = forgotten ? 1 : cell.ejections + 1;
  const hold = Math.min(rule.holdMsMax, rule.holdMs * 2 ** (ejections - 1));
  const until = (now + hold * (0.9 + 0.2 * random)) as Instant;
  const observed = moved(cell, { state: 'ejected', since: now, until, words }, now, {
    words,
    cause: 'failures',
  });
  return { ...observed, cell: { ...observed.cell, ejections } };
}

/** Why the counts trip the rule, in words; null when they do not. */
function tripped(cell: HealthCell, rule: HealthRule): string | null {
  const failed = sum(cell.window.failed);
  const total = failed + sum(cell.window.ok);
  const share = total === 0 ? 0 : failed / total;
  const seconds = Math.round(rule.windowMs / 1000);
  if (cell.consecutive >= rule.consecutiveMax) return `${cell.consecutive} attempts failed one after another`;
  if (failed >= rule.windowFailuresMin && share >= rule.breach) {
    return `${failed} of ${total} attempts failed within ${seconds} s (${Math.round(share * 100)} %; agreed breach ${Math.round(rule.breach * 100)} %)`;
  }
  return null;
}

function observeHealthy(cell: HealthCell, rule: HealthRule, now: Instant, random: number): Observed {
  const words = tripped(cell, rule);
  return words === null ? { cell, transition: null } : eject(cell, rule, now, random, words);
}

function observeProbe(
  cell: HealthCell,
  health: Extract<Health, { state: 'probing' }>,
  failed: boolean,
  rule: HealthRule,
  times: { now: Instant; random: number },
): Observed {
  const { now, random } = times;
  if (failed) return eject(cell, rule, now, random, 'a probe on the way back failed');
  const passed = health.passed + 1;
  if (passed < rule.probesPassedMin)
    return { cell: { ...cell, health: { ...health, passed, probeStartedAt: null } }, transition: null };
  const words = `${passed} probes passed one after another`;
  return moved(cell, { state: 'ramping', since: now, step: 0, stepSince: now, words }, now, {
    words,
    cause: 'probes',
  });
}

function observeRamp(cell: HealthCell, rule: HealthRule, now: Instant, random: number): Observed {
  if (cell.consecutive >= rule.rampConsecutiveMax)
    return eject(
      cell,
      rule,
      now,
      random,
      `${cell.consecutive} attempts failed one after another while ramping back`,
    );
  const words = tripped(cell, rule);
  return words === null
    ? { cell, transition: null }
    : eject(cell, rule, now, random, `${words} while ramping back`);
}

/** Takes one finished attempt into account. `random` in [0, 1) jitters the hold. */
export function observe(
  cell: HealthCell,
  evidence: Evidence,
  rule: HealthRule,
  now: Instant,
  random: number,
): Observed {
  if (evidence.generation !== cell.generation) return { cell, transition: null };
  const failed = evidence.failure !== null;
  const at = Math.max(now, cell.latest) as Instant;
  const counted: HealthCell = {
    ...cell,
    latest: at,
    consecutive: failed ? cell.consecutive + 1 : 0,
    window: count(cell.window, !failed, rule.windowMs, at),
  };
  const { health } = counted;
  switch (health.state) {
    case 'healthy':
    case 'shedding':
      return observeHealthy(counted, rule, at, random);
    case 'ejected':
      return { cell, transition: null };
    case 'probing':
      return evidence.probe
        ? observeProbe(counted, health, failed, rule, { now: at, random })
        : { cell, transition: null };
    case 'ramping':
      return observeRamp(counted, rule, at, random);
  }
}

/** Moves that need only time: the end of a hold, the next step of a ramp, a probe given up. */
export function advance(cell: HealthCell, rule: HealthRule, now: Instant): Observed {
  const { health } = cell;
  switch (health.state) {
    case 'healthy':
    case 'shedding':
      return { cell, transition: null };
    case 'ejected': {
      if (now < health.until) return { cell, transition: null };
      return moved(
        cell,
        { state: 'probing', since: now, passed: 0, probeStartedAt: null, words: health.words },
        now,
        { words: 'the hold is over: one request at a time may try it', cause: 'time' },
      );
    }
    case 'probing': {
      if (health.probeStartedAt === null || now - health.probeStartedAt < rule.probeMsMax)
        return { cell, transition: null };
      return { cell: { ...cell, health: { ...health, probeStartedAt: null } }, transition: null };
    }
    case 'ramping': {
      if (now - health.stepSince < rule.rampHoldMs) return { cell, transition: null };
      const step = health.step + 1;
      if (step < rule.ramp.length && (rule.ramp[step] ?? 1) < 1)
        return { cell: { ...cell, health: { ...health, step, stepSince: now } }, transition: null };
      const observed = moved(cell, { state: 'healthy' }, now, {
        words: 'the ramp ended without a relapse: normal routing',
        cause: 'time',
      });
      return { ...observed, cell: { ...observed.cell, healthySince: now } };
    }
  }
}

/** Whether a request may use it now. `random` in [0, 1) decides for the share of a ramp. */
export type Admission =
  | { readonly kind: 'open' }
  | { readonly kind: 'probe' }
  | {
      readonly kind: 'out';
      readonly reason: 'ejected' | 'probe_in_flight' | 'ramping';
      readonly words: string;
    };

export function admission(cell: HealthCell, rule: HealthRule, _now: Instant, random: number): Admission {
  const { health } = cell;
  switch (health.state) {
    case 'healthy':
    case 'shedding':
      return { kind: 'open' };
    case 'ejected':
      return { kind: 'out', reason: 'ejected', words: health.words };
    case 'probing':
      return health.probeStartedAt === null
        ? { kind: 'probe' }
        : { kind: 'out', reason: 'probe_in_flight', words: health.words };
    case 'ramping': {
      const share = rule.ramp[health.step] ?? 1;
      return random < share
        ? { kind: 'open' }
        : { kind: 'out', reason: 'ramping', words: `ramping back, ${Math.round(share * 100)} % of requests` };
    }
  }
}

/** Brings a target back by a ramp after a person had it off: its health is not known, whatever it was before. */
export function startRamp(cell: HealthCell, now: Instant, words: string): Observed {
  return moved(cell, { state: 'ramping', since: now, step: 0, stepSince: now, words }, now, {
    words,
    cause: 'person',
  });
}

/** Marks the single probe as under way. Only for a cell whose admission is `probe`. */
export function startProbe(cell: HealthCell, now: Instant): HealthCell {
  if (cell.health.state !== 'probing' || cell.health.probeStartedAt !== null) return cell;
  return { ...cell, health: { ...cell.health, probeStartedAt: now } };
}

/** Gives the probe back without a verdict: it was cancelled, or failed for a reason that is not the target's. */
export function dropProbe(cell: HealthCell, generation: number): HealthCell {
  if (cell.health.state !== 'probing' || cell.generation !== generation) return cell;
  return { ...cell, health: { ...cell.health, probeStartedAt: null } };
}

/** How bad it is, for choosing the least bad when nothing is healthy: lower is better. */
export function badness(cell: HealthCell): number {
  switch (cell.health.state) {
    case 'healthy':
      return 0;
    case 'shedding':
      return 1;
    case 'ramping':
      return 2;
    case 'probing':
      return 3;
    case 'ejected':
      return 4 + cell.ejections;
  }
}

/**
 * Takes requests into account that still wait for their first token: `nats` is what `waiting.ts` makes of them (the log
 * of how much better a hang explains the waiting than bad luck). Call it about every 250 ms while anything waits.
 */
export function observeWaiting(cell: HealthCell, nats: number, rule: HealthRule, now: Instant): Observed {
  return nats >= rule.waitingNats && cell.health.state === 'healthy'
    ? eject(cell, rule, now, 0.5, 'requests wait far longer than usual for their first token')
    : { cell, transition: null };
}

/**
 * Whether the gateway itself should send one cheap request now (a probe), because traffic is too thin to tell, or the
 * target is on its way back. Whoever sends it calls `startProbe` in the same turn and settles it with `probe: true`.
 */
export function wantsProbe(cell: HealthCell, rule: HealthRule, now: Instant): boolean {
  return now >= cell.latest && rule.probeMsMax > 0 && admission(cell, rule, now, 0).kind === 'probe';
}

/** A person keeps a target out until `until` whatever its probes say; `now` or earlier gives it back to its gate. */
export function holdOut(cell: HealthCell, until: Instant, now: Instant, words: string): Observed {
  if (cell.health.state === 'ejected')
    return { cell: { ...cell, health: { ...cell.health, until } }, transition: null };
  return until <= now
    ? { cell, transition: null }
    : moved(cell, { state: 'ejected', since: now, until, words }, now, { words, cause: 'person' });
}

/** Good and failed attempts lately, for people. */
export function recentCounts(cell: HealthCell): { readonly ok: number; readonly failed: number } {
  return { ok: sum(cell.window.ok), failed: sum(cell.window.failed) };
}

/** Whether anything was ever observed of it. */
export function isTouched(cell: HealthCell): boolean {
  return cell.window.head > 0;
}

/** The cell as JSON, to be kept across a restart. */
export function cellToJson(cell: HealthCell): unknown {
  return cell;
}

const states: ReadonlySet<string> = new Set(['healthy', 'shedding', 'ejected', 'probing', 'ramping']);

/** A kept cell; null when it cannot be understood (another version wrote it): then begin with a fresh one. */
export function cellFromJson(json: unknown): HealthCell | null {
  if (typeof json !== 'object' || json === null || !('health' in json) || !('window' in json)) return null;
  const cell = json as HealthCell;
  if (!states.has(cell.health.state)) return null;
  // A probe that was under way died with its process.
  return cell.health.state === 'probing'
    ? { ...cell, health: { ...cell.health, probeStartedAt: null } }
    : cell;
}
