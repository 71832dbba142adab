/** Reports: as JSON, or as a page for people. */
import { z } from 'zod';

import { continuityDocument } from '../reports/continuity-document.ts';
import { asHtml, asMarkdown } from '../reports/document.ts';
import type { ReportDocument } from '../reports/document.ts';
import { slaDocument } from '../reports/sla-document.ts';
import { json } from './admin-error.ts';
import { oneOf } from './admin-query.ts';
import { notFound } from './admin-route.ts';
import type { AdminRoute } from './admin-route.ts';
import { continuityToWire, slaToWire } from './report-view.ts';
import type { Json } from './wire.ts';

const reportMedia = ['application/json', 'text/markdown', 'text/html'] as const;
/** `md` is what files of Markdown are called. */
const formats = ['json', 'markdown', 'md', 'html'] as const;
const format = oneOf(formats).optional();
const month = z
  .string()
  .regex(/^20\d{2}-(?:0[1-9]|1[0-2])$/, 'must be a month such as 2026-06')
  .optional();

function shown(asked: string | undefined, wire: () => Json, document: () => ReportDocument): Response {
  const page = (body: string, media: string): Response =>
    new Response(body, {
      headers: { 'content-type': `${media}; charset=utf-8`, 'cache-control': 'no-store' },
    });
  switch (formats.find((each) => each === asked) ?? 'json') {
    case 'json':
      return json(wire());
    case 'markdown':
    case 'md':
      return page(asMarkdown(document()), 'text/markdown');
    case 'html':
      return page(asHtml(document()), 'text/html');
  }
}

export const reportRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/reports/continuity',
    role: 'viewer',
    summary: 'Fallbacks, who may process what, what remains when a provider is lost, incidents of a year',
    query: z.strictObject({ format }),
    answer: 'ContinuityReport',
    media: reportMedia,
    handle: async ({ query }, { reports }) => {
      const report = await reports.continuity();
      return shown(
        query['format'],
        () => continuityToWire(report),
        () => continuityDocument(report),
      );
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/reports/sla',
    role: 'viewer',
    summary:
      'One month: availability, latency, error budget, time on backup, and whether promises can be kept',
    query: z.strictObject({ format, month }),
    answer: 'SlaReport',
    media: reportMedia,
    handle: async ({ query }, { reports }) => {
      const report = await reports.sla(query['month'] ?? null);
      if (report === null) return notFound('such month');
      return shown(
        query['format'],
        () => slaToWire(report),
        () => slaDocument(report),
      );
    },
  },
];
