/** What a run tells: series by the minute for features and targets, every move of a gate, and totals. Counts only. */
import type { Transition } from '../core/gate-moves.ts';
import type { Instant, TargetName } from '../core/ids.ts';

/** What can become of a request. `failed`: the user saw an error; `cut`: a part of the answer, then an error. */
export const featureCounts = [
  'requests',
  'answered',
  'rescued',
  'backup',
  'failed',
  'cut',
  'refused',
  'asked',
] as const;
export type FeatureCount = (typeof featureCounts)[number];

export const targetCounts = ['attempts', 'failed', 'probes'] as const;
export type TargetCount = (typeof targetCounts)[number];

/** Counts by the minute. */
export type Series<Name extends string> = {
  readonly minutes: Readonly<Record<Name, Float64Array>>;
  readonly totals: Readonly<Record<Name, number>>;
};

export type FeatureReport = Series<FeatureCount> & {
  /** Milliseconds that all requests together waited for their first content, by the minute. */
  readonly waitedMs: Float64Array;
  /** Answers by the target that gave them. */
  readonly servedBy: ReadonlyMap<TargetName, Float64Array>;
};

export type GateMove = { readonly target: TargetName; readonly transition: Transition };

export type WorldReport = {
  readonly scenario: string;
  readonly seed: number;
  readonly start: Instant;
  readonly minutes: number;
  readonly features: ReadonlyMap<string, FeatureReport>;
  readonly targets: ReadonlyMap<TargetName, Series<TargetCount>>;
  readonly moves: readonly GateMove[];
};

class Counter<Name extends string> {
  readonly minutes: Record<Name, Float64Array>;
  readonly totals: Record<Name, number>;

  constructor(names: readonly Name[], minutes: number) {
    this.minutes = Object.fromEntries(names.map((name) => [name, new Float64Array(minutes)])) as Record<
      Name,
      Float64Array
    >;
    this.totals = Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
  }

  add(name: Name, minute: number): void {
    const series = this.minutes[name];
    series[minute] = (series[minute] ?? 0) + 1;
    this.totals[name]++;
  }
}

class FeatureCounter extends Counter<FeatureCount> {
  readonly waitedMs: Float64Array;
  readonly servedBy = new Map<TargetName, Float64Array>();
  readonly #minutes: number;

  constructor(minutes: number) {
    super(featureCounts, minutes);
    this.waitedMs = new Float64Array(minutes);
    this.#minutes = minutes;
  }

  served(target: TargetName, minute: number): void {
    let series = this.servedBy.get(target);
    if (series === undefined) this.servedBy.set(target, (series = new Float64Array(this.#minutes)));
    series[minute] = (series[minute] ?? 0) + 1;
  }
}

/** Takes the counts of a run down. */
export class Recorder {
  readonly #minutes: number;
  readonly #features = new Map<string, FeatureCounter>();
  readonly #targets = new Map<TargetName, Counter<TargetCount>>();
  readonly moves: GateMove[] = [];

  constructor(minutes: number) {
    this.#minutes = minutes;
  }

  feature(name: string): FeatureCounter {
    let found = this.#features.get(name);
    if (found === undefined) this.#features.set(name, (found = new FeatureCounter(this.#minutes)));
    return found;
  }

  target(name: TargetName): Counter<TargetCount> {
    let found = this.#targets.get(name);
    if (found === undefined) this.#targets.set(name, (found = new Counter(targetCounts, this.#minutes)));
    return found;
  }

  report(facts: Pick<WorldReport, 'scenario' | 'seed' | 'start'>): WorldReport {
    return {
      ...facts,
      minutes: this.#minutes,
      features: this.#features,
      targets: this.#targets,
      moves: this.moves,
    };
  }
}
