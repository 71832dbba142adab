/** Records and changes: what happened, and who decided. */
import { explainRecord } from '../core/explain.ts';
import { json } from './admin-error.ts';
import { changeQuery, pageSize, recordFilter, recordQuery } from './admin-query.ts';
import { notFound } from './admin-route.ts';
import type { AdminRoute } from './admin-route.ts';
import { recordsToWire } from './records-view.ts';
import { changeToWire, listToWire } from './wire.ts';

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
    path: '/admin/v1/requests/{id}',
    role: 'viewer',
    summary: 'One record',
    answer: 'ExplainedRecord',
    handle: async ({ parameters }, { store }) => {
      const record = await store.findRecord(parameters['id'] ?? '');
      if (record === null) return notFound('such record yet');
      const [wire] = await recordsToWire([record], store);
      return json({ ...wire, words: explainRecord(record, new Date(record.at).toISOString()) });
    },
  },
  {
    method: 'GET',
    path: '/admin/v1/changes',
    role: 'viewer',
    summary: 'What people and the machine decided, newest first',
    query: changeQuery,
    answer: 'ChangeList',
    handle: async ({ query }, { store }) => {
      const page = await store.listChanges(query['cursor'] ?? null, pageSize(query['limit']));
      return json(listToWire(page.items.map(changeToWire), page.nextCursor));
    },
  },
];
