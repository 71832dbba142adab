/** The tables of incidents in SQLite: the incident as it is, its timeline that only grows, and the requests it hit. */
import type { Database } from 'bun:sqlite';
import type { SQLQueryBindings } from 'bun:sqlite';

import { HitMoves } from './hit-moves.ts';
import type { Takes } from './hit-moves.ts';
import type { HitCountRow, HitRow } from './incident-rows.ts';
import { pageSizeMax, timelineEntriesMax } from './store.ts';
import type { HitLines, Page } from './store.ts';
import { PolicyTables } from './policy-tables.ts';

export type IncidentRowWrite = {
  readonly id: string;
  readonly rev: number;
  /** The revision it must still have; 0 for one that is new. */
  readonly from: number;
  readonly state: string;
  readonly body: string;
  readonly entries: readonly { readonly n: number; readonly body: string }[];
  /** Takes the requests of another incident over. */
  readonly takes: Takes | null;
};

/** So many lines are read at a time, so that whatever waits for the database waits shortly. */
const hitLinesMax = 5_000;

/** Beginnings of `incident_counts`: nobody served is an empty word there, because a key has no null. */
const countsOf = (where: string): string =>
  `INSERT INTO incident_counts SELECT incident, feature, how, coalesce(served, ''), left_to, count(*), min(at), max(at) FROM incident_hits WHERE ${where} GROUP BY incident, feature, how, served, left_to`;

export type HitFilterRow = { readonly how?: string; readonly feature?: string };

class Stale extends Error {}

export class IncidentTables extends PolicyTables {
  readonly #database: Database;
  readonly #moves: HitMoves;

  constructor(database: Database) {
    super(database);
    this.#database = database;
    this.#moves = new HitMoves(database);
  }

  #write({ id, rev, from, state, body, entries, takes }: IncidentRowWrite): void {
    const changed =
      from === 0
        ? this.#database
            .query(
              'INSERT INTO incidents (id, rev, state, body) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
            )
            .run(id, rev, state, body).changes
        : this.#database
            .query('UPDATE incidents SET rev = ?, state = ?, body = ? WHERE id = ? AND rev = ?')
            .run(rev, state, body, id, from).changes;
    if (changed === 0) throw new Stale();
    const insert = this.#database.query('INSERT INTO incident_entries (incident, n, body) VALUES (?, ?, ?)');
    for (const entry of entries) insert.run(id, entry.n, entry.body);
    if (takes === null) return;
    const only =
      takes.preferred === null ? '' : ` AND preferred IN (${takes.preferred.map(() => '?').join(', ')})`;
    const values: SQLQueryBindings[] = [takes.from, ...(takes.preferred ?? [])];
    this.#database
      .query<unknown, SQLQueryBindings[]>(
        `INSERT OR IGNORE INTO incident_hits SELECT ?, request, at, feature, preferred, how, served, left_to FROM incident_hits WHERE incident = ?${only}`,
      )
      .run(id, ...values);
    this.#database
      .query<unknown, SQLQueryBindings[]>(`DELETE FROM incident_hits WHERE incident = ?${only}`)
      .run(...values);
    this.#moves.note(id, takes);
    for (const changed of [id, takes.from]) this.#recount(changed);
  }

  #recount(incident: string): void {
    this.#database.query('DELETE FROM incident_counts WHERE incident = ?').run(incident);
    this.#database.query(countsOf('incident = ?')).run(incident);
  }

  protected pruneMoves(before: number): void {
    this.#moves.prune(before);
  }

  /** False when one of them was changed by somebody else: then nothing is written. */
  protected writeIncidents(writes: readonly IncidentRowWrite[], also: () => void): boolean {
    try {
      this.#database.transaction(() => {
        for (const write of writes) this.#write(write);
        also();
      })();
      return true;
    } catch (error) {
      this.#moves.forget();
      if (error instanceof Stale) return false;
      throw error;
    }
  }

  findIncident(id: string): string | null {
    return (
      this.#database.query<{ body: string }, [string]>('SELECT body FROM incidents WHERE id = ?').get(id)
        ?.body ?? null
    );
  }

  listIncidents(states: readonly string[] | null, cursor: string | null, asked: number): Page<string> {
    const size = Math.min(asked, pageSizeMax);
    const conditions = [
      ...(states === null ? [] : [`state IN (${states.map(() => '?').join(', ')})`]),
      ...(cursor === null ? [] : ['id < ?']),
    ];
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')} `;
    const rows = this.#database
      .query<{ id: string; body: string }, SQLQueryBindings[]>(
        `SELECT id, body FROM incidents ${where}ORDER BY id DESC LIMIT ?`,
      )
      .all(...(states ?? []), ...(cursor === null ? [] : [cursor]), size + 1);
    const shown = rows.slice(0, size);
    return {
      items: shown.map(({ body }) => body),
      nextCursor: rows.length > size ? (shown.at(-1)?.id ?? null) : null,
    };
  }

  timeline(id: string): readonly string[] {
    return this.#database
      .query<{ body: string }, [string, number]>(
        'SELECT body FROM incident_entries WHERE incident = ? ORDER BY n LIMIT ?',
      )
      .all(id, timelineEntriesMax)
      .map(({ body }) => body);
  }

  addHits(rows: readonly HitRow[]): void {
    if (rows.length === 0) return;
    const insert = this.#database.query<unknown, SQLQueryBindings[]>(
      'INSERT OR IGNORE INTO incident_hits (incident, request, at, feature, preferred, how, served, left_to) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#database.transaction(() => {
      const settled = this.#moves.settled(rows);
      const frozen = new Set([...new Set(settled.map(([id]) => id))].filter((id) => this.#isFrozen(id)));
      const fresh = settled.filter((row) => !frozen.has(row[0]) && insert.run(...row).changes > 0);
      this.#count(fresh);
    })();
  }

  /** The requests of what was reviewed are those whose digest is kept: what ends later is not added any more. */
  #isFrozen(incident: string): boolean {
    const found = this.#database
      .query<{ state: string }, [string]>('SELECT state FROM incidents WHERE id = ?')
      .get(incident);
    return found?.state === 'reviewed';
  }

  #count(rows: readonly HitRow[]): void {
    const add = this.#database.query<unknown, SQLQueryBindings[]>(
      'INSERT INTO incident_counts (incident, feature, how, served, left_to, count, first, last) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count, first = min(first, excluded.first), last = max(last, excluded.last)',
    );
    const alike = Map.groupBy(rows, ([incident, , , feature, , how, served, leftTo]) =>
      JSON.stringify([incident, feature, how, served ?? '', leftTo]),
    );
    for (const [key, list] of alike) {
      const times = list.map(([, , at]) => at);
      add.run(...(JSON.parse(key) as string[]), list.length, Math.min(...times), Math.max(...times));
    }
  }

  /** Requests of an incident after one of them, as lines. They are put together in the order in which they are read. */
  hitLines(incident: string, after: string | null): HitLines {
    const found = this.#database
      .query<{ text: string | null; count: number; last: string | null }, [string, string, number]>(
        "SELECT group_concat(request || ' ' || how || char(10), '') AS text, count(*) AS count, max(request) AS last FROM (SELECT request, how FROM incident_hits WHERE incident = ? AND request > ? ORDER BY request LIMIT ?)",
      )
      .get(incident, after ?? '', hitLinesMax);
    return { text: found?.text ?? '', count: found?.count ?? 0, last: found?.last ?? null };
  }

  listHits(incident: string, filter: HitFilterRow, cursor: string | null, asked: number): Page<HitRow> {
    const size = Math.min(asked, pageSizeMax);
    const named = Object.entries(filter).filter(([, value]) => value !== undefined);
    const where = [
      'incident = ?',
      ...named.map(([name]) => `${name} = ?`),
      ...(cursor === null ? [] : ['request > ?']),
    ];
    const rows = this.#database
      .query<Record<string, string>, SQLQueryBindings[]>(
        `SELECT incident, request, at, feature, preferred, how, served, left_to FROM incident_hits WHERE ${where.join(' AND ')} ORDER BY request LIMIT ?`,
      )
      .values(
        incident,
        ...named.map(([, value]) => value),
        ...(cursor === null ? [] : [cursor]),
        size + 1,
      ) as unknown as HitRow[];
    const shown = rows.slice(0, size);
    return { items: shown, nextCursor: rows.length > size ? (shown.at(-1)?.[1] ?? null) : null };
  }

  countHits(incident: string): readonly HitCountRow[] {
    return this.#database
      .query<HitCountRow, [string]>(
        "SELECT feature, how, nullif(served, '') AS served, left_to, count, first, last FROM incident_counts WHERE incident = ?",
      )
      .all(incident);
  }

  incidentsOf(
    requests: readonly string[],
  ): readonly { readonly request: string; readonly incident: string }[] {
    if (requests.length === 0) return [];
    return this.#database
      .query<{ request: string; incident: string }, SQLQueryBindings[]>(
        `SELECT request, incident FROM incident_hits WHERE request IN (${requests.map(() => '?').join(', ')}) ORDER BY incident`,
      )
      .all(...requests);
  }
}
