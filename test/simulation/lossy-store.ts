/**
 * A store that goes away and comes back, as far as gates are concerned: what is written is text, a store that is read only
 * takes nothing, and one that is gone is stood in for by the copy of half a minute ago.
 */
import type { TargetName } from '../../src/core/ids.ts';
import type { Kept } from '../../src/gateway/board.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import type { Store } from '../../src/store/store.ts';

export const lossKinds = ['read_only', 'gone'] as const;
export type LossKind = (typeof lossKinds)[number];

export class LossyStore implements Pick<Store, 'saveGates'> {
  #rows = new Map<TargetName, string>();
  #copy = new Map<TargetName, string>();
  #loss: LossKind | null = null;
  /** The store in memory that stands in for a lost one, once a start had to open it. */
  #standsIn = false;

  saveGates(gates: Parameters<Store['saveGates']>[0]): Promise<void> {
    if (this.#loss !== null && !this.#standsIn)
      return Promise.reject(new StoreUnavailable('failed', 'the disk is full'));
    for (const { target, cell } of gates) this.#rows.set(target, JSON.stringify(cell));
    return Promise.resolve();
  }

  get isLost(): boolean {
    return this.#loss !== null;
  }

  /** Call now and then: the copy beside a store that is well follows it. */
  copy(): void {
    if (this.#loss === null) this.#copy = new Map(this.#rows);
  }

  lose(kind: LossKind): void {
    this.#loss ??= kind;
  }

  comeBack(): void {
    this.#loss = null;
    this.#standsIn = false;
  }

  /** What a process that starts now reads. */
  open(): readonly Kept[] {
    if (this.#loss === 'gone' && !this.#standsIn) {
      this.#rows = new Map(this.#copy);
      this.#standsIn = true;
    }
    return [...this.#rows].map(([target, text]) => ({ target, cell: JSON.parse(text) as unknown }));
  }
}
