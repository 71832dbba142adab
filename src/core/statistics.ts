/**
 * Statistics of requests by any two of their properties: how many, how they ended, how long they took, what they used.
 *
 * A tally can be put together from parts, so that ten million records are counted a few thousand at a time and nothing
 * else waits for it. Times are kept as counts in buckets that grow by 4 %, so a percentile is off by 2 % at most and a
 * tally stays small however much it has seen. What has more groups than can be shown is put together as `(other)`: sums
 * stay right. A request that has several values of a property, such as two failures, counts once under each.
 *
 * It refuses to guess: without a price there is no cost, and without an answer there is no time to the first token.
 */
import { dayText, momentText } from './moment.ts';
import type { RequestOutcome } from './record.ts';

export const dimensions = [
  'feature',
  'target',
  'provider',
  'model',
  'attempted',
  'requested',
  'preferred',
  'tenant',
  'key',
  'data_class',
  'hop',
  'fallback',
  'failure',
  'boundary',
  'outcome',
  'told',
  'error',
  'operation',
  'hour',
  'day',
  'month',
] as const;
export type Dimension = (typeof dimensions)[number];
export const dimensionsMax = 2;

/** Groups that are kept apart. */
export const groupsMax = 1_000;
export const otherGroup = '(other)';
export const noValue = '(none)';

/** Counts by bucket. */
type Times = Map<number, number>;

/** Plain values, so that it can cross a thread. */
export type Tally = {
  requests: number;
  readonly outcomes: Record<RequestOutcome, number>;
  /** Answered by another target than the preferred one. */
  rescued: number;
  inputTokens: number;
  outputTokens: number;
  costMicroUsd: number;
  /** Requests whose cost is known. */
  priced: number;
  readonly duration: Times;
  readonly firstToken: Times;
};

/** What of a record is counted. */
export type Counted = {
  /** Null: a word that had no room of its own. */
  readonly outcome: RequestOutcome | null;
  readonly hasHop: boolean;
  readonly durationMs: number;
  readonly firstTokenMs: number | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly costMicroUsd: number | null;
};

export const emptyTally = (): Tally => ({
  requests: 0,
  outcomes: { answered: 0, partial: 0, refused: 0, failed: 0, cancelled: 0 },
  rescued: 0,
  inputTokens: 0,
  outputTokens: 0,
  costMicroUsd: 0,
  priced: 0,
  duration: new Map(),
  firstToken: new Map(),
});

const growth = Math.log(1.04);
const bucketOf = (ms: number): number => (ms < 1 ? 0 : 1 + Math.floor(Math.log(ms) / growth));
/** The middle of a bucket, as its ends see it. */
const timeOf = (bucket: number): number => (bucket === 0 ? 0 : Math.exp((bucket - 0.5) * growth));

const more = (times: Times, bucket: number, count: number): void =>
  void times.set(bucket, (times.get(bucket) ?? 0) + count);

export function countInto(tally: Tally, counted: Counted): void {
  tally.requests++;
  if (counted.outcome !== null) tally.outcomes[counted.outcome]++;
  if (counted.hasHop && counted.outcome === 'answered') tally.rescued++;
  tally.inputTokens += counted.inputTokens ?? 0;
  tally.outputTokens += counted.outputTokens ?? 0;
  if (counted.costMicroUsd !== null) {
    tally.costMicroUsd += counted.costMicroUsd;
    tally.priced++;
  }
  more(tally.duration, bucketOf(counted.durationMs), 1);
  if (counted.firstTokenMs !== null) more(tally.firstToken, bucketOf(counted.firstTokenMs), 1);
}

function addInto(tally: Tally, part: Tally): void {
  tally.requests += part.requests;
  for (const outcome of Object.keys(tally.outcomes) as RequestOutcome[])
    tally.outcomes[outcome] += part.outcomes[outcome];
  tally.rescued += part.rescued;
  tally.inputTokens += part.inputTokens;
  tally.outputTokens += part.outputTokens;
  tally.costMicroUsd += part.costMicroUsd;
  tally.priced += part.priced;
  for (const [bucket, count] of part.duration) more(tally.duration, bucket, count);
  for (const [bucket, count] of part.firstToken) more(tally.firstToken, bucket, count);
}

/** The time that a share of requests stayed under; null when there is none. */
export function percentileMs(times: ReadonlyMap<number, number>, share: number): number | null {
  const buckets = [...times].sort(([one], [other]) => one - other);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  let left = Math.max(1, Math.ceil(total * share));
  for (const [bucket, count] of buckets) {
    left -= count;
    if (left <= 0) return Math.round(timeOf(bucket));
  }
  return null;
}

/** A group's values in the order of the dimensions, as one text that can be a key. */
export const groupKey = (values: readonly string[]): string => JSON.stringify(values);
const groupValues = (key: string): readonly string[] => JSON.parse(key) as readonly string[];

export type Groups = Map<string, Tally>;

export function tallyOf(groups: Groups, key: string): Tally {
  const known = groups.get(key);
  if (known !== undefined) return known;
  const made = emptyTally();
  groups.set(key, made);
  return made;
}

/** Puts a part to the rest; a group for which there is no room goes to the others. */
export function addGroups(groups: Groups, part: ReadonlyMap<string, Tally>): void {
  for (const [key, tally] of part) {
    const isRoom = groups.has(key) || groups.size < groupsMax;
    const others = groupValues(key).map(() => otherGroup);
    addInto(tallyOf(groups, isRoom ? key : groupKey(others)), tally);
  }
}

export type Statistic = { readonly values: readonly string[]; readonly tally: Tally };

/** The largest group first. */
export function statisticsOf(groups: Groups): readonly Statistic[] {
  return [...groups]
    .map(([key, tally]) => ({ values: groupValues(key), tally }))
    .sort(
      (one, other) =>
        other.tally.requests - one.tally.requests || (groupKey(one.values) < groupKey(other.values) ? -1 : 1),
    );
}

/** When a request came, as coarsely as a dimension has it. */
export function timeGroup(dimension: 'hour' | 'day' | 'month', at: number): string {
  switch (dimension) {
    case 'hour':
      return `${momentText(at).slice(0, 13)}:00Z`;
    case 'day':
      return dayText(at);
    case 'month':
      return dayText(at).slice(0, 7);
  }
}
