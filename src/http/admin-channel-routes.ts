/** Channels: who is told, what came of it, a test of one, a second try of what is dead. */
import { z } from 'zod';

import { deliveryStates } from '../core/delivery.ts';
import type { DeliveryState } from '../core/delivery.ts';
import { timeText } from '../core/moment.ts';
import { json } from './admin-error.ts';
import { cursor, limit, oneOf, pageSize, word } from './admin-query.ts';
import { sent } from './admin-route.ts';
import type { AdminRoute } from './admin-route.ts';
import { deliveryToWire, listToWire } from './wire.ts';

const deliveryQuery = z.strictObject({
  channel: word.optional(),
  state: oneOf(deliveryStates).optional(),
  cursor: cursor('dlv').optional(),
  limit: limit.optional(),
});

export const channelRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/channels',
    role: 'viewer',
    summary: 'Who is told, without addresses and secrets',
    answer: 'ChannelList',
    handle: async (_call, { channels }) =>
      json(
        listToWire(
          (await channels.list()).map(({ channel: { name, kind, wants, allowPrivate }, goneAt }) => ({
            name,
            kind,
            on: wants.on,
            at_least: wants.atLeast,
            allow_private: allowPrivate,
            gone_at: timeText(goneAt),
          })),
        ),
      ),
  },
  {
    method: 'POST',
    path: '/admin/v1/channels/{name}/test',
    role: 'comms',
    summary: 'Send a test message now, once; the answer says what came of it',
    changes: 'channel',
    answer: 'Delivery',
    handle: async ({ parameters, actor }, { channels }) =>
      sent(await channels.test(parameters['name'] ?? '', actor), (delivery) =>
        json(deliveryToWire(delivery)),
      ),
  },
  {
    method: 'GET',
    path: '/admin/v1/deliveries',
    role: 'viewer',
    summary: 'What was sent to whom and what came of it, newest first',
    query: deliveryQuery,
    answer: 'DeliveryList',
    handle: async ({ query }, { channels }) => {
      const { channel, state, cursor: after } = query;
      const page = await channels.deliveries({
        ...(channel === undefined ? {} : { channel }),
        ...(state === undefined ? {} : { state: state as DeliveryState }),
        ...(after === undefined ? {} : { cursor: after }),
        limit: pageSize(query['limit']),
      });
      return json(listToWire(page.items.map(deliveryToWire), page.nextCursor));
    },
  },
  {
    method: 'POST',
    path: '/admin/v1/deliveries/{id}/replay',
    role: 'comms',
    summary: 'Send what is dead again, as the same message',
    changes: 'channel',
    answer: 'Delivery',
    handle: async ({ parameters, actor }, { channels }) =>
      sent(await channels.replay(parameters['id'] ?? '', actor), (delivery) =>
        json(deliveryToWire(delivery)),
      ),
  },
];
