/** Switches, configuration and keys, over the wire and under load. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';

import { configuration, startHouse, until } from '../harness.ts';
import type { House, Json } from '../harness.ts';
import { message, postTo } from './wire-fixture.ts';

let house: House;
beforeEach(async () => {
  house = await startHouse();
});
afterEach(() => house.stop());

const post = (path: string, body: unknown, headers?: Record<string, string>): Promise<Response> =>
  postTo(house.url, path, body, headers);

/** Keeps requests going until told to stop; counts how they end. */
function load(
  model: string,
  workers: number,
  headers: Record<string, string> = {},
): { stop: () => Promise<void>; statuses: Map<number, number> } {
  let going = true;
  const statuses = new Map<number, number>();
  const work = async (): Promise<void> => {
    for (let sent = 0; going && sent < 5_000; sent++) {
      const response = await post('/v1/messages', message(model), headers);
      await response.text();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    }
  };
  const running = Array.from({ length: workers }, work);
  return {
    statuses,
    stop: async () => {
      going = false;
      await Promise.all(running);
    },
  };
}

async function gateOf(name: string): Promise<unknown> {
  const { body } = await house.admin('GET', 'state');
  const found = (body['targets'] as Json[]).find(({ target }) => target === name);
  return (found?.['gate'] as Json | undefined)?.['state'];
}

describe('switches', () => {
  test('under load: no arrival at the provider after the call has returned', async () => {
    const traffic = load('notes', 16);
    await until(() => house.simulator.calls('anthropic').length > 50, 'traffic flows');
    const created = await house.admin('POST', 'switches', {
      scope: { provider: 'anthropic' },
      reason: 'elevated errors',
    });
    const arrivals = house.simulator.calls('anthropic').length;
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({ matches: expect.any(Number), created_by: 'admin', rev: 1 });
    await until(() => house.simulator.calls('openai').length > 200, 'the backup serves');
    await traffic.stop();
    expect(house.simulator.calls('anthropic').length).toBe(arrivals);
    expect([...traffic.statuses.keys()]).toEqual([200]);
  });

  test.each([
    [{ provider: 'anthropic' }, 'openai/gpt-5.2'],
    [{ vendor: 'anthropic' }, 'openai/gpt-5.2'],
    [{ family: 'claude-opus' }, 'openai/gpt-5.2'],
    [{ model: 'claude-opus-4-8' }, 'openai/gpt-5.2'],
    [{ model: 'claude-opus-4-8-20260601' }, 'openai/gpt-5.2'],
    [{ target: 'anthropic/claude-opus-4-8' }, 'openai/gpt-5.2'],
    [{ feature: 'notes', provider: 'anthropic' }, 'openai/gpt-5.2'],
    [{ feature: 'chat', provider: 'anthropic' }, 'anthropic/claude-opus-4-8'],
  ] as [Record<string, string>, string][])('scope %p', async (scope, served) => {
    await house.admin('POST', 'switches', { scope, reason: 'a test' });
    const response = await post('/v1/messages', message('notes'));
    expect(response.headers.get('x-breakwater-target')).toBe(served);
    if (served.startsWith('openai'))
      expect(response.headers.get('x-breakwater-fallback')).toBe('switched_off');
  });

  test('a dated snapshot is no way around', async () => {
    await house.admin('POST', 'switches', { scope: { model: 'claude-opus-4-8' }, reason: 'a test' });
    const response = await post('/v1/messages', message('claude-opus-4-8-20260601'));
    expect(response.status).toBe(503);
    expect(house.simulator.calls('anthropic').length).toBe(0);
  });

  test('panic does not undo a switch', async () => {
    house.simulator.setFault({ provider: 'openai', fault: { kind: 'preset', preset: 'overloaded' } });
    await house.admin('POST', 'switches', { scope: { provider: 'anthropic' }, reason: 'a test' });
    for (let n = 0; n < 12; n++) await (await post('/v1/messages', message('notes'))).text();
    expect(house.simulator.calls('anthropic').length).toBe(0);
    expect(house.asked('openai').length).toBe(12);
  });

  test('ends what is in flight when it says so', async () => {
    house.simulator.setFault({
      provider: 'anthropic',
      fault: { kind: 'hang', where: 'after_events', events: 3 },
    });
    const response = await post('/v1/messages', message('notes', { stream: true, max_tokens: 100 }));
    const { body } = await house.admin('POST', 'switches', {
      scope: { provider: 'anthropic' },
      reason: 'a test',
      in_flight: 'cancel',
    });
    const text = await response.text();
    expect(text).toContain('event: error');
    expect(text).toContain('switched off by the operator');
    const id = response.headers.get('x-breakwater-request-id') ?? '';
    expect(await house.record(id)).toMatchObject({ outcome: 'partial', switches: [body['id']] });
  });

  test('what had no answer yet moves on unseen', async () => {
    house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'hang', where: 'headers' } });
    const pending = post('/v1/messages', message('notes'));
    await until(() => house.simulator.calls('anthropic').length === 1, 'the call arrives');
    await house.admin('POST', 'switches', {
      scope: { provider: 'anthropic' },
      reason: 'a test',
      in_flight: 'cancel_uncommitted',
    });
    const response = await pending;
    expect(response.headers.get('x-breakwater-target')).toBe('openai/gpt-5.2');
  });

  test('what had no answer and nowhere to go is told which switch took it', async () => {
    house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'hang', where: 'headers' } });
    const pending = post('/v1/messages', message('alone'));
    await until(() => house.simulator.calls('anthropic').length === 1, 'the call arrives');
    const { body } = await house.admin('POST', 'switches', {
      scope: { provider: 'anthropic' },
      reason: 'a test',
      in_flight: 'cancel_uncommitted',
    });
    const response = await pending;
    const told = { target: 'anthropic/claude-opus-4-8', reason: 'switched_off', rule: body['id'] };
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ breakwater: { excluded: [told] } });
    const id = response.headers.get('x-breakwater-request-id') ?? '';
    expect(await house.record(id)).toMatchObject({ outcome: 'refused', switches: [body['id']] });
  });

  test('released at once, or by a ramp; who and why is in the changes', async () => {
    const created = await house.admin(
      'POST',
      'switches',
      { scope: { provider: 'anthropic' }, reason: 'a test' },
      { 'x-breakwater-actor': 'maria' },
    );
    const id = String(created.body['id']);
    expect(
      (
        await house.admin(
          'POST',
          `switches/${id}/release`,
          { reason: 'fine again', ramp: false },
          { 'if-match': '"7"' },
        )
      ).status,
    ).toBe(412);
    const released = await house.admin(
      'POST',
      `switches/${id}/release`,
      { reason: 'fine again', ramp: false },
      { 'if-match': '"1"' },
    );
    expect(released.body).toMatchObject({ rev: 2, released: { reason: 'fine again' } });
    expect((await post('/v1/messages', message('notes'))).headers.get('x-breakwater-target')).toBe(
      'anthropic/claude-opus-4-8',
    );
    expect((await house.admin('POST', `switches/${id}/release`, { reason: 'again' })).status).toBe(409);
    const again = await house.admin('POST', 'switches', {
      scope: { provider: 'anthropic' },
      reason: 'a test',
    });
    await house.admin('POST', `switches/${String(again.body['id'])}/release`, { reason: 'fine again' });
    const state = await house.admin('GET', 'state');
    expect(
      (state.body['targets'] as Json[]).find((target) => target['target'] === 'anthropic/claude-opus-4-8'),
    ).toMatchObject({ gate: { state: 'ramping' } });
    const kinds = ((await house.admin('GET', 'changes')).body['items'] as Json[]).map(
      (change) => `${change['kind']} ${change['actor']}`,
    );
    expect(kinds).toContain('switch.created maria');
    expect(kinds.filter((kind) => kind.startsWith('write.rejected')).length).toBe(2);
  });

  test.each([
    [{ scope: {}, reason: 'why' }, 'scope'],
    [{ scope: { providr: 'anthropic' }, reason: 'why' }, 'scope.providr'],
    [{ scope: { provider: 'anthropic' } }, 'reason'],
    [{ scope: { provider: 'anthropic' }, reason: '  ' }, 'reason'],
    [{ scope: { provider: 'anthropic' }, reason: 'why', expires_in: 'soon' }, 'expires_in'],
    [{ scope: { provider: 'anthropic' }, reason: 'why', effects: 'off' }, 'effects'],
  ])('%j is refused, naming %s', async (body, field) => {
    const refused = await house.admin('POST', 'switches', body);
    expect(refused.status).toBe(400);
    expect(refused.body).toMatchObject({ error: { code: 'invalid', field } });
  });

  test.each([{ provider: 'later' }, { feature: 'later' }, { data_class: 'later' }])(
    '%j matches nothing today, is accepted and says so',
    async (scope) => {
      expect((await house.admin('POST', 'switches', { scope, reason: 'why' })).body).toMatchObject({
        matches: 0,
        expands_to: [],
      });
    },
  );

  test('one for a feature reaches the targets of its route', async () => {
    const made = await house.admin('POST', 'switches', { scope: { feature: 'strict' }, reason: 'why' });
    expect(made.body['expands_to']).toEqual(['anthropic/claude-opus-4-8', 'openai/gpt-5.2']);
  });

  test.each([
    [{ scope: { feature: 'notes', provider: 'anthropic' } }, 'for one feature'],
    [{ scope: { provider: 'anthropic' }, effect: { shed: 10 } }, 'in part'],
    [{ scope: { provider: 'anthropic' }, mode: 'observe' }, 'on paper'],
  ])('%j was out %s, so its end ramps nobody', async (body) => {
    await post('/v1/messages', message('alone'));
    const made = await house.admin('POST', 'switches', { ...body, reason: 'why' });
    const released = await house.admin('POST', `switches/${String(made.body['id'])}/release`, {
      reason: 'over',
      ramp: true,
    });
    expect(released.body).toMatchObject({ acks: [{ replica: expect.any(String) }] });
    expect(await gateOf('anthropic/claude-opus-4-8')).toBe('healthy');
  });

  test('one that took a provider out for everybody comes back by a ramp', async () => {
    await post('/v1/messages', message('alone'));
    const made = await house.admin('POST', 'switches', { scope: { provider: 'anthropic' }, reason: 'why' });
    await house.admin('POST', `switches/${String(made.body['id'])}/release`, { reason: 'over', ramp: true });
    expect(await gateOf('anthropic/claude-opus-4-8')).toBe('ramping');
  });
});

describe('configuration', () => {
  test('a change is loaded under load and loses no request', async () => {
    const traffic = load('notes', 8);
    await until(() => house.simulator.calls('anthropic').length > 50, 'traffic flows');
    const before = house.server.engine.state.snapshot.hash;
    const document = configuration(house.simulator) as { features: { notes: { route: string[] } } };
    document.features.notes.route = ['openai/gpt-5.2'];
    house.configure(document);
    await until(() => house.server.engine.state.snapshot.hash !== before, 'the file is noticed');
    const arrivals = house.simulator.calls('openai').length;
    await until(() => house.simulator.calls('openai').length > arrivals + 50, 'the new route serves');
    await traffic.stop();
    expect([...traffic.statuses.keys()]).toEqual([200]);
  });

  test('one with errors is rejected with line and column, and the last good one stays', async () => {
    const before = house.server.engine.state.snapshot.hash;
    house.configure({ features: { notes: { route: ['nobody/x'] } } });
    const loaded = await house.server.reload();
    expect(loaded.ok).toBe(false);
    expect(house.server.engine.state.snapshot.hash).toBe(before);
    expect(
      house.logs.some((line) => line.includes('config_rejected') && line.includes('unknown provider')),
    ).toBe(true);
    expect((await post('/v1/messages', message('notes'))).status).toBe(200);
    const check = await house.admin('POST', 'config/check', { text: 'features:\n  a: { route: [x/y] }\n' });
    expect(check.body).toMatchObject({
      ok: false,
      problems: [{ line: 2, column: 16, path: 'features.a.route[0]' }],
    });
  });
});

describe('keys', () => {
  test('of several that are sent, one that is known is enough', async () => {
    const { body } = await house.admin('POST', 'keys', { name: 'shared', features: ['notes'] });
    const secret = String(body['secret']);
    for (const headers of [
      { 'x-api-key': '', authorization: `Bearer ${secret}` },
      { 'x-api-key': 'of a proxy in front', authorization: `Bearer  ${secret}` },
      { 'x-api-key': secret, authorization: 'Bearer of-a-proxy' },
    ])
      expect((await post('/v1/messages', message('notes'), headers)).status).toBe(200);
    for (const headers of [{ 'x-api-key': '' }, { authorization: `Basic ${secret}` }, { authorization: '' }])
      expect((await post('/v1/messages', message('notes'), headers)).status).toBe(401);
  });

  test('once one exists, a key is required, and it may do what it may do', async () => {
    const { body } = await house.admin('POST', 'keys', { name: 'product', features: ['notes'], rpm: 2 });
    const secret = String(body['secret']);
    const anonymous = await post('/v1/messages', message('notes'), { 'x-api-key': 'any' });
    expect(anonymous.status).toBe(401);
    expect(await anonymous.json()).toMatchObject({
      type: 'error',
      error: { type: 'authentication_error' },
      breakwater: { code: 'unauthenticated' },
    });
    const other = await post(
      '/v1/chat/completions',
      { model: 'chat', messages: [{ role: 'user', content: 'x' }] },
      { authorization: `bearer ${secret}` },
    );
    expect(other.status).toBe(403);
    const known = await post('/v1/messages', message('notes'), { 'x-api-key': secret });
    expect(known.status).toBe(200);
    expect((await house.record(known.headers.get('x-breakwater-request-id') ?? ''))['key']).toBe(body['id']);
    const limited = await post('/v1/messages', message('notes'), { 'x-api-key': secret });
    expect(limited.status).toBe(429);
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    await house.admin('POST', `keys/${String(body['id'])}/revoke`, {});
    expect((await post('/v1/messages', message('notes'), { 'x-api-key': secret })).status).toBe(401);
    const listed = await house.admin('GET', 'keys');
    expect(JSON.stringify(listed.body)).not.toContain(secret);
  });
});
