/**
 * The SQLite database behind the store, synchronous; it runs in a worker so that writing to disk never stops the
 * relay. Commits are flushed to disk (`synchronous=FULL`): what was acknowledged survives a crash of process or machine.
 * It is `bun:sqlite` rather than `Bun.SQL`: in a thread of its own there is nothing to gain from promises, and a batch of
 * 64 records, row by row, took half the processor time (9 against 19 µs a record, medians of nine rounds; as one
 * statement of 64 rows they were close, 7 against 9, but a batch is rarely full).
 */
import { Database } from 'bun:sqlite';
import type { SQLQueryBindings } from 'bun:sqlite';
import { chmodSync, existsSync } from 'node:fs';

import { migrations } from './migrations.ts';
import type { RecordRow, StatusRow } from './rows.ts';
import { pageSizeMax } from './store.ts';
import type { Page, RecordFilter, ReleaseOutcome } from './store.ts';

type ChangeRow = { readonly id: string; readonly at: number; readonly kind: string; readonly body: string };

const insertRecordSql = `INSERT INTO records (id, at, feature, requested, served, hop, outcome, tenant, user, key, boundary, attempted, failures, body) VALUES (${Array.from({ length: 14 }, () => '?').join(', ')}) ON CONFLICT (id) DO NOTHING`;

type Condition = { readonly sql: string; readonly values: readonly SQLQueryBindings[] };
type FilterName = Exclude<keyof RecordFilter, 'limit'>;

/** A word in a list that `rows.ts` wrote between bars. */
const among = (column: string, word: string): Condition => ({
  // The first half lets the index of the rows that have any be used.
  sql: `${column} <> '' AND ${column} LIKE ? ESCAPE '\\'`,
  values: [`%|${word.replaceAll(/[\\%_]/g, String.raw`\$&`)}|%`],
});

const equal = (column: string, value: string): Condition => ({ sql: `${column} = ?`, values: [value] });

/** Ids are made from the time (UUIDv7), so that a range of time is a range of ids and needs no index of its own. */
function firstIdAt(at: number): string {
  const digits = Math.max(0, at).toString(16).padStart(12, '0');
  return `req_${digits.slice(0, 8)}-${digits.slice(8, 12)}`;
}

/** Filter name → condition; a value is always a parameter. */
const conditions: { readonly [name in FilterName]: (value: NonNullable<RecordFilter[name]>) => Condition } = {
  feature: (value) => equal('feature', value),
  target: (value) => equal('served', value),
  attempted: (value) => among('attempted', value),
  requested: (value) => equal('requested', value),
  hop: (value) => equal('hop', value),
  boundary: (value) => among('boundary', value),
  failure: (value) => among('failures', value),
  outcome: (value) =>
    value === 'answered'
      ? equal('outcome', value)
      : { sql: "outcome <> 'answered' AND outcome = ?", values: [value] },
  tenant: (value) => equal('tenant', value),
  user: (value) => equal('user', value),
  key: (value) => equal('key', value),
  since: (value) => ({ sql: 'id >= ? AND at >= ?', values: [firstIdAt(value), value] }),
  until: (value) => ({ sql: 'id < ? AND at < ?', values: [firstIdAt(value), value] }),
  cursor: (value) => ({ sql: 'id < ?', values: [value] }),
};

const filterNames = Object.keys(conditions) as FilterName[];

function conditionOf<N extends FilterName>(name: N, value: RecordFilter[N]): Condition | null {
  return value === undefined ? null : conditions[name](value);
}

/** The statement of a listing; its last parameter, the number of rows, is not among the values. */
export function recordsQuery(filter: RecordFilter): Condition {
  const asked = filterNames.flatMap((name) => conditionOf(name, filter[name]) ?? []);
  const where = asked.length === 0 ? '' : `WHERE ${asked.map(({ sql }) => sql).join(' AND ')} `;
  return {
    sql: `SELECT id, body FROM records ${where}ORDER BY id DESC LIMIT ?`,
    values: asked.flatMap(({ values }) => values),
  };
}

export class SqliteDatabase {
  readonly #database: Database;

  /** Opens and migrates. Throws when the file cannot be used or is newer than this program. */
  constructor(path: string) {
    const isNewFile = path !== ':memory:' && !existsSync(path);
    this.#database = new Database(path, { create: true, strict: true });
    // It holds the hashes of keys and the key of the fingerprints: nobody else's to read.
    if (isNewFile) chmodSync(path, 0o600);
    // Rows are wide: larger pages mean fewer writes for a batch. Only a new file takes it.
    this.#database.run('PRAGMA page_size = 16384');
    this.#database.run('PRAGMA busy_timeout = 0');
    this.#database.run('PRAGMA locking_mode = EXCLUSIVE');
    this.#database.run('PRAGMA journal_mode = WAL');
    this.#database.run('PRAGMA synchronous = FULL');
    this.#migrate();
  }

  #number(sql: string): number {
    return this.#database.query<{ value: number }, []>(sql).get()?.value ?? 0;
  }

  #migrate(): void {
    const current = this.#number('SELECT user_version AS value FROM pragma_user_version');
    if (current > migrations.length)
      throw new Error(
        `it was written by a newer version (schema ${current}, this version knows ${migrations.length})`,
      );
    if (current === 0 && this.#number('SELECT count(*) AS value FROM sqlite_schema') > 0)
      throw new Error('it is the database of another program');
    this.#database.transaction(() => {
      migrations.slice(current).forEach((step, index) => {
        this.#database.run(step);
        this.#database.run(`PRAGMA user_version = ${current + index + 1}`);
      });
      // Takes the write lock even when there is nothing to migrate, so that a second process finds out now.
      this.#database.run(
        "INSERT INTO settings (name, value) VALUES ('opened', '1') ON CONFLICT (name) DO UPDATE SET value = value",
      );
    })();
  }

  appendRecords(rows: readonly RecordRow[]): void {
    const insert = this.#database.query<unknown, SQLQueryBindings[]>(insertRecordSql);
    this.#database.transaction(() => {
      for (const row of rows) insert.run(...row);
    })();
  }

  #body(sql: string, ...values: SQLQueryBindings[]): string | null {
    return this.#database.query<{ body: string }, SQLQueryBindings[]>(sql).get(...values)?.body ?? null;
  }

  findRecord(id: string): string | null {
    return this.#body('SELECT body FROM records WHERE id = ?', id);
  }

  listRecords(filter: RecordFilter): Page<string> {
    const { sql, values } = recordsQuery(filter);
    return this.#page(sql, values, filter.limit);
  }

  #page(sql: string, values: readonly SQLQueryBindings[], asked: number): Page<string> {
    const size = Math.min(asked, pageSizeMax);
    const rows = this.#database
      .query<{ id: string; body: string }, SQLQueryBindings[]>(sql)
      .all(...values, size + 1);
    const shown = rows.slice(0, size);
    return {
      items: shown.map((row) => row.body),
      nextCursor: rows.length > size ? (shown.at(-1)?.id ?? null) : null,
    };
  }

  prune(before: number, recordsMax: number): number {
    return this.#database
      .query('DELETE FROM records WHERE id IN (SELECT id FROM records WHERE id < ? ORDER BY id LIMIT ?)')
      .run(firstIdAt(before), recordsMax).changes;
  }

  #insertChange(change: ChangeRow): void {
    this.#database
      .query('INSERT INTO changes (id, at, kind, body) VALUES (?, ?, ?, ?)')
      .run(change.id, change.at, change.kind, change.body);
  }

  appendChange(change: ChangeRow): void {
    this.#insertChange(change);
  }

  listChanges(cursor: string | null, limit: number): Page<string> {
    return cursor === null
      ? this.#page('SELECT id, body FROM changes ORDER BY id DESC LIMIT ?', [], limit)
      : this.#page('SELECT id, body FROM changes WHERE id < ? ORDER BY id DESC LIMIT ?', [cursor], limit);
  }

  insertSwitch(id: string, rev: number, body: string, change: ChangeRow): void {
    this.#database.transaction(() => {
      this.#database
        .query('INSERT INTO switches (id, rev, released, body) VALUES (?, ?, 0, ?)')
        .run(id, rev, body);
      this.#insertChange(change);
    })();
  }

  releaseSwitch(
    entry: { readonly id: string; readonly rev: number; readonly body: string },
    rev: number,
    change: ChangeRow,
  ): ReleaseOutcome {
    return this.#database.transaction((): ReleaseOutcome => {
      const found = this.#database
        .query<{ rev: number; released: number }, [string]>('SELECT rev, released FROM switches WHERE id = ?')
        .get(entry.id);
      if (found === null) return 'not_found';
      if (found.released === 1) return 'already_released';
      if (found.rev !== rev) return 'stale';
      this.#database
        .query('UPDATE switches SET rev = ?, released = 1, body = ? WHERE id = ?')
        .run(entry.rev, entry.body, entry.id);
      this.#insertChange(change);
      return 'released';
    })();
  }

  loadSwitches(): readonly string[] {
    return this.#database
      .query<{ body: string }, []>('SELECT body FROM switches WHERE released = 0 ORDER BY id')
      .all()
      .map((row) => row.body);
  }

  findSwitch(id: string): string | null {
    return this.#body('SELECT body FROM switches WHERE id = ?', id);
  }

  insertKey(id: string, hash: string, body: string, change: ChangeRow): void {
    this.#database.transaction(() => {
      this.#database
        .query('INSERT INTO keys (id, hash, revoked_at, body) VALUES (?, ?, NULL, ?)')
        .run(id, hash, body);
      this.#insertChange(change);
    })();
  }

  findKey(id: string): string | null {
    return this.#body('SELECT body FROM keys WHERE id = ? AND revoked_at IS NULL', id);
  }

  revokeKey(id: string, at: number, body: string, change: ChangeRow): boolean {
    return this.#database.transaction((): boolean => {
      const changed = this.#database
        .query('UPDATE keys SET revoked_at = ?, body = ? WHERE id = ? AND revoked_at IS NULL')
        .run(at, body, id).changes;
      if (changed > 0) this.#insertChange(change);
      return changed > 0;
    })();
  }

  loadKeys(): readonly string[] {
    return this.#database
      .query<{ body: string }, []>('SELECT body FROM keys ORDER BY id')
      .all()
      .map((row) => row.body);
  }

  setting(name: string): string | null {
    return (
      this.#database.query<{ value: string }, [string]>('SELECT value FROM settings WHERE name = ?').get(name)
        ?.value ?? null
    );
  }

  /** Keeps the value unless there is one; says which one is kept. */
  settingOr(name: string, value: string): string {
    this.#database
      .query('INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING')
      .run(name, value);
    return this.setting(name) ?? value;
  }

  setSetting(name: string, value: string, change: ChangeRow): void {
    this.#database.transaction(() => {
      this.#database
        .query(
          'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        )
        .run(name, value);
      this.#insertChange(change);
    })();
  }

  saveSnapshot(hash: string, text: string, at: number): void {
    this.#database
      .query('INSERT OR IGNORE INTO snapshots (hash, at, text) VALUES (?, ?, ?)')
      .run(hash, at, text);
  }

  findSnapshot(hash: string): string | null {
    return (
      this.#database.query<{ text: string }, [string]>('SELECT text FROM snapshots WHERE hash = ?').get(hash)
        ?.text ?? null
    );
  }

  saveStatus(rows: readonly StatusRow[]): void {
    const insert = this.#database.query(
      'INSERT INTO status_intervals (feature, since, until, status) VALUES (?, ?, ?, ?) ON CONFLICT (feature, since) DO UPDATE SET until = excluded.until, status = excluded.status',
    );
    this.#database.transaction(() => {
      for (const { feature, since, until, status } of rows) insert.run(feature, since, until, status);
    })();
  }

  loadStatus(since: number, rowsMax: number): readonly StatusRow[] {
    return this.#database
      .query<StatusRow, [number, number]>(
        'SELECT feature, since, until, status FROM status_intervals WHERE until >= ? ORDER BY since DESC LIMIT ?',
      )
      .all(since, rowsMax)
      .reverse();
  }

  pruneStatus(before: number): number {
    return this.#database.query('DELETE FROM status_intervals WHERE until < ?').run(before).changes;
  }

  close(): void {
    this.#database.close();
  }
}
