/** Protecting what requests are moved to: places, waiting, and who is refused first. */
import { afterEach, beforeEach, expect, test } from 'bun:test';

import { adminToken, LeapingTime, patience, simulated, startHouse, tooLongMs, until } from '../harness.ts';
import type { House, Json } from '../harness.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';

let house: House;
let time: LeapingTime;
beforeEach(async () => {
  time = new LeapingTime();
  const changes = (simulator: Simulator): Json => ({
    providers: {
      anthropic: {
        api: 'anthropic',
        keys: ['env:KEY_A'],
        baseUrl: simulator.baseUrl('anthropic'),
        limits: { concurrency: 2 },
      },
      openai: {
        api: 'openai',
        keys: ['env:KEY_O'],
        baseUrl: simulator.baseUrl('openai'),
        limits: { rpm: 2 },
      },
    },
    features: {
      urgent: { route: ['anthropic/claude-opus-4-8'], priority: 'critical' },
      usual: { route: ['anthropic/claude-opus-4-8'] },
      batch: { route: ['anthropic/claude-opus-4-8'], priority: 'sheddable' },
      moved: { route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'] },
      hedged: {
        route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'],
        hedge: { after: '100ms', budget: '5%' },
        timeouts: patience,
      },
      patient: {
        route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'],
        hedge: { after: '8s', budget: '5%' },
        timeouts: patience,
      },
      warm: { route: ['openai/gpt-5.2', 'anthropic/claude-opus-4-8'], warm: '100%' },
      paced: { route: ['openai/gpt-5.2'], priority: 'sheddable' },
    },
  });
  house = await startHouse(changes, simulated, time);
});
afterEach(() => house.stop());

function ask(feature: string): Promise<Response> {
  return fetch(`${house.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': 'any', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: feature, max_tokens: 50, messages: [{ role: 'user', content: 'Hello' }] }),
  });
}

/** Calls that stay open until the fault is taken away. */
async function occupy(count: number): Promise<{ readonly free: () => Promise<void> }> {
  const id = house.simulator.setFault({
    provider: 'anthropic',
    times: count,
    fault: { kind: 'delay', beforeHeadersMs: 60_000 },
  });
  const calls = Array.from({ length: count }, () => ask('urgent'));
  await until(() => house.simulator.calls('anthropic').length >= count, 'the calls are open');
  return {
    free: async () => {
      house.simulator.removeFault(id);
      for (const response of await Promise.all(calls)) expect(response.status).toBe(200);
    },
  };
}

test('what can be shed is refused at once when every place is taken, and told the truth about retrying', async () => {
  const { free } = await occupy(2);
  const refused = await ask('batch');
  expect(refused.status).toBe(503);
  expect(refused.headers.get('x-should-retry')).toBe('false');
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  const body = (await refused.json()) as { breakwater: Json; error: Json };
  expect(body.breakwater).toMatchObject({
    code: 'overloaded',
    excluded: [{ target: 'anthropic/claude-opus-4-8', reason: 'at_capacity' }],
  });
  expect(body.breakwater['retry_after_ms']).toBeGreaterThan(0);
  await free();
  expect(house.asked('anthropic').length).toBe(2);
});

test('others wait in line and are answered when a place comes free', async () => {
  const { free } = await occupy(2);
  const waiting = [ask('usual'), ask('urgent')];
  await until(() => house.server.engine.capacity.waiting === 2, 'both wait');
  const state = await house.admin('GET', 'state');
  expect(state.body['targets']).toContainEqual(
    expect.objectContaining({
      target: 'anthropic/claude-opus-4-8',
      capacity: { limit: 2, learnt: false, waiting: 2 },
    }),
  );
  const metrics = await (
    await fetch(`${house.url}/metrics`, { headers: { authorization: `Bearer ${adminToken}` } })
  ).text();
  expect(metrics).toContain('breakwater_waiting{target="anthropic/claude-opus-4-8"} 2');
  await free();
  for (const response of await Promise.all(waiting)) expect(response.status).toBe(200);
  await until(() => house.server.engine.capacity.waiting === 0, 'nobody waits');
});

test('a full target is passed over without waiting where the policy has another', async () => {
  const { free } = await occupy(2);
  const moved = await ask('moved');
  expect(moved.headers.get('x-breakwater-target')).toBe('openai/gpt-5.2');
  expect(moved.headers.get('x-breakwater-fallback')).toBe('at_capacity');
  await free();
});

test('a caller who leaves while waiting leaves the line', async () => {
  const { free } = await occupy(2);
  const leaver = new AbortController();
  const left = fetch(`${house.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': 'any', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: 'usual', max_tokens: 50, messages: [{ role: 'user', content: 'Hello' }] }),
    signal: leaver.signal,
  }).catch(() => null);
  await until(() => house.server.engine.capacity.waiting === 1, 'it waits');
  leaver.abort();
  await left;
  await until(() => house.server.engine.capacity.waiting === 0, 'it left the line');
  await free();
});

test('a rate agreed with the provider is kept', async () => {
  expect((await ask('paced')).status).toBe(200);
  const second = await ask('paced');
  expect(second.status).toBe(503);
  expect(await second.json()).toMatchObject({ breakwater: { code: 'overloaded' } });
  expect(house.asked('openai').length).toBe(1);
});

test('a backup is kept warm, and the answer says so', async () => {
  const warmed = await ask('warm');
  expect(warmed.status).toBe(200);
  expect(warmed.headers.get('x-breakwater-target')).toBe('anthropic/claude-opus-4-8');
  expect(warmed.headers.get('x-breakwater-fallback')).toBe('warm_share');
});

function stream(feature: string): Promise<Response> {
  return fetch(`${house.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': 'any', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({
      model: feature,
      max_tokens: 50,
      stream: true,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  });
}

/** No call is open, and no place taken. */
async function settled(): Promise<void> {
  const { board, capacity, flights } = house.server.engine;
  const targets = [...house.server.engine.state.snapshot.features.values()].flatMap(({ route }) => route);
  await until(
    () =>
      flights.size === 0 &&
      targets.every((target) => board.inFlight(target.name) === 0 && capacity.view(target).open === 0),
    'everything is given back',
  );
}

test('a silent stream is asked of the next target too; the first answer counts, the other call is cancelled', async () => {
  house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'hang', where: 'headers' } });
  const response = await stream('hedged');
  expect(response.headers.get('x-breakwater-target')).toBe('openai/gpt-5.2');
  expect(response.headers.get('x-breakwater-fallback')).toBe('hedge');
  expect(response.headers.get('x-breakwater-attempts')).toBe('2');
  expect(await response.text()).toContain('message_stop');
  await settled();
  const record = await house.record(response.headers.get('x-breakwater-request-id') ?? '');
  expect(record).toMatchObject({ outcome: 'answered', served: 'openai/gpt-5.2' });
  expect(record['attempts']).toMatchObject([
    { target: 'anthropic/claude-opus-4-8', outcome: 'cancelled', failure: null },
    { target: 'openai/gpt-5.2', outcome: 'ok' },
  ]);
  const [outrun] = record['attempts'] as readonly { readonly duration_ms: number }[];
  expect(outrun?.duration_ms).toBeGreaterThanOrEqual(100);
});

test('a first token in time is not hedged, and neither is a whole answer', async () => {
  const quick = await stream('patient');
  expect(quick.headers.get('x-breakwater-attempts')).toBe('1');
  await quick.text();
  house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'delay', beforeHeadersMs: 500 } });
  const whole = await ask('hedged');
  expect(whole.headers.get('x-breakwater-target')).toBe('anthropic/claude-opus-4-8');
  expect(whole.headers.get('x-breakwater-attempts')).toBe('1');
  await settled();
});

test('when the first call answers after all, the hedge is the one that is cancelled', async () => {
  const slow = house.simulator.setFault({
    provider: 'anthropic',
    fault: { kind: 'delay', beforeHeadersMs: 60_000 },
  });
  house.simulator.setFault({ provider: 'openai', fault: { kind: 'hang', where: 'headers' } });
  const answering = stream('hedged');
  await until(() => house.simulator.calls('openai').length === 1, 'the hedge was sent');
  house.simulator.removeFault(slow);
  const response = await answering;
  expect(response.headers.get('x-breakwater-target')).toBe('anthropic/claude-opus-4-8');
  expect(response.headers.get('x-breakwater-fallback')).toBeNull();
  expect(response.headers.get('x-breakwater-attempts')).toBe('2');
  await response.text();
  await settled();
  const record = await house.record(response.headers.get('x-breakwater-request-id') ?? '');
  expect(record['served']).toBe('anthropic/claude-opus-4-8');
  // In the order they began in; `outcome` says which of them answered.
  expect(record['attempts']).toMatchObject([
    { n: 1, target: 'anthropic/claude-opus-4-8', outcome: 'ok' },
    { n: 2, target: 'openai/gpt-5.2', outcome: 'cancelled' },
  ]);
});

test('a hedge that fails is over then, and not when the first call answers', async () => {
  const slow = house.simulator.setFault({
    provider: 'anthropic',
    fault: { kind: 'delay', beforeHeadersMs: 60_000 },
  });
  house.simulator.setFault({ provider: 'openai', fault: { kind: 'preset', preset: 'overloaded' } });
  const answering = stream('hedged');
  await until(() => house.simulator.calls('openai').length === 1, 'the hedge was sent');
  await Bun.sleep(1_000);
  house.simulator.removeFault(slow);
  const response = await answering;
  await response.text();
  await settled();
  const record = await house.record(response.headers.get('x-breakwater-request-id') ?? '');
  const [first, second] = record['attempts'] as readonly { duration_ms: number; failure: unknown }[];
  expect([first?.failure, second?.failure]).toEqual([null, 'overloaded']);
  expect(second?.duration_ms).toBeLessThan((first?.duration_ms ?? 0) - 500);
});

test('when both fail, the caller is told of both and neither is asked again', async () => {
  house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'hang', where: 'headers' } });
  house.simulator.setFault({ provider: 'openai', fault: { kind: 'preset', preset: 'server_error' } });
  const waiting = stream('hedged');
  await until(() => house.asked('openai').length === 1, 'the hedge was sent');
  time.leap(tooLongMs.stream);
  const response = await waiting;
  expect(response.status).toBeGreaterThanOrEqual(500);
  expect(house.asked('openai').length).toBe(1);
  await settled();
});
