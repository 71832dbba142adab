/** Good and failed attempts of the last five minutes, for people: exact, and of fixed size. */
import type { FailureClass } from '../core/failure.ts';
import type { Instant } from '../core/ids.ts';

const buckets = 10;
const bucketMs = 30_000;

export type Counts = {
  readonly ok: number;
  readonly failed: number;
  readonly lastAt: Instant | null;
  /** Of the last failure, however long ago; null when there was none. */
  readonly lastFailure: FailureClass | null;
};

export const noCounts: Counts = { ok: 0, failed: 0, lastAt: null, lastFailure: null };

export class Tally {
  /** Good ones, then failed ones. */
  readonly #counts = new Uint32Array(2 * buckets);
  #head = 0;
  #lastAt: Instant | null = null;
  #lastFailure: FailureClass | null = null;

  #turn(now: Instant): number {
    const head = Math.floor(now / bucketMs);
    // A clock that went back goes on counting where it was.
    for (let step = Math.max(this.#head + 1, head - buckets + 1); step <= head; step++) {
      this.#counts[step % buckets] = 0;
      this.#counts[buckets + (step % buckets)] = 0;
    }
    this.#head = Math.max(this.#head, head);
    return this.#head % buckets;
  }

  count(failure: FailureClass | null, now: Instant): void {
    const at = this.#turn(now) + (failure === null ? 0 : buckets);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#lastAt = now;
    if (failure !== null) this.#lastFailure = failure;
  }

  read(now: Instant): Counts {
    this.#turn(now);
    const sum = (from: number): number => {
      let total = 0;
      for (let at = from; at < from + buckets; at++) total += this.#counts[at] ?? 0;
      return total;
    };
    return {
      ok: sum(0),
      failed: sum(buckets),
      lastAt: this.#lastAt,
      lastFailure: this.#lastFailure,
    };
  }
}
