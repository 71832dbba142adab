/**
 * The rows of records that are searched: one narrow row of numbers for each entry of the ledger that is a record, in the
 * ledger's order, so that writing only appends. Listings are newest first in that order, which no later write changes.
 *
 * What is rare in a record (a hop, a failure) has an index of the rows that have it. What every record has (a feature, a
 * tenant) is noted once for each run of 4,096 entries in which it occurs, and a listing looks into those runs only. An id
 * and a user are indexed within their run, so that writing touches few pages however many users there are.
 */
import type { Database, SQLQueryBindings } from 'bun:sqlite';

import { noNumber, recordColumns, textHash, uuidBytes, wordSet } from './record-batch.ts';
import type { RecordBatch } from './record-batch.ts';
import type { RecordFilter } from './store.ts';
import { answeredWord, otherWord } from './words.ts';

/** As the indexes say it: `leaf >> 12`. */
const runLeaves = 2 ** 12;
/** More than there can be. */
const countMax = Number.MAX_SAFE_INTEGER;
const runOf = (leaf: number): number => Math.floor(leaf / runLeaves);

type Condition = {
  readonly sql: string;
  readonly values: readonly SQLQueryBindings[];
  /** Looked for across all runs by an index of its own. */
  readonly rare?: true;
  /** Only runs that have one of these words can have a row. */
  readonly words?: readonly number[];
  /** The row may be another's: the entry has to be read. */
  readonly check?: (json: Readonly<Record<string, unknown>>) => boolean;
  /** Needs the run beside it, for an index within runs. */
  readonly inRun?: true;
};
type FilterName = Exclude<keyof RecordFilter, 'limit' | 'cursor'>;

const nothing: Condition = { sql: 'FALSE', values: [], words: [] };

const marks = (list: readonly unknown[]): string => list.map(() => '?').join(', ');

/** UUIDv7: the first 48 bits are the time. */
function firstIdAt(at: number): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.max(0, Math.ceil(at))) << 16n);
  return bytes;
}

const timeOf = (id: Uint8Array): number =>
  new DataView(id.buffer, id.byteOffset).getUint16(0) * 2 ** 32 +
  new DataView(id.buffer, id.byteOffset).getUint32(2);

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
  readonly #insertSql: string;

  constructor(database: Database) {
    this.#database = database;
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
  takeExpired(expiries: readonly ExpiryRow[], rowsMax: number): readonly number[] {
    const named = expiries.flatMap(({ dataClass }) => (dataClass === null ? [] : [dataClass]));
    return expiries.flatMap((expiry) => this.#takeExpired(expiry, named, rowsMax));
  }

  #takeExpired(
    { dataClass, before }: ExpiryRow,
    named: readonly string[],
    rowsMax: number,
  ): readonly number[] {
    const words = (dataClass === null ? named : [dataClass]).flatMap((name) => this.#wordId(name) ?? []);
    if (dataClass !== null && words.length === 0) return [];
    const ofClass =
      dataClass === null ? `(class IS NULL OR class NOT IN (${marks(words)}))` : `class IN (${marks(words)})`;
    const find = this.#database.query<{ leaf: number }, SQLQueryBindings[]>(
      `SELECT leaf FROM records WHERE leaf >= ? AND leaf < ? AND feature IS NOT NULL AND id < ? AND ${ofClass} ORDER BY leaf LIMIT ?`,
    );
    const remove = this.#database.query('DELETE FROM records WHERE leaf = ?');
    const taken: number[] = [];
    const { spans } = this;
    for (let run = this.#expired.get(dataClass) ?? 0; run < spans.length && taken.length < rowsMax; run++) {
      const span = spans[run] ?? emptySpan;
      if (span.from === Infinity) continue;
      if (span.from >= before) break;
      const room = rowsMax - taken.length;
      const found = find.all(run * runLeaves, (run + 1) * runLeaves, firstIdAt(before), ...words, room);
      for (const { leaf } of found) remove.run(leaf);
      taken.push(...found.map(({ leaf }) => leaf));
      const isDone = found.length < room && span.to < before && run < spans.length - 1;
      if (isDone && run === (this.#expired.get(dataClass) ?? 0)) this.#expired.set(dataClass, run + 1);
    }
    return taken;
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

  #wordId(text: string): number | null {
    const found = this.#database
      .query<{ id: number }, [string]>('SELECT id FROM words WHERE text = ?')
      .get(text);
    if (found !== null) return found.id;
    const full = this.#database
      .query<{ run: number }, [number]>('SELECT run FROM run_words WHERE word = ? LIMIT 1')
      .get(otherWord);
    return full === null ? null : otherWord;
  }

  #equal(column: string, text: string, field: string = column): Condition {
    const id = this.#wordId(text);
    if (id === null) return nothing;
    const condition: Condition = { sql: `${column} = ?`, values: [id], words: [id] };
    return id === otherWord ? { ...condition, check: (json) => json[field] === text } : condition;
  }

  #among(column: string, text: string): Condition {
    const pattern = `%${(wordSet([text]) ?? '').replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    const ids = this.#database
      .query<{ id: number }, [string]>(String.raw`SELECT id FROM words WHERE text LIKE ? ESCAPE '\'`)
      .all(pattern)
      .map(({ id }) => id);
    return ids.length === 0 ? nothing : { sql: `${column} IN (${marks(ids)})`, values: ids, words: ids };
  }

  /** Requests are looked for from the first to the last that it hit. */
  #hitBy(incident: string): Condition {
    const ends = this.#database
      .query<{ first: string | null; last: string | null }, [string]>(
        'SELECT min(request) AS first, max(request) AS last FROM incident_hits WHERE incident = ?',
      )
      .get(incident);
    const [first, last] = [uuidBytes(ends?.first ?? ''), uuidBytes(ends?.last ?? '')];
    if (first === null || last === null) return nothing;
    const hits = "SELECT unhex(replace(substr(request, 5), '-', '')) FROM incident_hits WHERE incident = ?";
    return { sql: `id BETWEEN ? AND ? AND id IN (${hits})`, values: [first, last, incident], inRun: true };
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

  #conditions: { readonly [name in FilterName]: (value: NonNullable<RecordFilter[name]>) => Condition } = {
    feature: (value) => this.#equal('feature', value),
    target: (value) => this.#equal('served', value),
    attempted: (value) => this.#among('attempted', value),
    requested: (value) => this.#equal('requested', value),
    preferred: (value) => this.#equal('preferred', value),
    hop: (value) => ({ ...this.#equal('hop', value), rare: true }),
    boundary: (value) => ({ ...this.#among('boundary', value), rare: true }),
    failure: (value) => ({ ...this.#among('failures', value), rare: true }),
    outcome: (value) => {
      const condition = this.#equal('outcome', value);
      return condition.values[0] === answeredWord
        ? condition
        : { ...condition, sql: `outcome <> ${answeredWord} AND ${condition.sql}`, rare: true };
    },
    tenant: (value) => this.#equal('tenant', value),
    user: (value) => ({
      sql: 'user = ?',
      values: [textHash(value)],
      inRun: true,
      check: (json) => json['user'] === value,
    }),
    key: (value) => this.#equal('key', value),
    incident: (value) => this.#hitBy(value),
    since: (value) => ({ sql: 'id >= ?', values: [firstIdAt(value)], inRun: true }),
    until: (value) => ({ sql: 'id < ?', values: [firstIdAt(value)], inRun: true }),
  };

  #asked(filter: RecordFilter): readonly Condition[] {
    const one = <N extends FilterName>(name: N, value: RecordFilter[N]): readonly Condition[] =>
      value === undefined ? [] : [this.#conditions[name](value)];
    return (Object.keys(this.#conditions) as FilterName[]).flatMap((name) => one(name, filter[name]));
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
    const conditions = this.#asked(filter);
    // A user's rows are few: the plus keeps the index of ids out of it.
    const where = conditions
      .map(({ sql }) => ` AND ${filter.user === undefined ? sql : sql.replace(/^id /, '+id ')}`)
      .join('');
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

  /** Leaves of rows that fit, newest first. `entry` is asked only where a row cannot be sure. */
  *leaves(
    filter: RecordFilter,
    below: number,
    rowsMax: number,
    entry: (leaf: number) => string | null,
  ): Generator<number> {
    const checks = this.#asked(filter).flatMap(({ check }) => check ?? []);
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
  'boundary',
  'failures',
  'outcome',
]);
const wordIndexes: readonly number[] = recordColumns.flatMap(({ name }, index) =>
  noted.has(name) ? [index] : [],
);
