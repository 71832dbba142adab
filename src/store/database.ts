/**
 * The SQLite database behind the store, synchronous; it runs in a worker so that writing to disk never stops the
 * relay. Commits are flushed to disk (`synchronous=FULL`): what was acknowledged survives a crash of process or machine.
 * It is `bun:sqlite` rather than `Bun.SQL`: in a thread of its own there is nothing to gain from promises, and a batch of
 * 64 records, row by row, took half the processor time (9 against 19 µs a record, medians of nine rounds; as one
 * statement of 64 rows they were close, 7 against 9, but a batch is rarely full).
 */
import { constants, Database } from 'bun:sqlite';
import { chmodSync, existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

import { EvidenceTables } from './evidence-tables.ts';
import type { ChangeRow, KeptEntry } from './evidence-tables.ts';
import { PlaybookTables } from './playbook-tables.ts';
import type { RunRow } from './playbook-tables.ts';
import type { DeliveryRow, GateRow } from './rows.ts';
import { checkTables, fillFrom, standbyOf } from './standby.ts';
import type { Page, ReleaseOutcome } from './store.ts';

export type SwitchRow = {
  readonly id: string;
  readonly rev: number;
  readonly released: 0 | 1;
  readonly body: string;
};

/**
 * Others may read the database while it is in use, but only one process may write it: whoever holds the lock file, for as
 * long as it lives, however it ends.
 */
function hold(path: string): Database {
  const lock = new Database(`${path}.lock`, { create: true });
  try {
    lock.run('PRAGMA busy_timeout = 0');
    lock.run('BEGIN EXCLUSIVE');
    chmodSync(`${path}.lock`, 0o600);
  } catch (error) {
    lock.close();
    throw error;
  }
  return lock;
}

/** With what was written last, where SQLite's files beside the database are still there; without it where they cannot be made. */
function openReadOnly(path: string): Database {
  try {
    const database = new Database(path, { readonly: true, strict: true });
    database.query('SELECT count(*) FROM sqlite_schema').get();
    return database;
  } catch {
    return openImmutable(path);
  }
}

function openImmutable(path: string): Database {
  const flags = constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI;
  return new Database(`${pathToFileURL(path).href}?immutable=1`, flags);
}

function prepare(database: Database): void {
  // Only a new file takes it: twice the default, because a block of entries is long.
  database.run('PRAGMA page_size = 8192');
  database.run('PRAGMA busy_timeout = 5000');
  database.run('PRAGMA journal_mode = WAL');
  database.run('PRAGMA synchronous = FULL');
}

type Opened = { readonly database: Database; readonly lock: Database | null };

function openFile(path: string, readOnly: boolean): Opened {
  if (readOnly) return { database: openReadOnly(path), lock: null };
  const lock = path === ':memory:' ? null : hold(path);
  try {
    const isNewFile = path !== ':memory:' && !existsSync(path);
    const database = new Database(path, { create: true, strict: true });
    // It holds the hashes of keys and the key of the fingerprints: nobody else's to read.
    if (isNewFile) chmodSync(path, 0o600);
    return { database, lock };
  } catch (error) {
    lock?.close();
    throw error;
  }
}

export class SqliteDatabase extends EvidenceTables {
  readonly #database: Database;
  readonly #lock: Database | null;
  readonly #playbooks: PlaybookTables;

  /** It stands in for one that cannot be read: what is recorded waits for the real one. */
  #standsIn = false;

  /** Opens and migrates. Throws when the file cannot be used or is newer than this program. */
  constructor(path: string, readOnly: boolean) {
    const { database, lock } = openFile(path, readOnly);
    super(database);
    this.#lock = lock;
    this.#database = database;
    this.#playbooks = new PlaybookTables(this.#database);
    try {
      if (!readOnly) prepare(database);
      this.migrate();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  override appendRecords(...values: Parameters<EvidenceTables['appendRecords']>): void {
    if (this.#standsIn) throw new Error('the store is damaged');
    super.appendRecords(...values);
  }

  /** Throws when what every start needs is damaged. */
  check(): void {
    checkTables(this.#database);
  }

  standby(): string {
    return standbyOf(this.#database);
  }

  standIn(known: string | null, isReadOnly: boolean): void {
    this.#standsIn = true;
    if (known !== null) fillFrom(this.#database, known);
    this.setReadOnly(isReadOnly);
  }

  /** A copy of all of it as a file. */
  saveAs(path: string): void {
    this.setReadOnly(false);
    this.#database.query('VACUUM INTO ?').run(path);
    chmodSync(path, 0o600);
    this.setReadOnly(true);
  }

  insertSwitch(id: string, rev: number, body: string, change: ChangeRow): void {
    this.#database.transaction(() => {
      this.#database
        .query('INSERT INTO switches (id, rev, released, body) VALUES (?, ?, 0, ?)')
        .run(id, rev, body);
      this.insertChange(change);
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
      this.insertChange(change);
      return 'released';
    })();
  }

  #body(sql: string, id: string): string | null {
    return this.#database.query<{ body: string }, [string]>(sql).get(id)?.body ?? null;
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
      this.insertChange(change);
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
      if (changed > 0) this.insertChange(change);
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
    const kept = this.setting(name);
    if (kept !== null) return kept;
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
      this.insertChange(change);
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

  /** Changes that are to be told of, oldest first. */
  loadOutbox(changesMax: number): readonly KeptEntry[] {
    return this.#database
      .query<{ leaf: number }, [number]>('SELECT leaf FROM outbox ORDER BY leaf LIMIT ?')
      .all(changesMax)
      .flatMap(({ leaf }) => this.kept(leaf) ?? []);
  }

  insertMessage(id: string, incident: string, body: string, change: ChangeRow): void {
    this.#database.transaction(() => {
      this.putMessage(id, incident, body);
      this.insertChange(change);
    })();
  }

  saveDelivery(row: DeliveryRow, change: ChangeRow | null): void {
    this.#database.transaction(() => {
      this.putDelivery(row);
      if (change !== null) this.insertChange(change);
    })();
  }

  saveRun(row: RunRow, changes: readonly ChangeRow[], switches: readonly SwitchRow[]): boolean {
    return this.#database.transaction(() => {
      if (!this.#playbooks.put(row)) return false;
      const put = this.#database.query(
        'INSERT INTO switches (id, rev, released, body) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET rev = excluded.rev, released = excluded.released, body = excluded.body',
      );
      for (const { id, rev, released, body } of switches) put.run(id, rev, released, body);
      for (const change of changes) this.insertChange(change);
      return true;
    })();
  }

  loadRuns(): readonly string[] {
    return this.#playbooks.open();
  }

  findRun(id: string): string | null {
    return this.#playbooks.find(id);
  }

  listRuns(playbook: string | null, cursor: string | null, limit: number): Page<string> {
    return this.#playbooks.list(playbook, cursor, limit);
  }

  loadPlaybooks(): readonly string[] {
    return this.#playbooks.texts();
  }

  savePlaybook(name: string, text: string, change: ChangeRow): void {
    this.#database.transaction(() => {
      this.#playbooks.save(name, text);
      this.insertChange(change);
    })();
  }

  removePlaybook(name: string, change: ChangeRow): boolean {
    return this.#database.transaction(() => {
      const isGone = this.#playbooks.remove(name);
      if (isGone) this.insertChange(change);
      return isGone;
    })();
  }

  #saveOfTargets(table: 'gates' | 'canaries', rows: readonly GateRow[]): void {
    const insert = this.#database.query(
      `INSERT INTO ${table} (target, at, cell) VALUES (?, ?, ?) ON CONFLICT (target) DO UPDATE SET at = excluded.at, cell = excluded.cell`,
    );
    this.#database.transaction(() => {
      for (const { target, at, cell } of rows) insert.run(target, at, cell);
    })();
  }

  #loadOfTargets(table: 'gates' | 'canaries', since: number): readonly GateRow[] {
    return this.#database
      .query<GateRow, [number]>(`SELECT target, at, cell FROM ${table} WHERE at >= ? ORDER BY target`)
      .all(since);
  }

  saveGates(rows: readonly GateRow[]): void {
    this.#saveOfTargets('gates', rows);
  }

  loadGates(since: number): readonly GateRow[] {
    return this.#loadOfTargets('gates', since);
  }

  saveCanaries(rows: readonly GateRow[]): void {
    this.#saveOfTargets('canaries', rows);
  }

  loadCanaries(since: number): readonly GateRow[] {
    return this.#loadOfTargets('canaries', since);
  }

  close(): void {
    this.#database.close();
    this.#lock?.close();
  }
}
