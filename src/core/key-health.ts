/**
 * The health of one provider key: a rejected, exhausted or rate-limited key is not a sick model.
 *
 * A key is set aside for a while, never for good: in outages providers have rejected valid keys for an hour, so the
 * wait grows but is capped and a success clears it. A provider's own Retry-After is obeyed up to a cap.
 */
import type { Failure, FailureClass } from './failure.ts';
import type { Instant } from './ids.ts';
import type { Provider } from './target.ts';

export type KeyTrouble = Extract<FailureClass, 'rate_limited' | 'quota_exhausted' | 'credential_rejected'>;
export type KeyHealth =
  | { readonly kind: 'usable' }
  | {
      readonly kind: 'set_aside';
      readonly trouble: KeyTrouble;
      readonly since: Instant;
      readonly until: Instant;
      readonly strikes: number;
    };

/** First wait and longest wait per trouble. */
const waits: Record<KeyTrouble, { readonly firstMs: number; readonly longestMs: number }> = {
  rate_limited: { firstMs: 1_000, longestMs: 60_000 },
  quota_exhausted: { firstMs: 60_000, longestMs: 600_000 },
  credential_rejected: { firstMs: 15_000, longestMs: 300_000 },
};
const retryAfterMsMax = 3_600_000;

export const usableKey: KeyHealth = { kind: 'usable' };

function troubleOf(failureClass: FailureClass): KeyTrouble | null {
  return failureClass === 'rate_limited' ||
    failureClass === 'quota_exhausted' ||
    failureClass === 'credential_rejected'
    ? failureClass
    : null;
}

/** Takes one failure into account; `random` in [0, 1) jitters the wait. */
export function observeKey(health: KeyHealth, failure: Failure, now: Instant, random: number): KeyHealth {
  const trouble = troubleOf(failure.class);
  if (trouble === null) return health;
  const strikes = health.kind === 'set_aside' && health.trouble === trouble ? health.strikes + 1 : 1;
  const { firstMs, longestMs } = waits[trouble];
  const grown = Math.min(longestMs, firstMs * 2 ** (strikes - 1)) * (0.9 + 0.2 * random);
  const waitMs = failure.retryAfterMs === null ? grown : Math.min(failure.retryAfterMs, retryAfterMsMax);
  return { kind: 'set_aside', trouble, since: now, until: (now + waitMs) as Instant, strikes };
}

/** A success clears a key, unless it began before the trouble: a long answer says nothing about a limit met meanwhile. */
export function clears(health: KeyHealth, startedAt: Instant): boolean {
  return health.kind === 'set_aside' && startedAt >= health.since;
}

export function isUsable(health: KeyHealth, now: Instant): boolean {
  return health.kind === 'usable' || now >= health.until;
}

/** Names of keys whose text is another now: what was known of the old one says nothing of the new one. */
export function replacedKeys(
  before: ReadonlyMap<string, Provider>,
  after: ReadonlyMap<string, Provider>,
): readonly string[] {
  return [...after.values()].flatMap(({ id, keys }) => {
    const old = new Map(before.get(id)?.keys.map(({ name, secret }) => [name, secret]));
    return keys.filter(({ name, secret }) => old.get(name)?.is(secret) === false).map(({ name }) => name);
  });
}
