/** Takes the records and changes of the first schema, one row of JSON each, into the ledger, in the order of their time. */
import type { Database, SQLQueryBindings } from 'bun:sqlite';

import type { Change, RequestRecord } from '../core/record.ts';
import type { Ledger } from './ledger.ts';
import { leafInputs } from './record-batch.ts';
import type { RecordBatch } from './record-batch.ts';
import { RecordPacker } from './record-packer.ts';
import { columnNames, noNumber } from './record-columns.ts';
import { RecordRuns } from './record-runs.ts';
import { emptyRows, runOf } from './run-rows.ts';
import { runLeaves } from './run-sets.ts';
import { changeBody } from './rows.ts';
import { answeredWord, WordTable } from './words.ts';

export type Filled = { readonly ledger: Ledger };

const batchMax = 256;

/** The columns that rows had while each record was a row of its own, in their order. */
const rowColumns = columnNames.slice(0, 21);

export function insertRows(database: Database, { count, ids, columns }: RecordBatch, first: number): void {
  const insert = database.query<unknown, SQLQueryBindings[]>(
    `INSERT INTO records (leaf, id, ${rowColumns.join(', ')}) VALUES (?, ?${', ?'.repeat(rowColumns.length)})`,
  );
  for (let index = 0; index < count; index++) {
    const cells = rowColumns.map((_, column) => columns[column * count + index] ?? noNumber);
    const id = ids.subarray(index * 16, index * 16 + 16);
    insert.run(first + index, id, ...cells.map((cell) => (cell === noNumber ? null : cell)));
  }
}

/** Takes the rows of records into runs. */
export function fillRuns(database: Database): void {
  const runs = new RecordRuns(database);
  const last = database.query<{ leaf: number | null }, []>('SELECT max(leaf) AS leaf FROM records').get();
  const lastRun = runOf(last?.leaf ?? -1);
  const rowsOf = database.query<Record<string, unknown>, [number, number]>(
    `SELECT leaf, id, ${rowColumns.join(', ')} FROM records WHERE leaf >= ? AND leaf < ?`,
  );
  for (let run = 0; run <= lastRun; run++) {
    const rows = emptyRows();
    for (const row of rowsOf.all(run * runLeaves, (run + 1) * runLeaves)) {
      const place = Number(row['leaf']) % runLeaves;
      rows.ids.set(row['id'] as Uint8Array, place * 16);
      rowColumns.forEach((name, column) => {
        const cells = rows.columns[column];
        if (cells !== undefined) cells[place] = (row[name] as number | null) ?? noNumber;
      });
    }
    if (run < lastRun) runs.save(run, rows);
    else runs.reopen(run, rows, ((last?.leaf ?? 0) % runLeaves) + 1);
  }
  database.run('DROP TABLE records');
  database.run('DROP TABLE run_words');
}

/** Fields that came later say nothing. */
const laterFields = {
  consentOfferedIn: null,
  incidents: [],
  warnings: [],
  seam: null,
  captured: 'none',
  operation: 'answer',
} as const;
const laterOfAttempts = { adapted: 'no', boundary: [] } as const;

function firstRecord(body: string): RequestRecord {
  const record = JSON.parse(body) as RequestRecord;
  const attempts = record.attempts.map((attempt) => ({ ...laterOfAttempts, ...attempt }));
  return { ...laterFields, ...record, attempts };
}

export function fillLedger(database: Database, { ledger }: Filled): void {
  const bodies = (table: string, after: string): readonly { id: string; body: string }[] =>
    database
      .query<{ id: string; body: string }, [string, number]>(
        `SELECT id, body FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`,
      )
      .all(after, batchMax);
  const words = new WordTable([[answeredWord, 'answered']]);
  const packer = new RecordPacker(words);
  const saveWord = database.query('INSERT OR IGNORE INTO words (id, text) VALUES (?, ?)');
  for (let page = bodies('first_records', ''); page.length > 0;) {
    const batch = packer.pack(page.map(({ body }) => firstRecord(body)));
    for (const [id, text] of batch.words) saveWord.run(id, text);
    words.saved(batch.words);
    insertRows(database, batch, ledger.size);
    ledger.append(new Uint8Array(batch.inputs), batch.count);
    page = bodies('first_records', page.at(-1)?.id ?? '');
  }
  const insert = database.query('INSERT INTO changes (leaf, id, kind) VALUES (?, ?, ?)');
  for (let page = bodies('first_changes', ''); page.length > 0;) {
    const changes = page.map(({ body }) => JSON.parse(body) as Change);
    const first = ledger.append(leafInputs(changes.map(changeBody)), changes.length);
    changes.forEach((change, index) => insert.run(first + index, change.id, change.kind));
    page = bodies('first_changes', page.at(-1)?.id ?? '');
  }
  database.run('DROP TABLE first_records');
  database.run('DROP TABLE first_changes');
}
