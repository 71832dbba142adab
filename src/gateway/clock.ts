/** Time and chance, handed in so that a simulation can own both. */
import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';

export type Clock = {
  readonly now: () => Instant;
  /** In [0, 1). */
  readonly random: () => number;
};

/** A clock that also wakes: whatever works beside the request path works when it says so. */
export type Time = Clock & {
  /** Does the work again and again, until the function it returns is called; a round may begin before the last is over. */
  readonly every: (ms: number, work: () => Promise<unknown>) => () => void;
};

/** The machine's own. */
export const machineTime: Time = {
  now: () => instant(Date.now()),
  random: Math.random,
  every: (ms, work) => {
    const timer = setInterval(() => void work(), ms);
    return () => clearInterval(timer);
  },
};
