/**
 * Deadlines of open answers. Progress only writes a number; one ticking timer looks at all of them, because a native
 * timer for each request would cost more than the rest of the watching. Expiry is late by at most one tick.
 */
export type Watch = {
  /** Epoch ms; move it forward on progress. */
  dueAt: number;
  /** Called once; the watch is removed before. */
  readonly expire: () => void;
};

export type Watchdog = { add(watch: Watch): void; remove(watch: Watch): void; stop(): void };

/** How late an expiry may be. */
const tickMs = 20;

export function createWatchdog(now: () => number): Watchdog {
  const watches = new Set<Watch>();
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
    for (const watch of watches) {
      if (watch.dueAt > at) continue;
      watches.delete(watch);
      watch.expire();
    }
  };
  return {
    add(watch) {
      watches.add(watch);
      timer ??= setInterval(tick, tickMs);
    },
    remove: (watch) => void watches.delete(watch),
    stop() {
      stop();
      watches.clear();
    },
  };
}
