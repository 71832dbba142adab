/** A filter of records as conditions on their rows. */
import type { Database, SQLQueryBindings } from 'bun:sqlite';

import { textHash, uuidBytes, wordSet } from './record-batch.ts';
import type { RecordFilter } from './store.ts';
import { answeredWord, otherWord } from './words.ts';

export type Condition = {
  readonly sql: string;
  readonly values: readonly SQLQueryBindings[];
  /** Looked for across all runs by an index of its own. */
  readonly rare?: true;
  /** Only runs that have one of these words can have a row. */
  readonly words?: readonly number[];
  /** The row may be another's: the entry has to be read. */
  readonly check?: (json: Readonly<Record<string, unknown>>) => boolean;
  /** Needs the run beside it, for an index within runs. */
  readonly inRun?: true;
};
type FilterName = Exclude<keyof RecordFilter, 'limit' | 'cursor'>;

const nothing: Condition = { sql: 'FALSE', values: [], words: [] };

export const marks = (list: readonly unknown[]): string => list.map(() => '?').join(', ');

/** UUIDv7: the first 48 bits are the time. */
export function firstIdAt(at: number): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.max(0, Math.ceil(at))) << 16n);
  return bytes;
}

export const timeOf = (id: Uint8Array): number =>
  new DataView(id.buffer, id.byteOffset).getUint16(0) * 2 ** 32 +
  new DataView(id.buffer, id.byteOffset).getUint32(2);

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
    const full = this.#database
      .query<{ run: number }, [number]>('SELECT run FROM run_words WHERE word = ? LIMIT 1')
      .get(otherWord);
    return full === null ? null : otherWord;
  }

  #equal(column: string, text: string, field: string = column): Condition {
    const id = this.wordId(text);
    if (id === null) return nothing;
    const condition: Condition = { sql: `${column} = ?`, values: [id], words: [id] };
    return id === otherWord ? { ...condition, check: (json) => json[field] === text } : condition;
  }

  #among(column: string, text: string): Condition {
    const pattern = `%${(wordSet([text]) ?? '').replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    const ids = this.#database
      .query<{ id: number }, [string]>(String.raw`SELECT id FROM words WHERE text LIKE ? ESCAPE '\'`)
      .all(pattern)
      .map(({ id }) => id);
    return ids.length === 0 ? nothing : { sql: `${column} IN (${marks(ids)})`, values: ids, words: ids };
  }

  /** Requests are looked for from the first to the last that it hit. */
  #hitBy(incident: string): Condition {
    const ends = this.#database
      .query<{ first: string | null; last: string | null }, [string]>(
        'SELECT min(request) AS first, max(request) AS last FROM incident_hits WHERE incident = ?',
      )
      .get(incident);
    const [first, last] = [uuidBytes(ends?.first ?? ''), uuidBytes(ends?.last ?? '')];
    if (first === null || last === null) return nothing;
    const hits = "SELECT unhex(replace(substr(request, 5), '-', '')) FROM incident_hits WHERE incident = ?";
    return { sql: `id BETWEEN ? AND ? AND id IN (${hits})`, values: [first, last, incident], inRun: true };
  }

  #conditions: { readonly [name in FilterName]: (value: NonNullable<RecordFilter[name]>) => Condition } = {
    feature: (value) => this.#equal('feature', value),
    target: (value) => this.#equal('served', value),
    attempted: (value) => this.#among('attempted', value),
    requested: (value) => this.#equal('requested', value),
    preferred: (value) => this.#equal('preferred', value),
    hop: (value) => ({ ...this.#equal('hop', value), rare: true }),
    fallback: (value) => this.#equal('fallback', value),
    boundary: (value) => ({ ...this.#among('boundary', value), rare: true }),
    failure: (value) => ({ ...this.#among('failures', value), rare: true }),
    outcome: (value) => {
      const condition = this.#equal('outcome', value);
      return condition.values[0] === answeredWord
        ? condition
        : { ...condition, sql: `outcome <> ${answeredWord} AND ${condition.sql}`, rare: true };
    },
    tenant: (value) => this.#equal('tenant', value),
    user: (value) => ({
      sql: 'user = ?',
      values: [textHash(value)],
      inRun: true,
      check: (json) => json['user'] === value,
    }),
    key: (value) => this.#equal('key', value),
    incident: (value) => this.#hitBy(value),
    // The plus keeps the index of ids out of it: a run is read in its order, and runs of other times are not read.
    since: (value) => ({ sql: '+id >= ?', values: [firstIdAt(value)] }),
    until: (value) => ({ sql: '+id < ?', values: [firstIdAt(value)] }),
  };

  asked(filter: RecordFilter): readonly Condition[] {
    const one = <N extends FilterName>(name: N, value: RecordFilter[N]): readonly Condition[] =>
      value === undefined ? [] : [this.#conditions[name](value)];
    return (Object.keys(this.#conditions) as FilterName[]).flatMap((name) => one(name, filter[name]));
  }
}
