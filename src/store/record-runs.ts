/**
 * The numbers of records on disk, in runs of 4,096 entries of the ledger. The run that is being written is kept in memory,
 * and on disk as the batches it came in. When it is full it is written once more, in the form in which it is asked: each
 * column by itself, and for each word of a column the set of entries that have it. So a record costs no row and no index
 * of its own when it is written, and a filter reads a few sets of each run, never the records.
 */
import type { Database, SQLQueryBindings } from 'bun:sqlite';

import type { RecordRows } from './record-batch.ts';
import { columnNames, columnOf, noNumber } from './record-columns.ts';
import type { ColumnName } from './record-columns.ts';
import {
  allKey,
  emptyRows,
  featureColumn,
  idBytes,
  isOfUsers,
  isThere,
  keyOf,
  runOf,
  sameId,
  setsOf,
  someRows,
  spanOf,
  tailOf,
  timeAt,
  userColumn,
  widen,
} from './run-rows.ts';
import type { RunRows, SetColumn, Span } from './run-rows.ts';
import { addPacked, emptyMask, mark, runLeaves } from './run-sets.ts';
import type { Mask } from './run-sets.ts';

/** More than there are columns, ids included. */
const partsPerRun = 64;
const idPart = partsPerRun - 1;
const partOf = (run: number, part: number): number => run * partsPerRun + part;

const bytesOf = (numbers: Int32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);

/** Numbers must begin where the platform can read them: a copy, where they do not. */
const numbersOf = (bytes: Uint8Array<ArrayBuffer>): Int32Array<ArrayBuffer> =>
  bytes.byteOffset % 4 === 0
    ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    : new Int32Array(new Uint8Array(bytes).buffer);

type Blob = { readonly bytes: Uint8Array<ArrayBuffer> };
type Open = RunRows & { readonly span: Span; readonly known: Map<number, number>; filled: number };

export class RecordRuns {
  readonly #database: Database;
  #sealed: Span[] | null = null;
  #open: Open | null = null;
  /** The last ids that were read. */
  #ids: { readonly run: number; readonly ids: Uint8Array<ArrayBuffer> } | null = null;

  constructor(database: Database) {
    this.#database = database;
  }

  /** A transaction was taken back: what is in memory may be ahead of the file. */
  forget(): void {
    this.#sealed = null;
    this.#open = null;
    this.#ids = null;
  }

  get #spans(): Span[] {
    this.#sealed ??= this.#database
      .query<Span, []>('SELECT run, first_at AS "from", last_at AS "to" FROM runs ORDER BY run')
      .all();
    return this.#sealed;
  }

  /** Oldest first, the one that is being written last. */
  spans(): readonly Span[] {
    const { span } = this.#written();
    return span.from === Infinity ? this.#spans : [...this.#spans, span];
  }

  #blank(run: number): Open {
    return { ...emptyRows(), span: { run, from: Infinity, to: -Infinity }, known: new Map(), filled: 0 };
  }

  /** The run that is being written, as the file has it. */
  #written(): Open {
    if (this.#open !== null) return this.#open;
    const batches = this.#database
      .query<
        { first: number; count: number; ids: Uint8Array<ArrayBuffer>; columns: Uint8Array<ArrayBuffer> },
        []
      >('SELECT first, count, ids, columns FROM open_rows ORDER BY first')
      .all();
    const open = this.#blank(runOf(batches.at(-1)?.first ?? -1));
    this.#open = open;
    for (const { first, count, ids, columns } of batches)
      this.#put(open, first % runLeaves, { count, ids, columns: numbersOf(columns) });
    return open;
  }

  #put(open: Open, place: number, { count, ids, columns }: RecordRows): void {
    open.ids.set(ids, place * idBytes);
    open.columns.forEach((cells, column) => {
      cells.set(columns.subarray(column * count, (column + 1) * count), place);
    });
    for (let index = 0; index < count; index++) {
      if (!isThere(ids, index)) continue;
      widen(open.span, timeAt(ids, index));
      open.known.set(tailOf(ids, index * idBytes), place + index);
    }
    open.filled = Math.max(open.filled, place + count);
  }

  /** Whether an id is in the run that is being written. */
  isKnown(ids: Uint8Array, index: number): boolean {
    const open = this.#written();
    const place = open.known.get(tailOf(ids, index * idBytes));
    return place !== undefined && sameId(open.ids, place, ids, index);
  }

  /** Writes rows from a leaf on. */
  append(rows: RecordRows, first: number): void {
    for (let at = 0; at < rows.count;) {
      const place = (first + at) % runLeaves;
      const count = Math.min(rows.count - at, runLeaves - place);
      const isWhole = count === rows.count;
      const part = (): RecordRows =>
        someRows(
          rows,
          Array.from({ length: count }, (_, index) => at + index),
        );
      this.#write(isWhole ? rows : part(), first + at);
      at += count;
    }
  }

  #write(rows: RecordRows, first: number): void {
    let open = this.#written();
    if (runOf(first) !== open.span.run) {
      this.#seal(open);
      open = this.#blank(runOf(first));
      this.#open = open;
    }
    this.#put(open, first % runLeaves, rows);
    this.#saveOpen(rows, first);
  }

  #saveOpen({ count, ids, columns }: RecordRows, first: number): void {
    this.#database
      .query('INSERT INTO open_rows (first, count, ids, columns) VALUES (?, ?, ?, ?)')
      .run(first, count, ids, bytesOf(columns));
  }

  /** Writes a run in the form in which it is asked. */
  #seal(open: Open): void {
    this.#database.run('DELETE FROM open_rows');
    this.save(open.span.run, open);
  }

  /** Writes a whole run, in place of what there was of it. */
  save(run: number, rows: RunRows): void {
    const span = spanOf(run, rows);
    this.#remove(run);
    if (span.from === Infinity) return;
    this.#database
      .query('INSERT INTO runs (run, first_at, last_at) VALUES (?, ?, ?)')
      .run(run, span.from, span.to);
    const part = this.#database.query('INSERT INTO run_parts (part, bytes) VALUES (?, ?)');
    rows.columns.forEach((cells, column) => {
      if (cells.some((cell) => cell !== noNumber)) part.run(partOf(run, column), bytesOf(cells));
    });
    part.run(partOf(run, idPart), rows.ids);
    const set = this.#database.query('INSERT INTO run_sets (run, key, places) VALUES (?, ?, ?)');
    for (const [key, places] of setsOf(rows)) set.run(run, key, places);
    this.#spans.push(span);
    this.#spans.sort((one, other) => one.run - other.run);
  }

  #remove(run: number): void {
    for (const sql of ['DELETE FROM runs WHERE run = ?', 'DELETE FROM run_sets WHERE run = ?'])
      this.#database.query(sql).run(run);
    this.#database
      .query('DELETE FROM run_parts WHERE part >= ? AND part < ?')
      .run(partOf(run, 0), partOf(run + 1, 0));
    this.#sealed = this.#spans.filter((span) => span.run !== run);
    this.#ids = null;
  }

  #isOpen(run: number): boolean {
    return this.#written().span.run === run;
  }

  #part(run: number, part: number): Uint8Array<ArrayBuffer> | null {
    return (
      this.#database
        .query<Blob, [number]>('SELECT bytes FROM run_parts WHERE part = ?')
        .get(partOf(run, part))?.bytes ?? null
    );
  }

  ids(run: number): Uint8Array<ArrayBuffer> {
    if (this.#isOpen(run)) return this.#written().ids;
    if (this.#ids?.run !== run)
      this.#ids = { run, ids: this.#part(run, idPart) ?? new Uint8Array(runLeaves * idBytes) };
    return this.#ids.ids;
  }

  column(run: number, name: ColumnName): Int32Array<ArrayBuffer> {
    return this.#column(run, columnOf(name));
  }

  #column(run: number, column: number): Int32Array<ArrayBuffer> {
    if (this.#isOpen(run)) return this.#written().columns[column] ?? new Int32Array(0);
    const bytes = this.#part(run, column);
    return bytes === null ? new Int32Array(runLeaves).fill(noNumber) : numbersOf(bytes);
  }

  rows(run: number): RunRows {
    return { ids: this.ids(run), columns: columnNames.map((_, column) => this.#column(run, column)) };
  }

  /** What is kept of a run that is not being written any more; null of the one that is. */
  sets(run: number): readonly { readonly key: number; readonly places: Uint8Array }[] | null {
    if (this.#isOpen(run)) return null;
    return this.#database
      .query<{ key: number; places: Uint8Array }, [number]>('SELECT key, places FROM run_sets WHERE run = ?')
      .all(run)
      .filter(({ key }) => !isOfUsers(key));
  }

  /** Places where a column has one of some words. */
  having(run: number, name: SetColumn, words: readonly number[]): Mask {
    const column = columnOf(name);
    if (!this.#isOpen(run))
      return this.#union(
        run,
        words.map((word) => keyOf(column, word)),
      );
    return this.#openMask(column, (cell) => words.includes(cell));
  }

  /** Places of the records of a user, or of another whose hash is the same. */
  ofUser(run: number, hash: number): Mask {
    const mask = emptyMask();
    const cells = this.#column(run, userColumn);
    for (let place = cells.indexOf(hash); place >= 0; place = cells.indexOf(hash, place + 1))
      mark(mask, place);
    return mask;
  }

  all(run: number): Mask {
    return this.#isOpen(run)
      ? this.#openMask(featureColumn, (cell) => cell !== noNumber)
      : this.#union(run, [allKey]);
  }

  #openMask(column: number, test: (cell: number) => boolean): Mask {
    const mask = emptyMask();
    const open = this.#written();
    const cells = open.columns[column];
    for (let place = 0; place < open.filled; place++) if (test(cells?.[place] ?? noNumber)) mark(mask, place);
    return mask;
  }

  #union(run: number, keys: readonly number[]): Mask {
    const mask = emptyMask();
    const marks = keys.map(() => '?').join(', ');
    const found = this.#database
      .query<{ places: Uint8Array }, SQLQueryBindings[]>(
        `SELECT places FROM run_sets WHERE run = ? AND key IN (${marks})`,
      )
      .all(run, ...keys);
    for (const { places } of found) addPacked(mask, places);
    return mask;
  }

  /** The leaf of an id. Ids begin with the time, and a run spans little of it, so few runs can have one. */
  find(id: Uint8Array): number | null {
    const at = timeAt(id, 0);
    for (const span of this.spans().toReversed()) {
      if (at < span.from || at > span.to) continue;
      const ids = this.ids(span.run);
      for (let place = 0; place < runLeaves; place++)
        if (sameId(ids, place, id, 0)) return span.run * runLeaves + place;
    }
    return null;
  }

  /** Changes rows of a run that has been written. */
  edit(run: number, change: (rows: RunRows) => void): void {
    const rows = this.rows(run);
    change(rows);
    if (this.#isOpen(run)) this.reopen(run, rows, this.#written().filled);
    else this.save(run, rows);
  }

  /** Makes a run the one that is being written, with the rows of its first places. */
  reopen(run: number, rows: RunRows, places: number): void {
    this.#database.run('DELETE FROM open_rows');
    this.#open = null;
    if (places === 0) return;
    const columns = new Int32Array(places * columnNames.length);
    rows.columns.forEach((cells, column) => {
      columns.set(cells.subarray(0, places), column * places);
    });
    this.#saveOpen({ count: places, ids: rows.ids.slice(0, places * idBytes), columns }, run * runLeaves);
  }

  /** Takes off every row from a leaf on. */
  cutAt(leaf: number): void {
    const run = runOf(leaf);
    const last = this.spans().at(-1)?.run ?? -1;
    if (last < run) return;
    const rows = this.rows(run);
    for (const span of this.spans()) if (span.run >= run) this.#remove(span.run);
    this.reopen(run, rows, leaf % runLeaves);
  }
}
