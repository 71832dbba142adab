/**
 * How long this process was away when it should have been there: busy with itself, or waiting for a processor. A regular
 * tick that comes late tells. What a call took in such a time says little about the one who answered it.
 */

/** A tick this late is usual. */
const usualLateMs = 10;

export class Presence {
  readonly #tickMs: number;
  #tickedAt: number;
  #absentMs = 0;

  constructor(tickMs: number, now: number) {
    this.#tickMs = tickMs;
    this.#tickedAt = now;
  }

  /** In sum, so far: take the difference over a time. */
  get absentMs(): number {
    return this.#absentMs;
  }

  /** The same, with what a tick that is late already will tell: what comes first after an absence may come before it. */
  absentBy(now: number): number {
    return this.#absentMs + this.#lateMs(now);
  }

  #lateMs(now: number): number {
    const lateMs = now - this.#tickedAt - this.#tickMs;
    return lateMs <= usualLateMs ? 0 : lateMs;
  }

  /** Ticks begin again after nobody needed them. */
  resume(now: number): void {
    this.#tickedAt = now;
  }

  /** Notes a tick; true when it came late. A clock that was set back is not a tick that came early. */
  tick(now: number): boolean {
    const lateMs = this.#lateMs(now);
    this.#tickedAt = now;
    this.#absentMs += lateMs;
    return lateMs > 0;
  }
}
