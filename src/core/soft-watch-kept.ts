/** A watch over soft signals as it is kept across a restart, and after the clock jumped. */
import { softSignals } from './evidence.ts';
import type { SoftSignal } from './evidence.ts';
import type { Instant } from './ids.ts';
import { calmed, numbersLength } from './soft-watch.ts';
import type { SoftWatch, SoftWarning } from './soft-watch.ts';

const nothing: readonly never[] = [];

/** The watch as JSON, to be kept across a restart: what is usual, and the warnings that stand. */
export function watchToJson(watch: SoftWatch): unknown {
  const { numbers, spanMs, fadedAt, warnings } = watch;
  return { numbers: [...numbers], spanMs, fadedAt, warnings };
}

function isWarning(value: unknown): value is SoftWarning {
  if (typeof value !== 'object' || value === null) return false;
  const each = value as Partial<Record<keyof SoftWarning, unknown>>;
  return (
    softSignals.includes(each.signal as SoftSignal) &&
    typeof each.words === 'string' &&
    [each.since, each.at, each.total, each.odd].every((number) => Number.isFinite(number))
  );
}

/** A kept watch; null when it cannot be understood. An excursion that was going on begins anew. */
export function watchFromJson(json: unknown): SoftWatch | null {
  if (typeof json !== 'object' || json === null) return null;
  const { numbers, spanMs, fadedAt, warnings } = json as Record<string, unknown>;
  if (!Array.isArray(numbers) || numbers.length !== numbersLength) return null;
  if (!numbers.every(Number.isFinite) || !Number.isFinite(spanMs) || !Number.isFinite(fadedAt)) return null;
  if (!Array.isArray(warnings) || !warnings.every(isWarning)) return null;
  const kept = calmed(
    new Float32Array(numbers as number[]),
    warnings.map(({ signal }) => signal),
  );
  return {
    numbers: kept,
    spanMs: spanMs as number,
    fadedAt: fadedAt as Instant,
    open: nothing,
    warnings,
    setAside: nothing,
  };
}

/** After the clock jumped by this much everything is as long ago as it was; what was going on begins anew. */
export function shiftedWatch(watch: SoftWatch, byMs: number): SoftWatch {
  const by = (at: Instant): Instant => (at + byMs) as Instant;
  return {
    numbers: calmed(
      watch.numbers,
      watch.warnings.map(({ signal }) => signal),
    ),
    spanMs: watch.spanMs,
    fadedAt: by(watch.fadedAt),
    open: nothing,
    warnings: watch.warnings.map((each) => ({ ...each, since: by(each.since), at: by(each.at) })),
    setAside: watch.setAside.map((each) => ({ ...each, until: by(each.until) })),
  };
}
