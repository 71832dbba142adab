/**
 * Words that many rows share, as small numbers: features, targets, tenants, sets of failures. It is kept beside the
 * caller, so that a row crosses to the worker as numbers; words that are new travel with the rows that need them first.
 */

/** The number of every word when there is no room for more; what has it is told apart by reading the entry. */
export const otherWord = 0;
/** Always the same number, because an index leaves it out. */
export const answeredWord = 1;
export const wordsMax = 65_536;

export type NumberedWord = readonly [id: number, text: string];

export class WordTable {
  readonly #ids = new Map<string, number>();
  /** Words that the store does not have yet, as far as is known. */
  #unsaved: NumberedWord[] = [];
  #next = 1;
  #edition = 0;

  constructor(known: readonly NumberedWord[]) {
    this.reset(known);
  }

  /** Changes with `reset`: numbers given before it mean nothing any more. */
  get edition(): number {
    return this.#edition;
  }

  /** The store is another one now. */
  reset(known: readonly NumberedWord[]): void {
    this.#edition++;
    this.#ids.clear();
    this.#unsaved = [];
    this.#next = 1;
    for (const [id, text] of known) {
      this.#ids.set(text, id);
      this.#next = Math.max(this.#next, id + 1);
    }
  }

  readonly idOf = (text: string): number => {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    if (this.#ids.size >= wordsMax) return otherWord;
    const id = this.#next++;
    this.#ids.set(text, id);
    this.#unsaved.push([id, text]);
    return id;
  };

  /** Travels with every batch until one of them was kept. */
  unsaved(): readonly NumberedWord[] {
    return [...this.#unsaved];
  }

  saved(words: readonly NumberedWord[]): void {
    if (words.length === 0) return;
    const kept = new Set(words.map(([id]) => id));
    this.#unsaved = this.#unsaved.filter(([id]) => !kept.has(id));
  }
}
