/** One fault, played with several seeds, and the thresholds that what was measured must hold. */
import { median } from '../figures.ts';

type Unit = 's' | '%' | '';

export type Measured = {
  readonly what: string;
  readonly unit: Unit;
  readonly most: number;
  /** Over the seeds. */
  readonly how: 'median' | 'p95' | 'all';
  readonly value: number;
  readonly holds: boolean;
};

export type CaseResult = {
  readonly number: string;
  readonly name: string;
  /** Runs in which what was found sick is what was sick, and all runs; null where nothing is to be named. */
  readonly right: { readonly runs: number; readonly of: number } | null;
  readonly measured: readonly Measured[];
};

export type Measure<T> = {
  readonly what: string;
  readonly most: number;
  readonly unit?: Unit;
  readonly how?: Measured['how'];
  /** One value, or one for each version. */
  readonly of: (run: T) => number | readonly number[];
};

export type Case = {
  readonly number: string;
  readonly name: string;
  readonly play: (seeds: number) => CaseResult;
};

function over(values: readonly number[], how: Measured['how']): number {
  const sorted = [...values].sort((one, other) => one - other);
  switch (how) {
    case 'median':
      return median(sorted);
    case 'p95':
      return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN;
    case 'all':
      return sorted.at(-1) ?? Number.NaN;
  }
}

export function aCase<T>(
  number: string,
  name: string,
  given: {
    readonly run: (seed: number) => T;
    readonly isRight?: (run: T) => boolean;
    readonly measures: readonly Measure<T>[];
  },
): Case {
  const { run: once, isRight, measures } = given;
  return {
    number,
    name,
    play: (seeds) => {
      // One run at a time: each is looked at and forgotten.
      let right = 0;
      const values = measures.map((): number[] => []);
      for (let seed = 1; seed <= seeds; seed++) {
        const played = once(seed);
        if (isRight?.(played) === true) right++;
        measures.forEach(({ of }, index) => values[index]?.push(...[of(played)].flat()));
      }
      return {
        number,
        name,
        right: isRight === undefined ? null : { runs: right, of: seeds },
        measured: measures.map(({ what, most, unit = '', how = 'median' }, index) => {
          const value = over(values[index] ?? [], how);
          return { what, unit, most, how, value, holds: value <= most };
        }),
      };
    },
  };
}
