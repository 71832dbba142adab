/** Query parameters of the admin API: their schemas, and how they are read. What is not known is an error. */
import { z } from 'zod';

import { pageSizeMax } from '../control/queries.ts';
import type { RecordFilter } from '../control/queries.ts';
import { durationMs } from '../core/duration.ts';
import { fallbackReasons } from '../core/fallback-reason.ts';
import { failureClasses } from '../core/failure.ts';
import { kindsNamed } from '../control/changes.ts';
import type { ChangeFilter } from '../control/changes.ts';
import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import { firstIssue, isMissing, issueWords } from '../core/issue-words.ts';
import { isDay } from '../core/moment.ts';
import { didYouMean } from '../core/nearest.ts';
import { requestOutcomes } from '../core/record.ts';
import { boundaryCrossings, hops } from '../core/target.ts';
import { invalidInput } from './admin-error.ts';
import type { Read } from './admin-error.ts';

export type Query = Readonly<Record<string, string>>;

/** A name as it may stand in a filter or a hypothetical request. */
export const word = z.string().min(1).max(200);

/** One of a closed list; another word gets the nearest one back. */
export function oneOf<const T extends readonly string[]>(known: T): z.ZodEnum<{ [K in T[number]]: K }> {
  return z.enum(known, {
    error: ({ input }) =>
      `must be one of ${known.join(', ')}; ${typeof input === 'string' ? didYouMean(input, known) : ''}`.replace(
        /; $/,
        '',
      ),
  });
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2}))?$/i;

export const time = z
  .string()
  .refine(
    (text) =>
      durationMs(text) !== null ||
      (rfc3339.test(text) && isDay(text.slice(0, 10)) && !Number.isNaN(Date.parse(text.toUpperCase()))),
    'must be a time such as 2026-06-07T08:00:00Z, or a duration back from now such as 1h',
  );

export const limit = z
  .string()
  .refine(
    (text) => /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= pageSizeMax,
    `must be 1 to ${pageSizeMax}`,
  );

/** A cursor is the id of the last item of the page before. */
export function cursor(prefix: 'req' | 'chg' | 'dlv' | 'inc' | 'hold' | 'run'): z.ZodString {
  return z
    .string()
    .regex(new RegExp(`^${prefix}_[\\w-]{1,64}$`), 'must be the next_cursor of the page before');
}

/** Which records are meant. */
export const recordFilters = {
  feature: word.optional(),
  target: word.optional(),
  attempted: word.optional(),
  requested: word.optional(),
  hop: oneOf(hops).optional(),
  fallback: oneOf(fallbackReasons).optional(),
  boundary: oneOf(['none', ...boundaryCrossings]).optional(),
  failure: oneOf(failureClasses).optional(),
  outcome: oneOf(requestOutcomes).optional(),
  tenant: word.optional(),
  user: word.optional(),
  key: word.optional(),
  incident: word.optional(),
  since: time.optional(),
  until: time.optional(),
} as const;

export const recordQuery = z.strictObject({
  ...recordFilters,
  cursor: cursor('req').optional(),
  limit: limit.optional(),
});

export const changeQuery = z.strictObject({
  kind: z
    .string()
    .max(100)
    .refine((text) => kindsNamed(text).length > 0, 'must be a kind such as switch.created, or switch.*')
    .optional(),
  actor: word.optional(),
  subject: word.optional(),
  since: time.optional(),
  until: time.optional(),
  cursor: cursor('chg').optional(),
  limit: limit.optional(),
});

const defaultPageSize = 50;

export function pageSize(text: string | undefined): number {
  return text === undefined ? defaultPageSize : Number(text);
}

/** The part of a query that says which records are meant. */
export function filterOf(query: Query, now: number): Omit<RecordFilter, 'limit' | 'cursor'> {
  const names = Object.fromEntries(
    Object.entries(query).filter(([name]) => name in recordFilters && name !== 'since' && name !== 'until'),
  );
  const since = momentOf(query['since'], now);
  const until = momentOf(query['until'], now);
  return {
    ...names,
    ...(since === null ? {} : { since }),
    ...(until === null ? {} : { until }),
  };
}

/** A moment, or back from now; null when none is given. */
export function momentOf(text: string | undefined, now: number): Instant | null {
  if (text === undefined) return null;
  const back = durationMs(text);
  return instant(back === null ? Date.parse(text.toUpperCase()) : now - back);
}

export function changeFilter(query: Query, now: number): ChangeFilter {
  return {
    kind: query['kind'] ?? null,
    actor: query['actor'] ?? null,
    subject: query['subject'] ?? null,
    since: momentOf(query['since'], now),
    until: momentOf(query['until'], now),
  };
}

export function recordFilter(query: Query, now: number): RecordFilter {
  const { cursor: after } = query;
  return {
    ...filterOf(query, now),
    ...(after === undefined ? {} : { cursor: after }),
    limit: pageSize(query['limit']),
  };
}

const shownLengthMax = 100;

/** Query parameters by a route's schema. One that is not known, or given twice, is an error. */
export function readQuery(schema: z.ZodObject | null, url: URL): Read<Query> {
  const known = schema === null ? [] : Object.keys(schema.shape);
  const given: Record<string, string> = {};
  for (const [name, value] of url.searchParams) {
    const shown = name.slice(0, shownLengthMax);
    if (!known.includes(name)) {
      const otherwise =
        known.length === 0 ? 'This address takes none.' : `Known parameters are ${known.join(', ')}.`;
      return invalidInput(`Unknown query parameter "${shown}".`, didYouMean(name, known) || otherwise, shown);
    }
    if (given[name] !== undefined)
      return invalidInput(`The query parameter "${shown}" is given twice.`, 'Give it once.', shown);
    given[name] = value;
  }
  const issue = firstIssue(schema?.safeParse(given).error?.issues ?? []);
  if (issue === null) return { kind: 'read', value: given };
  const field = issue.path.join('.');
  return invalidInput(
    `${field}: ${issueWords(issue)}`,
    isMissing(issue) ? 'Give it.' : 'Correct the value.',
    field,
  );
}
