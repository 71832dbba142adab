/**
 * How long a target usually takes to its first token: mean and spread of the logarithm, over about the last thousand
 * good answers. From it come the limit past which an answer counts as slow when none was agreed, and the chance that a
 * request is still waiting at a given age although nothing is wrong (`waiting.ts`).
 *
 * Times to first token are close to lognormal with a heavier tail; the spread therefore has a floor, and the limit
 * stands three spreads out. It refuses to set a limit before it has seen fifty answers.
 */
export type FirstToken = { readonly seen: number; readonly mean: number; readonly variance: number };

export const nothingSeen: FirstToken = { seen: 0, mean: 0, variance: 0 };

const memory = 1_000;
const seenMin = 50;
const spreadMin = 0.4;
const limitMsMin = 2_000;
const spreadsToLimit = 3;

export function sawFirstToken(known: FirstToken, ms: number): FirstToken {
  const x = Math.log(Math.max(ms, 1));
  const seen = Math.min(known.seen + 1, memory);
  const delta = x - known.mean;
  const mean = known.mean + delta / seen;
  return { seen, mean, variance: known.variance + (delta * (x - mean) - known.variance) / seen };
}

function spread(known: FirstToken): number {
  return Math.max(spreadMin, Math.sqrt(known.variance));
}

/** The learned limit; null while too little was seen. */
export function slowLimitMs(known: FirstToken): number | null {
  if (known.seen < seenMin) return null;
  return Math.max(limitMsMin, Math.exp(known.mean + spreadsToLimit * spread(known)));
}

/** How far out a first token counts as late: twice the usual, or two spreads beyond it, whichever is later. */
const lateFactor = Math.log(2);
const spreadsToLate = 2;
/** Less than this nobody notices. */
const lateMsMin = 250;

/** Whether a first token came later than nearly all do: far sooner said than "too late", and worth no more than a warning. */
export function isLate(known: FirstToken, ms: number): boolean {
  if (known.seen < seenMin) return false;
  if (ms < Math.exp(known.mean) + lateMsMin) return false;
  return Math.log(Math.max(ms, 1)) > known.mean + Math.max(lateFactor, spreadsToLate * spread(known));
}

/** Whether something measured is far from usual on either side. */
export function isOdd(known: FirstToken, measured: number): boolean {
  if (known.seen < seenMin) return false;
  return Math.abs(Math.log(Math.max(measured, 1)) - known.mean) > spreadsToLate * spread(known);
}

/** Upper tail of the normal distribution (Abramowitz and Stegun 26.2.17, error below 1e-7). */
function tail(z: number): number {
  if (z < 0) return 1 - tail(-z);
  const t = 1 / (1 + 0.231_641_9 * z);
  const series =
    t *
    (0.319_381_530 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
  return (series * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}

/** What is assumed of a target not yet known: two seconds, give or take a factor of e. */
const assumed: FirstToken = { seen: seenMin, mean: Math.log(2_000), variance: 1 };

/** The chance that a healthy request still waits at this age. */
export function stillWaiting(seen: FirstToken, ageMs: number): number {
  const known = seen.seen < seenMin ? assumed : seen;
  return tail((Math.log(Math.max(ageMs, 1)) - known.mean) / spread(known));
}
