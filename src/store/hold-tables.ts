/** Legal holds. What they cover is worked out where records are erased, in the same transaction. */
import type { Database, SQLQueryBindings } from 'bun:sqlite';

import { IncidentTables } from './incident-tables.ts';
import { pageSizeMax } from './store.ts';
import type { Page } from './store.ts';

export type HoldRow = { readonly id: string; readonly released: 0 | 1; readonly body: string };

export class HoldTables extends IncidentTables {
  readonly #database: Database;

  constructor(database: Database) {
    super(database);
    this.#database = database;
  }

  protected putHold({ id, released, body }: HoldRow): boolean {
    const sql =
      released === 0
        ? 'INSERT INTO holds (released, body, id) VALUES (?, ?, ?)'
        : 'UPDATE holds SET released = ?, body = ? WHERE id = ? AND released = 0';
    return this.#database.query(sql).run(released, body, id).changes > 0;
  }

  findHold(id: string): string | null {
    return (
      this.#database.query<{ body: string }, [string]>('SELECT body FROM holds WHERE id = ?').get(id)?.body ??
      null
    );
  }

  /** In force. */
  loadHolds(): readonly string[] {
    return this.#database
      .query<{ body: string }, []>('SELECT body FROM holds WHERE released = 0 ORDER BY id')
      .all()
      .map(({ body }) => body);
  }

  listHolds(cursor: string | null, limit: number): Page<string> {
    const size = Math.min(limit, pageSizeMax);
    const rows = this.#database
      .query<{ id: string; body: string }, SQLQueryBindings[]>(
        'SELECT id, body FROM holds WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2',
      )
      .all(cursor, size + 1);
    const shown = rows.slice(0, size);
    return {
      items: shown.map(({ body }) => body),
      nextCursor: rows.length > size ? (shown.at(-1)?.id ?? null) : null,
    };
  }
}
