/** The schema, step by step. A step is never changed once it has been released; a new one is added. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE records (
    id TEXT PRIMARY KEY, at INTEGER NOT NULL, feature TEXT NOT NULL, requested TEXT NOT NULL, served TEXT, hop TEXT, outcome TEXT NOT NULL,
    tenant TEXT, user TEXT, key TEXT, boundary TEXT NOT NULL, attempted TEXT NOT NULL, failures TEXT NOT NULL, body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX records_at ON records (at);
  CREATE TABLE changes (id TEXT PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE switches (id TEXT PRIMARY KEY, rev INTEGER NOT NULL, released INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE keys (id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, revoked_at INTEGER, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE snapshots (hash TEXT PRIMARY KEY, at INTEGER NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;
  `,
];
