/**
 * What traffic needs when the store cannot be read: who may ask, what is switched off, what is out, what must not be
 * erased, and the secrets that go with them. Not the name of the ledger: one that begins afresh is another one.
 */
import type { Database, SQLQueryBindings } from 'bun:sqlite';

const tables = {
  settings: { columns: ['name', 'value'], where: "name <> 'ledger_origin'" },
  keys: { columns: ['id', 'hash', 'revoked_at', 'body'], where: 'TRUE' },
  switches: { columns: ['id', 'rev', 'released', 'body'], where: 'released = 0' },
  holds: { columns: ['id', 'released', 'body'], where: 'TRUE' },
  gates: { columns: ['target', 'at', 'cell'], where: 'TRUE' },
} as const;
type Rows = readonly (readonly SQLQueryBindings[])[];

export function standbyOf(database: Database): string {
  const rows = Object.entries(tables).map(([table, { columns, where }]) => [
    table,
    database.query(`SELECT ${columns.join(', ')} FROM ${table} WHERE ${where} ORDER BY 1`).values(),
  ]);
  return JSON.stringify({ form: 1, ...Object.fromEntries(rows) });
}

export function fillFrom(database: Database, text: string): void {
  const known = JSON.parse(text) as Readonly<Record<string, Rows>>;
  database.transaction(() => {
    for (const [table, { columns }] of Object.entries(tables)) {
      const marks = columns.map(() => '?').join(', ');
      const insert = database.query<unknown, SQLQueryBindings[]>(
        `INSERT OR REPLACE INTO ${table} (${columns.join(', ')}) VALUES (${marks})`,
      );
      for (const row of known[table] ?? []) insert.run(...row);
    }
  })();
}

/** Tables that a start reads whole; the large ones are read where they are asked. */
const startTables = [
  ...Object.keys(tables),
  'incidents',
  'playbook_runs',
  'playbooks',
  'canaries',
  'consents',
  'spending',
  'checkpoints',
  'streams',
  'outbox',
  'status_intervals',
];

/** Throws when what every start needs is damaged. */
export function checkTables(database: Database): void {
  for (const table of startTables) {
    const [found] = database.query<{ quick_check: string }, []>(`PRAGMA quick_check(${table})`).all();
    if (found !== undefined && found.quick_check !== 'ok')
      throw new Error(`database disk image is malformed: ${found.quick_check}`);
  }
}
