/** The shape in which legal holds are shown. */
import { z } from 'zod';

const text = z.string();
const name = text.nullable();
const time = z.iso.datetime({ precision: 3 });

const hold = z.object({
  id: text,
  scope: z.object({
    tenant: name,
    user: name,
    incident: name,
    since: time.nullable(),
    until: time.nullable(),
  }),
  reason: text,
  placed_at: time,
  placed_by: text,
  in_force: z.boolean(),
  released: z.object({ at: time, by: text, reason: text }).nullable(),
});

export const holdAnswers = {
  Hold: hold,
  HoldList: z.object({ items: z.array(hold), next_cursor: name }),
} as const satisfies Record<string, z.ZodType>;
