/**
 * Things that come and go with every request, in no order. A `Set` would do, were it not for the memory: each time one
 * is tidied it leaves its old table behind, full of what was in it and chained to the next, and the collector of young
 * objects takes the whole chain for alive. Nearly every request stayed in memory until a full collection.
 */
export type Bagged = {
  /** Its place in the bag; the bag's own business. */
  bagIndex?: number;
};

export class Bag<T extends Bagged> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** Adds what is not in it. */
  add(item: T): void {
    if (this.#items[item.bagIndex ?? -1] === item) return;
    item.bagIndex = this.#items.length;
    this.#items.push(item);
  }

  /** Takes out what is in it; the last one takes its place. */
  remove(item: T): void {
    const index = item.bagIndex ?? -1;
    if (this.#items[index] !== item) return;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#items[index] = last;
    last.bagIndex = index;
  }

  /** Shows each; what is shown may be taken out meanwhile, and others may be added. */
  forEach(show: (item: T) => void): void {
    for (let index = this.#items.length - 1; index >= 0; index--) {
      const item = this.#items[index];
      if (item !== undefined) show(item);
    }
  }

  some(test: (item: T) => boolean): boolean {
    return this.#items.some(test);
  }
}
