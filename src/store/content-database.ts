/**
 * Captured content in files of its own, beside the store, in a worker of its own: a slow write of content holds up no record.
 *
 * Each subject, day and time of keeping has a data key; content is sealed with it (AES-256-GCM), and it is itself sealed with the key of the
 * configuration. Data keys lie in another file than content, so that a backup of the content says nothing by itself, and
 * what was erased here cannot be read in an older copy of it. What is deleted is overwritten.
 */
import { Database } from 'bun:sqlite';
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';

import { uuidBytes } from './record-batch.ts';

export type ContentItem = {
  readonly request: string;
  readonly tenant: string | null;
  readonly user: string | null;
  readonly day: number;
  readonly input: Uint8Array<ArrayBuffer>;
  readonly output: Uint8Array<ArrayBuffer>;
  /** How long they were before they were cut. */
  readonly inputBytes: number;
  readonly outputBytes: number;
};

export type ContentRead =
  | { readonly kind: 'none' }
  /** It was captured under another key of the configuration, or none is given. */
  | { readonly kind: 'sealed' }
  | ({ readonly kind: 'read' } & Pick<ContentItem, 'input' | 'output' | 'inputBytes' | 'outputBytes'>);

/** A data key without itself: whose content of which day it opens. */
export type ContentKey = {
  readonly id: number;
  readonly tenant: string | null;
  readonly user: string | null;
  readonly day: number;
};

export type ContentSubject = { readonly user: string } | { readonly tenant: string };

type DataKey = { readonly id: number; readonly key: Uint8Array };

const nonceBytes = 12;
const tagBytes = 16;
const cipher = 'aes-256-gcm';
const dataKeysCachedMax = 1_000;
const schemaVersion = 1;

function seal(key: Uint8Array, bytes: Uint8Array, about: string): Uint8Array<ArrayBuffer> {
  const nonce = randomBytes(nonceBytes);
  const sealing = createCipheriv(cipher, key, nonce).setAAD(Buffer.from(about));
  return new Uint8Array(Buffer.concat([nonce, sealing.update(bytes), sealing.final(), sealing.getAuthTag()]));
}

/** Throws when the bytes were sealed with another key, about something else, or were touched. */
function unseal(key: Uint8Array, sealed: Uint8Array, about: string): Uint8Array<ArrayBuffer> {
  const opening = createDecipheriv(cipher, key, sealed.subarray(0, nonceBytes)).setAAD(Buffer.from(about));
  opening.setAuthTag(sealed.subarray(-tagBytes));
  const bytes = [opening.update(sealed.subarray(nonceBytes, -tagBytes)), opening.final()];
  return new Uint8Array(Buffer.concat(bytes));
}

/** Tells keys of the configuration apart without saying anything of them. */
const idOfKey = (key: Uint8Array): string =>
  createHash('sha256').update('breakwater content').update(key).digest('hex').slice(0, 16);

const aboutKey = ({ tenant, user, day }: Omit<ContentKey, 'id'>): string =>
  JSON.stringify([tenant, user, day]);

const headBytes = 12;

/** Lengths, then both bodies. */
function packed({ input, output, inputBytes, outputBytes }: ContentItem): Uint8Array<ArrayBuffer> {
  const head = Buffer.alloc(headBytes);
  [input.length, inputBytes, outputBytes].forEach((value, index) => head.writeUInt32BE(value, index * 4));
  return new Uint8Array(Bun.zstdCompressSync(Buffer.concat([head, input, output]), { level: 1 }));
}

function unpacked(bytes: Uint8Array<ArrayBuffer>): ContentRead {
  const all = Bun.zstdDecompressSync(bytes);
  const [length = 0, inputBytes = 0, outputBytes = 0] = [0, 4, 8].map((at) => all.readUInt32BE(at));
  const input = new Uint8Array(all.subarray(headBytes, headBytes + length));
  const output = new Uint8Array(all.subarray(headBytes + length));
  return { kind: 'read', input, output, inputBytes, outputBytes };
}

function prepare(database: Database, path: string): void {
  const keysPath = path === ':memory:' ? path : `${path}-keys`;
  database.query('ATTACH DATABASE ? AS vault').run(keysPath);
  for (const pragma of ['secure_delete = ON', 'journal_mode = WAL', 'synchronous = NORMAL'])
    for (const schema of ['main', 'vault']) database.run(`PRAGMA ${schema}.${pragma}`);
  const version =
    database.query<{ user_version: number }, []>('PRAGMA vault.user_version').get()?.user_version ?? 0;
  if (version > schemaVersion) throw new Error('captured content was written by a newer version');
  database.run(`
    CREATE TABLE IF NOT EXISTS vault.keys (
      id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT, user TEXT, day INTEGER NOT NULL, wrapped_by TEXT NOT NULL, wrapped BLOB NOT NULL, until INTEGER NOT NULL
    );
    CREATE INDEX IF NOT EXISTS vault.keys_day ON keys (day, user, tenant);
    CREATE INDEX IF NOT EXISTS vault.keys_user ON keys (user);
    CREATE INDEX IF NOT EXISTS vault.keys_tenant ON keys (tenant);
    CREATE TABLE IF NOT EXISTS main.contents (request BLOB NOT NULL UNIQUE, key INTEGER NOT NULL, sealed BLOB NOT NULL);
    CREATE INDEX IF NOT EXISTS main.contents_key ON contents (key);
    PRAGMA vault.user_version = ${schemaVersion};
  `);
}

/** For their owner alone, before anything is in them: what SQLite makes beside a file is for whom the file is. */
function guard(path: string): void {
  for (const file of [path, `${path}-keys`]) {
    closeSync(openSync(file, 'a', 0o600));
    for (const each of [file, `${file}-wal`, `${file}-shm`]) if (existsSync(each)) chmodSync(each, 0o600);
  }
}

type KeyRow = { readonly wrapped_by: string; readonly wrapped: Uint8Array } & ContentKey;

export class ContentDatabase {
  readonly #database: Database;
  readonly #dataKeys = new Map<string, DataKey>();

  constructor(path: string) {
    if (path !== ':memory:') guard(path);
    this.#database = new Database(path, { create: true, strict: true });
    try {
      prepare(this.#database, path);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Sealed before it is written. The same request twice is kept once. */
  keep(masterKey: Uint8Array, retentionMs: number, items: readonly ContentItem[]): void {
    const insert = this.#database.query(
      'INSERT OR IGNORE INTO contents (request, key, sealed) VALUES (?, ?, ?)',
    );
    this.#database.transaction(() => {
      for (const item of items) {
        const { id, key } = this.#dataKey(masterKey, item, retentionMs);
        insert.run(uuidBytes(item.request), id, seal(key, packed(item), item.request));
      }
    })();
  }

  #dataKey(masterKey: Uint8Array, item: ContentItem, retentionMs: number): DataKey {
    const { tenant, user, day } = item;
    const master = idOfKey(masterKey);
    const until = (day + 1) * 86_400_000 + retentionMs;
    const name = `${master} ${until} ${aboutKey(item)}`;
    const cached = this.#dataKeys.get(name);
    if (cached !== undefined) return cached;
    const found = this.#database
      .query<KeyRow, [number, string | null, string | null, string, number]>(
        'SELECT * FROM keys WHERE day = ? AND user IS ? AND tenant IS ? AND wrapped_by = ? AND until = ?',
      )
      .get(day, user, tenant, master, until);
    const made =
      found === null
        ? this.#newKey(masterKey, { tenant, user, day }, until)
        : { id: found.id, key: unseal(masterKey, found.wrapped, aboutKey(found)) };
    if (this.#dataKeys.size >= dataKeysCachedMax) this.#dataKeys.clear();
    this.#dataKeys.set(name, made);
    return made;
  }

  #newKey(masterKey: Uint8Array, of: Omit<ContentKey, 'id'>, until: number): DataKey {
    const key = randomBytes(32);
    const { lastInsertRowid } = this.#database
      .query('INSERT INTO keys (tenant, user, day, wrapped_by, wrapped, until) VALUES (?, ?, ?, ?, ?, ?)')
      .run(of.tenant, of.user, of.day, idOfKey(masterKey), seal(masterKey, key, aboutKey(of)), until);
    return { id: Number(lastInsertRowid), key };
  }

  read(masterKey: Uint8Array | null, request: string): ContentRead {
    const id = uuidBytes(request);
    if (id === null) return { kind: 'none' };
    const found = this.#database
      .query<KeyRow & { sealed: Uint8Array }, [Uint8Array]>(
        'SELECT keys.*, sealed FROM contents JOIN keys ON keys.id = contents.key WHERE request = ?',
      )
      .get(id);
    if (found === null) return { kind: 'none' };
    if (masterKey === null || found.wrapped_by !== idOfKey(masterKey)) return { kind: 'sealed' };
    const key = unseal(masterKey, found.wrapped, aboutKey(found));
    return unpacked(unseal(key, found.sealed, request));
  }

  /** Keys whose time is over, by what was said when they were made or by what is said now; some, after one. */
  overdue(now: number, retentionMs: number | null, after: number, keysMax: number): readonly ContentKey[] {
    return this.#database
      .query<ContentKey, [number, number, number, number]>(
        'SELECT id, tenant, user, day FROM keys WHERE id > ? AND (until <= ? OR day <= ?) ORDER BY id LIMIT ?',
      )
      .all(after, now, retentionMs === null ? -1 : Math.floor((now - retentionMs) / 86_400_000) - 1, keysMax);
  }

  keysOf(subject: ContentSubject, after: number, keysMax: number): readonly ContentKey[] {
    const [column, name] = 'user' in subject ? ['user', subject.user] : ['tenant', subject.tenant];
    return this.#database
      .query<ContentKey, [number, string, number]>(
        `SELECT id, tenant, user, day FROM keys WHERE id > ? AND ${column} = ? ORDER BY id LIMIT ?`,
      )
      .all(after, name, keysMax);
  }

  /** Requests whose content a key opens, in pages by rowid. */
  requestsUnder(
    key: number,
    after: number,
    rowsMax: number,
  ): readonly { readonly row: number; readonly request: string }[] {
    return this.#database
      .query<{ row: number; request: Uint8Array }, [number, number, number]>(
        'SELECT rowid AS row, request FROM contents WHERE key = ? AND rowid > ? ORDER BY rowid LIMIT ?',
      )
      .all(key, after, rowsMax)
      .map(({ row, request }) => {
        const hex = request.toHex();
        const uuid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
        return { row, request: `req_${uuid.join('-')}` };
      });
  }

  /** Destroys keys first, then what they opened; says how many contents that was. */
  destroy(keys: readonly number[]): number {
    this.#dataKeys.clear();
    const key = this.#database.query('DELETE FROM keys WHERE id = ?');
    const contents = this.#database.query('DELETE FROM contents WHERE key = ?');
    this.#database.transaction(() => keys.forEach((id) => key.run(id)))();
    const count = this.#database.transaction(() =>
      keys.reduce((sum, id) => sum + contents.run(id).changes, 0),
    )();
    // What was overwritten in the file may still stand in the log of writes.
    this.#database.run('PRAGMA vault.wal_checkpoint(TRUNCATE)');
    this.#database.run('PRAGMA main.wal_checkpoint(TRUNCATE)');
    return count;
  }

  /** After a write that failed. */
  forget(): void {
    this.#dataKeys.clear();
  }

  close(): void {
    this.#database.close();
  }
}
