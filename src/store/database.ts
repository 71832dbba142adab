/**
 * The SQLite database behind the store, synchronous; it runs in a worker so that writing to disk never stops the
 * relay. Commits are flushed to disk (`synchronous=FULL`): what was acknowledged survives a crash of process or machine.
 */
import { Database } from 'bun:sqlite';
import type { SQLQueryBindings } from 'bun:sqlite';

import { migrations } from './migrations.ts';
import { recordRow } from './rows.ts';
import type { Page, RecordFilter, ReleaseOutcome } from './store.ts';

type ChangeRow = { readonly id: string; readonly at: number; readonly kind: string; readonly body: string };

const insertRecordSql = `INSERT OR IGNORE INTO records (id, at, feature, requested, served, hop, outcome, tenant, user, key, boundary, attempted, failures, body) VALUES (${Array.from({ length: 14 }, () => '?').join(', ')})`;

/** Filter name → condition; the value is always a parameter. */
const conditions: Readonly<
  Record<Exclude<keyof RecordFilter, 'limit'>, { readonly sql: string; readonly like?: true }>
> = {
  feature: { sql: 'feature = ?' },
  target: { sql: 'served = ?' },
  attempted: { sql: "attempted LIKE ? ESCAPE '\\'", like: true },
  requested: { sql: 'requested = ?' },
  hop: { sql: 'hop = ?' },
  boundary: { sql: "boundary LIKE ? ESCAPE '\\'", like: true },
  failure: { sql: "failures LIKE ? ESCAPE '\\'", like: true },
  outcome: { sql: 'outcome = ?' },
  tenant: { sql: 'tenant = ?' },
  user: { sql: 'user = ?' },
  key: { sql: 'key = ?' },
  since: { sql: 'at >= ?' },
  until: { sql: 'at < ?' },
  cursor: { sql: 'id < ?' },
};

const conditionNames = Object.keys(conditions) as (keyof typeof conditions)[];

const oneOf = (value: string): string => `%|${value.replaceAll(/[\\%_]/g, String.raw`\$&`)}|%`;

export class SqliteDatabase {
  readonly #database: Database;

  /** Opens and migrates. Throws when the file cannot be used or is newer than this program. */
  constructor(path: string) {
    this.#database = new Database(path, { create: true, strict: true });
    this.#database.run('PRAGMA locking_mode = EXCLUSIVE');
    this.#database.run('PRAGMA journal_mode = WAL');
    this.#database.run('PRAGMA synchronous = FULL');
    this.#database.run('PRAGMA busy_timeout = 0');
    this.#migrate();
  }

  #migrate(): void {
    const current =
      this.#database.query<{ user_version: number }, []>('PRAGMA user_version').get()?.user_version ?? 0;
    if (current > migrations.length)
      throw new Error(
        `it was written by a newer version (schema ${current}, this version knows ${migrations.length})`,
      );
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

  appendRecords(bodies: readonly string[]): void {
    const insert = this.#database.prepare<unknown, SQLQueryBindings[]>(insertRecordSql);
    this.#database.transaction(() => {
      for (const body of bodies) insert.run(...recordRow(body));
    })();
  }

  #body(sql: string, ...values: SQLQueryBindings[]): string | null {
    return this.#database.query<{ body: string }, SQLQueryBindings[]>(sql).get(...values)?.body ?? null;
  }

  findRecord(id: string): string | null {
    return this.#body('SELECT body FROM records WHERE id = ?', id);
  }

  listRecords(filter: RecordFilter): Page<string> {
    const wheres: string[] = [];
    const values: SQLQueryBindings[] = [];
    for (const name of conditionNames) {
      const value = filter[name];
      const condition = conditions[name];
      if (value === undefined) continue;
      wheres.push(condition.sql);
      values.push(condition.like === true ? oneOf(String(value)) : value);
    }
    const where = wheres.length === 0 ? '' : `WHERE ${wheres.join(' AND ')}`;
    return this.#page(`SELECT id, body FROM records ${where} ORDER BY id DESC LIMIT ?`, values, filter.limit);
  }

  #page(sql: string, values: SQLQueryBindings[], limit: number): Page<string> {
    const rows = this.#database
      .query<{ id: string; body: string }, SQLQueryBindings[]>(sql)
      .all(...values, limit + 1);
    const shown = rows.slice(0, limit);
    return {
      items: shown.map((row) => row.body),
      nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
    };
  }

  prune(before: number, recordsMax: number): number {
    return this.#database
      .query('DELETE FROM records WHERE id IN (SELECT id FROM records WHERE at < ? ORDER BY at LIMIT ?)')
      .run(before, recordsMax).changes;
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

  setSetting(name: string, value: string, change: ChangeRow | null): void {
    this.#database.transaction(() => {
      this.#database
        .query(
          'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        )
        .run(name, value);
      if (change !== null) this.#insertChange(change);
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

  close(): void {
    this.#database.close();
  }
}
