/** A ledger to tamper with, fresh for each test: filled, signed, exported, edited behind its back and verified. */
import { Database } from 'bun:sqlite';
import { afterEach, beforeEach } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ledgerKey, madeKey } from '../src/control/ledger-key.ts';
import { exportLedger, signCheckpoint } from '../src/control/ledger.ts';
import type { LedgerDependencies } from '../src/control/ledger.ts';
import { keyText } from '../src/core/checkpoint.ts';
import { instant } from '../src/core/ids.ts';
import { sha256 } from '../src/store/ledger.ts';
import type { Store } from '../src/store/store.ts';
import { verifyStore } from '../src/store/verify.ts';
import type { Verified } from '../src/store/verify.ts';
import { aChange, aRecord, start } from './record-fixture.ts';
import { openOrThrow } from './store-fixture.ts';

export function groundForEach() {
  let folder: string;
  let path: string;
  let notes: string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'breakwater-tamper-'));
    path = join(folder, 'x.db');
    notes = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function withStore<T>(
    work: (dependencies: LedgerDependencies, store: Store) => Promise<T>,
  ): Promise<T> {
    const store = await openOrThrow(`sqlite:${path}`);
    const signer = await ledgerKey(store, { origin: 'example.com/ledger', signingKey: null });
    if (typeof signer === 'string') throw new Error(signer);
    let ids = 0;
    const result = await work(
      { store, signer, now: () => start, newId: (prefix) => `${prefix}_${ids++}` },
      store,
    );
    await store.close();
    return result;
  }

  /** 900 records and 3 changes, in batches of 100, with a checkpoint after each; ids by index. */
  const fill = (): Promise<readonly string[]> =>
    withStore(async (dependencies, store) => {
      const ids: string[] = [];
      for (let batch = 0; batch < 9; batch++) {
        const records = Array.from({ length: 100 }, (_, index) =>
          aRecord({ at: instant(start + batch * 100 + index), user: `u${index % 7}` }),
        );
        await store.appendRecords(records);
        ids.push(...records.map(({ id }) => id));
        if (batch % 3 === 0) {
          const change = aChange();
          await store.appendChange(change);
          ids.push(change.id);
        }
        notes.push((await signCheckpoint(dependencies)).note);
      }
      return ids;
    });

  const verify = (rows = true): Verified => verifyStore(path, { notes, rows, onProgress: () => {} });

  function edit(work: (database: Database) => void): void {
    const database = new Database(path);
    work(database);
    database.close();
  }

  const exported = (): Promise<readonly string[]> =>
    withStore(async (dependencies) => {
      const pieces: string[] = [];
      for await (const piece of exportLedger(dependencies)) pieces.push(piece);
      return pieces.join('').trimEnd().split('\n');
    });

  return {
    get folder() {
      return folder;
    },
    get path() {
      return path;
    },
    /** The checkpoints that somebody keeps elsewhere. */
    get notes() {
      return notes;
    },
    withStore,
    fill,
    verify,
    edit,
    exported,
  };
}

export type Line = { index?: number; hash?: string; entry?: string | null; checkpoint?: string };

export const isEntry = (line: string, index: number): boolean => (JSON.parse(line) as Line).index === index;

/** The key of somebody else. */
export async function anotherKey(): Promise<string> {
  const made = await ledgerKey(
    { ledgerKey: () => Promise.resolve(madeKey()), ledgerOrigin: (origin) => Promise.resolve(origin) },
    { origin: 'example.com/ledger', signingKey: null },
  );
  if (typeof made === 'string') throw new Error(made);
  return keyText(sha256, made.key);
}
