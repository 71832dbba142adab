/**
 * What is usual for a target: how often it fails when nothing is wrong, and how often it is asked.
 *
 * Both are counts that fade with a half-life of a day, so that a quiet night or a busy hour moves them little. The
 * failure rate starts from the agreed budget, worth two hundred attempts of experience, so that a brand-new model is
 * neither trusted nor suspected. Only what turned out to be nothing is learned (`detector.ts` hands over an excursion
 * when it has come back to zero), and what counts as usual is bounded by a quarter of the breach: a target that was
 * always bad does not become normal.
 *
 * It refuses to judge: it only says what to compare with.
 */
export type Background = {
  /** Attempts, failures and time watched, all fading together. */
  readonly total: number;
  readonly failed: number;
  readonly spanMs: number;
};

const halfLifeMs = 86_400_000;
const priorAttempts = 200;
/** Until more is known, a target is taken to be asked once a second, with a minute's weight. */
const priorSpanMs = 60_000;
/** How far above the learned rate the comparison stands: the price of not knowing it exactly. */
const caution = 1.5;

export const nothingKnown: Background = { total: 0, failed: 0, spanMs: 0 };

export function learn(
  known: Background,
  counts: { readonly total: number; readonly failed: number; readonly spanMs: number },
): Background {
  const kept = counts.spanMs <= 0 ? 1 : 2 ** (-counts.spanMs / halfLifeMs);
  return {
    total: known.total * kept + counts.total,
    failed: known.failed * kept + counts.failed,
    spanMs: known.spanMs * kept + counts.spanMs,
  };
}

/** The learned failure rate. */
export function usualRate(known: Background, budget: number): number {
  return (known.failed + budget * priorAttempts) / (known.total + priorAttempts);
}

/** The rate that failures are compared with: at least the budget, at most a quarter of the breach. */
export function comparedRate(known: Background, budget: number, breach: number): number {
  const most = Math.max(breach / 4, 1e-5);
  return Math.min(most, Math.max(Math.min(budget, most), 1e-5, caution * usualRate(known, budget)));
}

/** Attempts per second, slowly learned. */
export function attemptsPerSecond(known: Background): number {
  return (known.total + priorSpanMs / 1000) / ((known.spanMs + priorSpanMs) / 1000);
}
