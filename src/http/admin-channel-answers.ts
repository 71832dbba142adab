/** What the admin API answers of channels and deliveries. */
import { z } from 'zod';

import { deliveryStates } from '../core/delivery.ts';
import { bulletinSeverities, bulletinTypes } from '../core/bulletin.ts';

const text = z.string();
const maybeTime = z.iso.datetime({ precision: 3 }).nullable();

const channel = z.object({
  name: text,
  kind: z.enum(['webhook', 'slack', 'teams', 'discord', 'pagerduty', 'smtp']),
  on: z.array(text),
  at_least: z.enum(bulletinSeverities),
  allow_private: z.boolean(),
  /** Since when it has said that it wants nothing any more (410); a test that arrives brings it back. */
  gone_at: maybeTime,
});

const delivery = z.object({
  id: text,
  channel: text,
  message: text,
  type: z.enum(bulletinTypes),
  subject: text,
  severity: z.enum(bulletinSeverities),
  title: text,
  state: z.enum(deliveryStates),
  attempts: z.int().nonnegative(),
  created_at: z.iso.datetime({ precision: 3 }),
  next_at: maybeTime,
  last_at: maybeTime,
  last_status: z.int().nullable(),
  words: text.nullable(),
});

export const channelAnswers = {
  ChannelList: z.object({ items: z.array(channel), next_cursor: z.null() }),
  Delivery: delivery,
  DeliveryList: z.object({ items: z.array(delivery), next_cursor: text.nullable() }),
} as const satisfies Record<string, z.ZodType>;
