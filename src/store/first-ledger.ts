/** Takes the records and changes of the first schema, one row of JSON each, into the ledger, in the order of their time. */
import type { Database } from 'bun:sqlite';

import type { Change, RequestRecord } from '../core/record.ts';
import type { Ledger } from './ledger.ts';
import { leafInputs, packRecords } from './record-batch.ts';
import type { RecordTable } from './record-table.ts';
import { changeBody } from './rows.ts';
import { WordTable } from './words.ts';

export type Filled = { readonly ledger: Ledger; readonly records: RecordTable };

const batchMax = 256;

export function fillLedger(database: Database, { ledger, records }: Filled): void {
  const bodies = (table: string, after: string): readonly { id: string; body: string }[] =>
    database
      .query<{ id: string; body: string }, [string, number]>(
        `SELECT id, body FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`,
      )
      .all(after, batchMax);
  const words = new WordTable(records.loadWords());
  for (let page = bodies('first_records', ''); page.length > 0;) {
    // The first form had the names of the values of then; prices came later.
    const batch = packRecords(
      page.map(({ body }) => JSON.parse(body) as RequestRecord),
      words,
    );
    records.saveWords(batch.words);
    words.saved(batch.words);
    records.insert(batch, ledger.size);
    ledger.append(batch.inputs, batch.count);
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
