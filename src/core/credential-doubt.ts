/**
 * Whether a rejected credential is believed. In outages providers have answered 401 to every valid key for an hour, so
 * a rejection says one of two things: this key is revoked, or the provider's own door is broken.
 *
 * A revoked key never works again, and the other keys go on working. So the provider is blamed when every key that
 * worked lately is rejected at once, or when a rejected key has worked again since. A key that never worked is
 * believed to be wrong. Where a provider has one key, three rejections in a row of a key that worked are taken for the
 * provider's: what follows is the same for callers (others answer), and the key comes back by itself.
 *
 * It refuses to disable a key for good: nothing here lasts longer than the memory of it.
 */
import type { Instant } from './ids.ts';

/** What is remembered of one key. */
export type KeyTrail = {
  readonly goodAt: Instant | null;
  /** Since the last success. */
  readonly rejections: number;
  readonly rejectedAt: Instant | null;
  /** When a success last followed a rejection: that rejection was not true. */
  readonly liedAt: Instant | null;
};

export const freshTrail: KeyTrail = { goodAt: null, rejections: 0, rejectedAt: null, liedAt: null };

/** A success this old no longer speaks for a key. */
const workedMsMax = 86_400_000;
/** Rejections within this time of each other are one storm. */
const stormMs = 300_000;
const liedMsMax = 600_000;
/** Rejections before anybody is blamed, where the key worked lately: one stray one is nothing. */
const rejectionsMin = 3;
/** … and where other keys work on meanwhile: losing one of several costs nothing, and more may be under way with it. */
const rejectionsMinOfSeveral = 2;
/** A key that is rejected this often in a row is believed, whatever was untrue before, unless all are. */
const rejectionsBelieved = 10;
/** A success is noted at most this often, so that the usual case costs nothing. */
const noteEveryMs = 1_000;

export function afterSuccess(trail: KeyTrail, now: Instant): KeyTrail {
  if (trail.rejections > 0) return { goodAt: now, rejections: 0, rejectedAt: null, liedAt: now };
  if (trail.goodAt !== null && now - trail.goodAt < noteEveryMs) return trail;
  return { ...trail, goodAt: now };
}

export function afterRejection(trail: KeyTrail, now: Instant): KeyTrail {
  return { ...trail, rejections: trail.rejections + 1, rejectedAt: now };
}

const within = (at: Instant | null, ms: number, now: Instant): boolean => at !== null && now - at < ms;

function workedLately(trail: KeyTrail, now: Instant): boolean {
  return within(trail.goodAt, workedMsMax, now);
}

export type CredentialBlame = 'key' | 'provider' | 'nobody_yet';

/** Who is to blame for the latest rejection of `own`; both take it into account already. `others`: the provider's other keys. */
export function blameRejection(own: KeyTrail, others: readonly KeyTrail[], now: Instant): CredentialBlame {
  if (!workedLately(own, now)) return 'key';
  const working = [own, ...others].filter((trail) => workedLately(trail, now));
  const rejections = working.reduce((sum, trail) => sum + trail.rejections, 0);
  const allRejected = working.every((trail) => within(trail.rejectedAt, stormMs, now));
  if (allRejected && rejections >= rejectionsMin) return 'provider';
  const oneLied = working.some((trail) => within(trail.liedAt, liedMsMax, now));
  if (oneLied && own.rejections < rejectionsBelieved) return 'provider';
  const least = working.length > 1 && !allRejected ? rejectionsMinOfSeveral : rejectionsMin;
  return own.rejections < least ? 'nobody_yet' : 'key';
}
