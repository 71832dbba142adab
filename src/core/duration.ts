/** Durations, rates and sizes as people write them in a configuration. Pure text to number; null when it is neither. */
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const unitBytes: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
};

/** `500ms`, `10s`, `1.5m`, `2h`, `30d` → milliseconds. */
export function durationMs(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  const unit = unitMs[match?.[2] ?? ''];
  return match === null || unit === undefined ? null : Math.round(Number(match[1]) * unit);
}

/** `0.5%` → 0.005, exactly as it is written: dividing made 0.9990000000000001 of 99.9%. */
export function rate(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim());
  const value = match === null ? Number.NaN : Number(`${match[1]}e-2`);
  return value >= 0 && value <= 1 ? value : null;
}

/** `32MiB` → bytes. */
export function sizeBytes(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(B|KB|MB|GB|KiB|MiB|GiB)$/.exec(text.trim());
  const unit = unitBytes[match?.[2] ?? ''];
  return match === null || unit === undefined ? null : Math.round(Number(match[1]) * unit);
}

/** `1 per 30d` → { count: 1, perMs }; never is no frequency. */
export function frequency(text: string): { readonly count: number; readonly perMs: number } | null {
  const match = /^(\d+(?:\.\d+)?)\s+per\s+(\S+)$/.exec(text.trim());
  const perMs = match === null ? null : durationMs(match[2] ?? '');
  const count = Number(match?.[1] ?? 0);
  return perMs === null || perMs === 0 || count === 0 ? null : { count, perMs };
}

/** Each more than the one before: a way back that goes down leads nowhere. */
export const rises = (steps: readonly number[]): boolean =>
  steps.every((step, at) => at === 0 || step > (steps[at - 1] ?? 0));
