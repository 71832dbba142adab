/**
 * The schema, step by step. A step is never changed once it has been released; a new one is added.
 *
 * Records are wide, so their table has a row id: without one, each row would be cut over two pages. What people look
 * for is rare (a failure, a hop, a boundary, one user), so most indexes hold only the rows that have it and cost the
 * others nothing. An index ends in the id, which is the order of a listing.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE records (
    id TEXT PRIMARY KEY, at INTEGER NOT NULL, feature TEXT NOT NULL, requested TEXT NOT NULL, served TEXT, hop TEXT, outcome TEXT NOT NULL,
    tenant TEXT, user TEXT, key TEXT, boundary TEXT NOT NULL, attempted TEXT NOT NULL, failures TEXT NOT NULL, body TEXT NOT NULL
  );
  CREATE INDEX records_feature ON records (feature, id);
  CREATE INDEX records_tenant ON records (tenant, id) WHERE tenant IS NOT NULL;
  CREATE INDEX records_user ON records (user, id) WHERE user IS NOT NULL;
  CREATE INDEX records_hop ON records (hop, id) WHERE hop IS NOT NULL;
  CREATE INDEX records_outcome ON records (outcome, id) WHERE outcome <> 'answered';
  CREATE INDEX records_boundary ON records (id) WHERE boundary <> '';
  CREATE INDEX records_failures ON records (id) WHERE failures <> '';
  CREATE TABLE changes (id TEXT PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE switches (id TEXT PRIMARY KEY, rev INTEGER NOT NULL, released INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE keys (id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, revoked_at INTEGER, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE snapshots (hash TEXT PRIMARY KEY, at INTEGER NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;
  `,
  `
  CREATE TABLE status_intervals (
    feature TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, status TEXT NOT NULL, PRIMARY KEY (feature, since)
  ) WITHOUT ROWID;
  `,
];
