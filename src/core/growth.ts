/**
 * Growth that a provider asks for: above a rate that is always free, input tokens a minute may rise only by a share of what
 * was used, window after window ("at most half more every quarter of an hour"). A backup that was cold is therefore filled
 * in steps, and what does not fit yet goes to the next target or waits, instead of being refused there.
 *
 * The level is the mean of the last whole window, so that a burst within one does not raise it. It knows what this replica
 * sent, not what others did: give each replica its part. It refuses to judge how well the target is; gates do that.
 */
import type { Instant } from './ids.ts';
import { charged, fullMeter, msUntilFits } from './rate-meter.ts';
import type { Meter } from './rate-meter.ts';

export type GrowthRule = {
  /** Input tokens a minute that are free of it. */
  readonly fromTokens: number;
  /** How much more than the window before, as a fraction of 1. */
  readonly share: number;
  readonly perMs: number;
};

export type Growth = {
  readonly rule: GrowthRule;
  /** When the window began, and the tokens used in it. */
  readonly since: Instant;
  readonly used: number;
  readonly meter: Meter;
};

export function startGrowth(rule: GrowthRule, now: Instant): Growth {
  return { rule, since: now, used: 0, meter: fullMeter(rule.fromTokens, now) };
}

/** The window that now belongs to: after one that is over, its mean and the share above it. */
function windowAt(growth: Growth, now: Instant): Growth {
  const { rule, since, used, meter } = growth;
  const elapsedMs = now - since;
  if (elapsedMs < rule.perMs) return growth;
  const level = (used * 60_000) / elapsedMs;
  const perMinute = Math.max(rule.fromTokens, level * (1 + rule.share));
  return { rule, since: now, used: 0, meter: { ...meter, perMinute, left: Math.min(meter.left, perMinute) } };
}

/** How long until so many tokens fit; 0 when they do. */
export function msUntilGrown(growth: Growth, tokens: number, share: number, now: Instant): number {
  return msUntilFits(windowAt(growth, now).meter, tokens, share, now);
}

export function grownBy(growth: Growth, tokens: number, now: Instant): Growth {
  const current = windowAt(growth, now);
  return { ...current, used: current.used + tokens, meter: charged(current.meter, tokens, now) };
}
