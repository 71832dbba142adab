/**
 * Deadlines of open answers: progress only writes a number; the one timer of a watch looks at that number when it
 * fires and sleeps on if the deadline has moved. Setting a timer for every chunk would cost more than the relay itself.
 */
export type Watch = {
  /** Epoch ms; move it forward on progress. */
  dueAt: number;
  /** Called once; the watch is removed before. */
  readonly expire: () => void;
};

export type Watchdog = { add(watch: Watch): void; remove(watch: Watch): void; stop(): void };

export function createWatchdog(now: () => number): Watchdog {
  const timers = new Map<Watch, ReturnType<typeof setTimeout>>();
  const remove = (watch: Watch): void => {
    const timer = timers.get(watch);
    if (timer === undefined) return;
    clearTimeout(timer);
    timers.delete(watch);
  };
  const sleep = (watch: Watch): void => {
    timers.set(watch, setTimeout(wake, Math.max(0, watch.dueAt - now()), watch));
  };
  const wake = (watch: Watch): void => {
    timers.delete(watch);
    if (watch.dueAt > now()) sleep(watch);
    else watch.expire();
  };
  return {
    add: sleep,
    remove,
    stop() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}
