/** Counts rows of records for statistics, a part at a time. */
import type { Database, SQLQueryBindings } from 'bun:sqlite';

import { requestOutcomes } from '../core/record.ts';
import {
  addGroups,
  countInto,
  groupKey,
  noValue,
  otherGroup,
  tallyOf,
  timeGroup,
} from '../core/statistics.ts';
import type { Counted, Dimension, Groups } from '../core/statistics.ts';
import { noteOutcome, targetOutcomes } from '../core/target-outcomes.ts';
import type { TargetWindows } from '../core/target-outcomes.ts';
import { timeOf } from './record-conditions.ts';
import type { RecordTable } from './record-table.ts';
import type { TallyAsked, TallyPart, WindowsPart } from './store.ts';
import { otherWord } from './words.ts';

/** Words by their number. They never change, so each is read once. */
export class WordReader {
  readonly #database: Database;
  readonly #texts = new Map<number, string>();

  constructor(database: Database) {
    this.#database = database;
  }

  text(id: number): string {
    if (id === otherWord) return otherGroup;
    const known = this.#texts.get(id);
    if (known !== undefined) return known;
    const found = this.#database
      .query<{ text: string }, [number]>('SELECT text FROM words WHERE id = ?')
      .get(id)?.text;
    if (found !== undefined) this.#texts.set(id, found);
    return found ?? otherGroup;
  }
}

/** The column that holds a dimension; null for times, which the id tells. */
const columnOf = {
  feature: 'feature',
  target: 'served',
  provider: 'served',
  model: 'served',
  attempted: 'attempted',
  requested: 'requested',
  preferred: 'preferred',
  tenant: 'tenant',
  key: 'key',
  data_class: 'class',
  hop: 'hop',
  fallback: 'fallback',
  failure: 'failures',
  boundary: 'boundary',
  outcome: 'outcome',
  told: 'told',
  error: 'error',
  hour: null,
  day: null,
  month: null,
} as const satisfies Record<Dimension, string | null>;

const counted = [
  'outcome',
  'hop',
  'duration_ms',
  'first_token_ms',
  'input_tokens',
  'output_tokens',
  'cost_microusd',
] as const;

/** `|a|b|` → its words. */
const membersOf = (text: string): readonly string[] => text.split('|').filter((word) => word !== '');

function valuesOf(dimension: Dimension, text: string | null, at: number): readonly string[] {
  switch (dimension) {
    case 'hour':
    case 'day':
    case 'month':
      return [timeGroup(dimension, at)];
    case 'attempted':
    case 'failure':
    case 'boundary':
      return text === null ? [noValue] : membersOf(text);
    case 'provider':
      return [text?.split('/', 1)[0] ?? noValue];
    case 'model':
      return [text === null ? noValue : text.slice(text.indexOf('/') + 1)];
    case 'feature':
    case 'target':
    case 'requested':
    case 'preferred':
    case 'tenant':
    case 'key':
    case 'data_class':
    case 'hop':
    case 'fallback':
    case 'outcome':
    case 'told':
    case 'error':
      return [text ?? noValue];
  }
}

const numberOf = (value: SQLQueryBindings | undefined): number | null =>
  typeof value === 'number' ? value : null;

function countedOf(row: readonly SQLQueryBindings[], words: WordReader): Counted {
  const [outcome, hop, duration, firstToken, input, output, cost] = row.map(numberOf);
  return {
    outcome: requestOutcomes.find((each) => each === words.text(outcome ?? otherWord)) ?? null,
    hasHop: (hop ?? null) !== null,
    durationMs: duration ?? 0,
    firstTokenMs: firstToken ?? null,
    inputTokens: input ?? null,
    outputTokens: output ?? null,
    costMicroUsd: cost ?? null,
  };
}

/** Every pair of what two dimensions say; all that one says. */
function keysOf(values: readonly (readonly string[])[]): readonly string[] {
  return values
    .reduce<readonly (readonly string[])[]>(
      (keys, each) => keys.flatMap((key) => each.map((value) => [...key, value])),
      [[]],
    )
    .map(groupKey);
}

type Row = { readonly own: readonly SQLQueryBindings[]; readonly at: number };

function keysOfRow(by: readonly Dimension[], { own, at }: Row, words: WordReader): readonly string[] {
  return keysOf(
    by.map((dimension, index) => {
      const word = numberOf(own[index]);
      return valuesOf(dimension, word === null ? null : words.text(word), at);
    }),
  );
}

function isMeant(checks: ReturnType<RecordTable['scan']>['checks'], entry: () => string | null): boolean {
  if (checks.length === 0) return true;
  const json = JSON.parse(entry() ?? '{}') as Record<string, unknown>;
  return checks.every((check) => check(json));
}

export function tallyPart(
  { by, filter, below }: TallyAsked,
  table: RecordTable,
  words: WordReader,
  entry: (leaf: number) => string | null,
): TallyPart {
  const columns = by.map((dimension) => columnOf[dimension] ?? 'NULL');
  const asked = { ...filter, limit: 0 };
  const scanned = table.scan(asked, below, [...counted, ...columns]);
  const found: Groups = new Map();
  // Most rows are like others: the names of their groups are put together once.
  const named = new Map<string, readonly string[]>();
  const isTimed = columns.includes('NULL');
  let rows = 0;
  for (const [leaf, id, ...rest] of scanned.rows) {
    if (!isMeant(scanned.checks, () => entry(Number(leaf)))) continue;
    rows++;
    const row = { own: rest.slice(counted.length), at: timeOf(id as Uint8Array) };
    const facts = countedOf(rest.slice(0, counted.length), words);
    const like = isTimed ? '' : row.own.map(numberOf).join(' ');
    const known = isTimed ? undefined : named.get(like);
    const keys = known ?? keysOfRow(by, row, words);
    if (known === undefined && !isTimed) named.set(like, keys);
    for (const key of keys) countInto(tallyOf(found, key), facts);
  }
  const groups: Groups = new Map();
  addGroups(groups, found);
  return { groups, below: scanned.below, rows };
}

/** How targets did in the next few runs of records. */
export function windowsPart(
  { filter, below }: Omit<TallyAsked, 'by'>,
  table: RecordTable,
  words: WordReader,
): WindowsPart {
  const columns = ['attempted', 'served', 'failures', 'outcome'];
  const scanned = table.scan({ ...filter, limit: 0 }, below, columns);
  const windows: TargetWindows = new Map();
  for (const [, id, ...rest] of scanned.rows) {
    const [attempted = null, served = null, failures = null, outcome = null] = rest.map((value) => {
      const word = numberOf(value);
      return word === null ? null : words.text(word);
    });
    const tried = {
      attempted: membersOf(attempted ?? ''),
      served,
      failures: membersOf(failures ?? ''),
      outcome: requestOutcomes.find((each) => each === outcome) ?? null,
    };
    const at = timeOf(id as Uint8Array);
    for (const each of targetOutcomes(tried)) noteOutcome(windows, each, at);
  }
  return { windows, below: scanned.below, rows: scanned.rows.length };
}
