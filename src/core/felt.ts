/**
 * What callers of a feature have met in the last minutes, as one of the six states: what routing would do next is a
 * promise, and this is how it turned out. It can only make a feature look worse, never better, and it speaks only when
 * enough has happened: one failure is not "some requests fail".
 */
import type { FeatureStatus } from './status.ts';

/** Of the requests of one feature that ended lately. */
export type Felt = {
  readonly ended: number;
  /** Failed, or broke off in the middle. */
  readonly failed: number;
  /** Answers whose first word was timed, and those that let callers wait. */
  readonly timed: number;
  readonly slow: number;
};

const failuresMin = 3;
const failedShareMin = 0.05;
const outageMin = 5;
const outageShareMin = 0.95;
const timedMin = 5;
const slowShareMin = 0.5;

/** Null: nothing to remark. */
export function feltStatus({ ended, failed, timed, slow }: Felt): 'unavailable' | 'partial' | 'slow' | null {
  if (failed >= outageMin && failed / ended >= outageShareMin) return 'unavailable';
  if (failed >= failuresMin && failed / ended >= failedShareMin) return 'partial';
  return timed >= timedMin && slow / timed >= slowShareMin ? 'slow' : null;
}

/** From calm to grave. */
export const gravity: readonly FeatureStatus[] = [
  'normal',
  'backup',
  'slow',
  'partial',
  'paused',
  'unavailable',
];

export const graver = (one: FeatureStatus, other: FeatureStatus): FeatureStatus =>
  gravity.indexOf(one) >= gravity.indexOf(other) ? one : other;

/** First words that come later than this many times the usual, and than `slowMinMs`, are late. */
const lateFactor = 3;
const slowMinMs = 2_000;
/** Before so many answers nobody knows what is usual. */
const usualAfter = 20;
const usualWeight = 0.02;

/** How long callers of a feature usually wait for the first word: a slow average of logarithms, of answers that were not late. */
export type Usual = { readonly logMs: number; readonly count: number };
export const noUsual: Usual = { logMs: 0, count: 0 };

export function isLate(firstWordMs: number, usual: Usual): boolean {
  return usual.count >= usualAfter && firstWordMs > Math.max(slowMinMs, Math.exp(usual.logMs) * lateFactor);
}

export function usualAfterOne(usual: Usual, firstWordMs: number): Usual {
  if (isLate(firstWordMs, usual)) return usual;
  const count = usual.count + 1;
  const weight = Math.max(usualWeight, 1 / count);
  return { count, logMs: usual.logMs + (Math.log(Math.max(1, firstWordMs)) - usual.logMs) * weight };
}
