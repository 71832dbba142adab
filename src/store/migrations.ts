/** The schema, step by step. A step is never changed once it has been released; a new one is added. */
import type { Database } from 'bun:sqlite';

import { fillLedger, fillRuns } from './first-ledger.ts';
import type { Filled } from './first-ledger.ts';

/** Statements, or what has to be done by hand. */
type Step = string | ((database: Database, filled: Filled) => void);

export const migrations: readonly Step[] = [
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
  `
  ALTER TABLE records RENAME TO first_records;
  ALTER TABLE changes RENAME TO first_changes;
  DROP INDEX records_feature;
  DROP INDEX records_tenant;
  DROP INDEX records_user;
  DROP INDEX records_hop;
  DROP INDEX records_outcome;
  DROP INDEX records_boundary;
  DROP INDEX records_failures;
  CREATE TABLE blocks (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, leaves BLOB NOT NULL, entries BLOB);
  CREATE TABLE subtrees (level INTEGER NOT NULL, position INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, position)) WITHOUT ROWID;
  CREATE TABLE words (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
  INSERT INTO words (id, text) VALUES (1, 'answered');
  CREATE TABLE run_words (word INTEGER NOT NULL, run INTEGER NOT NULL, PRIMARY KEY (word, run)) WITHOUT ROWID;
  CREATE TABLE records (
    leaf INTEGER PRIMARY KEY, id BLOB NOT NULL, feature INTEGER, requested INTEGER, preferred INTEGER, served INTEGER, attempted INTEGER,
    tenant INTEGER, key INTEGER, user INTEGER, class INTEGER, hop INTEGER, fallback INTEGER, boundary INTEGER, failures INTEGER,
    outcome INTEGER, told INTEGER, error INTEGER, duration_ms INTEGER, first_token_ms INTEGER, input_tokens INTEGER,
    output_tokens INTEGER, cost_microusd INTEGER
  );
  CREATE UNIQUE INDEX records_id ON records (leaf >> 12, id);
  CREATE INDEX records_user ON records (leaf >> 12, user) WHERE user IS NOT NULL;
  CREATE INDEX records_hop ON records (hop) WHERE hop IS NOT NULL;
  CREATE INDEX records_outcome ON records (outcome) WHERE outcome <> 1;
  CREATE INDEX records_boundary ON records (leaf, boundary) WHERE boundary IS NOT NULL;
  CREATE INDEX records_failures ON records (leaf, failures) WHERE failures IS NOT NULL;
  CREATE TABLE changes (leaf INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL);
  `,
  fillLedger,
  // What is to be told elsewhere is noted where it is written down, in the same transaction.
  `
  CREATE TABLE outbox (leaf INTEGER PRIMARY KEY);
  CREATE TRIGGER changes_to_outbox AFTER INSERT ON changes
    WHEN NEW.kind LIKE 'incident.%' OR NEW.kind LIKE 'message.%' OR NEW.kind LIKE 'switch.%' OR NEW.kind LIKE 'playbook.%'
    BEGIN INSERT INTO outbox (leaf) VALUES (NEW.leaf); END;
  CREATE TABLE deliveries (
    id TEXT PRIMARY KEY, channel TEXT NOT NULL, message TEXT NOT NULL, state TEXT NOT NULL, next_at INTEGER, body TEXT NOT NULL, UNIQUE (message, channel)
  ) WITHOUT ROWID;
  CREATE INDEX deliveries_due ON deliveries (channel, next_at) WHERE state = 'pending';
  `,
  'CREATE TABLE gates (target TEXT PRIMARY KEY, at INTEGER NOT NULL, cell TEXT NOT NULL) WITHOUT ROWID;',
  `
  CREATE TABLE consents (nonce TEXT PRIMARY KEY, until INTEGER NOT NULL, body TEXT) WITHOUT ROWID;
  CREATE TABLE spending (key TEXT PRIMARY KEY, period_start INTEGER NOT NULL, usd REAL NOT NULL) WITHOUT ROWID;
  `,
  `
  CREATE TABLE incidents (id TEXT PRIMARY KEY, rev INTEGER NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX incidents_state ON incidents (state, id);
  CREATE TABLE incident_entries (incident TEXT NOT NULL, n INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (incident, n)) WITHOUT ROWID;
  CREATE TABLE incident_hits (
    incident TEXT NOT NULL, request TEXT NOT NULL, at INTEGER NOT NULL, feature TEXT NOT NULL, preferred TEXT NOT NULL, how TEXT NOT NULL,
    served TEXT, left_to TEXT NOT NULL, PRIMARY KEY (incident, request)
  ) WITHOUT ROWID;
  CREATE INDEX incident_hits_request ON incident_hits (request);
  `,
  `
  CREATE TABLE playbook_runs (id TEXT PRIMARY KEY, rev INTEGER NOT NULL, playbook TEXT NOT NULL, is_open INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX playbook_runs_open ON playbook_runs (is_open) WHERE is_open = 1;
  CREATE INDEX playbook_runs_playbook ON playbook_runs (playbook, id);
  CREATE TABLE playbooks (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
  `,
  `
  CREATE TABLE messages (id TEXT PRIMARY KEY, incident TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX messages_incident ON messages (incident, id);
  `,
  'CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, at INTEGER NOT NULL, note TEXT NOT NULL);',
  // Why the preferred target did not answer is looked for by runs, like what every record has.
  'INSERT OR IGNORE INTO run_words (word, run) SELECT DISTINCT fallback, leaf >> 12 FROM records WHERE fallback IS NOT NULL;',
  'CREATE TABLE streams (name TEXT PRIMARY KEY, next INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;',
  'CREATE TABLE holds (id TEXT PRIMARY KEY, released INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;',
  // Records have no row and no index of their own any more: see `record-runs.ts`.
  `
  CREATE TABLE open_rows (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, ids BLOB NOT NULL, columns BLOB NOT NULL);
  CREATE TABLE runs (run INTEGER PRIMARY KEY, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL);
  CREATE TABLE run_parts (part INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
  CREATE TABLE run_sets (run INTEGER NOT NULL, key INTEGER NOT NULL, places BLOB NOT NULL, PRIMARY KEY (run, key)) WITHOUT ROWID;
  `,
  fillRuns,
  'CREATE TABLE canaries (target TEXT PRIMARY KEY, at INTEGER NOT NULL, cell TEXT NOT NULL) WITHOUT ROWID;',
  // Warnings are told as well.
  `
  DROP TRIGGER changes_to_outbox;
  CREATE TRIGGER changes_to_outbox AFTER INSERT ON changes
    WHEN NEW.kind LIKE 'incident.%' OR NEW.kind LIKE 'message.%' OR NEW.kind LIKE 'switch.%' OR NEW.kind LIKE 'playbook.%'
      OR NEW.kind LIKE 'quality.%' OR NEW.kind = 'model.signal'
    BEGIN INSERT INTO outbox (leaf) VALUES (NEW.leaf); END;
  `,
  // What an incident did, kept as it grows: counting a million requests takes longer than anybody waits for a page.
  `
  CREATE TABLE incident_counts (
    incident TEXT NOT NULL, feature TEXT NOT NULL, how TEXT NOT NULL, served TEXT NOT NULL, left_to TEXT NOT NULL,
    count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (incident, feature, how, served, left_to)
  ) WITHOUT ROWID;
  INSERT INTO incident_counts SELECT incident, feature, how, coalesce(served, ''), left_to, count(*), min(at), max(at)
    FROM incident_hits GROUP BY incident, feature, how, served, left_to;
  `,
  // Records that were under way when an incident was merged or split belong to whoever has its requests now.
  'CREATE TABLE incident_moves (incident TEXT NOT NULL, preferred TEXT NOT NULL, taker TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (incident, preferred)) WITHOUT ROWID;',
];

const number = (database: Database, sql: string): number =>
  database.query<{ value: number }, []>(sql).get()?.value ?? 0;

/** Brings a database to the last step, all or nothing. Throws when it is another program's or a newer version's. */
export function migrate(database: Database, filled: Filled, steps: readonly Step[] = migrations): void {
  const current = number(database, 'SELECT user_version AS value FROM pragma_user_version');
  if (current > steps.length)
    throw new Error(
      `it was written by a newer version (schema ${current}, this version knows ${steps.length})`,
    );
  if (current === 0 && number(database, 'SELECT count(*) AS value FROM sqlite_schema') > 0)
    throw new Error('it is the database of another program');
  if (current === steps.length) return;
  database.transaction(() => {
    steps.slice(current).forEach((step, index) => {
      if (typeof step === 'string') database.run(step);
      else step(database, filled);
      database.run(`PRAGMA user_version = ${current + index + 1}`);
    });
  })();
}
