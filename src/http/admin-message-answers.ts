/** What the admin API answers of messages to users. */
import { z } from 'zod';

import { messageStages } from '../core/message-texts.ts';

const time = z.iso.datetime({ precision: 3 });
const texts = z.record(z.string(), z.object({ title: z.string(), body: z.string(), desk: z.string() }));

const message = z.object({
  id: z.string(),
  incident: z.string(),
  stage: z.enum(messageStages),
  state: z.enum(['published', 'suppressed']),
  at: time,
  by: z.string(),
  automatic: z.boolean(),
  reason: z.string().nullable(),
  texts,
  next_update_at: time.nullable(),
});

export const messageAnswers = {
  Message: message,
  MessageList: z.object({ items: z.array(message), next_cursor: z.null() }),
  MessageDraft: z.object({
    stage: z.enum(messageStages),
    texts,
    next_update_at: time.nullable(),
    problems: z.array(z.string()),
    may_be_published: z.boolean(),
  }),
} as const satisfies Record<string, z.ZodType>;
