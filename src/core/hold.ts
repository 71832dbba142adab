/**
 * A legal hold: what must not be erased, whatever retention or an erasure says, until a person releases it.
 *
 * Its scope names a tenant, a user, an incident, a span of time, or several of them; what it covers fits all that it names.
 * Records are judged one by one. Captured content is judged by its key, which belongs to one subject and one day: where a
 * part of a day is held, the day is. Holding too much is mended by releasing, holding too little by nothing.
 */
import { dayMs } from './capture.ts';
import type { IncidentId, Instant } from './ids.ts';
import { timeText } from './moment.ts';

export type HoldScope = {
  readonly tenant: string | null;
  readonly user: string | null;
  /** What it hit, also what is found to be hit later. */
  readonly incident: IncidentId | null;
  readonly since: Instant | null;
  readonly until: Instant | null;
};

export type Hold = {
  readonly id: string;
  readonly scope: HoldScope;
  readonly reason: string;
  readonly placedAt: Instant;
  readonly placedBy: string;
  /** Null while it is in force. */
  readonly release: { readonly at: Instant; readonly by: string; readonly reason: string } | null;
};

/** Everything that a scope names fits, incidents aside; those are for whoever knows which requests they hit. */
export function fitsKey(
  { tenant, user, since, until }: HoldScope,
  key: { readonly tenant: string | null; readonly user: string | null; readonly day: number },
): boolean {
  if ((tenant !== null && tenant !== key.tenant) || (user !== null && user !== key.user)) return false;
  return (since === null || (key.day + 1) * dayMs > since) && (until === null || key.day * dayMs < until);
}

/** `tenant acme, since 2026-06-07T00:00:00.000Z`. */
export function scopeWords({ tenant, user, incident, since, until }: HoldScope): string {
  return Object.entries({ tenant, user, incident, since: timeText(since), until: timeText(until) })
    .flatMap(([name, value]) => (value === null ? [] : [`${name} ${value}`]))
    .join(', ');
}

/** Why something is not erased. */
export const heldWords = (holds: readonly string[]): string =>
  `It is under legal hold (${holds.join(', ')}); nothing was erased.`;
