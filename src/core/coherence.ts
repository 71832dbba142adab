/**
 * Whether a promise to customers can be kept, given what providers promise and how far their failures go together.
 *
 * A feature is down when all that may answer for it by themselves are down at once. For two that are down for the shares
 * u and v of the time, with the correlation r of their failures, both are down for uv + r·√(u(1−u)v(1−v)). With more than
 * two the best pair is a bound on the careful side: a third can only help. Two targets of one provider count as one, for a
 * provider's promise covers both.
 *
 * It refuses to assume independence: where no correlation could be measured, both answers are given, one as if failures
 * came together whenever they can, one as if they had nothing to do with each other.
 */
import { writtenShare } from './percent.ts';
import type { Correlation } from './target-outcomes.ts';

/** One provider that may answer for a feature by itself, in the order of the route. */
export type PromisedTarget = {
  readonly target: string;
  readonly provider: string;
  /** As a share of 1; null when it promises nothing that is known. */
  readonly sla: number | null;
};
export type Pair = { readonly one: string; readonly other: string } & Correlation;

export type CoherenceVerdict = 'holds' | 'holds_if_independent' | 'does_not_hold' | 'unknown';

export type Coherence = {
  readonly verdict: CoherenceVerdict;
  /** What can be promised as if failures came together wherever nothing was measured; null when nobody promises. */
  readonly careful: number | null;
  /** As if they were independent wherever nothing was measured. */
  readonly independent: number | null;
  readonly pairs: readonly Pair[];
  readonly words: string;
};

/** The share of the time that both are down. */
export function bothDown(u: number, v: number, r: number): number {
  const least = Math.max(0, u + v - 1);
  const most = Math.min(u, v);
  return Math.min(most, Math.max(least, u * v + r * Math.sqrt(u * (1 - u) * v * (1 - v))));
}

type Judged = { readonly careful: number; readonly independent: number };

function canPromise(
  promising: readonly (PromisedTarget & { readonly sla: number })[],
  pairs: readonly Pair[],
): Judged {
  const alone = Math.min(...promising.map(({ sla }) => 1 - sla));
  let [careful, independent] = [alone, alone];
  const slaOf = new Map(promising.map(({ target, sla }) => [target, sla]));
  for (const { one, other, value } of pairs) {
    const [u, v] = [1 - (slaOf.get(one) ?? 0), 1 - (slaOf.get(other) ?? 0)];
    careful = Math.min(careful, bothDown(u, v, value === null ? 1 : Math.max(0, value)));
    independent = Math.min(independent, bothDown(u, v, value === null ? 0 : Math.max(0, value)));
  }
  return { careful: 1 - careful, independent: 1 - independent };
}

function verdictOf(promise: number | null, judged: Judged): CoherenceVerdict {
  if (promise === null) return 'unknown';
  if (promise <= judged.careful) return 'holds';
  return promise <= judged.independent ? 'holds_if_independent' : 'does_not_hold';
}

function wordsOf(promise: number | null, judged: Judged, verdict: CoherenceVerdict): string {
  const can = `From what providers promise, ${writtenShare(judged.careful)} can be promised`;
  const gap =
    judged.independent > judged.careful
      ? `; ${writtenShare(judged.independent)} if failures that were never seen together are independent`
      : '';
  if (promise === null) return `${can}${gap}. No promise to customers is configured.`;
  const ends: Record<CoherenceVerdict, string> = {
    holds: `The promise of ${writtenShare(promise)} holds.`,
    holds_if_independent: `The promise of ${writtenShare(promise)} holds only in that case.`,
    does_not_hold: `The promise of ${writtenShare(promise)} does not hold.`,
    unknown: '',
  };
  return `${can}${gap}. ${ends[verdict]}`;
}

export function coherence(
  promise: number | null,
  route: readonly PromisedTarget[],
  correlate: (one: string, other: string) => Correlation,
): Coherence {
  const seen = new Set<string>();
  const promising = route.flatMap((each) => {
    if (each.sla === null || seen.has(each.provider)) return [];
    seen.add(each.provider);
    return [{ ...each, sla: each.sla }];
  });
  const pairs = promising.flatMap(({ target: one }, index) =>
    promising.slice(index + 1).map(({ target: other }): Pair => ({ one, other, ...correlate(one, other) })),
  );
  if (promising.length === 0)
    return {
      verdict: 'unknown',
      careful: null,
      independent: null,
      pairs,
      words: 'No provider of its route has a promised availability (terms: { sla }), so nothing can be said.',
    };
  const judged = canPromise(promising, pairs);
  const verdict = verdictOf(promise, judged);
  return { verdict, ...judged, pairs, words: wordsOf(promise, judged, verdict) };
}
