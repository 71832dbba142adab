/**
 * The health of one target as a value: the state of its gate, what its detectors have seen, and what it needs to find
 * its way back. Everything fits in less than a kilobyte, survives a restart as JSON, and holds times only as instants,
 * so that a clock which jumped can be followed (`shifted`).
 *
 * Evidence carries the generation it began under: an answer that began before the gate moved says nothing about
 * afterwards. It refuses to move by itself: `health.ts` makes new cells from old ones.
 */
import { freshBank } from './detector.ts';
import type { Bank } from './detector.ts';
import type { GateCause, GateNumbers, GateScope } from './evidence.ts';
import { nothingSeen } from './first-token.ts';
import type { FirstToken } from './first-token.ts';
import type { HealthRule } from './health-rule.ts';
import type { Instant } from './ids.ts';
import { freshTrial } from './trial.ts';
import type { Trial } from './trial.ts';

export type Health =
  | { readonly state: 'healthy' }
  /** Quiet re-routing at first strong evidence; a few attempts find out whether it lasts. */
  | {
      readonly state: 'shedding';
      readonly since: Instant;
      readonly words: string;
      readonly trial: Trial;
      /** Only attempts begun from here on count for the trial. */
      readonly trialFrom: Instant;
      /** Trials that found it sick. */
      readonly found: number;
    }
  /** Declared. Nothing is sent until the hold is over; `held` by a person, or by its own rule. */
  | {
      readonly state: 'ejected';
      readonly since: Instant;
      readonly until: Instant;
      readonly words: string;
      readonly held: boolean;
    }
  | { readonly state: 'probing'; readonly since: Instant; readonly words: string; readonly trial: Trial }
  | {
      readonly state: 'ramping';
      readonly since: Instant;
      readonly words: string;
      readonly step: number;
      readonly stepSince: Instant;
      /** Attempts that ended in this step. */
      readonly seen: number;
    };
export type HealthState = Health['state'];

/** Why it is out, kept from the first suspicion to the return. */
export type Trouble = {
  readonly cause: GateCause;
  readonly scope: GateScope | null;
  readonly runnerUp: GateNumbers['runnerUp'];
  readonly since: Instant;
  readonly failed: number;
  readonly total: number;
  /** Good attempts in rounds that found it sick all the same: each was a chance to look well by luck. */
  readonly lucky?: number;
};

export type Probing = {
  /** The single probe under way. */
  readonly startedAt: Instant | null;
  readonly latestAt: Instant;
  /** Probes sent on the present suspicion of a healthy target, and when it arose. */
  readonly sent: number;
  readonly suspectedAt: Instant;
  /** Good ones in a row. */
  readonly passed: number;
};

/** Counts of the last half to whole minute, for people. */
export type Recent = {
  readonly at: Instant;
  readonly ok: number;
  readonly failed: number;
  readonly okBefore: number;
  readonly failedBefore: number;
};

export type HealthCell = {
  readonly health: Health;
  /** Grows with every change of state. */
  readonly generation: number;
  readonly failures: Bank;
  readonly slowness: Bank;
  readonly firstToken: FirstToken;
  readonly trouble: Trouble | null;
  readonly probing: Probing;
  /** Callers whose failures are their own, and until when they are left out of account. */
  readonly setAside: readonly { readonly key: string; readonly until: Instant }[];
  /** Ejections not yet forgotten, and failed rounds of probes since the latest. */
  readonly ejections: number;
  readonly rounds: number;
  /** Sheds that turned out to be hiccups, fading with a half-life of a day as of `hiccupAt`. */
  readonly hiccups: number;
  readonly hiccupAt: Instant;
  /** The provider asked to be left alone until then. */
  readonly retryAt: Instant;
  readonly healthySince: Instant;
  readonly recent: Recent;
  readonly latest: Instant;
};

const long = -1e15 as Instant;
export const noProbes: Probing = {
  startedAt: null,
  latestAt: long,
  sent: 0,
  suspectedAt: long,
  passed: 0,
};

const nobody: readonly never[] = [];

export function freshCell(rule: HealthRule, now: Instant): HealthCell {
  return {
    health: { state: 'healthy' },
    generation: 0,
    failures: freshBank(rule.failures, now),
    slowness: freshBank(rule.slowness, now),
    firstToken: nothingSeen,
    trouble: null,
    probing: noProbes,
    setAside: nobody,
    ejections: 0,
    rounds: 0,
    hiccups: 0,
    hiccupAt: now,
    retryAt: long,
    healthySince: now,
    recent: { at: now, ok: 0, failed: 0, okBefore: 0, failedBefore: 0 },
    latest: now,
  };
}

/** The cell after a first token. Spelt out: it runs with every attempt, and copying a cell by spreading it costs more than the rest. */
export function withFirstToken(cell: HealthCell, slowness: Bank, firstToken: FirstToken): HealthCell {
  return {
    health: cell.health,
    generation: cell.generation,
    failures: cell.failures,
    slowness,
    firstToken,
    trouble: cell.trouble,
    probing: cell.probing,
    setAside: cell.setAside,
    ejections: cell.ejections,
    rounds: cell.rounds,
    retryAt: cell.retryAt,
    hiccups: cell.hiccups,
    hiccupAt: cell.hiccupAt,
    healthySince: cell.healthySince,
    recent: cell.recent,
    latest: cell.latest,
  };
}

const hiccupHalfLifeMs = 86_400_000;

/** Hiccups of about the last day. */
export function hiccupsAt(cell: HealthCell, now: Instant): number {
  return cell.hiccups * 2 ** (-Math.max(0, now - cell.hiccupAt) / hiccupHalfLifeMs);
}

const halfMinuteMs = 30_000;

export function recentAfter(recent: Recent, failed: boolean, now: Instant): Recent {
  const age = now - recent.at;
  const ok = failed ? 0 : 1;
  if (age < halfMinuteMs)
    return {
      at: recent.at,
      ok: recent.ok + ok,
      failed: recent.failed + (1 - ok),
      okBefore: recent.okBefore,
      failedBefore: recent.failedBefore,
    };
  const fresh = age < 2 * halfMinuteMs;
  return {
    at: now,
    ok,
    failed: 1 - ok,
    okBefore: fresh ? recent.ok : 0,
    failedBefore: fresh ? recent.failed : 0,
  };
}

/** Good and failed attempts of the last half to whole minute. */
export function recentCounts(
  cell: HealthCell,
  now: Instant,
): { readonly ok: number; readonly failed: number } {
  const { at, ok, failed, okBefore, failedBefore } = cell.recent;
  const age = now - at;
  if (age >= 2 * halfMinuteMs) return { ok: 0, failed: 0 };
  return age >= halfMinuteMs ? { ok, failed } : { ok: ok + okBefore, failed: failed + failedBefore };
}

/** Whether anything was ever observed of it. */
export function isTouched(cell: HealthCell): boolean {
  const { background, quiet, excursion } = cell.failures;
  return cell.generation > 0 || background.total + quiet > 0 || excursion !== null;
}

/** Whether nothing about it would move by time alone: in use, nothing suspected, nothing to forget. */
export function isAtRest({ health, failures, slowness, ejections, probing }: HealthCell): boolean {
  return (
    health.state === 'healthy' &&
    ejections === 0 &&
    failures.excursion === null &&
    slowness.excursion === null &&
    probing.startedAt === null
  );
}

/** The cell as JSON, to be kept across a restart. */
export function cellToJson(cell: HealthCell): unknown {
  return cell;
}

const states: ReadonlySet<string> = new Set<HealthState>([
  'healthy',
  'shedding',
  'ejected',
  'probing',
  'ramping',
]);

/** Every path of a cell's shape that a kept one must have too. */
function hasShapeOf(sample: unknown, kept: unknown): boolean {
  if (sample === null || Array.isArray(sample)) return kept !== undefined;
  if (typeof sample !== 'object') return typeof kept === typeof sample;
  if (typeof kept !== 'object' || kept === null) return false;
  return Object.entries(sample).every(([key, value]) =>
    hasShapeOf(value, (kept as Record<string, unknown>)[key]),
  );
}

/**
 * A kept cell; null when it cannot be understood (another version wrote it): then begin with a fresh one. What was out
 * is still out; a probe that was under way died with its process.
 */
export function cellFromJson(json: unknown, rule: HealthRule, now: Instant): HealthCell | null {
  if (!hasShapeOf({ ...freshCell(rule, now), health: {} }, json)) return null;
  const cell = json as HealthCell;
  if (!states.has(cell.health.state)) return null;
  if ('trial' in cell.health && !hasShapeOf(freshTrial, cell.health.trial)) return null;
  return { ...cell, generation: cell.generation + 1, probing: { ...cell.probing, startedAt: null } };
}

function moved<T>(value: T, byMs: number): T {
  if (Array.isArray(value)) return value.map((each: unknown) => moved(each, byMs)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]: [string, unknown]) => [
      key,
      typeof each === 'number' && instants.has(key) ? each + byMs : moved(each, byMs),
    ]),
  ) as T;
}

/** The fields of a cell that hold instants. */
const instants: ReadonlySet<string> = new Set([
  'at',
  'since',
  'until',
  'stepSince',
  'startedAt',
  'latestAt',
  'suspectedAt',
  'retryAt',
  'hiccupAt',
  'trialFrom',
  'healthySince',
  'latest',
  'latestFailure',
  'quietSince',
]);

/** The same cell after the clock jumped by this much: everything in it is as long ago as it was. */
export function shifted(cell: HealthCell, byMs: number): HealthCell {
  return moved(cell, byMs);
}

/** The longest pause between two looks at the clock that is taken for time that passed. */
const pauseMsMax = 600_000;

/** How far a clock jumped that is looked at a few times a second: backwards, or by more than anybody sleeps. 0 when it did not. */
export function jumpSince(before: Instant | null, now: Instant): number {
  if (before === null) return 0;
  const passed = now - before;
  return passed < 0 || passed > pauseMsMax ? passed : 0;
}
