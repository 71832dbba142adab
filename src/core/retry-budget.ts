/**
 * A retry budget per target: second tries of the same target may add about a tenth to its load, plus one a second so
 * that a quiet feature can still retry. Without it, retries at several layers multiply an overload until it sustains
 * itself. Moving to another target is not a retry and costs nothing here.
 *
 * Figures after Finagle's retry budget (20 % and 10 a second there; both halved or less, since one answer of a model
 * costs far more than one RPC).
 */
import type { Instant } from './ids.ts';

export type RetryBudget = { readonly tokens: number; readonly at: Instant };

const depositPerRequest = 0.1;
const refillPerSecond = 1;
const tokensMax = 10;

export function fullBudget(now: Instant): RetryBudget {
  return { tokens: tokensMax, at: now };
}

function refilled(budget: RetryBudget, now: Instant): RetryBudget {
  const seconds = Math.max(0, now - budget.at) / 1000;
  return {
    tokens: Math.min(tokensMax, budget.tokens + seconds * refillPerSecond),
    at: Math.max(now, budget.at) as Instant,
  };
}

/** A first attempt earns a tenth of a retry. */
export function deposit(budget: RetryBudget, now: Instant): RetryBudget {
  const current = refilled(budget, now);
  return { ...current, tokens: Math.min(tokensMax, current.tokens + depositPerRequest) };
}

/** Takes one retry; null when none is left. */
export function withdraw(budget: RetryBudget, now: Instant): RetryBudget | null {
  const current = refilled(budget, now);
  return current.tokens < 1 ? null : { ...current, tokens: current.tokens - 1 };
}
