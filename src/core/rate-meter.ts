/**
 * How much of a known rate limit (requests or input tokens a minute) is left: a bucket that holds one minute's worth
 * and refills evenly. Priorities may drain it only so far, by the same shares as places: what is left is for those
 * above. It knows what this replica sent, not what others did: give each replica its part.
 */
import type { Instant } from './ids.ts';

export type Meter = { readonly perMinute: number; readonly left: number; readonly at: Instant };

export function fullMeter(perMinute: number, now: Instant): Meter {
  return { perMinute, left: perMinute, at: now };
}

function leftAt(meter: Meter, now: Instant): number {
  return Math.min(meter.perMinute, meter.left + (Math.max(0, now - meter.at) * meter.perMinute) / 60_000);
}

/** How long until `cost` fits within `share` of the limit; 0 when it does. What is larger than the share goes when the bucket is full. */
export function msUntilFits(meter: Meter, cost: number, share: number, now: Instant): number {
  const needed = Math.min(meter.perMinute, meter.perMinute * (1 - share) + cost);
  const missing = needed - leftAt(meter, now);
  return missing <= 0 ? 0 : Math.ceil((missing * 60_000) / meter.perMinute);
}

export function charged(meter: Meter, cost: number, now: Instant): Meter {
  return { ...meter, left: leftAt(meter, now) - cost, at: Math.max(now, meter.at) as Instant };
}

/** The share of the limit in use, from 0 to 1. */
export function usedShare(meter: Meter, now: Instant): number {
  return Math.min(1, Math.max(0, 1 - leftAt(meter, now) / meter.perMinute));
}
