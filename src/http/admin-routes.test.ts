/** The admin API without a socket or a store: who may ask, and what is said where nothing is or something breaks. */
import { beforeEach, describe, expect, test } from 'bun:test';

import { attemptOf } from '../control/attempt.ts';
import { StoreUnavailable } from '../control/queries.ts';
import { controlError } from '../control/verb.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { adminRouteTable } from './admin-route-table.ts';
import { mayAct, roles } from './roles.ts';
import type { Role } from './roles.ts';
import { askerOf, errorOf, fakeAdmin, record } from '../../test/admin-fixture.ts';

let calls: unknown[][];
let fake: AdminDependencies;
beforeEach(() => {
  ({ calls, fake } = fakeAdmin());
});

const ask = askerOf(() => fake);

describe('names of targets in addresses', () => {
  test.each(['openrouter/meta/llama-4', 'openrouter%2Fmeta%2Fllama-4'])('%s', async (path) => {
    const answer = await ask('POST', `gates/${path}/hold`, { body: { reason: 'drill' } });
    expect(answer.status).toBe(200);
    expect(calls.at(-1)).toEqual([
      'hold',
      { name: 'openrouter/meta/llama-4', input: { reason: 'drill' } },
      'admin',
    ]);
  });

  test('a gate that is not out cannot be given back', async () => {
    expect((await ask('POST', 'gates/a/b/return', { body: { reason: 'drill' } })).status).toBe(409);
  });
});

describe('who may ask', () => {
  test('a role stands for itself, and admin for every role', () => {
    for (const role of roles)
      expect([role, mayAct(role, role), mayAct('admin', role)]).toEqual([role, true, true]);
    expect(roles.filter((role) => mayAct(role, 'admin'))).toEqual(['admin']);
  });

  const pairs = adminRouteTable.flatMap((route) =>
    roles.map((role) => [route.method, route.path, role, route.role]),
  );
  test.each(pairs as [string, string, Role, Role][])('%s %s as %s', async (method, path, role, required) => {
    const at = path.replace('/admin/v1/', '').replace('{id}', 'x_1');
    const { status } = await ask(method, at, { role, ...(method === 'POST' ? { body: {} } : {}) });
    expect(status === 403).toBe(!mayAct(role, required));
    if (status === 403) expect(calls.map(([name]) => name)).not.toContain('create');
  });

  test.each([null, 'nobody', '', 'admin extra'])('token %p is refused, whatever is asked', async (role) => {
    for (const path of ['state', 'nothing', 'requests?nonsense=1']) {
      const answer = await ask('GET', path, { role });
      expect([answer.status, errorOf(answer)['code']]).toEqual([401, 'unauthenticated']);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect(calls).toEqual([]);
  });

  test.each([
    ['by its role', 'switches', 'viewer', { scope: { provider: 'anthropic' }, prompt: 'a' }],
    ['by its verb', 'switches', 'admin', { scope: { provider: 'anthropic' }, prompt: 'a' }],
    ['without the name of whom', 'audit/erase', 'viewer', { user: 'u1', reason: 'asked to' }],
  ] as const)('what was tried is known where it is refused: %s', async (_how, path, role, body) => {
    const tried: unknown[] = [];
    const note = (): void => void tried.push(attemptOf('maria'));
    fake = {
      ...fake,
      recordRejection: () => Promise.resolve(note()),
      switches: {
        ...fake.switches,
        create: () => {
          note();
          return Promise.resolve(controlError('invalid', 'no reason', 'say why'));
        },
      },
    };
    await ask('POST', path, { role, body, headers: { 'x-breakwater-actor': 'maria' } });
    const kept = path === 'switches' ? { scope: { provider: 'anthropic' } } : { reason: 'asked to' };
    const kind = path === 'switches' ? 'switch' : 'records';
    expect(tried).toEqual([{ call: `POST /admin/v1/${path}`, kind, id: null, role, body: kept }]);
  });

  test('a change that a role may not make is written down', async () => {
    await ask('POST', 'switches', { role: 'viewer', body: {}, headers: { 'x-breakwater-actor': 'maria' } });
    expect(calls).toEqual([
      ['rejection', 'This takes the role responder; yours is viewer.', { actor: 'maria', subject: 'switch' }],
    ]);
  });
});

describe('a look at captured content', () => {
  test.each([
    ['without a reason', 'auditor', `requests/${record.id}/content`],
    ['without the role', 'operator', `requests/${record.id}/content?reason=curious`],
  ])('%s is refused, and written down', async (_what, held, path) => {
    const answer = await ask('GET', path, { role: held as Role });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(calls).toEqual([
      ['rejection', expect.any(String), { actor: 'admin', subject: record.id, kind: 'content.refused' }],
    ]);
  });
});

describe('what is not there', () => {
  test('an address', async () => expect((await ask('GET', 'nothing')).status).toBe(404));
  test('a method', async () => {
    const answer = await ask('DELETE', 'switches');
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
  });
  test.each(['requests/req_0', 'switches/sw_0', 'switches/sw_0/acks'])('%s', async (path) =>
    expect((await ask('GET', path)).status).toBe(404),
  );
});

describe('trouble', () => {
  test('of the store is 503 and no bug', async () => {
    fake = {
      ...fake,
      store: { ...fake.store, listRecords: () => Promise.reject(new StoreUnavailable('failed', 'gone')) },
    };
    expect((await ask('GET', 'requests')).status).toBe(503);
    expect(calls).toEqual([]);
  });

  test('of our own is 500, counted, and tells nothing', async () => {
    fake = {
      ...fake,
      state: () => {
        throw new Error('secret detail');
      },
    };
    const answer = await ask('GET', 'state');
    expect([answer.status, errorOf(answer)['code']]).toEqual([500, 'internal_error']);
    expect(JSON.stringify(answer.body)).not.toContain('secret detail');
    expect(calls.map(([name]) => name)).toEqual(['bug']);
  });
});
