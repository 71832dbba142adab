/**
 * Whether a target may be asked now, by whom, and whether the gateway should ask it itself.
 *
 * Probes are single: one at a time, at most one a second, and few. They are sent by the gateway when it can (a cheap
 * real request); a user's request serves as one only when none was sent in time, with the rest of its route behind it.
 * They are wanted in three cases: a target on its way back; one that is shed, once the hiccups are over; and a healthy
 * one that just failed, when traffic is too thin to tell or a single caller is all there is to go by.
 *
 * It refuses to choose among targets: `routing.ts` does.
 */
import { countedShare } from './percent.ts';
import { suspicion } from './detector.ts';
import type { HealthCell } from './health-cell.ts';
import type { HealthRule } from './health-rule.ts';
import type { Instant } from './ids.ts';
import type { Standing } from './rules.ts';

type OutReason = Extract<Standing, { kind: 'out' }>['reason'];

export type Admission =
  | { readonly kind: 'open' }
  | { readonly kind: 'probe' }
  | {
      readonly kind: 'out';
      /** A shed target is `ejected` to a request; that it is not declared yet concerns operators only. */
      readonly reason: 'ejected' | 'probe_in_flight' | 'ramping';
      readonly words: string;
    };

/** Seconds after a failure at which a thinly used target is probed, until three in a row were good. */
const suspicionScheduleMs = [1_000, 3_000, 6_000, 10_000, 20_000, 30_000, 45_000];
const suspicionPassesMin = 3;
/** Attempts a second above which traffic tells soon enough by itself. */
const thinPerSecond = 0.5;
/** Attempts that a step of a ramp should see, a few more than it must, and the most that may be let through for that. */
const rampAttempts = 14;
const rampFloorMax = 0.5;

/** When the next probe is due; null when none is wanted. */
function probeDueAt(cell: HealthCell, rule: HealthRule, now: Instant): number | null {
  const { health, probing } = cell;
  const spaced = probing.latestAt + rule.probeSpacingMs;
  switch (health.state) {
    // One that ramps is as much in use, by few: a single caller may be all there is to go by.
    case 'healthy':
    case 'ramping': {
      const { excursion, tuning } = cell.failures;
      if (excursion === null || probing.passed >= suspicionPassesMin) return null;
      // A target that was busy, or is not known yet, may have fallen silent since.
      const seconds = Math.max(1, (now - excursion.since) / 1_000);
      const perSecond = Math.min(tuning.perSecond, excursion.total / seconds);
      if (perSecond >= thinPerSecond && suspicion(cell.failures) < 1) return null;
      const after = suspicionScheduleMs[probing.sent];
      return after === undefined ? null : Math.max(probing.suspectedAt + after, spaced);
    }
    case 'shedding':
      return Math.max(health.trialFrom, spaced);
    case 'probing':
      return Math.max(health.since, spaced);
    case 'ejected':
      return null;
  }
}

/** Whether the gateway itself should send one cheap request now. Whoever does calls `startProbe` in the same turn. */
export function wantsProbe(cell: HealthCell, rule: HealthRule, now: Instant): boolean {
  if (cell.probing.startedAt !== null) return false;
  const due = probeDueAt(cell, rule, now);
  return due !== null && now >= due;
}

function tried(cell: HealthCell, rule: HealthRule, now: Instant, words: string): Admission {
  const due = probeDueAt(cell, rule, now);
  if (cell.probing.startedAt === null && due !== null && now >= due + rule.userProbeAfterMs)
    return { kind: 'probe' };
  return {
    kind: 'out',
    reason: cell.health.state === 'shedding' ? 'ejected' : 'probe_in_flight',
    words,
  };
}

/** The share of requests a ramp lets through: the agreed one, or enough to learn something from. */
export function rampShare(cell: HealthCell, rule: HealthRule): number {
  if (cell.health.state !== 'ramping') return 1;
  const agreed = rule.ramp[cell.health.step] ?? 1;
  const { perSecond } = cell.failures.tuning;
  const enough = rampAttempts / Math.max(1e-9, (perSecond * rule.rampHoldMs) / 1000);
  return Math.max(agreed, Math.min(rampFloorMax, enough));
}

/** Whether a request may use it now. `random` in [0, 1) decides for the share of a ramp. */
export function admission(cell: HealthCell, rule: HealthRule, now: Instant, random: number): Admission {
  const { health } = cell;
  switch (health.state) {
    case 'healthy':
      return { kind: 'open' };
    case 'ejected':
      return { kind: 'out', reason: 'ejected', words: health.words };
    case 'shedding':
    case 'probing':
      return tried(cell, rule, now, health.words);
    case 'ramping': {
      const share = rampShare(cell, rule);
      return random < share
        ? { kind: 'open' }
        : { kind: 'out', reason: 'ramping', words: `ramping back, ${countedShare(share)} of requests` };
    }
  }
}

/** Marks the single probe as under way. */
export function startProbe(cell: HealthCell, now: Instant): HealthCell {
  const { probing } = cell;
  return { ...cell, probing: { ...probing, startedAt: now, latestAt: now, sent: probing.sent + 1 } };
}

/** Gives the probe back without a verdict: it was cancelled, or failed for a reason that is not the target's. */
export function dropProbe(cell: HealthCell, generation: number): HealthCell {
  if (cell.generation !== generation || cell.probing.startedAt === null) return cell;
  return { ...cell, probing: { ...cell.probing, startedAt: null } };
}

/** How bad it is, for choosing the least bad when nothing is healthy: lower is better. */
export function badness(cell: HealthCell): number {
  const { trouble, health } = cell;
  const sick = trouble === null || trouble.total === 0 ? 0 : trouble.failed / trouble.total;
  switch (health.state) {
    case 'healthy':
      return 0;
    case 'ramping':
      return 1;
    case 'shedding':
      return 2 + sick;
    case 'probing':
    case 'ejected':
      return 4 + sick;
  }
}

/** Routing drew the lot for a ramp already; panic passes a closed gate, but neither a limit nor a provider's own wait. */
export function passesNow(reason: OutReason, panic: boolean): boolean {
  switch (reason) {
    case 'ramping':
      return true;
    case 'ejected':
    case 'probe_in_flight':
    case 'credential_unavailable':
      return panic;
    case 'rate_limited':
    case 'at_capacity':
      return false;
  }
}
