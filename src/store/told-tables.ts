/** Tables of what is told: how features were, and who was told of what. */
import type { Database, SQLQueryBindings } from 'bun:sqlite';

import type { DeliveryRow, StatusRow } from './rows.ts';
import { pageSizeMax } from './store.ts';
import type { DeliveryFilter, Page } from './store.ts';

/** Ids are made from the time (UUIDv7), so that a range of time is a range of ids and needs no index of its own. */
function firstIdAt(at: number): string {
  const digits = Math.max(0, at).toString(16).padStart(12, '0');
  return `dlv_${digits.slice(0, 8)}-${digits.slice(8, 12)}`;
}

export class ToldTables {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  saveStatus(rows: readonly StatusRow[]): void {
    const insert = this.#database.query(
      'INSERT INTO status_intervals (feature, since, until, status) VALUES (?, ?, ?, ?) ON CONFLICT (feature, since) DO UPDATE SET until = excluded.until, status = excluded.status',
    );
    this.#database.transaction(() => {
      for (const { feature, since, until, status } of rows) insert.run(feature, since, until, status);
    })();
  }

  loadStatus(since: number, rowsMax: number): readonly StatusRow[] {
    return this.#database
      .query<StatusRow, [number, number]>(
        'SELECT feature, since, until, status FROM status_intervals WHERE until >= ? ORDER BY since DESC LIMIT ?',
      )
      .all(since, rowsMax)
      .reverse();
  }

  pruneStatus(before: number): number {
    return this.#database.query('DELETE FROM status_intervals WHERE until < ?').run(before).changes;
  }

  planDeliveries(changes: readonly string[], rows: readonly DeliveryRow[]): void {
    const remove = this.#database.query(
      'DELETE FROM outbox WHERE leaf = (SELECT leaf FROM changes WHERE id = ?)',
    );
    const insert = this.#database.query(
      'INSERT INTO deliveries (id, channel, message, state, next_at, body) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.#database.transaction(() => {
      for (const row of rows) insert.run(row.id, row.channel, row.message, row.state, row.nextAt, row.body);
      for (const change of changes) remove.run(change);
    })();
  }

  loadDueChannels(now: number): readonly string[] {
    return this.#database
      .query<{ channel: string }, [number]>(
        "SELECT DISTINCT channel FROM deliveries WHERE state = 'pending' AND next_at <= ?",
      )
      .all(now)
      .map((row) => row.channel);
  }

  loadDueDeliveries(channel: string, now: number, rowsMax: number): readonly string[] {
    return this.#database
      .query<{ body: string }, [string, number, number]>(
        "SELECT body FROM deliveries WHERE state = 'pending' AND channel = ? AND next_at <= ? ORDER BY next_at, id LIMIT ?",
      )
      .all(channel, now, rowsMax)
      .map((row) => row.body);
  }

  protected putDelivery(row: DeliveryRow): void {
    this.#database
      .query(
        'INSERT INTO deliveries (id, channel, message, state, next_at, body) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state, next_at = excluded.next_at, body = excluded.body',
      )
      .run(row.id, row.channel, row.message, row.state, row.nextAt, row.body);
  }

  protected putMessage(id: string, incident: string, body: string): void {
    this.#database
      .query('INSERT INTO messages (id, incident, body) VALUES (?, ?, ?)')
      .run(id, incident, body);
  }

  loadMessages(incident: string): readonly string[] {
    return this.#database
      .query<{ body: string }, [string]>('SELECT body FROM messages WHERE incident = ? ORDER BY id')
      .all(incident)
      .map((row) => row.body);
  }

  findDelivery(id: string): string | null {
    return (
      this.#database.query<{ body: string }, [string]>('SELECT body FROM deliveries WHERE id = ?').get(id)
        ?.body ?? null
    );
  }

  listDeliveries({ channel, state, cursor, limit }: DeliveryFilter): Page<string> {
    const asked = [
      ...(channel === undefined ? [] : [{ sql: 'channel = ?', values: [channel] }]),
      ...(state === undefined ? [] : [{ sql: 'state = ?', values: [state] }]),
      ...(cursor === undefined ? [] : [{ sql: 'id < ?', values: [cursor] }]),
    ];
    const where = asked.length === 0 ? '' : `WHERE ${asked.map(({ sql }) => sql).join(' AND ')} `;
    const size = Math.min(limit, pageSizeMax);
    const rows = this.#database
      .query<{ id: string; body: string }, SQLQueryBindings[]>(
        `SELECT id, body FROM deliveries ${where}ORDER BY id DESC LIMIT ?`,
      )
      .all(...asked.flatMap(({ values }) => values), size + 1);
    const shown = rows.slice(0, size);
    return {
      items: shown.map(({ body }) => body),
      nextCursor: rows.length > size ? (shown.at(-1)?.id ?? null) : null,
    };
  }

  pruneDeliveries(before: number): number {
    return this.#database
      .query("DELETE FROM deliveries WHERE id < ? AND state <> 'pending'")
      .run(firstIdAt(before)).changes;
  }
}
