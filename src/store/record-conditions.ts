/** A filter of records as conditions on the sets of a run. */
import type { Database } from 'bun:sqlite';

import { boundaryCrossings } from '../core/target.ts';
import { uuidBytes } from './record-batch.ts';
import { textHash, wordSet } from './record-columns.ts';
import type { RecordRuns } from './record-runs.ts';
import { idBytes, isThere, timeAt } from './run-rows.ts';
import type { SetColumn, Span } from './run-rows.ts';
import { emptyMask, exclude, mark, runLeaves } from './run-sets.ts';
import type { Mask } from './run-sets.ts';
import type { RecordFilter } from './store.ts';
import { otherWord, wordsMax } from './words.ts';

export type Condition = {
  /** Places of a run that fit, or may. */
  readonly places: (runs: RecordRuns, span: Span) => Mask;
  /** A place that fits may be another's: the entry has to be read. */
  readonly check?: (json: Readonly<Record<string, unknown>>) => boolean;
};
type FilterName = Exclude<keyof RecordFilter, 'limit' | 'cursor' | 'since' | 'until'>;

const nowhere: Condition = { places: emptyMask };

/** The beginning of every id that was made at a time, as its text. */
const idAt = (at: number): string => {
  const hex = Math.max(0, at).toString(16).padStart(12, '0');
  return `req_${hex.slice(0, 8)}-${hex.slice(8)}`;
};

/** Places of ids among those of a run. */
function placesOf(wanted: ReadonlySet<string>, ids: Uint8Array): Mask {
  const mask = emptyMask();
  for (let place = 0; place < runLeaves; place++)
    if (isThere(ids, place) && wanted.has(ids.subarray(place * idBytes, (place + 1) * idBytes).toHex()))
      mark(mask, place);
  return mask;
}

/** Places of a run whose record began at a time or later, and before another. */
export function between(runs: RecordRuns, { run }: Span, since: number, until: number): Mask {
  const mask = emptyMask();
  const ids = runs.ids(run);
  for (let place = 0; place < runLeaves; place++) {
    const at = timeAt(ids, place);
    if (at >= since && at < until) mark(mask, place);
  }
  return mask;
}

export class RecordConditions {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  wordId(text: string): number | null {
    const found = this.#database
      .query<{ id: number }, [string]>('SELECT id FROM words WHERE text = ?')
      .get(text);
    if (found !== null) return found.id;
    const last = this.#database.query<{ id: number | null }, []>('SELECT max(id) AS id FROM words').get();
    return (last?.id ?? 0) < wordsMax ? null : otherWord;
  }

  /** A class of data, by itself or beside another that is no stricter. */
  classIds(name: string): readonly number[] {
    const joined = this.#database
      .query<{ id: number }, [string]>(
        `SELECT id FROM words WHERE instr('+' || text || '+', '+' || ? || '+') > 0`,
      )
      .all(name)
      .map(({ id }) => id);
    return [...new Set([...joined, ...[this.wordId(name) ?? []].flat()])];
  }

  #equal(column: SetColumn, text: string, field: string = column): Condition {
    const id = this.wordId(text);
    if (id === null) return nowhere;
    const places: Condition['places'] = (runs, { run }) => runs.having(run, column, [id]);
    return id === otherWord ? { places, check: (json) => json[field] === text } : { places };
  }

  #among(column: SetColumn, text: string): Condition {
    const pattern = `%${(wordSet([text]) ?? '').replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    const ids = this.#database
      .query<{ id: number }, [string]>(String.raw`SELECT id FROM words WHERE text LIKE ? ESCAPE '\'`)
      .all(pattern)
      .map(({ id }) => id);
    return ids.length === 0 ? nowhere : { places: (runs, { run }) => runs.having(run, column, ids) };
  }

  /** Places of records whose set holds none of the words there are for it. */
  #without(column: SetColumn, words: readonly string[]): Condition {
    const held = words.map((word) => this.#among(column, word));
    return {
      places: (runs, span) => {
        const mask = runs.all(span.run);
        exclude(mask, runs.having(span.run, column, [otherWord]));
        for (const each of held) exclude(mask, each.places(runs, span));
        return mask;
      },
    };
  }

  #hitBy(incident: string): Condition {
    const query = this.#database.query<{ request: string }, [string, string, string]>(
      'SELECT request FROM incident_hits WHERE incident = ? AND request >= ? AND request < ?',
    );
    return {
      places: (runs, { run, from, to }) => {
        const hits = query.all(incident, idAt(from), idAt(to + 1));
        if (hits.length === 0) return emptyMask();
        return placesOf(new Set(hits.map(({ request }) => uuidBytes(request)?.toHex() ?? '')), runs.ids(run));
      },
    };
  }

  #ofUser(user: string): Condition {
    const hash = textHash(user);
    return {
      places: (runs, { run }) => runs.ofUser(run, hash),
      check: (json) => json['user'] === user,
    };
  }

  #conditions: { readonly [name in FilterName]: (value: NonNullable<RecordFilter[name]>) => Condition } = {
    // What few records have comes first: a run without it needs no other look.
    incident: (value) => this.#hitBy(value),
    hop: (value) => this.#equal('hop', value),
    failure: (value) => this.#among('failures', value),
    boundary: (value) =>
      value === 'none' ? this.#without('boundary', boundaryCrossings) : this.#among('boundary', value),
    fallback: (value) => this.#equal('fallback', value),
    outcome: (value) => this.#equal('outcome', value),
    tenant: (value) => this.#equal('tenant', value),
    key: (value) => this.#equal('key', value),
    target: (value) => this.#equal('served', value),
    attempted: (value) => this.#among('attempted', value),
    requested: (value) => this.#equal('requested', value),
    preferred: (value) => this.#equal('preferred', value),
    feature: (value) => this.#equal('feature', value),
    user: (value) => this.#ofUser(value),
  };

  asked(filter: Omit<RecordFilter, 'limit'>): readonly Condition[] {
    const one = <N extends FilterName>(name: N, value: RecordFilter[N]): readonly Condition[] =>
      value === undefined ? [] : [this.#conditions[name](value)];
    return (Object.keys(this.#conditions) as FilterName[]).flatMap((name) => one(name, filter[name]));
  }
}
