/**
 * Deadlines for thousands of open answers with one timer: progress only writes a number, and one coarse tick looks
 * for those that are due. A timer per chunk would cost more than the relay itself.
 */
export type Watch = {
  /** Epoch ms; move it forward on progress. */
  dueAt: number;
  /** Called once; the watch is removed before. */
  readonly expire: () => void;
};

export type Watchdog = { add(watch: Watch): void; remove(watch: Watch): void; stop(): void };

/** How late a deadline may be noticed. */
export const tickMs = 20;

export function createWatchdog(now: () => number): Watchdog {
  const watches = new Set<Watch>();
  let timer: ReturnType<typeof setInterval> | null = null;
  const stop = (): void => {
    if (timer !== null) clearInterval(timer);
    timer = null;
  };
  const tick = (): void => {
    const at = now();
    for (const watch of watches) {
      if (watch.dueAt > at) continue;
      watches.delete(watch);
      watch.expire();
    }
    if (watches.size === 0) stop();
  };
  return {
    add(watch) {
      watches.add(watch);
      timer ??= setInterval(tick, tickMs);
    },
    remove(watch) {
      watches.delete(watch);
    },
    stop,
  };
}
