/**
 * Whether a playbook's condition holds: pure, over facts that the caller gathers. A rate over no requests is no rate, so
 * it holds nothing; a threshold that is not named is not asked.
 */
import type { WarningSignal } from './evidence.ts';
import type { FailureClass } from './failure.ts';
import type { HealthState } from './health-cell.ts';
import type { Comparison, Condition } from './playbook.ts';
import type { FeatureStatus } from './status.ts';
import type { Target } from './target.ts';

/** What happened to the attempts at one target in a window. */
export type Counts = {
  readonly requests: number;
  readonly failed: number;
  readonly slow: number;
  readonly quality: number;
};

export type TargetFacts = {
  readonly target: Target;
  readonly gate: HealthState;
  readonly warnings: readonly WarningSignal[];
  /** A gate or a switch keeps it from answering. */
  readonly isOut: boolean;
  /** `failures` null: all of them count. */
  readonly counts: (windowMs: number, failures: readonly FailureClass[] | null) => Counts;
};

export type PlaybookFacts = {
  readonly targets: readonly TargetFacts[];
  readonly features: readonly {
    readonly feature: string;
    readonly status: FeatureStatus;
    readonly route: readonly string[];
  }[];
};

function compare(value: number, { sign, value: threshold }: Comparison): boolean {
  switch (sign) {
    case '>=':
      return value >= threshold;
    case '>':
      return value > threshold;
    case '<=':
      return value <= threshold;
    case '<':
      return value < threshold;
  }
}

export function countsOf(
  targets: readonly TargetFacts[],
  windowMs: number,
  failures: readonly FailureClass[] | null,
): Counts {
  const total = { requests: 0, failed: 0, slow: 0, quality: 0 };
  for (const target of targets) {
    const counts = target.counts(windowMs, failures);
    total.requests += counts.requests;
    total.failed += counts.failed;
    total.slow += counts.slow;
    total.quality += counts.quality;
  }
  return total;
}

export function isSick(target: TargetFacts): boolean {
  return target.gate === 'shedding' || target.gate === 'ejected' || target.gate === 'probing';
}

export function isWarnedOf({ warnings }: TargetFacts, signals: readonly WarningSignal[]): boolean {
  return warnings.some((signal) => signals.includes(signal));
}

const minuteMs = 60_000;
const dayMinutes = 1_440;

function isBetween([from, to]: readonly [number, number], now: number): boolean {
  const minute = Math.floor(now / minuteMs) % dayMinutes;
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}

function countsHold(condition: Condition, targets: readonly TargetFacts[]): boolean {
  const { requests, failureRate, slowRate, qualityRate } = condition;
  const rates = [
    [failureRate, 'failed'],
    [slowRate, 'slow'],
    [qualityRate, 'quality'],
  ] as const;
  if (requests === undefined && rates.every(([wanted]) => wanted === undefined)) return true;
  const counts = countsOf(targets, condition.windowMs, condition.failures ?? null);
  if (requests !== undefined && !compare(counts.requests, requests)) return false;
  return rates.every(
    ([wanted, name]) =>
      wanted === undefined || (counts.requests > 0 && compare(counts[name] / counts.requests, wanted)),
  );
}

/** Whether all that a condition names holds for these targets now. No targets hold nothing. */
export function holds(
  condition: Condition,
  targets: readonly TargetFacts[],
  features: PlaybookFacts['features'],
  now: number,
): boolean {
  if (targets.length === 0) return false;
  const { gate, warning, sickModels, featuresAffected, allOut, between } = condition;
  if (gate !== undefined && !targets.some((target) => gate.includes(target.gate))) return false;
  if (warning !== undefined && !targets.some((target) => isWarnedOf(target, warning))) return false;
  if (sickModels !== undefined) {
    const models = new Set(targets.filter(isSick).map(({ target }) => target.model.name));
    if (!compare(models.size, sickModels)) return false;
  }
  if (featuresAffected !== undefined) {
    const affected = features.filter((feature) => feature.status !== 'normal').length;
    if (features.length === 0 || !compare(affected / features.length, featuresAffected)) return false;
  }
  if (allOut !== undefined && targets.every((target) => target.isOut) !== allOut) return false;
  if (between !== undefined && !isBetween(between, now)) return false;
  return countsHold(condition, targets);
}

/** The same over no more than so long: what was before traffic was let in does not speak against letting it in. */
export function lately(condition: Condition, ms: number): Condition {
  return { ...condition, windowMs: Math.max(1, Math.min(condition.windowMs, ms)) };
}
