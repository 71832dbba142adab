/** Records and changes: the ledger, the rows that find its entries, and what was signed of its tree. */
import type { Database } from 'bun:sqlite';

import type { HitRow } from './incident-rows.ts';
import { heldFilter } from './hold-rows.ts';
import type { HeldFilter } from './hold-rows.ts';
import { HoldTables } from './hold-tables.ts';
import type { HoldRow } from './hold-tables.ts';
import type { IncidentRowWrite } from './incident-tables.ts';
import { inputBounds, Ledger } from './ledger.ts';
import { migrate } from './migrations.ts';
import { leafInputs } from './record-batch.ts';
import type { RecordBatch } from './record-batch.ts';
import { RecordTable } from './record-table.ts';
import type { ExpiryRow } from './record-table.ts';
import { tallyPart, windowsPart, WordReader } from './record-tally.ts';
import { someRows } from './run-rows.ts';
import { pageSizeMax } from './store.ts';
import type { EraseOutcome, Page, RecordFilter, TallyAsked, TallyPart, WindowsPart } from './store.ts';

export type ChangeRow = {
  readonly id: string;
  readonly at: number;
  readonly kind: string;
  readonly body: string;
};

/** An entry of the ledger as it was written, and its leaf. */
export type KeptEntry = { readonly text: string; readonly index: number; readonly hash: string };
/** As above; the text is null when the entry was erased. */
export type KeptLeaf = { readonly text: string | null; readonly index: number; readonly hash: string };

export type CheckpointRow = { readonly size: number; readonly at: number; readonly note: string };

/** The newest end of the ledger: no leaf is beyond it. */
const noBound = Number.MAX_SAFE_INTEGER;
/** Older checkpoints are held by whoever they were sent to. */
const checkpointsMax = 10_000;

/** The inputs of some of a batch: those that were not there before. */
function someInputs(batch: RecordBatch, fresh: readonly number[]): Uint8Array<ArrayBuffer> {
  const bounds = inputBounds(batch.inputs, batch.count);
  return new Uint8Array(
    Buffer.concat(fresh.map((index) => batch.inputs.subarray(bounds[index], bounds[index + 1]))),
  );
}

const idOf = (entry: KeptEntry | undefined): string | null =>
  entry === undefined ? null : (JSON.parse(entry.text) as { readonly id: string }).id;

/** 3, 4, 5, 9 → [[3, 5], [9, 9]]. */
function rangesOf(leaves: readonly number[]): readonly (readonly [from: number, to: number])[] {
  const ranges: [number, number][] = [];
  for (const leaf of leaves.toSorted((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === leaf - 1) last[1] = leaf;
    else ranges.push([leaf, leaf]);
  }
  return ranges;
}

export class EvidenceTables extends HoldTables {
  readonly #database: Database;
  readonly #ledger: Ledger;
  readonly #records: RecordTable;
  readonly #words: WordReader;
  #scratch = new Uint8Array(0);

  constructor(database: Database) {
    super(database);
    this.#database = database;
    this.#ledger = new Ledger(database);
    this.#records = new RecordTable(database);
    this.#words = new WordReader(database);
  }

  migrate(): void {
    migrate(this.#database, { ledger: this.#ledger });
  }

  /** After a write that failed: what is in memory is read again. */
  forget(): void {
    this.#ledger.forget();
    this.#records.forget();
  }

  appendRecords(batch: RecordBatch, again: boolean, hits: readonly HitRow[]): void {
    const inputs = this.#owned(batch.inputs);
    this.#database.transaction(() => {
      this.#records.saveWords(batch.words);
      const fresh = this.#records.fresh(batch, again);
      if (fresh.length === batch.count) {
        this.#records.append(batch, this.#ledger.size);
        this.#ledger.append(inputs, batch.count);
      } else if (fresh.length > 0) {
        this.#records.append(someRows(batch, fresh), this.#ledger.size);
        this.#ledger.append(someInputs(batch, fresh), fresh.length);
      }
      this.addHits(hits);
    })();
  }

  /** What is hashed and compressed is not what another thread can write to; it is copied to the same memory each time. */
  #owned(inputs: Uint8Array): Uint8Array<ArrayBuffer> {
    if (this.#scratch.length < inputs.length) this.#scratch = new Uint8Array(inputs.length * 2);
    this.#scratch.set(inputs);
    return this.#scratch.subarray(0, inputs.length);
  }

  loadWords(): RecordBatch['words'] {
    return this.#records.loadWords();
  }

  protected kept(index: number): KeptEntry | null {
    const text = this.#ledger.entry(index);
    return text === null ? null : { text, index, hash: this.#ledger.leafHash(index).toHex() };
  }

  findRecord(id: string): KeptEntry | null {
    const leaf = this.#records.find(id);
    return leaf === null ? null : this.kept(leaf);
  }

  listRecords(filter: RecordFilter): Page<KeptEntry> {
    const size = Math.min(filter.limit, pageSizeMax);
    const below = filter.cursor === undefined ? noBound : (this.#records.find(filter.cursor) ?? 0);
    const items: KeptEntry[] = [];
    for (const leaf of this.#records.leaves(filter, below, (at) => this.#ledger.entry(at))) {
      const kept = this.kept(leaf);
      if (kept !== null) items.push(kept);
      if (items.length > size) break;
    }
    const shown = items.slice(0, size);
    return { items: shown, nextCursor: items.length > size ? idOf(shown.at(-1)) : null };
  }

  countRecords(filter: Omit<RecordFilter, 'limit'>): number {
    return this.#records.count(filter);
  }

  tallyRecords(asked: TallyAsked): TallyPart {
    return tallyPart(asked, this.#records, this.#words, (at) => this.#ledger.entry(at));
  }

  tallyTargets(asked: Omit<TallyAsked, 'by'>): WindowsPart {
    return windowsPart(asked, this.#records, this.#words, (at) => this.#ledger.entry(at));
  }

  saveIncidents(writes: readonly IncidentRowWrite[], change: ChangeRow): boolean {
    return this.writeIncidents(writes, () => this.insertChange(change));
  }

  protected insertChange(change: ChangeRow): void {
    const leaf = this.#ledger.append(leafInputs([change.body]), 1);
    this.#database
      .query('INSERT INTO changes (leaf, id, kind) VALUES (?, ?, ?)')
      .run(leaf, change.id, change.kind);
  }

  appendChange(change: ChangeRow): void {
    this.#database.transaction(() => this.insertChange(change))();
  }

  #changeLeaf(id: string): number | null {
    return (
      this.#database.query<{ leaf: number }, [string]>('SELECT leaf FROM changes WHERE id = ?').get(id)
        ?.leaf ?? null
    );
  }

  /** Of some kinds, or of all. */
  listChanges(cursor: string | null, limit: number, kinds: readonly string[] | null): Page<KeptEntry> {
    const size = Math.min(limit, pageSizeMax);
    const below = cursor === null ? noBound : (this.#changeLeaf(cursor) ?? 0);
    const leaves = this.#database
      .query<{ leaf: number }, [number, string | null, number]>(
        'SELECT leaf FROM changes WHERE leaf < ?1 AND (?2 IS NULL OR kind IN (SELECT value FROM json_each(?2))) ORDER BY leaf DESC LIMIT ?3',
      )
      .all(below, kinds === null ? null : JSON.stringify(kinds), size + 1);
    const items = leaves.flatMap(({ leaf }) => this.kept(leaf) ?? []);
    const shown = items.slice(0, size);
    return { items: shown, nextCursor: items.length > size ? idOf(shown.at(-1)) : null };
  }

  /** Erases the oldest records whose time is over, and writes down which; their leaves stay. Says how many. */
  expire(expiries: readonly ExpiryRow[], recordsMax: number, change: ChangeRow): number {
    const kept = expiries.map(({ before }) => before);
    if (kept.length > 0) this.pruneMoves(Math.min(...kept));
    return this.#erase(change, () =>
      this.#records.takeExpired(
        expiries,
        recordsMax,
        this.#holds().map(({ filter }) => filter),
      ),
    );
  }

  /** Erases every record of one user, and writes down which; their leaves stay. One under hold keeps all. */
  eraseUser(user: string, change: ChangeRow): EraseOutcome {
    return this.#database.transaction((): EraseOutcome => {
      const entry = (leaf: number): string | null => this.#ledger.entry(leaf);
      const holds = this.#holds()
        .filter(({ filter }) => filter.user === undefined || filter.user === user)
        .filter(({ filter }) => {
          const held = this.#records.leaves({ ...filter, user }, noBound, entry);
          return held.next().done !== true;
        });
      if (holds.length > 0) return { kind: 'held', holds: holds.map(({ id }) => id) };
      return { kind: 'erased', records: this.#erase(change, () => this.#records.takeUser(user, entry)) };
    })();
  }

  #holds(): readonly HeldFilter[] {
    return this.loadHolds().map(heldFilter);
  }

  insertHold(row: HoldRow, change: ChangeRow): void {
    this.#database.transaction(() => {
      this.putHold(row);
      this.insertChange(change);
    })();
  }

  /** False when it was released before. */
  releaseHold(row: HoldRow, change: ChangeRow): boolean {
    return this.#database.transaction(() => {
      const isReleased = this.putHold(row);
      if (isReleased) this.insertChange(change);
      return isReleased;
    })();
  }

  #erase(change: ChangeRow, take: () => readonly number[]): number {
    return this.#database.transaction(() => {
      const leaves = take();
      if (leaves.length === 0) return 0;
      this.#ledger.erase(leaves);
      const body = JSON.parse(change.body) as Record<string, unknown>;
      const after = { records: leaves.length, leaves: rangesOf(leaves) };
      this.insertChange({ ...change, body: JSON.stringify({ ...body, after }) });
      return leaves.length;
    })();
  }

  treeHead(): { readonly size: number; readonly root: string } {
    return { size: this.#ledger.size, root: this.#ledger.root().toHex() };
  }

  /** The root of the tree when it had so many leaves; null when it does not have them. */
  rootAt(size: number): string | null {
    return size > this.#ledger.size ? null : this.#ledger.root(size).toHex();
  }

  leafOf(id: string): KeptLeaf | null {
    const index = id.startsWith('req_') ? this.#records.find(id) : this.#changeLeaf(id);
    return index === null ? null : this.#leaf(index);
  }

  #leaf(index: number): KeptLeaf {
    return { text: this.#ledger.entry(index), index, hash: this.#ledger.leafHash(index).toHex() };
  }

  /** Entries in their order, from an index on. */
  leavesFrom(from: number, leavesMax: number): readonly KeptLeaf[] {
    const count = Math.max(0, Math.min(leavesMax, this.#ledger.size - from));
    return Array.from({ length: count }, (_, offset) => this.#leaf(from + offset));
  }

  inclusionPath(index: number, size: number): readonly string[] {
    return this.#ledger.inclusion(index, size).map((hash) => hash.toHex());
  }

  consistencyPath(from: number, to: number): readonly string[] {
    return this.#ledger.consistency(from, to).map((hash) => hash.toHex());
  }

  saveCheckpoint({ size, at, note }: CheckpointRow): void {
    this.#database.transaction(() => {
      this.#database
        .query('INSERT OR IGNORE INTO checkpoints (size, at, note) VALUES (?, ?, ?)')
        .run(size, at, note);
      this.#database
        .query(
          'DELETE FROM checkpoints WHERE size <= (SELECT size FROM checkpoints ORDER BY size DESC LIMIT 1 OFFSET ?)',
        )
        .run(checkpointsMax);
    })();
  }

  /** The newest that is not larger, newest first. */
  loadCheckpoints(checkpointsAtMost: number): readonly CheckpointRow[] {
    return this.#database
      .query<CheckpointRow, [number]>('SELECT size, at, note FROM checkpoints ORDER BY size DESC LIMIT ?')
      .all(checkpointsAtMost);
  }

  /** Takes off what refers to entries beyond the end, and checkpoints of a ledger that is no more. */
  mendLedger(): void {
    this.forget();
    const { size } = this.#ledger;
    this.#database.transaction(() => {
      this.#records.cutAt(size);
      for (const table of ['changes', 'outbox'])
        this.#database.query(`DELETE FROM ${table} WHERE leaf >= ?`).run(size);
      this.#database.query('DELETE FROM subtrees WHERE (position + 1) * (1 << level) > ?').run(size);
      this.#database.run('DELETE FROM checkpoints');
    })();
    this.forget();
  }

  loadStream(name: string): { readonly next: number; readonly until: number } | null {
    return this.#database
      .query<{ next: number; until: number }, [string]>('SELECT next, until FROM streams WHERE name = ?')
      .get(name);
  }

  saveStream(name: string, next: number, until: number): void {
    this.#database
      .query('INSERT OR REPLACE INTO streams (name, next, until) VALUES (?, ?, ?)')
      .run(name, next, until);
  }

  /** From now on nothing is written, whoever asks; or it is again. */
  setReadOnly(isReadOnly: boolean): void {
    this.#database.run(`PRAGMA query_only = ${isReadOnly ? 'ON' : 'OFF'}`);
  }
}
