/** The shapes of statistics. */
import { z } from 'zod';

import { dimensions, groupsMax } from '../core/statistics.ts';

const count = z.int().nonnegative();
const time = count.nullable();
const times = z.object({ p50: time, p90: time, p99: time });

export const statisticsAnswers = {
  RequestStatistics: z.object({
    by: z.array(z.enum(dimensions)),
    records: count,
    /** Older records fit too and were not counted. */
    cut: z.boolean(),
    items: z
      .array(
        z.object({
          group: z.partialRecord(z.enum(dimensions), z.string()),
          requests: count,
          answered: count,
          rescued: count,
          partial: count,
          refused: count,
          failed: count,
          cancelled: count,
          duration_ms: times,
          first_token_ms: times,
          input_tokens: count,
          output_tokens: count,
          cost_usd: z.number().nonnegative().nullable(),
        }),
      )
      .max(groupsMax + 1),
    next_cursor: z.null(),
  }),
} as const;
