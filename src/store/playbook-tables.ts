/** Tables of playbooks that were handed in, and of their runs. */
import type { Database, SQLQueryBindings } from 'bun:sqlite';

import type { Page } from './store.ts';
import { pageSizeMax } from './store.ts';

export type RunRow = {
  readonly id: string;
  readonly rev: number;
  readonly playbook: string;
  readonly isOpen: number;
  readonly body: string;
};

export class PlaybookTables {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Writes a run over the revision before it; false when somebody else was faster. */
  put(row: RunRow): boolean {
    if (row.rev === 1)
      return (
        this.#database
          .query(
            'INSERT INTO playbook_runs (id, rev, playbook, is_open, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
          )
          .run(row.id, row.rev, row.playbook, row.isOpen, row.body).changes > 0
      );
    return (
      this.#database
        .query('UPDATE playbook_runs SET rev = ?, is_open = ?, body = ? WHERE id = ? AND rev < ?')
        .run(row.rev, row.isOpen, row.body, row.id, row.rev).changes > 0
    );
  }

  open(): readonly string[] {
    return this.#database
      .query<{ body: string }, []>('SELECT body FROM playbook_runs WHERE is_open = 1 ORDER BY id')
      .all()
      .map(({ body }) => body);
  }

  find(id: string): string | null {
    return (
      this.#database.query<{ body: string }, [string]>('SELECT body FROM playbook_runs WHERE id = ?').get(id)
        ?.body ?? null
    );
  }

  list(playbook: string | null, cursor: string | null, limit: number): Page<string> {
    const size = Math.min(limit, pageSizeMax);
    const asked = [
      ...(playbook === null ? [] : [{ sql: 'playbook = ?', value: playbook }]),
      ...(cursor === null ? [] : [{ sql: 'id < ?', value: cursor }]),
    ];
    const where = asked.length === 0 ? '' : `WHERE ${asked.map(({ sql }) => sql).join(' AND ')} `;
    const rows = this.#database
      .query<{ id: string; body: string }, SQLQueryBindings[]>(
        `SELECT id, body FROM playbook_runs ${where}ORDER BY id DESC LIMIT ?`,
      )
      .all(...asked.map(({ value }) => value), size + 1);
    const shown = rows.slice(0, size);
    return {
      items: shown.map(({ body }) => body),
      nextCursor: rows.length > size ? (shown.at(-1)?.id ?? null) : null,
    };
  }

  save(name: string, text: string): void {
    this.#database
      .query(
        'INSERT INTO playbooks (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text',
      )
      .run(name, text);
  }

  remove(name: string): boolean {
    return this.#database.query('DELETE FROM playbooks WHERE name = ?').run(name).changes > 0;
  }

  texts(): readonly string[] {
    return this.#database
      .query<{ text: string }, []>('SELECT text FROM playbooks ORDER BY name')
      .all()
      .map(({ text }) => text);
  }
}
