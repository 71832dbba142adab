/** What each key with a budget has spent in its period, and whether it may start another request. */
import { budgetFrom, periodAt } from '../core/budget.ts';
import type { Budget, Spent } from '../core/budget.ts';
import type { Instant, KeyId } from '../core/ids.ts';
import type { ApiKey } from '../core/keys.ts';

export type Spending = {
  /** Null: it may start. Otherwise how long until its budget is whole again. */
  exhausted(key: ApiKey | null, now: Instant): { readonly retryAfterMs: number } | null;
  spend(key: ApiKey, usd: number, now: Instant): void;
  /** What changed since the last call, to be kept. */
  changed(): readonly Spent[];
};

const keysMax = 100_000;
/** Budgets read, by their text: there are few, and they do not change. */
const budgets = new Map<string, Budget | null>();
const budgetsMax = 1_000;

function budgetOf(key: ApiKey): Budget | null {
  if (key.budget === null) return null;
  const known = budgets.get(key.budget);
  if (known !== undefined) return known;
  if (budgets.size >= budgetsMax) budgets.clear();
  const read = budgetFrom(key.budget);
  budgets.set(key.budget, read);
  return read;
}

export function createSpending(kept: readonly Spent[]): Spending {
  const spent = new Map<KeyId, Spent>(kept.map((entry) => [entry.key, entry]));
  const unkept = new Set<KeyId>();
  const usdSince = (key: KeyId, start: number): number => {
    const entry = spent.get(key);
    return entry !== undefined && entry.periodStart === start ? entry.usd : 0;
  };
  return {
    exhausted(key, now) {
      const budget = key === null ? null : budgetOf(key);
      if (key === null || budget === null) return null;
      const { start, end } = periodAt(now, budget.period);
      return usdSince(key.id, start) < budget.usd ? null : { retryAfterMs: end - now };
    },
    spend(key, usd, now) {
      const budget = budgetOf(key);
      if (budget === null || usd <= 0) return;
      const { start } = periodAt(now, budget.period);
      if (spent.size >= keysMax && !spent.has(key.id)) spent.clear();
      spent.set(key.id, { key: key.id, periodStart: start, usd: usdSince(key.id, start) + usd });
      unkept.add(key.id);
    },
    changed() {
      const changes = [...unkept].flatMap((key) => spent.get(key) ?? []);
      unkept.clear();
      return changes;
    },
  };
}
