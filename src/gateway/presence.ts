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

  /** Ticks begin again after nobody needed them. */
  resume(now: number): void {
    this.#tickedAt = now;
  }

  /** Notes a tick; true when it came late. A clock that was set back is not a tick that came early. */
  tick(now: number): boolean {
    const lateMs = now - this.#tickedAt - this.#tickMs;
    this.#tickedAt = now;
    if (lateMs <= usualLateMs) return false;
    this.#absentMs += lateMs;
    return true;
  }
}
