/** What simulated models answer to the fixed questions of a canary: words by chance, so many of them and of such a kind. */
import { canaryQuestions } from '../core/canary.ts';
import type { Round } from '../core/canary.ts';
import { traitsOf } from '../core/canary-traits.ts';

export type Manner = {
  /** As many times as long as usual. */
  readonly length: number;
  /** The share of words that a usual answer would not have. */
  readonly otherWords: number;
};

export const usualManner: Manner = { length: 1, otherWords: 0 };

const words =
  'the sky light train harbour winter meeting report code number one two remote work please send'.split(' ');

export function canaryRound({ length, otherWords }: Manner, random: () => number): Round {
  return canaryQuestions.map((_, question) => {
    const count = Math.round((8 + 4 * question) * length * (0.7 + 0.6 * random()));
    const said = Array.from({ length: count }, () => {
      const at = Math.floor(random() ** 2 * 6) + question + (random() < otherWords ? 7 : 0);
      return words[at % words.length];
    });
    return traitsOf(said.join(' '), false);
  });
}
