/**
 * How many requests a key may start: a bucket per key that refills at its requests a minute and holds one minute's
 * worth, and none while its budget is used up.
 */
import type { Instant, KeyId } from '../core/ids.ts';
import type { ApiKey } from '../core/keys.ts';
import type { Spending } from './spending.ts';

export type Allowance =
  | { readonly kind: 'yes' }
  | {
      readonly kind: 'no';
      readonly code: 'rate_limited' | 'budget_exhausted';
      readonly retryAfterMs: number;
    };

const yes: Allowance = { kind: 'yes' };
const bucketsMax = 100_000;

export function createAllowances(spending: Spending): (key: ApiKey | null, now: Instant) => Allowance {
  const buckets = new Map<KeyId, { tokens: number; at: number }>();
  return (key, now) => {
    const exhausted = spending.exhausted(key, now);
    if (exhausted !== null) return { kind: 'no', code: 'budget_exhausted', ...exhausted };
    if (key === null || key.rpm === null) return yes;
    const perMs = key.rpm / 60_000;
    const bucket = buckets.get(key.id) ?? { tokens: key.rpm, at: now };
    bucket.tokens = Math.min(key.rpm, bucket.tokens + Math.max(0, now - bucket.at) * perMs);
    bucket.at = now;
    if (buckets.size >= bucketsMax) buckets.clear();
    buckets.set(key.id, bucket);
    if (bucket.tokens < 1)
      return { kind: 'no', code: 'rate_limited', retryAfterMs: Math.ceil((1 - bucket.tokens) / perMs) };
    bucket.tokens -= 1;
    return yes;
  };
}
