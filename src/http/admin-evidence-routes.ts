/** Records and changes: what happened, and who decided. */
import { z } from 'zod';

import { findChanges } from '../control/changes.ts';
import { pageSizeMax } from '../control/queries.ts';
import type { Store } from '../control/queries.ts';
import { explainRecord } from '../core/explain.ts';
import { exportFormats } from '../core/record-export.ts';
import type { RequestRecord } from '../core/record.ts';
import { warnedAt, warnedSentence } from '../core/warned-at.ts';
import { json } from './admin-error.ts';
import {
  changeFilter,
  changeQuery,
  filterOf,
  oneOf,
  pageSize,
  recordFilter,
  recordFilters,
  recordQuery,
} from './admin-query.ts';
import { exportFormatOf, recordExport } from './admin-record-export.ts';
import { notFound } from './admin-route.ts';
import type { AdminRoute } from './admin-route.ts';
import { recordsToWire } from './records-view.ts';
import { changeToWire, listToWire } from './wire.ts';

/** How the answers of those that were asked were known to be odd at the time. */
async function warningsThen(
  record: RequestRecord,
  store: Pick<Store, 'listChanges'>,
): Promise<readonly string[]> {
  const { items } = await store.listChanges(null, pageSizeMax, ['quality.warned', 'quality.cleared']);
  const asked = new Set<string>(record.attempts.map(({ target }) => target));
  return warnedAt(items, asked, record.at).map(warnedSentence);
}

export const evidenceRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/requests',
    role: 'viewer',
    summary: 'Records, newest first',
    query: recordQuery,
    answer: 'RecordList',
    handle: async ({ query }, { store, now }) => {
      const page = await store.listRecords(recordFilter(query, now()));
      return json(listToWire(await recordsToWire(page.items, store), page.nextCursor));
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/requests/export',
    role: 'auditor',
    summary: 'All records that fit, newest first, as NDJSON, CSV, OCSF API Activity or CloudEvents',
    query: z.strictObject({ ...recordFilters, format: oneOf(exportFormats).optional() }),
    answer: 'RecordExport',
    media: 'application/x-ndjson',
    handle: ({ query }, dependencies) => {
      const format = exportFormatOf(query);
      return Promise.resolve(recordExport(format, filterOf(query, dependencies.now()), dependencies));
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/requests/{id}',
    role: 'viewer',
    summary: 'One record',
    answer: 'ExplainedRecord',
    handle: async ({ parameters }, { store }) => {
      const record = await store.findRecord(parameters['id'] ?? '');
      if (record === null) return notFound('such record yet');
      const [wire] = await recordsToWire([record], store);
      const words = explainRecord(record, new Date(record.at).toISOString());
      return json({ ...wire, words: [...words, ...(await warningsThen(record, store))] });
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/changes',
    role: 'viewer',
    summary: 'What people and the machine decided, newest first',
    query: changeQuery,
    answer: 'ChangeList',
    handle: async ({ query }, { store, now }) => {
      const filter = changeFilter(query, now());
      const page = await findChanges(filter, query['cursor'] ?? null, pageSize(query['limit']), store);
      return json(listToWire(page.items.map(changeToWire), page.nextCursor));
    },
  },
];
