/**
 * Virtual time: a heap of what is to happen, earliest first; what is due at one instant in the order it was put in, so
 * that a seed gives one history. Whoever has several things to do is put in with a number for each, so that nothing is
 * made for an event but its place here.
 */
export type Happening = { happen(step: number): void };

/** Children of a place in the heap: four keep it flat, and lie side by side. */
const children = 4;

export class EventQueue {
  /** The heap: times, and the slots of what happens then. */
  #at = new Float64Array(1_024);
  #slot = new Int32Array(1_024);
  #length = 0;
  /** By slot. */
  readonly #what: (Happening | null)[] = [];
  readonly #step: number[] = [];
  readonly #order: number[] = [];
  readonly #free: number[] = [];
  #next = 0;

  get earliest(): number {
    return this.#length === 0 ? Number.POSITIVE_INFINITY : (this.#at[0] ?? Number.POSITIVE_INFINITY);
  }

  put(at: number, what: Happening, step: number): void {
    const slot = this.#free.pop() ?? this.#what.length;
    this.#what[slot] = what;
    this.#step[slot] = step;
    this.#order[slot] = this.#next++;
    if (this.#length === this.#at.length) this.#grow();
    let hole = this.#length++;
    while (hole > 0) {
      const above = (hole - 1) >> 2;
      // What is put in now comes after everything of its instant.
      if ((this.#at[above] ?? 0) <= at) break;
      this.#move(above, hole);
      hole = above;
    }
    this.#at[hole] = at;
    this.#slot[hole] = slot;
  }

  /** Lets the earliest happen. */
  happen(): void {
    if (this.#length === 0) return;
    const slot = this.#slot[0] ?? 0;
    const what = this.#what[slot];
    const step = this.#step[slot] ?? 0;
    this.#what[slot] = null;
    this.#free.push(slot);
    this.#length--;
    if (this.#length > 0) this.#sink();
    what?.happen(step);
  }

  /** Puts the last of the heap where the first was, and lets it sink. */
  #sink(): void {
    const at = this.#at[this.#length] ?? 0;
    const slot = this.#slot[this.#length] ?? 0;
    let hole = 0;
    for (;;) {
      const first = hole * children + 1;
      if (first >= this.#length) break;
      let least = first;
      const end = Math.min(first + children, this.#length);
      for (let child = first + 1; child < end; child++) if (this.#isBefore(child, least)) least = child;
      const leastAt = this.#at[least] ?? 0;
      if (at < leastAt || (at === leastAt && this.#orderAt(slot) < this.#orderAt(this.#slot[least] ?? 0)))
        break;
      this.#move(least, hole);
      hole = least;
    }
    this.#at[hole] = at;
    this.#slot[hole] = slot;
  }

  #orderAt(slot: number): number {
    return this.#order[slot] ?? 0;
  }

  #isBefore(one: number, other: number): boolean {
    const oneAt = this.#at[one] ?? 0;
    const otherAt = this.#at[other] ?? 0;
    if (oneAt !== otherAt) return oneAt < otherAt;
    return this.#orderAt(this.#slot[one] ?? 0) < this.#orderAt(this.#slot[other] ?? 0);
  }

  #move(from: number, to: number): void {
    this.#at[to] = this.#at[from] ?? 0;
    this.#slot[to] = this.#slot[from] ?? 0;
  }

  #grow(): void {
    const [at, slot] = [this.#at, this.#slot];
    this.#at = new Float64Array(at.length * 2);
    this.#slot = new Int32Array(slot.length * 2);
    this.#at.set(at);
    this.#slot.set(slot);
  }
}
