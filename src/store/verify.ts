/**
 * Reads a whole store and says whether it is what was signed, and where it is not. It opens the file for reading only, so it
 * works beside a running server as well as without one, and believes nothing that it can work out: hashes of leaves from
 * entries, hashes of subtrees and roots from leaves, and rows from entries where that is asked for.
 */
import { Database } from 'bun:sqlite';

import { checkpointFromText, noteFromText } from '../core/checkpoint.ts';
import { Frontier, sameHash } from '../core/merkle.ts';
import type { Hash } from '../core/merkle.ts';
import { recordFromJson } from '../core/record-json.ts';
import type { RecordJson } from '../core/record-json.ts';
import { inputBounds, inputsOf, sha256 } from './ledger.ts';
import { idIn, isIdAt } from './entry-id.ts';
import { columnNames, writeColumns } from './record-columns.ts';
import { RecordRuns } from './record-runs.ts';
import { isThere, runOf, setsOf } from './run-rows.ts';
import { editedSnapshots } from './snapshot-text.ts';
import type { RunRows } from './run-rows.ts';
import { runLeaves } from './run-sets.ts';
import { FrozenSets } from './verify-sets.ts';
import type { IncidentSaid } from './verify-sets.ts';

const utf8 = new TextDecoder();

/** What is wrong, and where: entries from the first to the last. */
export type Finding = {
  readonly problem:
    | 'entry_changed'
    | 'entries_missing'
    | 'entries_reordered'
    | 'hashes_changed'
    | 'erased_unrecorded'
    | 'row_missing'
    | 'row_changed'
    | 'truncated'
    | 'forked'
    | 'checkpoint_unreadable'
    | 'checkpoint_unsigned'
    | 'request_set_changed'
    | 'snapshot_changed';
  readonly from: number;
  readonly to: number;
  /** The record or change it is about, where one entry is. */
  readonly id: string | null;
  readonly words: string;
};

export type Verified = {
  readonly size: number;
  readonly root: string;
  readonly erased: number;
  readonly checkpoints: number;
  readonly findings: readonly Finding[];
  /** True when there was more than is listed. */
  readonly more: boolean;
};

export type VerifyOptions = {
  /** Signed notes to hold the ledger against, beyond those in the store. */
  readonly notes: readonly string[];
  /** Whether the key of the ledger signed a note; without it they are compared, whoever signed them. */
  readonly isSigned?: ((note: string) => boolean) | null;
  /** Compares what is searched with what is written, column by column. */
  readonly rows: boolean;
  readonly onProgress: (entries: number) => void;
};

const noteWords = {
  unreadable: 'a checkpoint that is kept is not a signed note',
  unsigned: 'a checkpoint over these entries is not signed by the key that was given',
} as const;
const findingsMax = 1_000;
const blocksAtATime = 64;
const tileLevel = 8;

type BlockRow = {
  readonly first: number;
  readonly count: number;
  readonly leaves: Uint8Array<ArrayBuffer>;
  readonly entries: Uint8Array<ArrayBuffer> | null;
};

class Verification {
  readonly #database: Database;
  readonly #options: VerifyOptions;
  readonly #frontier = new Frontier(sha256);
  readonly #findings: Finding[] = [];
  #more = false;
  #erased: [from: number, to: number][] = [];
  #erasedCount = 0;
  /** Ranges that changes say were erased. */
  readonly #recorded: (readonly [number, number])[] = [];
  /** Notes by the size they are about, smallest first. */
  readonly #notes: { readonly size: number; readonly root: Hash }[] = [];
  /** The largest size at which the tree was still the one that was signed. */
  #soundTo = 0;
  readonly #words: ReadonlyMap<string, number>;
  readonly #runs: RecordRuns;
  readonly #sets = new FrozenSets();
  /** Where each configuration was last loaded. */
  readonly #loaded = new Map<string, number>();
  /** Of the run that is being read; its columns only where rows are compared. */
  #rows: RunRows & { readonly run: number } = { run: -1, ids: new Uint8Array(0), columns: [] };
  readonly #expected = new Int32Array(columnNames.length);
  /** Of the entry that is being read. */
  readonly #hash = new Uint8Array(32);

  constructor(database: Database, options: VerifyOptions) {
    this.#database = database;
    this.#options = options;
    this.#runs = new RecordRuns(database);
    this.#words = new Map(
      database
        .query<{ id: number; text: string }, []>('SELECT id, text FROM words')
        .all()
        .map(({ id, text }) => [text, id]),
    );
  }

  #find(
    problem: Finding['problem'],
    from: number,
    to: number,
    words: string,
    id: string | null = null,
  ): void {
    if (this.#findings.length < findingsMax) this.#findings.push({ problem, from, to, id, words });
    else this.#more = true;
  }

  run(): Verified {
    this.#readNotes();
    for (let next = 0; ;) {
      const blocks = this.#database
        .query<BlockRow, [number, number]>(
          'SELECT first, count, leaves, entries FROM blocks WHERE first >= ? ORDER BY first LIMIT ?',
        )
        .all(next, blocksAtATime);
      for (const block of blocks) this.#block(block);
      const last = blocks.at(-1);
      if (last === undefined) break;
      next = last.first + 1;
      this.#options.onProgress(this.#frontier.size);
    }
    this.#compareNotes();
    this.#compareErased();
    for (const { leaf, incident } of this.#sets.changed(this.#database))
      this.#find(
        'request_set_changed',
        leaf,
        leaf,
        `the requests of incident ${incident} are not those that were reviewed`,
        incident,
      );
    for (const hash of editedSnapshots(this.#database)) {
      const leaf = this.#loaded.get(hash) ?? 0;
      const words = `the text of configuration ${hash}, which records name, is not the one that was in force`;
      this.#find('snapshot_changed', leaf, leaf, words, hash);
    }
    return {
      size: this.#frontier.size,
      root: this.#frontier.root().toHex(),
      erased: this.#erasedCount,
      checkpoints: this.#notes.length,
      findings: this.#findings,
      more: this.#more,
    };
  }

  #readNotes(): void {
    const kept = this.#database
      .query<{ size: number; note: string }, []>('SELECT size, note FROM checkpoints ORDER BY size')
      .all();
    for (const note of [...kept.map((row) => row.note), ...this.#options.notes]) {
      const { size = 0, root } = checkpointFromText(noteFromText(note)?.text ?? '') ?? {};
      if (root === undefined) this.#find('checkpoint_unreadable', 0, 0, noteWords.unreadable);
      else if (this.#options.isSigned?.(note) !== false) this.#notes.push({ size, root });
      else this.#find('checkpoint_unsigned', 0, Math.max(0, size - 1), noteWords.unsigned);
    }
    this.#notes.sort((one, other) => one.size - other.size);
  }

  #block(block: BlockRow): void {
    const expected = this.#frontier.size;
    if (block.first > expected) {
      this.#find(
        'entries_missing',
        expected,
        block.first - 1,
        `entries ${expected} to ${block.first - 1} are not there`,
      );
      this.#skipTo(block.first);
    }
    if (block.first < expected) {
      this.#find(
        'entries_reordered',
        block.first,
        expected - 1,
        `entries ${block.first} to ${expected - 1} are there twice`,
      );
      return;
    }
    const inputs = this.#inputs(block);
    const bounds = inputs === null ? null : inputBounds(inputs, block.count);
    for (let at = 0; at < block.count; at++) {
      const index = block.first + at;
      const leaf = block.leaves.subarray(at * 32, at * 32 + 32);
      const input = inputs?.subarray(bounds?.[at], bounds?.[at + 1]) ?? null;
      if (input !== null) this.#entry(index, input, leaf);
      this.#frontier.add(leaf, 0, (level, position, hash) => this.#node(level, position, hash));
      this.#atSize(index + 1);
    }
  }

  /** What lies between was reported; the tree can only go on from what the store says of its subtrees. */
  #skipTo(first: number): void {
    const unknown = new Uint8Array(32);
    while (this.#frontier.size < first) {
      this.#frontier.add(unknown);
      this.#atSize(this.#frontier.size);
    }
  }

  #inputs(block: BlockRow): Uint8Array<ArrayBuffer> | null {
    try {
      return inputsOf(block);
    } catch {
      const last = block.first + block.count - 1;
      this.#find('entry_changed', block.first, last, `entries ${block.first} to ${last} cannot be read`);
      return null;
    }
  }

  /** What is kept of the run of an entry beside its text. */
  #rowsAt(index: number): RunRows {
    const run = runOf(index);
    if (run !== this.#rows.run) {
      this.#rows = this.#options.rows
        ? { run, ...this.#runs.rows(run) }
        : { run, ids: this.#runs.ids(run), columns: [] };
      if (this.#options.rows) this.#compareSets(run);
    }
    return this.#rows;
  }

  /** Holds what filters read against the columns, which are held against the entries. */
  #compareSets(run: number): void {
    const kept = this.#runs.sets(run);
    if (kept === null) return;
    const made = setsOf(this.#rows);
    const isSame =
      kept.length === made.size &&
      kept.every(({ key, places }) => sameHash(places, made.get(key) ?? new Uint8Array(0)));
    const [from, to] = [run * runLeaves, (run + 1) * runLeaves - 1];
    if (!isSame)
      this.#find(
        'row_changed',
        from,
        to,
        `entries ${from} to ${to} are found by words they do not have, or not by some they have`,
      );
  }

  #entry(index: number, input: Uint8Array<ArrayBuffer>, leaf: Uint8Array): void {
    if (input.length <= 1) {
      const last = this.#erased.at(-1);
      if (last !== undefined && last[1] === index - 1) last[1] = index;
      else this.#erased.push([index, index]);
      this.#erasedCount++;
      return;
    }
    const id = idIn(input);
    Bun.SHA256.hash(input, this.#hash);
    if (!sameHash(this.#hash, leaf))
      this.#find('entry_changed', index, index, `entry ${index} is not the one that was written`, id);
    if (id === null) return;
    if (id.startsWith('req_')) this.#compareRow(index, id, input);
    else this.#change(index, id, input);
  }

  #compareRow(index: number, id: string, input: Uint8Array<ArrayBuffer>): void {
    const { ids, columns } = this.#rowsAt(index);
    const place = index % runLeaves;
    if (!isThere(ids, place))
      return this.#find('row_missing', index, index, `nobody finds record ${id}: its row is gone`, id);
    if (!isIdAt(id, ids, place))
      return this.#find('row_changed', index, index, `the row of record ${id} names another one`, id);
    if (!this.#options.rows) return undefined;
    const record = recordFromJson(JSON.parse(utf8.decode(input.subarray(1))) as RecordJson);
    writeColumns(record, (text) => this.#words.get(text) ?? 0, this.#expected, 0);
    const wrong = columnNames.find((_, column) => columns[column]?.[place] !== this.#expected[column]);
    if (wrong !== undefined)
      this.#find('row_changed', index, index, `record ${id} is found by a wrong ${wrong}`, id);
    return undefined;
  }

  #change(index: number, id: string, input: Uint8Array<ArrayBuffer>): void {
    if (isThere(this.#rowsAt(index).ids, index % runLeaves))
      this.#find('row_changed', index, index, `a row says that entry ${index} is a record, and it is none`);
    const row = this.#database
      .query<{ id: string; kind: string }, [number]>('SELECT id, kind FROM changes WHERE leaf = ?')
      .get(index);
    if (row === null)
      return this.#find('row_missing', index, index, `nobody finds change ${id}: its row is gone`, id);
    const json = JSON.parse(utf8.decode(input.subarray(1))) as {
      kind: string;
      subject: string;
      after: (IncidentSaid & { leaves?: readonly (readonly [number, number])[] }) | null;
    };
    if (row.id !== id || row.kind !== json.kind)
      this.#find('row_changed', index, index, `the row of change ${id} says something else`, id);
    if (json.kind === 'records.expired' || json.kind === 'records.erased')
      this.#recorded.push(...(json.after?.leaves ?? []));
    else if (json.kind === 'config.loaded') this.#loaded.set(json.subject, index);
    else if (json.kind.startsWith('incident.')) this.#sets.note(index, json.after);
    return undefined;
  }

  #node(level: number, position: number, hash: Hash): void {
    if (level % tileLevel !== 0) return;
    const kept = this.#database
      .query<{ hash: Hash }, [number, number]>('SELECT hash FROM subtrees WHERE level = ? AND position = ?')
      .get(level, position);
    if (kept !== null && sameHash(kept.hash, hash)) return;
    const from = position * 2 ** level;
    const to = from + 2 ** level - 1;
    if (this.#findings.some((each) => each.from <= to && each.to >= from && each.problem !== 'row_changed'))
      return;
    this.#find(
      'hashes_changed',
      from,
      to,
      `entries ${from} to ${to} do not lead to the hash that was kept of them`,
    );
  }

  /** Holds the tree against the notes about this size. */
  #atSize(size: number): void {
    // Another checkpoint over as many may be sound: the ledger forked behind the last one before both.
    const from = this.#soundTo;
    for (let note = this.#notes[this.#nextNote]; note?.size === size; note = this.#notes[this.#nextNote]) {
      this.#nextNote++;
      if (sameHash(this.#frontier.root(), note.root)) this.#soundTo = size;
      else this.#fork(from, size);
    }
  }
  #nextNote = 0;
  #isForked = false;

  #fork(from: number, size: number): void {
    if (this.#isForked) return;
    this.#isForked = true;
    this.#find(
      'forked',
      from,
      size - 1,
      `the checkpoint over ${size} entries is of another ledger: something from entry ${from} to ${size - 1} is not what was signed`,
    );
  }

  #compareNotes(): void {
    const { size } = this.#frontier;
    const largest = this.#notes.at(-1);
    if (largest === undefined || largest.size <= size) return;
    this.#find(
      'truncated',
      size,
      largest.size - 1,
      `entries ${size} to ${largest.size - 1} are gone: a checkpoint was signed over ${largest.size}`,
    );
  }

  #compareErased(): void {
    const recorded = this.#recorded.toSorted(([one], [other]) => one - other);
    for (const [from, to] of this.#erased) {
      let at = from;
      for (const [start, end] of recorded) if (start <= at && end >= at) at = end + 1;
      if (at <= to)
        this.#find('erased_unrecorded', at, to, `entries ${at} to ${to} were erased, and no change says so`);
    }
  }
}

/** Verifies the file of a store. Throws when it cannot be read at all. */
export function verifyStore(path: string, options: VerifyOptions): Verified {
  const database = new Database(path, { readonly: true });
  try {
    database.run('PRAGMA busy_timeout = 5000');
    // One moment of the file, whatever a server does to it meanwhile.
    database.run('BEGIN');
    return new Verification(database, options).run();
  } finally {
    database.close();
  }
}
