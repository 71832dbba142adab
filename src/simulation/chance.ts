/** Chance for simulations, split by what it is for, so that one part's luck does not change another's. */
import { seededRandom, textSeed } from '../simulator/random.ts';

export function chanceFor(seed: number, name: string): () => number {
  return seededRandom(seed ^ textSeed(name));
}
