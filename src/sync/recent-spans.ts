/**
 * Counts by time: a ring of spans of equal length, of which each begins empty when its time comes. What is older than the
 * ring is long is forgotten; a span that nobody counted in costs nothing.
 */
type Kept<T> = { readonly nth: number; readonly counts: T };

export class RecentSpans<T> {
  readonly #spanMs: number;
  readonly #kept: (Kept<T> | undefined)[] = [];
  readonly #most: number;
  readonly #fresh: () => T;

  constructor(spanMs: number, most: number, fresh: () => T) {
    this.#spanMs = spanMs;
    this.#most = most;
    this.#fresh = fresh;
  }

  /** What is counted in the span of a moment; null when that is forgotten. */
  at(moment: number): T | null {
    const nth = Math.floor(moment / this.#spanMs);
    const place = nth % this.#most;
    const known = this.#kept[place];
    if (known !== undefined && known.nth >= nth) return known.nth === nth ? known.counts : null;
    const counts = this.#fresh();
    this.#kept[place] = { nth, counts };
    return counts;
  }

  /** What was counted in the spans that lie in a window that ends now, if only in part. */
  within(windowMs: number, now: number): readonly T[] {
    const last = Math.floor(now / this.#spanMs);
    const first = Math.max(last - this.#most + 1, Math.floor((now - windowMs) / this.#spanMs));
    // A clock that went back has left spans behind that are yet to come.
    return this.#kept.flatMap((each) =>
      each !== undefined && each.nth >= first && each.nth <= last ? [each.counts] : [],
    );
  }
}
