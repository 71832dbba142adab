/** Virtual time: a heap of events, earliest first; events of one instant in the order they were put in, so that a seed gives one history. */
type Entry<E> = { readonly at: number; readonly order: number; readonly event: E };

function isBefore<E>(one: Entry<E>, other: Entry<E>): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

export class EventQueue<E> {
  readonly #heap: Entry<E>[] = [];
  #next = 0;

  get earliest(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  put(at: number, event: E): void {
    const heap = this.#heap;
    const entry = { at, order: this.#next++, event };
    let hole = heap.length;
    while (hole > 0) {
      const above = (hole - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(entry, parent)) break;
      heap[hole] = parent;
      hole = above;
    }
    heap[hole] = entry;
  }

  /** The earliest event; undefined when there is none. */
  take(): E | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first?.event;
    let hole = 0;
    for (;;) {
      let below = 2 * hole + 1;
      let child = heap[below];
      const sibling = heap[below + 1];
      if (child !== undefined && sibling !== undefined && isBefore(sibling, child)) {
        child = sibling;
        below++;
      }
      if (child === undefined || !isBefore(child, last)) break;
      heap[hole] = child;
      hole = below;
    }
    heap[hole] = last;
    return first.event;
  }
}
