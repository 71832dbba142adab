/**
 * Where the requests of an incident have gone: it was merged into another one, or some of its targets became a story of
 * their own. The record of a request that was under way meanwhile still carries the incident that it met, and is told
 * here whose it is now. What was asked later has met whom it belongs to, and is left alone.
 */
import type { Database } from 'bun:sqlite';

import type { HitRow } from './incident-rows.ts';

export type Takes = {
  readonly from: string;
  /** The targets whose requests are taken over; null: all. */
  readonly preferred: readonly string[] | null;
  readonly at: number;
};

type Move = {
  readonly incident: string;
  readonly preferred: string;
  readonly taker: string;
  readonly until: number;
};

/** Stands for every target. */
const whole = '';

export class HitMoves {
  readonly #database: Database;
  /** By incident and target; read again after each write. */
  #known: ReadonlyMap<string, Move> | null = null;

  constructor(database: Database) {
    this.#database = database;
  }

  note(taker: string, { from, preferred, at }: Takes): void {
    this.#known = null;
    const insert = this.#database.query(
      'INSERT INTO incident_moves (incident, preferred, taker, until) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET taker = excluded.taker, until = excluded.until',
    );
    // What had come to it goes on with it, so that one step always leads to whom it belongs.
    const came = [...this.#moves().values()].filter((each) => each.taker === from);
    for (const each of [...came, { incident: from, preferred: whole, until: at }])
      for (const target of each.preferred === whole ? (preferred ?? [whole]) : [each.preferred])
        if (preferred === null || preferred.includes(target))
          insert.run(each.incident, target, taker, each.until);
    this.#database.query('DELETE FROM incident_moves WHERE incident = taker').run();
    this.#known = null;
  }

  /** What was asked so long ago has been erased since, and cannot come any more. */
  prune(before: number): void {
    const gone = this.#database.query('DELETE FROM incident_moves WHERE until < ?').run(before).changes;
    if (gone > 0) this.#known = null;
  }

  #moves(): ReadonlyMap<string, Move> {
    return (this.#known ??= new Map(
      this.#database
        .query<Move, []>('SELECT incident, preferred, taker, until FROM incident_moves')
        .all()
        .map((move) => [`${move.incident} ${move.preferred}`, move]),
    ));
  }

  /** After a write that was taken back. */
  forget(): void {
    this.#known = null;
  }

  /** The same hits, of the incidents that have them now. */
  settled(rows: readonly HitRow[]): readonly HitRow[] {
    const moves = this.#moves();
    if (moves.size === 0) return rows;
    return rows.map((row) => {
      const [incident, request, at, feature, preferred, ...rest] = row;
      const move = moves.get(`${incident} ${preferred}`) ?? moves.get(`${incident} ${whole}`);
      const isTaken = move !== undefined && at <= move.until;
      return isTaken ? [move.taker, request, at, feature, preferred, ...rest] : row;
    });
  }
}
