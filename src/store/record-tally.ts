/** Counts rows of records for statistics, a part at a time. */
import { modelIn, providerIn } from '../core/ids.ts';
import type { Database } from 'bun:sqlite';

import { isCount, requestOutcomes } from '../core/record.ts';
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
import { noNumber } from './record-columns.ts';
import type { ColumnName } from './record-columns.ts';
import type { Entry, Part, RecordTable } from './record-table.ts';
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
  operation: 'operation',
  hour: null,
  day: null,
  month: null,
} as const satisfies Record<Dimension, ColumnName | null>;

/** `|a|b|` → its words. */
const membersOf = (text: string): readonly string[] => text.split('|').filter((word) => word !== '');

function valuesOf(dimension: Dimension, text: string | null, at: number): readonly string[] {
  switch (dimension) {
    case 'hour':
    case 'day':
    case 'month':
      return [timeGroup(dimension, at)];
    case 'operation':
      return [text ?? 'answer'];
    case 'attempted':
    case 'failure':
    case 'boundary':
      return text === null ? [noValue] : membersOf(text);
    case 'provider':
      return [text === null ? noValue : providerIn(text)];
    case 'model':
      return [text === null ? noValue : modelIn(text)];
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

type Cells = (place: number) => number | null;

function cellsOf(part: Part, name: ColumnName): Cells {
  const column = part.column(name);
  return (place) => {
    const value = column[place] ?? noNumber;
    return value === noNumber ? null : value;
  };
}

const textOf = (words: WordReader, word: number | null): string | null =>
  word === null ? null : words.text(word);

const outcomeOf = (text: string | null) => requestOutcomes.find((each) => each === text) ?? null;

/** What is counted of the records of a part. */
function countedIn(part: Part, words: WordReader): (place: number) => Counted {
  const [outcome, hop] = [cellsOf(part, 'outcome'), cellsOf(part, 'hop')];
  const [duration, firstToken] = [cellsOf(part, 'duration_ms'), cellsOf(part, 'first_token_ms')];
  const [input, output] = [cellsOf(part, 'input_tokens'), cellsOf(part, 'output_tokens')];
  const cost = cellsOf(part, 'cost_microusd');
  return (place) => ({
    outcome: outcomeOf(textOf(words, outcome(place))),
    hasHop: hop(place) !== null,
    durationMs: duration(place) ?? 0,
    firstTokenMs: firstToken(place),
    inputTokens: input(place),
    outputTokens: output(place),
    costMicroUsd: cost(place),
  });
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

export function tallyPart(
  { by, filter, below }: TallyAsked,
  table: RecordTable,
  words: WordReader,
  entry: Entry,
): TallyPart {
  const scanned = table.scan(filter, below, entry);
  const found: Groups = new Map();
  // Most records are like others: the names of their groups are put together once.
  const named = new Map<string, readonly string[]>();
  const isTimed = by.some((dimension) => columnOf[dimension] === null);
  let rows = 0;
  for (const part of scanned.parts) {
    const factsOf = countedIn(part, words);
    const own = by.map((dimension): Cells => {
      const name = columnOf[dimension];
      return name === null ? () => null : cellsOf(part, name);
    });
    const keysAt = (place: number): readonly string[] =>
      keysOf(
        by.map((dimension, index) =>
          valuesOf(dimension, textOf(words, own[index]?.(place) ?? null), part.at(place)),
        ),
      );
    for (const place of part.places) {
      rows++;
      const like = isTimed ? '' : own.map((cells) => cells(place)).join(' ');
      const keys = (isTimed ? undefined : named.get(like)) ?? keysAt(place);
      if (!isTimed) named.set(like, keys);
      const facts = factsOf(place);
      for (const key of keys) countInto(tallyOf(found, key), facts);
    }
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
  entry: Entry,
): WindowsPart {
  const scanned = table.scan(filter, below, entry);
  const windows: TargetWindows = new Map();
  let rows = 0;
  for (const part of scanned.parts) {
    const [attempted, served] = [cellsOf(part, 'attempted'), cellsOf(part, 'served')];
    const [failures, outcome] = [cellsOf(part, 'failures'), cellsOf(part, 'outcome')];
    const operation = cellsOf(part, 'operation');
    for (const place of part.places) {
      rows++;
      // A count of tokens says nothing of answers.
      if (isCount(textOf(words, operation(place)))) continue;
      const tried = {
        attempted: membersOf(textOf(words, attempted(place)) ?? ''),
        served: textOf(words, served(place)),
        failures: membersOf(textOf(words, failures(place)) ?? ''),
        outcome: outcomeOf(textOf(words, outcome(place))),
      };
      for (const each of targetOutcomes(tried)) noteOutcome(windows, each, part.at(place));
    }
  }
  return { windows, below: scanned.below, rows };
}
