/**
 * Records as they are searched. Listings are newest first in the order of the ledger, which no later write changes. A
 * filter is worked out run by run: the places that have each thing that is asked for, and what they have in common. Runs
 * of other times are not looked at.
 */
import type { Database } from 'bun:sqlite';

import { noNumber } from './record-columns.ts';
import type { ColumnName } from './record-columns.ts';
import type { RecordBatch } from './record-batch.ts';
import { uuidBytes } from './record-batch.ts';
import { between, RecordConditions } from './record-conditions.ts';
import type { Condition } from './record-conditions.ts';
import { RecordRuns } from './record-runs.ts';
import { runOf, timeAt } from './run-rows.ts';
import type { Span } from './run-rows.ts';
import { emptyMask, exclude, isEmpty, narrow, placesIn, runLeaves } from './run-sets.ts';
import type { Mask } from './run-sets.ts';
import type { RecordFilter } from './store.ts';

/** Runs that a scan reads at once. */
const runsAtOnce = 4;

/** Records of this class, or of every class that has no rule of its own, are over when they began before. */
export type ExpiryRow = { readonly dataClass: string | null; readonly before: number };

type Filter = Omit<RecordFilter, 'limit'>;
/** What a hold covers. */
type HeldRows = Omit<Filter, 'cursor'>;
export type Entry = (leaf: number) => string | null;

export class RecordTable {
  readonly #database: Database;
  readonly #runs: RecordRuns;
  readonly #conditions: RecordConditions;
  /** The first run that may have expired records, by class. */
  readonly #expired = new Map<string | null, number>();
  /** The holds of the last time. */
  #held = '';

  constructor(database: Database) {
    this.#database = database;
    this.#runs = new RecordRuns(database);
    this.#conditions = new RecordConditions(database);
  }

  /** A transaction was taken back. */
  forget(): void {
    this.#runs.forget();
    this.#expired.clear();
  }

  saveWords(words: RecordBatch['words']): void {
    const insert = this.#database.query('INSERT OR IGNORE INTO words (id, text) VALUES (?, ?)');
    for (const [id, text] of words) insert.run(id, text);
  }

  loadWords(): RecordBatch['words'] {
    return this.#database
      .query<{ id: number; text: string }, []>('SELECT id, text FROM words ORDER BY id')
      .all()
      .map(({ id, text }) => [id, text] as const);
  }

  /** Which of a batch are not there yet. One that was not tried before can only be in the run that is being written. */
  fresh({ count, ids }: RecordBatch, again: boolean): readonly number[] {
    const seen = new Set<string>();
    const list: number[] = [];
    for (let index = 0; index < count; index++) {
      if (this.#runs.isKnown(ids, index)) continue;
      if (again) {
        const id = ids.subarray(index * 16, index * 16 + 16);
        if (seen.has(id.toHex()) || this.#runs.find(id) !== null) continue;
        seen.add(id.toHex());
      }
      list.push(index);
    }
    return list;
  }

  /** Writes the rows of a batch from a leaf on. */
  append(batch: Pick<RecordBatch, 'count' | 'ids' | 'columns'>, first: number): void {
    this.#runs.append(batch, first);
  }

  /** Takes off every row from a leaf on. */
  cutAt(leaf: number): void {
    this.#runs.cutAt(leaf);
  }

  /** The leaf of a record; null when there is none. */
  find(id: string): number | null {
    const bytes = uuidBytes(id);
    return bytes === null ? null : this.#runs.find(bytes);
  }

  /** Runs that can have records that fit, newest first. */
  #spans(filter: Filter, below: number): readonly Span[] {
    const { since, until } = boundsOf(filter);
    return this.#runs
      .spans()
      .filter(({ run, from, to }) => run * runLeaves < below && to >= since && from < until)
      .toReversed();
  }

  /** Places of a run that fit, as far as its sets say; null when none does. */
  #fitting(conditions: readonly Condition[], filter: Filter, span: Span): Mask | null {
    const { since, until } = boundsOf(filter);
    let mask: Mask | null = null;
    for (const { places } of conditions) {
      const found = places(this.#runs, span);
      if (mask === null) mask = found;
      else narrow(mask, found);
      if (isEmpty(mask)) return null;
    }
    mask ??= this.#runs.all(span.run);
    if (span.from >= since && span.to < until) return mask;
    return narrow(mask, between(this.#runs, span, since, until)) ? mask : null;
  }

  /** Leaves of records that fit, newest first. `entry` is asked only where a set cannot be sure. */
  *leaves(filter: Filter, below: number, entry: Entry): Generator<number> {
    const conditions = this.#conditions.asked(filter);
    const checks = conditions.flatMap(({ check }) => check ?? []);
    for (const span of this.#spans(filter, below)) {
      const mask = this.#fitting(conditions, filter, span);
      const first = span.run * runLeaves;
      for (const place of mask === null ? [] : placesIn(mask, below - first))
        if (isMeant(checks, first + place, entry)) yield first + place;
    }
  }

  /** How many records fit. */
  count(filter: Filter): number {
    const conditions = this.#conditions.asked(filter);
    return this.#spans(filter, Infinity).reduce((sum, span) => {
      const mask = this.#fitting(conditions, filter, span);
      return sum + (mask === null ? 0 : placesIn(mask).length);
    }, 0);
  }

  /**
   * Records that fit, in the newest few runs below a leaf that can have any, and where to go on; null when that was all.
   * Runs are few at a time, so that whatever waits for the database waits shortly.
   */
  scan(filter: Filter, below: number | null, entry: Entry): Scanned {
    const conditions = this.#conditions.asked(filter);
    const checks = conditions.flatMap(({ check }) => check ?? []);
    const spans = this.#spans(filter, below ?? Infinity);
    const some = spans.slice(0, runsAtOnce);
    return {
      parts: some.map((span): Part => {
        const mask = this.#fitting(conditions, filter, span);
        const first = span.run * runLeaves;
        const places = mask === null ? [] : placesIn(mask, below === null ? runLeaves : below - first);
        const ids = this.#runs.ids(span.run);
        return {
          places: places.filter((place) => isMeant(checks, first + place, entry)),
          at: (place) => timeAt(ids, place),
          column: (name) => this.#runs.column(span.run, name),
        };
      }),
      below: spans.length > some.length ? (some.at(-1)?.run ?? 0) * runLeaves : null,
    };
  }

  /**
   * Takes out the rows of records whose time is over; gives their leaves. Runs that are wholly over for a rule are not
   * looked at again, so that records that stay longer cost nothing.
   */
  takeExpired(expiries: readonly ExpiryRow[], rowsMax: number, held: readonly HeldRows[]): readonly number[] {
    const holds = JSON.stringify(held);
    // What was held then may be over now.
    if (holds !== this.#held) this.#expired.clear();
    this.#held = holds;
    const named = expiries.flatMap(({ dataClass }) => (dataClass === null ? [] : [dataClass]));
    return expiries.flatMap((expiry) => this.#takeExpired(expiry, named, rowsMax, held));
  }

  #takeExpired(
    { dataClass, before }: ExpiryRow,
    named: readonly string[],
    rowsMax: number,
    held: readonly HeldRows[],
  ): readonly number[] {
    const words = (dataClass === null ? named : [dataClass]).flatMap((name) =>
      this.#conditions.classIds(name),
    );
    if (dataClass !== null && words.length === 0) return [];
    const isOf = (word: number): boolean => words.includes(word) === (dataClass !== null);
    const taken: number[] = [];
    const spans = this.#runs.spans();
    const holds = held.map((filter) => this.#holding(filter));
    for (const span of spans) {
      const { run, from, to } = span;
      if (run < (this.#expired.get(dataClass) ?? 0)) continue;
      if (from >= before || taken.length >= rowsMax) break;
      const room = rowsMax - taken.length;
      const [ids, classes] = [this.#runs.ids(run), this.#runs.column(run, 'class')];
      const free = this.#runs.all(run);
      for (const held of holds) exclude(free, held(span));
      const found = placesIn(free)
        .filter((place) => timeAt(ids, place) < before && isOf(classes[place] ?? noNumber))
        .toReversed()
        .slice(0, room);
      this.#clear(run, found, true);
      taken.push(...found.map((place) => run * runLeaves + place));
      const isDone = found.length < room && to < before && run !== spans.at(-1)?.run;
      if (isDone && run === this.#oldest(spans, dataClass)) this.#expired.set(dataClass, run + 1);
    }
    return taken;
  }

  /** Places of a run that a hold may cover: users are told apart by a hash here. */
  #holding(filter: HeldRows): (span: Span) => Mask {
    const conditions = this.#conditions.asked(filter);
    return (span) => this.#fitting(conditions, filter, span) ?? emptyMask();
  }

  #oldest(spans: readonly Span[], dataClass: string | null): number {
    const from = this.#expired.get(dataClass) ?? 0;
    return spans.find(({ run }) => run >= from)?.run ?? from;
  }

  /** Takes places out of what is found, and out of the ids where nobody is to be told. */
  #clear(run: number, places: readonly number[], withIds: boolean): void {
    if (places.length === 0) return;
    this.#runs.edit(run, ({ ids, columns }) => {
      for (const place of places) {
        for (const cells of columns) cells[place] = noNumber;
        if (withIds) ids.fill(0, place * 16, place * 16 + 16);
      }
    });
  }

  /** Empties the rows of one user; gives their leaves. The id stays, so that whoever asks for it is told. */
  takeUser(user: string, entry: Entry): readonly number[] {
    const leaves = [...this.leaves({ user }, Infinity, entry)];
    const byRun = Map.groupBy(leaves, runOf);
    for (const [run, list] of byRun)
      this.#clear(
        run,
        list.map((leaf) => leaf % runLeaves),
        false,
      );
    return leaves;
  }
}

const boundsOf = ({ since, until }: Filter): { readonly since: number; readonly until: number } => ({
  since: since ?? -Infinity,
  until: until ?? Infinity,
});

type Check = NonNullable<Condition['check']>;

/** What the entry of a record has to say so that the record is surely meant. */
function isMeant(checks: readonly Check[], leaf: number, entry: Entry): boolean {
  if (checks.length === 0) return true;
  const json = JSON.parse(entry(leaf) ?? '{}') as Record<string, unknown>;
  return checks.every((check) => check(json));
}

/** Records of one run that fit. */
export type Part = {
  readonly places: readonly number[];
  readonly at: (place: number) => number;
  readonly column: (name: ColumnName) => Int32Array;
};
type Scanned = { readonly parts: readonly Part[]; readonly below: number | null };
