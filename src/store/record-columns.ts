/** What records are searched and counted by: some of their fields as whole numbers. */
import type { RequestRecord } from '../core/record.ts';

/** What stands for null among the columns. */
export const noNumber = -2_147_483_648;
const numberMax = 2_147_483_647;

/** Words between bars, so that one of several can be found by LIKE. */
export function wordSet(list: readonly string[]): string | null {
  if (list.length < 2) return list[0] === undefined ? null : `|${list[0]}|`;
  return `|${[...new Set(list)].join('|')}|`;
}

/** Of what has too many values for numbers of its own; whoever finds by it reads the entry to be sure. */
export const textHash = (text: string): number => Bun.hash.xxHash32(text) >>> 1;

/** In their order on disk. A new one is added at the end; older rows have null in it. */
export const columnNames = [
  'feature',
  'requested',
  'preferred',
  'served',
  'attempted',
  'tenant',
  'key',
  'user',
  'class',
  'hop',
  'fallback',
  'boundary',
  'failures',
  'outcome',
  'told',
  'error',
  'duration_ms',
  'first_token_ms',
  'input_tokens',
  'output_tokens',
  'cost_microusd',
  'operation',
] as const;
export type ColumnName = (typeof columnNames)[number];
export const columnOf = (name: ColumnName): number => columnNames.indexOf(name);

type Sums = { input: number; output: number; cost: number };

function sums({ attempts }: RequestRecord): Sums {
  const total: Sums = { input: noNumber, output: noNumber, cost: noNumber };
  for (const { inputTokens, outputTokens, costUsd } of attempts) {
    if (inputTokens !== null) total.input = (total.input === noNumber ? 0 : total.input) + inputTokens;
    if (outputTokens !== null) total.output = (total.output === noNumber ? 0 : total.output) + outputTokens;
    if (costUsd !== null) total.cost = (total.cost === noNumber ? 0 : total.cost) + costUsd * 1e6;
  }
  return total;
}

const counted = (value: number | null): number =>
  value === null ? noNumber : Math.min(Math.round(value), numberMax);

/** Writes numbers of one of the records that a list of columns has room for. */
type Write = (
  record: RequestRecord,
  wordOf: (text: string) => number,
  columns: Int32Array,
  at: number,
) => void;

const wordOr = (text: string | null, wordOf: (text: string) => number): number =>
  text === null ? noNumber : wordOf(text);

const own = {
  tenant: columnOf('tenant'),
  key: columnOf('key'),
  user: columnOf('user'),
  duration: columnOf('duration_ms'),
  firstToken: columnOf('first_token_ms'),
  input: columnOf('input_tokens'),
  output: columnOf('output_tokens'),
  cost: columnOf('cost_microusd'),
} as const;

/** Writes the numbers that differ from one record of a feature to the next. */
export const writeOwn: Write = (record, wordOf, columns, at) => {
  const step = columns.length / columnNames.length;
  const { input, output, cost } = sums(record);
  columns[own.tenant * step + at] = wordOr(record.tenant, wordOf);
  columns[own.key * step + at] = wordOr(record.key, wordOf);
  columns[own.user * step + at] = record.user === null ? noNumber : textHash(record.user);
  columns[own.duration * step + at] = counted(record.durationMs);
  columns[own.firstToken * step + at] = counted(record.attempts.at(-1)?.firstTokenMs ?? null);
  columns[own.input * step + at] = counted(input);
  columns[own.output * step + at] = counted(output);
  columns[own.cost * step + at] = counted(cost);
};

export const writeColumns: Write = (record, wordOf, columns, at) => {
  const step = columns.length / columnNames.length;
  const { attempts } = record;
  const put = (name: ColumnName, text: string | null): void => {
    columns[columnOf(name) * step + at] = wordOr(text, wordOf);
  };
  put('feature', record.feature);
  put('requested', record.requested);
  put('preferred', record.preferred);
  put('served', record.served);
  put('attempted', wordSet(attempts.map(({ target }) => target)));
  put('class', record.dataClass);
  put('hop', record.hop);
  put('fallback', record.fallback);
  put('boundary', wordSet(record.boundary));
  put('failures', wordSet(attempts.flatMap(({ failure }) => failure ?? [])));
  put('outcome', record.outcome);
  put('told', record.told);
  put('error', record.errorCode);
  put('operation', record.operation === 'answer' ? null : record.operation);
  writeOwn(record, wordOf, columns, at);
};
