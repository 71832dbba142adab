/** The shape in which canaries are shown. */
import { z } from 'zod';

const text = z.string();
const time = z.iso.datetime({ precision: 3 });
const maybeTime = time.nullable();
const count = z.int().nonnegative();

const canary = z.object({
  target: text,
  /** Rounds of the reference, of how many. */
  reference: z.object({ rounds: count, of: count, since: maybeTime }),
  /** Rounds of the sample that is being taken. */
  sample: z.object({ rounds: count, of: count }),
  asked_at: maybeTime,
  due_at: time,
  finding: z.object({ at: time, words: text }).nullable(),
});

export const canaryAnswers = {
  CanaryList: z.object({ items: z.array(canary), next_cursor: text.nullable() }),
} as const satisfies Record<string, z.ZodType>;
