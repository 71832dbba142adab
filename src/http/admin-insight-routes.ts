/** What it all means: is it us or them, what changed, and the draft of a post-mortem. */
import { z } from 'zod';

import { momentText } from '../core/moment.ts';
import { changeCategories, changeSentence } from '../core/what-changed.ts';
import type { ChangeCategory } from '../core/what-changed.ts';
import { json } from './admin-error.ts';
import { limit, momentOf, oneOf, pageSize, time, word } from './admin-query.ts';
import { notFound } from './admin-route.ts';
import type { AdminRoute } from './admin-route.ts';
import { listToWire } from './wire.ts';

export const insightRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/diagnosis',
    role: 'viewer',
    summary: 'Is it us or them, and can I continue?',
    query: z.strictObject({ feature: word.optional() }),
    answer: 'Diagnosis',
    handle: async ({ query }, { insight }) => {
      const found = await insight.diagnose(query['feature'] ?? null);
      if (found === null) return notFound('such feature');
      const { feature, verdict, words, canContinue, how, evidence } = found;
      return json({
        ...(feature === null ? {} : { feature }),
        verdict,
        words,
        can_continue: canContinue,
        how,
        evidence: evidence.map((line) => ({ source: line.source, subject: line.subject, words: line.words })),
      });
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/whatchanged',
    role: 'viewer',
    summary: 'What changed, newest first: outage, capacity, model, quality, routing and policy told apart',
    query: z.strictObject({
      since: time.optional(),
      until: time.optional(),
      category: oneOf(changeCategories).optional(),
      limit: limit.optional(),
    }),
    answer: 'WhatChanged',
    handle: async ({ query }, { insight, now }) => {
      const found = await insight.whatChanged({
        since: momentOf(query['since'], now()),
        until: momentOf(query['until'], now()),
        category: (query['category'] ?? null) as ChangeCategory | null,
        limit: pageSize(query['limit']),
      });
      const items = found.map(({ change, category }) => ({
        id: change.id,
        at: momentText(change.at),
        category,
        kind: change.kind,
        actor: change.actor,
        subject: change.subject,
        words: changeSentence(change, category),
      }));
      return json(listToWire(items));
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/incidents/{id}/postmortem',
    role: 'viewer',
    summary: 'The draft of a post-mortem in Markdown; as JSON when asked for by Accept',
    answer: 'Postmortem',
    media: ['application/json', 'text/markdown'],
    handle: async ({ parameters, request }, { insight }) => {
      const id = parameters['id'] ?? '';
      const markdown = await insight.postmortem(id);
      if (markdown === null) return notFound('such incident');
      if ((request.headers.get('accept') ?? '').includes('json')) return json({ id, markdown });
      const headers = { 'content-type': 'text/markdown; charset=utf-8', 'cache-control': 'no-store' };
      return new Response(markdown, { headers });
    },
  },
];
