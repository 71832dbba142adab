/** Captured content: looked at by few, with a reason, and never unseen. */
import { z } from 'zod';

import { lookInput } from '../control/content.ts';
import type { Content } from '../control/content.ts';
import { json } from './admin-error.ts';
import { cursor, limit, pageSize, word } from './admin-query.ts';
import { sent } from './admin-route.ts';
import type { AdminRoute } from './admin-route.ts';
import { changeToWire, listToWire } from './wire.ts';
import type { Json } from './wire.ts';

const contentToWire = ({ request, question, answer }: Content): Json => ({
  request,
  question: { text: question.text, bytes: question.bytes, cut: question.cut },
  answer: { text: answer.text, bytes: answer.bytes, cut: answer.cut },
});

export const contentRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/requests/{id}/content',
    role: 'auditor',
    summary: 'What was captured of a request; the look is a change, with its reason',
    query: lookInput,
    changes: 'content',
    answer: 'Content',
    handle: async ({ parameters, query, actor }, { content }) =>
      sent(await content.read(parameters['id'] ?? '', query, actor), (found) => json(contentToWire(found))),
  },
  {
    method: 'GET',
    path: '/admin/v1/content/looks',
    role: 'auditor',
    summary: 'Who looked at captured content, and who was refused, newest first',
    query: z.strictObject({
      request: word.optional(),
      cursor: cursor('chg').optional(),
      limit: limit.optional(),
    }),
    answer: 'LookList',
    handle: async ({ query }, { content }) => {
      const { request, cursor: after } = query;
      const page = await content.looks(request ?? null, after ?? null, pageSize(query['limit']));
      return json(listToWire(page.items.map(changeToWire), page.nextCursor));
    },
  },
];
