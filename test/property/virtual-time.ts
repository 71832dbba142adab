/** A clock that moves only when nothing is left to do at its moment: what takes minutes is over in milliseconds. */
import { instant } from '../../src/core/ids.ts';
import type { Clock } from '../../src/gateway/clock.ts';
import type { Watch, Watchdog } from '../../src/gateway/watchdog.ts';
import { EventQueue } from '../../src/simulation/event-queue.ts';

/** Lets everything run that waits for nothing but its turn, calls that leave at the end of one included. */
const turn = (): Promise<void> =>
  new Promise((resolve) => void setImmediate(() => void setImmediate(resolve)));

export class VirtualTime {
  readonly #events = new EventQueue();
  readonly #watches = new Set<Watch>();
  now: number;
  readonly clock: Clock;
  readonly watchdog: Watchdog = {
    add: (watch) => void this.#watches.add(watch),
    remove: (watch) => void this.#watches.delete(watch),
    stop: () => this.#watches.clear(),
    absentMs: () => 0,
  };

  constructor(start: number, random: () => number) {
    this.now = start;
    this.clock = { now: () => instant(this.now), random };
  }

  after(ms: number, event: () => void): void {
    this.#events.put(this.now + ms, { happen: event }, 0);
  }

  #next(): number {
    let next = this.#events.earliest;
    for (const { dueAt } of this.#watches) if (dueAt < next) next = dueAt;
    return next;
  }

  /** Runs until `isOver`, or until `limitMs` have passed. */
  async run(isOver: () => boolean, limitMs: number): Promise<void> {
    const end = this.now + limitMs;
    await turn();
    while (!isOver() && this.now < end) {
      const next = this.#next();
      if (next === Number.POSITIVE_INFINITY) return;
      this.now = Math.max(this.now, next);
      while (this.#events.earliest <= this.now) this.#events.happen();
      for (const watch of this.#watches) {
        if (watch.dueAt > this.now) continue;
        this.#watches.delete(watch);
        watch.expire();
      }
      await turn();
    }
  }
}
