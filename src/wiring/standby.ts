/**
 * A copy of what traffic needs, beside the store, for the day when the store cannot be read: written when keys or switches
 * changed, and now and then for the rest. A store that is not sound has nothing to copy.
 */
import type { Engine } from '../engine.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { StoreCare } from '../store/store.ts';
import type { LedgerDesk } from './ledger.ts';
import { writeWhole } from './whole-file.ts';

export type Standby = { readonly look: () => Promise<void> };

const atLeastEveryMs = 30_000;

type Sources = {
  readonly engine: Engine;
  readonly ledger: LedgerDesk;
  readonly care: StoreCare | null;
  /** Null beside a store in memory. */
  readonly path: string | null;
};

export function createStandby({ engine, ledger, care, path }: Sources): Standby {
  let written = { rev: -1, at: 0, text: '' };
  const look = async (): Promise<void> => {
    const [rev, now] = [engine.rev(), engine.clock.now()];
    if (care === null || path === null || ledger.admin.standing().kind !== 'sound') return;
    if (rev === written.rev && now - written.at < atLeastEveryMs) return;
    const text = await care.standby();
    if (text !== written.text) await writeWhole(path, text);
    written = { rev, at: now, text };
  };
  return {
    look: () =>
      look().catch((error: unknown) => {
        // A store or a disk in trouble says so elsewhere.
        if (!(error instanceof StoreUnavailable) && !isOfFiles(error)) engine.onBug(error);
      }),
  };
}

const isOfFiles = (error: unknown): boolean => error instanceof Error && 'code' in error;
