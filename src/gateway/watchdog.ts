/**
 * Deadlines of open answers. Progress only writes a number; one ticking timer looks at all of them, because a native
 * timer for each request would cost more than the rest of the watching. Expiry is late by at most one tick.
 */
import { Bag } from './bag.ts';
import type { Bagged } from './bag.ts';

export type Watch = Bagged & {
  /** Epoch ms; move it forward on progress. */
  dueAt: number;
  /** Called once; the watch is removed before. */
  readonly expire: () => void;
};

export type Watchdog = { add(watch: Watch): void; remove(watch: Watch): void; stop(): void };

/** How late an expiry may be. */
const tickMs = 20;

export function createWatchdog(now: () => number): Watchdog {
  const watches = new Bag<Watch>();
  let timer: ReturnType<typeof setInterval> | null = null;
  const stop = (): void => {
    if (timer !== null) clearInterval(timer);
    timer = null;
  };
  const tick = (): void => {
    if (watches.size === 0) {
      stop();
      return;
    }
    const at = now();
    watches.forEach((watch) => {
      if (watch.dueAt > at) return;
      watches.remove(watch);
      watch.expire();
    });
  };
  return {
    add(watch) {
      watches.add(watch);
      timer ??= setInterval(tick, tickMs);
    },
    remove: (watch) => watches.remove(watch),
    stop() {
      stop();
      watches.forEach((watch) => watches.remove(watch));
    },
  };
}
