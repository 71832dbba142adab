/** Time and chance, handed in so that a simulation can own both. */
import type { Instant } from '../core/ids.ts';

export type Clock = {
  readonly now: () => Instant;
  /** In [0, 1). */
  readonly random: () => number;
};
