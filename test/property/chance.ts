import { seededRandom } from '../../src/simulator/random.ts';

/** A stream of chance from one seed: a world's requests are many, and their shape needs no shrinking. */
export class Chance {
  readonly unit: () => number;
  constructor(seed: number) {
    this.unit = seededRandom(seed);
  }
  chance(share: number): boolean {
    return this.unit() < share;
  }
  of<T>(list: readonly T[]): T {
    const found = list[Math.floor(this.unit() * list.length)];
    if (found === undefined) throw new Error('nothing to choose from');
    return found;
  }
}
