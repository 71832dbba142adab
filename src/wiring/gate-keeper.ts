/**
 * Keeps gates in the store: what has moved, one write after another. While the store is away nothing is lost but time:
 * what could not be written is written with the next, as it is by then.
 */
import type { Instant, TargetName } from '../core/ids.ts';
import type { HealthBoard } from '../gateway/board.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { Store, StoredGate } from '../store/store.ts';

export type GateKeeper = {
  /** Resolves when it is written, or could not be. `all`: also what only counted. */
  readonly keep: (all: boolean) => Promise<void>;
};

export type GateKeeperParts = {
  readonly board: Pick<HealthBoard, 'unkept'>;
  readonly now: () => Instant;
  readonly store: Pick<Store, 'saveGates'>;
  readonly onBug: (error: unknown) => void;
};

export function createGateKeeper({ board, now, store, onBug }: GateKeeperParts): GateKeeper {
  const unwritten = new Map<TargetName, StoredGate>();
  let last = Promise.resolve();
  const write = async (): Promise<void> => {
    const gates = [...unwritten.values()];
    if (gates.length === 0) return;
    try {
      await store.saveGates(gates);
      for (const gate of gates) if (unwritten.get(gate.target) === gate) unwritten.delete(gate.target);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) onBug(error);
    }
  };
  return {
    keep(all) {
      const at = now();
      for (const kept of board.unkept(all)) unwritten.set(kept.target, { ...kept, at });
      last = last.then(write);
      return last;
    },
  };
}
