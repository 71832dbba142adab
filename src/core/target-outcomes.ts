/**
 * How targets did, window by window, as far as records tell: what availability and the correlation of failures are
 * measured from.
 *
 * A request tells something of every target that it tried. Who answered did well; who was tried and did not answer
 * failed, if a failure was its own or its provider's. Callers' mistakes, used-up credentials and answers that nobody
 * waited for say nothing about a target. An answer that broke off is a failure of whoever began it.
 */
import { failureClasses, failureRow } from './failure.ts';
import type { RequestOutcome } from './record.ts';

export type TriedTargets = {
  readonly attempted: readonly string[];
  readonly served: string | null;
  readonly failures: readonly string[];
  readonly outcome: RequestOutcome | null;
};

const own: ReadonlySet<string> = new Set(
  failureClasses.filter((each) => ['target', 'provider'].includes(failureRow(each).counts)),
);

export type TargetOutcome = { readonly target: string; readonly isOk: boolean };

export function targetOutcomes({
  attempted,
  served,
  failures,
  outcome,
}: TriedTargets): readonly TargetOutcome[] {
  const isTheirs = failures.some((each) => own.has(each));
  return attempted.flatMap((target): readonly TargetOutcome[] => {
    if (target === served) {
      if (outcome === 'answered') return [{ target, isOk: true }];
      return outcome === 'partial' && isTheirs ? [{ target, isOk: false }] : [];
    }
    return isTheirs ? [{ target, isOk: false }] : [];
  });
}

/** Windows are short against an outage, and long enough to hold several requests. */
export const windowMs = 300_000;

export type Window = { ok: number; failed: number };
/** By target, and there by the number of the window since the epoch. */
export type TargetWindows = Map<string, Map<number, Window>>;

export function noteOutcome(windows: TargetWindows, { target, isOk }: TargetOutcome, at: number): void {
  const ofTarget = windows.get(target) ?? new Map<number, Window>();
  windows.set(target, ofTarget);
  const index = Math.floor(at / windowMs);
  const window = ofTarget.get(index) ?? { ok: 0, failed: 0 };
  ofTarget.set(index, window);
  if (isOk) window.ok++;
  else window.failed++;
}

export function addWindows(windows: TargetWindows, part: TargetWindows): void {
  for (const [target, list] of part) {
    const ofTarget = windows.get(target) ?? new Map<number, Window>();
    windows.set(target, ofTarget);
    for (const [index, { ok, failed }] of list) {
      const window = ofTarget.get(index) ?? { ok: 0, failed: 0 };
      ofTarget.set(index, { ok: window.ok + ok, failed: window.failed + failed });
    }
  }
}

export function sumWindows(windows: ReadonlyMap<number, Window>): Window {
  const sum = { ok: 0, failed: 0 };
  for (const { ok, failed } of windows.values()) {
    sum.ok += ok;
    sum.failed += failed;
  }
  return sum;
}

/** Fewer windows than this in which both were asked say nothing. */
export const sharedWindowsMin = 30;

export type Correlation = {
  /** From -1 to 1; null when it cannot be told. */
  readonly value: number | null;
  /** Windows in which both were asked. */
  readonly windows: number;
};

/** How far two targets fail together: the correlation of their failure rates, window by window. */
export function correlation(
  one: ReadonlyMap<number, Window>,
  other: ReadonlyMap<number, Window>,
): Correlation {
  const rate = ({ ok, failed }: Window): number => failed / (ok + failed);
  const pairs = [...one].flatMap(([index, window]) => {
    const beside = other.get(index);
    return beside === undefined ? [] : [[rate(window), rate(beside)] as const];
  });
  if (pairs.length < sharedWindowsMin) return { value: null, windows: pairs.length };
  const mean = (of: (pair: readonly [number, number]) => number): number =>
    pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length;
  const [x, y] = [mean(([rateX]) => rateX), mean(([, rateY]) => rateY)];
  const together = mean(([rateX, rateY]) => (rateX - x) * (rateY - y));
  const spread = Math.sqrt(mean(([rateX]) => (rateX - x) ** 2) * mean(([, rateY]) => (rateY - y) ** 2));
  // Where one of them never failed, nothing is known of what the other would do then.
  return { value: spread === 0 ? null : together / spread, windows: pairs.length };
}
