/**
 * The numbers of one run of 4,096 entries of the ledger, and the sets that are made of them.
 *
 * An entry that is no record, or whose record is over, has an id of zeros.
 */
import type { RecordRows } from './record-batch.ts';
import { columnNames, columnOf, noNumber } from './record-columns.ts';
import type { ColumnName } from './record-columns.ts';
import { packedPlaces, runLeaves } from './run-sets.ts';

export const idBytes = 16;
export const runOf = (leaf: number): number => Math.floor(leaf / runLeaves);

/** The numbers of a whole run. */
export type RunRows = {
  readonly ids: Uint8Array<ArrayBuffer>;
  readonly columns: readonly Int32Array<ArrayBuffer>[];
};

/** The times between which its records began. */
export type Span = { readonly run: number; from: number; to: number };

/** Columns whose words are kept as sets. */
const setColumns = [
  'feature',
  'requested',
  'preferred',
  'served',
  'attempted',
  'tenant',
  'key',
  'hop',
  'fallback',
  'boundary',
  'failures',
  'outcome',
] as const satisfies readonly ColumnName[];
export type SetColumn = (typeof setColumns)[number];

/** More than there are words. */
const wordsPerColumn = 2 ** 20;
export const keyOf = (column: number, word: number): number => column * wordsPerColumn + word;
/** The set of all that can be found. */
export const allKey = -1;
/** Users are too many for sets: their column is read. Runs of before have sets of them, which nobody reads. */
export const userColumn = columnOf('user');
export const isOfUsers = (key: number): boolean => Math.floor(key / wordsPerColumn) === userColumn;
export const featureColumn = columnOf('feature');

/** UUIDv7: the first 48 bits are the time. */
export const timeAt = (ids: Uint8Array, place: number): number => {
  const at = place * idBytes;
  const high = ((ids[at] ?? 0) << 8) | (ids[at + 1] ?? 0);
  const low =
    ((ids[at + 2] ?? 0) << 24) | ((ids[at + 3] ?? 0) << 16) | ((ids[at + 4] ?? 0) << 8) | (ids[at + 5] ?? 0);
  return high * 2 ** 32 + (low >>> 0);
};

/** Every version says where it is: an id with zeros there is none. */
export const isThere = (ids: Uint8Array, place: number): boolean => (ids[place * idBytes + 6] ?? 0) !== 0;

export function emptyRows(): RunRows {
  return {
    ids: new Uint8Array(runLeaves * idBytes),
    columns: columnNames.map(() => new Int32Array(runLeaves).fill(noNumber)),
  };
}

export function spanOf(run: number, { ids }: RunRows): Span {
  const span: Span = { run, from: Infinity, to: -Infinity };
  for (let place = 0; place < runLeaves; place++) if (isThere(ids, place)) widen(span, timeAt(ids, place));
  return span;
}

export function widen(span: Span, at: number): void {
  span.from = Math.min(span.from, at);
  span.to = Math.max(span.to, at);
}

/** The sets of a run, packed, by their keys. */
export function setsOf({ columns }: RunRows): ReadonlyMap<number, Uint8Array<ArrayBuffer>> {
  const places = new Map<number, number[]>();
  const add = (key: number, place: number): void => {
    const found = places.get(key);
    if (found === undefined) places.set(key, [place]);
    else found.push(place);
  };
  for (const name of setColumns) {
    const column = columnOf(name);
    const cells = columns[column] ?? [];
    for (let place = 0; place < runLeaves; place++) {
      const word = cells[place] ?? noNumber;
      if (word !== noNumber) add(keyOf(column, word), place);
    }
  }
  for (let place = 0; place < runLeaves; place++)
    if ((columns[featureColumn]?.[place] ?? noNumber) !== noNumber) add(allKey, place);
  return new Map(
    [...places].toSorted(([one], [other]) => one - other).map(([key, list]) => [key, packedPlaces(list)]),
  );
}

/** As much of an id as a number holds: its last bits, which are chance. */
export const tailOf = (ids: Uint8Array, at: number): number =>
  ((ids[at + 10] ?? 0) * 256 + (ids[at + 11] ?? 0)) * 2 ** 32 +
  ((((ids[at + 12] ?? 0) << 24) |
    ((ids[at + 13] ?? 0) << 16) |
    ((ids[at + 14] ?? 0) << 8) |
    (ids[at + 15] ?? 0)) >>>
    0);

/** Rows of a batch, in another order or fewer of them. */
export function someRows(rows: RecordRows, indexes: readonly number[]): RecordRows {
  const { length: count } = indexes;
  const ids = new Uint8Array(count * idBytes);
  const columns = new Int32Array(count * columnNames.length);
  indexes.forEach((from, to) => {
    ids.set(rows.ids.subarray(from * idBytes, (from + 1) * idBytes), to * idBytes);
    for (let column = 0; column < columnNames.length; column++)
      columns[column * count + to] = rows.columns[column * rows.count + from] ?? noNumber;
  });
  return { count, ids, columns };
}

export function sameId(some: Uint8Array, one: number, others: Uint8Array, other: number): boolean {
  for (let at = 0; at < idBytes; at++)
    if (some[one * idBytes + at] !== others[other * idBytes + at]) return false;
  return true;
}
