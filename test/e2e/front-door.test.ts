/** Policy, bad input and the rights that each route asks for, over the wire. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';

import { adminRouteTable } from '../../src/http/admin-route-table.ts';
import { dataRoutes } from '../../src/http/routes.ts';
import { configuration, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';
import { message, postTo } from './wire-fixture.ts';

let house: House;
beforeEach(async () => {
  house = await startHouse();
});
afterEach(() => house.stop());

const post = (path: string, body: unknown, headers?: Record<string, string>): Promise<Response> =>
  postTo(house.url, path, body, headers);

describe('policy', () => {
  test('ask: an offer, then the agreed target only, once', async () => {
    house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'preset', preset: 'overloaded' } });
    const asked = await post('/v1/messages', message('contract'), { 'x-breakwater-user': 'u1' });
    expect(asked.status).toBe(428);
    expect(asked.headers.get('x-should-retry')).toBe('false');
    const { breakwater } = (await asked.json()) as { breakwater: { offers: Json[]; code: string } };
    expect(breakwater).toMatchObject({
      code: 'fallback_consent_required',
      offers: [
        { target: 'openai/gpt-5.2', company: 'OpenAI', region: 'us', retention: '30d', hop: 'other_vendor' },
      ],
    });
    const token = String(breakwater.offers[0]!['token']);
    expect(
      (
        await post('/v1/messages', message('contract'), {
          'x-breakwater-consent': token,
          'x-breakwater-user': 'u2',
        })
      ).status,
    ).toBe(400);
    const agreed = await post('/v1/messages', message('contract'), {
      'x-breakwater-consent': token,
      'x-breakwater-user': 'u1',
    });
    expect(agreed.headers.get('x-breakwater-target')).toBe('openai/gpt-5.2');
    expect((await house.record(agreed.headers.get('x-breakwater-request-id') ?? ''))['consent']).toBe(
      'token',
    );
    expect(
      (
        await post('/v1/messages', message('contract'), {
          'x-breakwater-consent': token,
          'x-breakwater-user': 'u1',
        })
      ).status,
    ).toBe(400);
  });

  test('never: a clear refusal', async () => {
    house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'preset', preset: 'overloaded' } });
    const refused = await post('/v1/messages', message('strict'));
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ breakwater: { code: 'fallback_not_allowed' } });
    expect(house.asked('openai').length).toBe(0);
  });

  test('a data class goes only where it may, failover included', async () => {
    const denied = await post('/v1/messages', message('notes'), { 'x-breakwater-data-class': 'restricted' });
    expect(denied.status).toBe(403);
    expect(await denied.json()).toMatchObject({
      breakwater: {
        code: 'data_policy_denied',
        excluded: [{ reason: 'data_policy' }, { reason: 'data_policy' }],
      },
    });
    expect(
      (await post('/v1/messages', message('notes'), { 'x-breakwater-data-class': 'unheard-of' })).status,
    ).toBe(403);
    expect(house.asked().length).toBe(0);
  });

  test('another key of the provider is tried before another provider', async () => {
    const document = configuration(house.simulator) as { providers: { anthropic: { keys: string[] } } };
    document.providers.anthropic.keys = ['env:KEY_A', 'env:KEY_B'];
    house.configure(document);
    await house.server.reload();
    house.simulator.setFault({
      provider: 'anthropic',
      key: 'key-a',
      fault: { kind: 'preset', preset: 'credential_rejected' },
    });
    for (let n = 0; n < 4; n++)
      expect((await post('/v1/messages', message('notes'))).headers.get('x-breakwater-target')).toBe(
        'anthropic/claude-opus-4-8',
      );
    expect(house.simulator.calls('anthropic').filter((call) => call.key === 'key-a').length).toBe(1);
    const state = await house.admin('GET', 'state');
    expect((state.body['targets'] as Json[])[0]).toMatchObject({ gate: { state: 'healthy' } });
  });

  test('a failing target is ejected, is not asked during its hold, and the record says why', async () => {
    house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'preset', preset: 'overloaded' } });
    for (let n = 0; n < 5; n++) await (await post('/v1/messages', message('notes'))).text();
    const arrivals = house.asked('anthropic').length;
    const response = await post('/v1/messages', message('notes'));
    expect(response.headers.get('x-breakwater-fallback')).toBe('ejected');
    expect(response.headers.get('x-breakwater-attempts')).toBe('1');
    expect(house.asked('anthropic').length).toBe(arrivals);
    const record = await house.record(response.headers.get('x-breakwater-request-id') ?? '');
    expect((record['candidates'] as Json[])[0]).toMatchObject({
      reason: 'ejected',
      rule: expect.stringMatching(/^\d of \d attempts failed/),
    });
    expect((record['words'] as string[]).join(' ')).toContain(
      'was not asked: it is out because it kept failing',
    );
  });
});

const huge = JSON.stringify(message('notes', { pad: 'x'.repeat(33 * 1_048_576) }));

describe.each([
  ['anthropic', '/v1/messages'],
  ['openai', '/v1/chat/completions'],
])('bad input in the dialect of %s', (dialect, path) => {
  test.each([
    ['an oversized body', huge, {}, 413, 'request_too_large'],
    [
      'a deep body',
      `{"model":"notes","max_tokens":1,"messages":${'['.repeat(200)}${']'.repeat(200)}}`,
      {},
      400,
      'invalid_request',
    ],
    ['invalid UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), {}, 400, 'invalid_request'],
    ['no JSON', '{"model": notes}', {}, 400, 'invalid_request'],
    ['no object', '[1]', {}, 400, 'invalid_request'],
    ['an empty body', '', {}, 400, 'invalid_request'],
    [
      'a key twice',
      '{"model":"notes","model":"other","max_tokens":1,"messages":[{"role":"user","content":"x"}]}',
      {},
      400,
      'invalid_request',
    ],
    ['a wrong type', message('notes', { messages: 'hello' }), {}, 400, 'invalid_request'],
    ['no model', { max_tokens: 1, messages: [{ role: 'user', content: 'x' }] }, {}, 400, 'invalid_request'],
    ['an unknown model', message('no-such-model'), {}, 404, 'unknown_model'],
    [
      'a model the feature does not offer',
      message('claude-sonnet-4-5'),
      { 'x-breakwater-feature': 'notes' },
      400,
      'model_not_allowed',
    ],
    [
      'an unknown feature',
      message('claude-opus-4-8'),
      { 'x-breakwater-feature': 'noted' },
      400,
      'invalid_request',
    ],
    [
      'a strange header value',
      message('notes'),
      { 'x-breakwater-fallback': 'perhaps' },
      400,
      'invalid_request',
    ],
    ['a strange timeout', message('notes'), { 'x-breakwater-timeout-ms': 'soon' }, 400, 'invalid_request'],
    ['a forged consent', message('notes'), { 'x-breakwater-consent': 'cns_forged' }, 400, 'invalid_request'],
  ] as [string, unknown, Record<string, string>, number, string][])(
    '%s',
    async (_name, body, headers, status, code) => {
      const response = await post(path, body, headers);
      const answer = (await response.json()) as Json;
      expect({ status: response.status, code: (answer['breakwater'] as Json)['code'] }).toEqual({
        status,
        code,
      });
      expect((answer['breakwater'] as Json)['request_id']).toBe(
        response.headers.get('x-breakwater-request-id'),
      );
      expect(response.headers.get('x-should-retry')).toBe('false');
      if (dialect === 'anthropic')
        expect(answer).toMatchObject({ type: 'error', error: { message: expect.any(String) } });
      else expect(answer).toMatchObject({ error: { message: expect.any(String), type: expect.any(String) } });
      expect(house.asked().length).toBe(0);
    },
  );
});

describe('routes', () => {
  test('every admin route refuses who has no token, and an unknown address gives nothing away', async () => {
    for (const { method, path } of adminRouteTable) {
      const response = await fetch(`${house.url}${path.replace('{id}', 'x')}`, {
        method,
        headers: { authorization: 'Bearer wrong' },
      });
      expect([path, response.status]).toEqual([path, 401]);
    }
    expect((await fetch(`${house.url}/admin/v1/nothing`)).status).toBe(401);
    expect(
      (
        await fetch(`${house.url}/admin/v1/nothing`, {
          headers: { authorization: 'Bearer test-admin-token' },
        })
      ).status,
    ).toBe(404);
  });

  test('every route has a role', () => {
    expect(dataRoutes.every((route) => route.role === 'caller' || route.role === 'public')).toBe(true);
    expect(
      adminRouteTable.every((route) =>
        ['viewer', 'responder', 'operator', 'comms', 'auditor', 'admin'].includes(route.role),
      ),
    ).toBe(true);
    // What nobody is asked for is listed here by hand, so that nothing becomes public by the way.
    const open = new Set(dataRoutes.flatMap(({ role, path }) => (role === 'public' ? [path] : [])));
    const site = [...open].filter((path) => path === '/status' || /^\/status\/(?!approve\/)/.test(path));
    expect([...open].filter((path) => !site.includes(path)).sort()).toEqual([
      '/',
      '/api/v2/{file}.json',
      '/healthz',
      '/metrics',
      '/readyz',
      '/status/approve/{token}',
    ]);
  });

  test('an unknown query parameter is an error that names the nearest', async () => {
    expect((await house.admin('GET', 'requests?featur=notes')).body).toMatchObject({
      error: { field: 'featur', remedy: 'did you mean "feature"?' },
    });
  });

  test('records can be found by what happened to them', async () => {
    house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'preset', preset: 'overloaded' } });
    const rescued = await post('/v1/messages', message('notes'), { 'x-breakwater-user': 'u1' });
    await rescued.text();
    await house.server.engine.records.flush();
    const id = rescued.headers.get('x-breakwater-request-id');
    for (const query of [
      'feature=notes',
      'target=openai/gpt-5.2',
      'attempted=anthropic/claude-opus-4-8',
      'failure=overloaded',
      'hop=other_vendor',
      'boundary=entity',
      'outcome=answered',
      'user=u1',
      'since=1h',
      'requested=notes',
    ]) {
      const { body } = await house.admin('GET', `requests?${query}`);
      expect([query, (body['items'] as Json[]).map((item) => item['id'])]).toEqual([query, [id]]);
    }
    for (const query of [
      'feature=chat',
      'target=anthropic/claude-opus-4-8',
      'failure=server_error',
      'until=1h',
    ])
      expect([query, (await house.admin('GET', `requests?${query}`)).body['items']]).toEqual([query, []]);
  });

  test('health, readiness and metrics', async () => {
    expect((await fetch(`${house.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${house.url}/readyz`)).status).toBe(200);
    await (await post('/v1/messages', message('notes'))).text();
    const metrics = await (await fetch(`${house.url}/metrics`)).text();
    expect(metrics).toContain(
      'breakwater_requests_total{feature="notes",requested="notes",served="anthropic/claude-opus-4-8",reported="claude-opus-4-8",outcome="answered"',
    );
  });
});

test('neither prompts, answers nor secrets are in logs, metrics, records or the database', async () => {
  const secretWords = 'purple-elephant-prompt';
  const response = await post('/v1/messages', {
    model: 'notes',
    max_tokens: 50,
    messages: [{ role: 'user', content: `say exactly: ${secretWords}` }],
  });
  expect(await response.text()).toContain(secretWords);
  house.simulator.setFault({
    fault: {
      kind: 'status',
      status: 400,
      body: { type: 'error', error: { type: 'invalid_request_error', message: `bad: ${secretWords}` } },
    },
  });
  const failed = await post('/v1/messages', {
    model: 'notes',
    max_tokens: 50,
    messages: [{ role: 'user', content: secretWords }],
  });
  const record = await house.record(failed.headers.get('x-breakwater-request-id') ?? '');
  const metrics = await (await fetch(`${house.url}/metrics`)).text();
  const everything = [
    JSON.stringify(record),
    metrics,
    ...house.logs,
    await Bun.file(house.storePath).text(),
    await Bun.file(`${house.storePath}-wal`).text(),
  ].join('\n');
  for (const word of [secretWords, 'key-a', 'key-o', 'test-admin-token'])
    expect(everything.includes(word)).toBe(false);
  expect((record['fingerprints'] as Json)['input']).toMatch(/^[\da-f]{64}$/);
});
