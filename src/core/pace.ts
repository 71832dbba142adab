/**
 * Tokens per second of a target's streamed answers against what is usual for it. Slow tokens are a soft signal: answers
 * arrive all the same, so they warn and never eject. Short answers are not judged: their pace is chance.
 */
import { sawFirstToken } from './first-token.ts';
import type { FirstToken } from './first-token.ts';

/** Mean and spread of the logarithm, like the time to first token. */
export type Pace = FirstToken;

const tokensMin = 32;
const msMin = 500;
const seenMin = 50;
/** A third of the usual pace, or three spreads below it, whichever is slower. */
const slowFactor = Math.log(3);
const spreads = 3;

/** Null: not long enough to judge. */
export function tokensPerSecond(tokens: number | null, ms: number): number | null {
  return tokens === null || tokens < tokensMin || ms < msMin ? null : (tokens * 1_000) / ms;
}

export function isSlow(pace: Pace, perSecond: number): boolean {
  if (pace.seen < seenMin) return false;
  return Math.log(perSecond) < pace.mean - Math.max(slowFactor, spreads * Math.sqrt(pace.variance));
}

/** What is slow is not learned as usual. */
export function sawPace(pace: Pace, perSecond: number): Pace {
  return isSlow(pace, perSecond) ? pace : sawFirstToken(pace, perSecond);
}
