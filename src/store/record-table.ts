/**
 * The rows of records that are searched: one narrow row of numbers for each entry of the ledger that is a record, in the
 * ledger's order, so that writing only appends. Listings are newest first in that order, which no later write changes.
 *
 * What is rare in a record (a hop, a failure) has an index of the rows that have it. What every record has (a feature, a
 * tenant) is noted once for each run of 4,096 entries in which it occurs, and a listing looks into those runs only. An id
 * and a user are indexed within their run, so that writing touches few pages however many users there are.
 */
import type { Database, SQLQueryBindings } from 'bun:sqlite';

import { noNumber, recordColumns, uuidBytes } from './record-batch.ts';
import type { RecordBatch } from './record-batch.ts';
import { firstIdAt, marks, RecordConditions, timeOf } from './record-conditions.ts';
import type { Condition } from './record-conditions.ts';
import type { RecordFilter } from './store.ts';

/** As the indexes say it: `leaf >> 12`. */
const runLeaves = 2 ** 12;
/** Runs that a scan reads at once. */
const runsAtOnce = 4;
/** More than there can be. */
const countMax = Number.MAX_SAFE_INTEGER;
const runOf = (leaf: number): number => Math.floor(leaf / runLeaves);

type Span = { from: number; to: number };
const emptySpan: Span = { from: Infinity, to: -Infinity };

/** Records of this class, or of every class that has no rule of its own, are over when they began before. */
export type ExpiryRow = { readonly dataClass: string | null; readonly before: number };

export class RecordTable {
  readonly #database: Database;
  /** Words noted for the run that is being written. */
  #noted: { readonly run: number; readonly words: Set<number> } = { run: -1, words: new Set() };
  #spans: Span[] | null = null;
  /** The first run that may have expired records, by class. */
  readonly #expired = new Map<string | null, number>();
  /** The holds of the last time. */
  #held = '';
  readonly #insertSql: string;
  readonly #conditions: RecordConditions;

  constructor(database: Database) {
    this.#database = database;
    this.#conditions = new RecordConditions(database);
    const names = ['leaf', 'id', ...recordColumns.map(({ name }) => name)];
    this.#insertSql = `INSERT INTO records (${names.join(', ')}) VALUES (${marks(names)}) ON CONFLICT DO NOTHING`;
  }

  /** A transaction was taken back. */
  forget(): void {
    this.#spans = null;
    this.#expired.clear();
    this.#noted = { run: -1, words: new Set() };
  }

  saveWords(words: RecordBatch['words']): void {
    const insert = this.#database.query('INSERT OR IGNORE INTO words (id, text) VALUES (?, ?)');
    for (const [id, text] of words) insert.run(id, text);
  }

  loadWords(): RecordBatch['words'] {
    return this.#database
      .query<{ id: number; text: string }, []>('SELECT id, text FROM words ORDER BY id')
      .all()
      .map(({ id, text }) => [id, text] as const);
  }

  /** Writes the rows of a batch from a leaf on; says which of the batch are new, in order. */
  insert(batch: RecordBatch, first: number, again = false): readonly number[] {
    const width = recordColumns.length;
    const insert = this.#database.query<unknown, SQLQueryBindings[]>(this.#insertSql);
    const fresh: number[] = [];
    const row: SQLQueryBindings[] = Array.from({ length: width + 2 }, () => null);
    for (let index = 0; index < batch.count; index++) {
      const leaf = first + fresh.length;
      const id = batch.ids.subarray(index * 16, index * 16 + 16);
      // Within its run a second row is refused by the index; a batch that was tried before may be further back.
      if (again && this.#findBytes(id) !== null) continue;
      row[0] = leaf;
      row[1] = id;
      for (let column = 0; column < width; column++) {
        const value = batch.columns[index * width + column] ?? noNumber;
        row[column + 2] = value === noNumber ? null : value;
      }
      if (insert.run(...row).changes === 0) continue;
      fresh.push(index);
      this.#widen(runOf(leaf), timeOf(id));
      this.#note(runOf(leaf), batch.columns.subarray(index * width, (index + 1) * width));
    }
    return fresh;
  }

  #note(run: number, columns: Int32Array): void {
    if (this.#noted.run !== run) this.#noted = { run, words: new Set() };
    const { words } = this.#noted;
    for (const column of wordIndexes) {
      const word = columns[column] ?? noNumber;
      if (word === noNumber || words.has(word)) continue;
      words.add(word);
      this.#database.query('INSERT OR IGNORE INTO run_words (word, run) VALUES (?, ?)').run(word, run);
    }
  }

  #last(): number {
    return (
      this.#database.query<{ leaf: number | null }, []>('SELECT max(leaf) AS leaf FROM records').get()
        ?.leaf ?? -1
    );
  }

  /** The leaf of a record; null when there is none. */
  find(id: string): number | null {
    const bytes = uuidBytes(id);
    return bytes === null ? null : this.#findBytes(bytes);
  }

  /** Ids begin with the time, and a run spans little of it, so few runs can have one. */
  #findBytes(bytes: Uint8Array): number | null {
    const query = this.#database.query<{ leaf: number }, SQLQueryBindings[]>(
      'SELECT leaf FROM records WHERE (leaf >> 12) = ? AND id = ?',
    );
    const at = timeOf(bytes);
    const { spans } = this;
    for (let run = spans.length - 1; run >= 0; run--) {
      const span = spans[run];
      if (span === undefined || at < span.from || at > span.to) continue;
      const found = query.get(run, bytes);
      if (found !== null) return found.leaf;
    }
    return null;
  }

  /** The times between which the records of each run began. */
  get spans(): readonly Span[] {
    this.#spans ??= Array.from({ length: runOf(this.#last()) + 1 }, (_, run) => this.#spanOf(run));
    return this.#spans;
  }

  #spanOf(run: number): Span {
    const found = this.#database
      .query<{ first: Uint8Array | null; last: Uint8Array | null }, { run: number }>(
        `SELECT (SELECT id FROM records WHERE (leaf >> 12) = $run ORDER BY id LIMIT 1) AS first,
                (SELECT id FROM records WHERE (leaf >> 12) = $run ORDER BY id DESC LIMIT 1) AS last`,
      )
      .get({ run });
    if (found === null || found.first === null || found.last === null) return { ...emptySpan };
    return { from: timeOf(found.first), to: timeOf(found.last) };
  }

  #widen(run: number, at: number): void {
    if (this.#spans === null) return;
    while (this.#spans.length <= run) this.#spans.push({ ...emptySpan });
    const span = this.#spans[run];
    if (span === undefined) return;
    span.from = Math.min(span.from, at);
    span.to = Math.max(span.to, at);
  }

  /**
   * Takes out the rows of records whose time is over; gives their leaves. Runs that are wholly over for a rule are not
   * looked at again, so that records that stay longer cost nothing.
   */
  takeExpired(expiries: readonly ExpiryRow[], rowsMax: number, held: readonly HeldRows[]): readonly number[] {
    const holds = JSON.stringify(held);
    // What was held then may be over now.
    if (holds !== this.#held) this.#expired.clear();
    this.#held = holds;
    const named = expiries.flatMap(({ dataClass }) => (dataClass === null ? [] : [dataClass]));
    return expiries.flatMap((expiry) => this.#takeExpired(expiry, named, rowsMax, held));
  }

  #takeExpired(
    { dataClass, before }: ExpiryRow,
    named: readonly string[],
    rowsMax: number,
    held: readonly HeldRows[],
  ): readonly number[] {
    const words = (dataClass === null ? named : [dataClass]).flatMap(
      (name) => this.#conditions.wordId(name) ?? [],
    );
    if (dataClass !== null && words.length === 0) return [];
    const ofClass =
      dataClass === null ? `(class IS NULL OR class NOT IN (${marks(words)}))` : `class IN (${marks(words)})`;
    const kept = this.#notHeld(held);
    const find = this.#database.query<{ leaf: number }, SQLQueryBindings[]>(
      `SELECT leaf FROM records WHERE leaf >= ? AND leaf < ? AND feature IS NOT NULL AND id < ? AND ${ofClass}${kept.sql} ORDER BY leaf LIMIT ?`,
    );
    const remove = this.#database.query('DELETE FROM records WHERE leaf = ?');
    const taken: number[] = [];
    const { spans } = this;
    for (let run = this.#expired.get(dataClass) ?? 0; run < spans.length && taken.length < rowsMax; run++) {
      const span = spans[run] ?? emptySpan;
      if (span.from === Infinity) continue;
      if (span.from >= before) break;
      const room = rowsMax - taken.length;
      const found = find.all(
        run * runLeaves,
        (run + 1) * runLeaves,
        firstIdAt(before),
        ...words,
        ...kept.values,
        room,
      );
      for (const { leaf } of found) remove.run(leaf);
      taken.push(...found.map(({ leaf }) => leaf));
      const isDone = found.length < room && span.to < before && run < spans.length - 1;
      if (isDone && run === (this.#expired.get(dataClass) ?? 0)) this.#expired.set(dataClass, run + 1);
    }
    return taken;
  }

  /** A row that may be held is taken for held: users are told apart by a hash here. */
  #notHeld(held: readonly HeldRows[]): {
    readonly sql: string;
    readonly values: readonly SQLQueryBindings[];
  } {
    const conditions = held.map((filter) => this.#conditions.asked({ ...filter, limit: 0 }));
    const covered = conditions.map((all) => `(${all.map(({ sql }) => sql).join(' AND ')}) IS NOT TRUE`);
    return {
      sql: covered.map((sql) => ` AND ${sql}`).join(''),
      values: conditions.flatMap((all) => all.flatMap(({ values }) => values)),
    };
  }

  /** Empties the rows of one user; gives their leaves. The id stays, so that whoever asks for it is told. */
  takeUser(user: string, entry: (leaf: number) => string | null): readonly number[] {
    const leaves = [...this.leaves({ user, limit: 0 }, Number.MAX_SAFE_INTEGER, runLeaves, entry)];
    const empty = this.#database.query(
      `UPDATE records SET ${recordColumns.map(({ name }) => `${name} = NULL`).join(', ')} WHERE leaf = ?`,
    );
    for (const leaf of leaves) empty.run(leaf);
    return leaves;
  }

  /** How many rows fit. */
  count(filter: Omit<RecordFilter, 'limit'>): number {
    return this.plan({ ...filter, limit: countMax }, countMax, countMax).reduce((sum, { sql, values }) => {
      const counted = this.#database
        .query<{ count: number }, SQLQueryBindings[]>(`SELECT count(*) AS count FROM (${sql})`)
        .get(...values);
      return sum + (counted?.count ?? 0);
    }, 0);
  }

  /** Runs that can have rows that fit, newest first, as ranges of leaves. */
  #runs(conditions: readonly Condition[], below: number, filter: RecordFilter): readonly number[] {
    const lists = conditions.flatMap(({ words }) => (words === undefined ? [] : [words]));
    const newest = runOf(Math.min(below, this.#last() + 1) - 1);
    const { spans } = this;
    const { since = -Infinity, until = Infinity } = filter;
    const all = Array.from({ length: newest + 1 }, (_, index) => newest - index).filter((run) => {
      const span = spans[run] ?? emptySpan;
      return span.to >= since && span.from < until;
    });
    return lists.reduce<readonly number[]>((runs, words) => {
      const having = new Set(
        this.#database
          .query<{ run: number }, SQLQueryBindings[]>(
            `SELECT run FROM run_words WHERE word IN (${marks(words)})`,
          )
          .all(...words)
          .map(({ run }) => run),
      );
      return runs.filter((run) => having.has(run));
    }, all);
  }

  /** Statements that give the rows that fit, one after the other; newest first, at most `rowsMax` each. */
  plan(filter: RecordFilter, below: number, rowsMax: number): readonly Planned[] {
    const conditions = this.#conditions.asked(filter);
    const where = conditions.map(({ sql }) => ` AND ${sql}`).join('');
    const values = conditions.flatMap((condition) => condition.values);
    const statement = (extra: string, ...bounds: readonly SQLQueryBindings[]): Planned => ({
      sql: `SELECT leaf FROM records WHERE ${extra}${where} ORDER BY leaf DESC LIMIT ?`,
      values: [...bounds, ...values, rowsMax],
    });
    if (conditions.length === 0 || conditions.some(({ rare }) => rare === true))
      return [statement('leaf < ?', below)];
    const inRun = conditions.some((condition) => condition.inRun === true);
    return this.#runs(conditions, below, filter).map((run) =>
      inRun
        ? statement('(leaf >> 12) = ? AND +leaf < ?', run, below)
        : statement('leaf >= ? AND leaf < ?', run * runLeaves, Math.min(below, (run + 1) * runLeaves)),
    );
  }

  /**
   * Some columns of the rows that fit, in the newest few runs below a leaf that can have any, and where to go on; null
   * when that was all. Runs are few at a time, so that whatever waits for the database waits shortly.
   */
  scan(filter: RecordFilter, below: number | null, columns: readonly string[]): Scanned {
    const conditions = this.#conditions.asked(filter);
    const end = below ?? this.#last() + 1;
    const runs = this.#runs(conditions, end, filter);
    const some = runs.slice(0, runsAtOnce);
    const where = conditions.map(({ sql }) => ` AND ${sql.replace(/^id /, '+id ')}`).join('');
    const values = conditions.flatMap((condition) => condition.values);
    const query = this.#database.query<unknown, SQLQueryBindings[]>(
      `SELECT leaf, id, ${columns.join(', ')} FROM records WHERE leaf >= ? AND leaf < ? AND feature IS NOT NULL${where}`,
    );
    return {
      rows: some.flatMap((run) =>
        query.values(run * runLeaves, Math.min(end, (run + 1) * runLeaves), ...values),
      ) as SQLQueryBindings[][],
      below: runs.length > some.length ? (some.at(-1) ?? 0) * runLeaves : null,
      checks: conditions.flatMap(({ check }) => check ?? []),
    };
  }

  /** Leaves of rows that fit, newest first. `entry` is asked only where a row cannot be sure. */
  *leaves(
    filter: RecordFilter,
    below: number,
    rowsMax: number,
    entry: (leaf: number) => string | null,
  ): Generator<number> {
    const checks = this.#conditions.asked(filter).flatMap(({ check }) => check ?? []);
    for (const { sql, values } of this.plan(filter, below, checks.length === 0 ? rowsMax : runLeaves)) {
      for (const { leaf } of this.#database.query<{ leaf: number }, SQLQueryBindings[]>(sql).all(...values)) {
        if (checks.length > 0) {
          const json = JSON.parse(entry(leaf) ?? '{}') as Record<string, unknown>;
          if (!checks.every((check) => check(json))) continue;
        }
        yield leaf;
      }
    }
  }
}

/** What a hold covers. */
type HeldRows = Omit<RecordFilter, 'limit' | 'cursor'>;

type Scanned = {
  readonly rows: readonly (readonly SQLQueryBindings[])[];
  readonly below: number | null;
  /** What the entry of a row has to say so that the row is surely meant. */
  readonly checks: readonly NonNullable<Condition['check']>[];
};
type Planned = { readonly sql: string; readonly values: readonly SQLQueryBindings[] };

/** Columns whose words are noted for each run. */
const noted = new Set([
  'feature',
  'requested',
  'preferred',
  'served',
  'attempted',
  'tenant',
  'key',
  'hop',
  'fallback',
  'boundary',
  'failures',
  'outcome',
]);
const wordIndexes: readonly number[] = recordColumns.flatMap(({ name }, index) =>
  noted.has(name) ? [index] : [],
);
