/**
 * Budgets for calls that are sent although one was sent already.
 *
 * A retry budget per target: second tries of the same target may add about a tenth to its load, plus one a second so
 * that a quiet feature can still retry. Without it, retries at several layers multiply an overload until it sustains
 * itself. Moving to another target is not a retry and costs nothing here. A hedge budget per feature: a share of its
 * requests may be sent to a second target while the first is silent, and no more.
 *
 * Figures of retries after Finagle's retry budget (20 % and 10 a second there; both halved or less, since one answer of
 * a model costs far more than one RPC).
 */
import type { Instant } from './ids.ts';

export type BudgetRule = {
  /** What one request earns. */
  readonly perRequest: number;
  readonly perSecond: number;
  /** The most saved up. */
  readonly most: number;
};

export type RetryBudget = { readonly tokens: number; readonly at: Instant };

export const retryRule: BudgetRule = { perRequest: 0.1, perSecond: 1, most: 10 };

export function hedgeRule(share: number): BudgetRule {
  return { perRequest: share, perSecond: 0, most: 2 };
}

export function fullBudget(now: Instant, rule: BudgetRule = retryRule): RetryBudget {
  return { tokens: rule.most, at: now };
}

function refilled(budget: RetryBudget, now: Instant, rule: BudgetRule): RetryBudget {
  const seconds = Math.max(0, now - budget.at) / 1000;
  return {
    tokens: Math.min(rule.most, budget.tokens + seconds * rule.perSecond),
    at: Math.max(now, budget.at) as Instant,
  };
}

/** A request earns its part. */
export function deposit(budget: RetryBudget, now: Instant, rule: BudgetRule = retryRule): RetryBudget {
  if (budget.tokens >= rule.most) return budget;
  const { tokens, at } = refilled(budget, now, rule);
  return { tokens: Math.min(rule.most, tokens + rule.perRequest), at };
}

/** Takes one; null when none is left. */
export function withdraw(
  budget: RetryBudget,
  now: Instant,
  rule: BudgetRule = retryRule,
): RetryBudget | null {
  const current = refilled(budget, now, rule);
  return current.tokens < 1 ? null : { ...current, tokens: current.tokens - 1 };
}
