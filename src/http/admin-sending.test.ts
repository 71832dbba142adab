/** What the admin API sends: each answer in its described form, nothing that must stay, and the OpenAPI file. */
import { beforeEach, describe, expect, test } from 'bun:test';

import { adminAnswers } from './admin-answers.ts';
import type { AnswerName } from './admin-answers.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { adminRouteTable } from './admin-route-table.ts';
import { adminRoutes } from './admin-routes.ts';
import { openapiDocument } from './openapi.ts';
import { askerOf, entry, fakeAdmin, record } from '../../test/admin-fixture.ts';

let fake: AdminDependencies;
beforeEach(() => {
  ({ fake } = fakeAdmin());
});

const ask = askerOf(() => fake);

describe('what goes out', () => {
  test.each([
    ['GET', 'switches', 'SwitchList', 200],
    ['POST', 'switches', 'Switch', 201],
    ['GET', `switches/${entry.id}`, 'Switch', 200],
    ['GET', `switches/${entry.id}/acks`, 'AckList', 200],
    ['POST', `switches/${entry.id}/release`, 'Switch', 200],
    ['GET', 'requests', 'RecordList', 200],
    ['GET', 'requests/stats?by=feature,target&since=1h', 'RequestStatistics', 200],
    ['GET', 'requests/stats?by=feature,targte', 'Error', 400],
    ['GET', 'reports/continuity', 'ContinuityReport', 200],
    ['GET', 'reports/sla?month=2026-06', 'SlaReport', 200],
    ['GET', 'reports/sla?month=2026-13', 'Error', 400],
    ['GET', `requests/${record.id}`, 'ExplainedRecord', 200],
    ['GET', 'changes', 'ChangeList', 200],
    ['GET', 'keys', 'KeyList', 200],
    ['POST', 'keys', 'KeyCreated', 201],
    ['GET', 'incidents/inc_1/messages', 'MessageList', 200],
    ['POST', 'incidents/inc_1/messages/preview', 'MessageDraft', 200],
    ['POST', 'incidents/inc_1/messages/publish', 'Message', 201],
    ['POST', 'incidents/inc_1/messages/suppress', 'Message', 201],
    ['GET', 'status/export', 'StatusCopy', 200],
    ['GET', 'channels', 'ChannelList', 200],
    ['POST', 'channels/hook/test', 'Delivery', 200],
    ['GET', 'deliveries?state=dead', 'DeliveryList', 200],
    ['POST', 'deliveries/dlv_1/replay', 'Delivery', 200],
    ['GET', 'config/snapshots/abc', 'ConfigSnapshot', 200],
    ['GET', 'config/snapshots/xyz', 'Error', 404],
    ['GET', `requests/${record.id}/policy`, 'ConfigSnapshot', 200],
    ['GET', 'requests/req_none/policy', 'Error', 404],
    ['GET', 'audit', 'LedgerStanding', 200],
    ['POST', 'audit/acknowledge', 'LedgerStanding', 200],
    ['POST', 'audit/erase', 'RecordsErased', 200],
    ['GET', 'audit/proof/req_2', 'Error', 404],
    ['GET', 'audit/consistency?from=10', 'Error', 404],
    ['GET', `requests/${record.id}/content?reason=a+complaint`, 'Content', 200],
    ['GET', `requests/${record.id}/content`, 'Error', 400],
    ['GET', 'content/looks', 'LookList', 200],
    ['GET', 'holds', 'HoldList', 200],
    ['POST', 'holds', 'Hold', 201],
    ['POST', 'holds/hold_1/release', 'Hold', 200],
    ['GET', 'nothing', 'Error', 404],
  ] as [string, string, AnswerName, number][])(
    '%s %s has the shape %s',
    async (method, path, name, status) => {
      const answer = await ask(method, path, method === 'POST' ? { body: {} } : {});
      expect(answer.status).toBe(status);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(adminAnswers[name].parse(answer.body)).toEqual(answer.body as never);
    },
  );

  test('a switch carries its revision', async () =>
    expect((await ask('GET', `switches/${entry.id}`)).headers.get('etag')).toBe('"1"'));

  test('HEAD says as much as GET, without the body', async () => {
    const url = `http://localhost/admin/v1/switches/${entry.id}`;
    const headers = { authorization: 'Bearer viewer' };
    const answer = await adminRoutes(fake).handle(
      new Request(url, { method: 'HEAD', headers }),
      new URL(url),
    );
    // The server leaves the body out, and tells its length.
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, '"1"']);
    expect((await ask('HEAD', 'nothing')).status).toBe(404);
    expect((await ask('HEAD', 'state', { role: null })).status).toBe(401);
    expect((await ask('HEAD', 'explain')).status).toBe(405);
  });

  test('neither hashes of keys nor core types leave', async () => {
    const keys = JSON.stringify((await ask('GET', 'keys')).body);
    expect(keys).not.toContain('hash');
    const { items } = (await ask('GET', 'changes')).body as { items: Record<string, unknown>[] };
    expect(items[0]?.['after']).toMatchObject({ created_at: '2026-06-07T09:00:00.000Z', effect: 'off' });
    expect(items[1]).toMatchObject({ before: 'healthy', after: 'ejected' });
    expect(items[2]?.['after']).toEqual({ name: 'a', data_class_max: null });
  });
});

describe('the OpenAPI file', () => {
  const document = openapiDocument('1') as {
    paths: Record<string, Record<string, { 'x-role': string; responses: object }>>;
    components: { schemas: object };
  };
  test('has every route with its role', () => {
    for (const { method, path, role } of adminRouteTable)
      expect([path, document.paths[path]?.[method.toLowerCase()]?.['x-role']]).toEqual([path, role]);
  });
  test('every reference leads somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(adminRouteTable.length);
    for (const [, name = ''] of references) expect(Object.keys(document.components.schemas)).toContain(name);
  });
});
