/** Tables of what policy must remember: used consent tokens and agreements, and what keys have spent. */
import type { Database } from 'bun:sqlite';

import type { ConsentRow, SpentRow } from './policy-rows.ts';
import { ToldTables } from './told-tables.ts';

export class PolicyTables extends ToldTables {
  readonly #database: Database;

  constructor(database: Database) {
    super(database);
    this.#database = database;
  }

  saveConsent({ nonce, until, body }: ConsentRow): void {
    this.#database
      .query(
        'INSERT INTO consents (nonce, until, body) VALUES (?, ?, ?) ON CONFLICT (nonce) DO UPDATE SET until = excluded.until, body = excluded.body',
      )
      .run(nonce, until, body);
  }

  loadConsents(now: number): readonly ConsentRow[] {
    return this.#database
      .query<ConsentRow, [number]>('SELECT nonce, until, body FROM consents WHERE until > ? ORDER BY until')
      .all(now);
  }

  pruneConsents(now: number): number {
    return this.#database.query('DELETE FROM consents WHERE until <= ?').run(now).changes;
  }

  saveSpending(rows: readonly SpentRow[]): void {
    const insert = this.#database.query(
      'INSERT INTO spending (key, period_start, usd) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET period_start = excluded.period_start, usd = excluded.usd',
    );
    this.#database.transaction(() => {
      for (const { key, period_start: start, usd } of rows) insert.run(key, start, usd);
    })();
  }

  loadSpending(): readonly SpentRow[] {
    return this.#database.query<SpentRow, []>('SELECT key, period_start, usd FROM spending').all();
  }
}
