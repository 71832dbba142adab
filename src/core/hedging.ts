/**
 * Whether a call that stays silent is asked of a second target too. Only the first call of a request is hedged, only
 * where its answer is a stream (silence says nothing of a whole answer), where another target is left, and never in
 * panic: who passes a closed gate must not do so twice. How many may be sent is a budget's to say (`retry-budget.ts`).
 *
 * It refuses to choose the second target: that is the next one of the plan, by every rule that the first one obeyed.
 */
import type { Feature } from './snapshot.ts';

export type FirstCall = {
  readonly stream: boolean;
  readonly panic: boolean;
  /** Calls of this request so far, itself included. */
  readonly calls: number;
  readonly attemptsMax: number;
  /** The plan has a target behind this one. */
  readonly moreToTry: boolean;
};

/** A target this full gets no hedges: they would add to what makes it slow. */
const hedgeRoom = 0.8;

/** After how long a silent call is hedged; null: it is not. */
export function hedgeAfterMs(
  { hedge }: Pick<Feature, 'hedge'>,
  { stream, panic, calls, attemptsMax, moreToTry }: FirstCall,
): number | null {
  if (hedge === null || !stream || panic || !moreToTry || calls > 1 || attemptsMax < 2) return null;
  return hedge.afterMs;
}

/** Whether a target that is used so far, from 0 to 1, takes a hedge. */
export function takesHedge(used: number): boolean {
  return used < hedgeRoom;
}
