/** Requests counted by any two of their properties. */
import { z } from 'zod';

import { collectStatistics } from '../control/statistics.ts';
import type { Statistics } from '../control/statistics.ts';
import { didYouMean } from '../core/nearest.ts';
import { dimensions, dimensionsMax, percentileMs } from '../core/statistics.ts';
import type { Dimension, Statistic, Tally } from '../core/statistics.ts';
import { json } from './admin-error.ts';
import { filterOf, recordFilters } from './admin-query.ts';
import type { AdminRoute } from './admin-route.ts';
import { listToWire } from './wire.ts';
import type { Json } from './wire.ts';

const isDimension = (name: string): name is Dimension => (dimensions as readonly string[]).includes(name);
const dimensionsOf = (text: string): readonly string[] => text.split(',').map((name) => name.trim());

const by = z.string().refine(
  (text) => {
    const names = dimensionsOf(text);
    return names.length <= dimensionsMax && new Set(names).size === names.length && names.every(isDimension);
  },
  {
    error: ({ input }) => {
      const wrong = dimensionsOf(String(input)).find((name) => !isDimension(name));
      const meant = wrong === undefined ? '' : didYouMean(wrong, dimensions);
      return `must be one or two of ${dimensions.join(', ')}${meant === '' ? '' : `; ${meant}`}`;
    },
  },
);

const timesToWire = (counted: Tally['duration']): Json => ({
  p50: percentileMs(counted, 0.5),
  p90: percentileMs(counted, 0.9),
  p99: percentileMs(counted, 0.99),
});

function statisticToWire({ values, tally }: Statistic, names: readonly Dimension[]): Json {
  const { answered, partial, refused, failed, cancelled } = tally.outcomes;
  return {
    group: Object.fromEntries(names.map((name, index) => [name, values[index]])),
    requests: tally.requests,
    answered,
    rescued: tally.rescued,
    partial,
    refused,
    failed,
    cancelled,
    duration_ms: timesToWire(tally.duration),
    first_token_ms: timesToWire(tally.firstToken),
    input_tokens: tally.inputTokens,
    output_tokens: tally.outputTokens,
    cost_usd: tally.priced === 0 ? null : tally.costMicroUsd / 1e6,
  };
}

/** All groups there are, at once: there is no next page. */
const statisticsToWire = (found: Statistics): Json => ({
  by: found.by,
  records: found.records,
  cut: found.isCut,
  ...listToWire(found.groups.map((group) => statisticToWire(group, found.by))),
});

/** Comes before the route of one record, whose id could be anything. */
export const statisticsRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/requests/stats',
    role: 'viewer',
    summary: 'Requests counted by one or two of their properties, the largest group first',
    query: z.strictObject({ ...recordFilters, by: by.optional() }),
    answer: 'RequestStatistics',
    handle: async ({ query }, { store, now }) => {
      const names = dimensionsOf(query['by'] ?? 'feature').filter(isDimension);
      return json(statisticsToWire(await collectStatistics(names, filterOf(query, now()), store)));
    },
  },
];
