/**
 * Deadlines of open answers. Progress only writes a number; one ticking timer looks at all of them, because a native
 * timer for each request would cost more than the rest of the watching. Expiry is late by at most one tick, and by one
 * more after this process was away itself: what came meanwhile is read first.
 */
import { Bag } from './bag.ts';
import type { Bagged } from './bag.ts';
import { Presence } from './presence.ts';

export type Watch = Bagged & {
  /** Epoch ms; move it forward on progress. */
  dueAt: number;
  /** Called once; the watch is removed before. */
  readonly expire: () => void;
};

export type Watchdog = {
  add(watch: Watch): void;
  remove(watch: Watch): void;
  stop(): void;
  /** How long this process was away, in sum, so far as anything was watched. */
  absentMs(): number;
};

/** How late an expiry may be. */
const tickMs = 20;

export function createWatchdog(now: () => number): Watchdog {
  const watches = new Bag<Watch>();
  const presence = new Presence(tickMs, now());
  let timer: ReturnType<typeof setInterval> | null = null;
  let isReading = false;
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
    // Not twice in a row: somebody who is always late must still end what is due.
    isReading = presence.tick(at) && !isReading;
    if (isReading) return;
    watches.forEach((watch) => {
      if (watch.dueAt > at) return;
      watches.remove(watch);
      watch.expire();
    });
  };
  return {
    add(watch) {
      watches.add(watch);
      if (timer !== null) return;
      presence.resume(now());
      timer = setInterval(tick, tickMs);
    },
    remove: (watch) => watches.remove(watch),
    absentMs: () => (timer === null ? presence.absentMs : presence.absentBy(now())),
    stop() {
      stop();
      watches.forEach((watch) => watches.remove(watch));
    },
  };
}
