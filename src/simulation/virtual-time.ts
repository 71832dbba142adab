/**
 * A clock that is moved by hand, for a real server: whatever works beside the request path asks it for the time and lets
 * it wake it. Work is done in the order of its moments, one after the other, each waited for, so that twelve hours pass
 * in as long as the work takes, and the same seed gives the same day.
 *
 * Sockets are not its own: what a request does between its first and its last byte takes no time here.
 */
import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import type { Time } from '../gateway/clock.ts';
import { seededRandom } from '../simulator/random.ts';

type Repeated = { readonly ms: number; readonly work: () => Promise<unknown>; at: number };

export class VirtualTime implements Time {
  readonly random: () => number;
  readonly #repeated = new Set<Repeated>();
  #now: number;

  constructor(start: Instant, seed: number) {
    this.#now = start;
    this.random = seededRandom(seed);
  }

  readonly now = (): Instant => instant(this.#now);

  readonly every = (ms: number, work: () => Promise<unknown>): (() => void) => {
    const repeated: Repeated = { ms, work, at: this.#now + ms };
    this.#repeated.add(repeated);
    return () => void this.#repeated.delete(repeated);
  };

  /** What falls due first; of several at one moment, what was begun first. */
  #next(): Repeated | null {
    let next: Repeated | null = null;
    for (const each of this.#repeated) if (next === null || each.at < next.at) next = each;
    return next;
  }

  /**
   * Lets time pass until a moment, with all the work that falls due until then. `rarely`: in hours without events nothing
   * needs to be looked at more often than that.
   */
  async until(moment: Instant, rarely = 0): Promise<void> {
    for (let next = this.#next(); next !== null && next.at <= moment; next = this.#next()) {
      this.#now = next.at;
      next.at += Math.max(next.ms, rarely);
      await next.work();
    }
    this.#now = Math.max(this.#now, moment);
  }
}
