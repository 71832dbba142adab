/** Gates and people, over real sockets: holds, restarts, agreements, a gate that only looks on, and when all is out. */
import { afterEach, describe, expect, test } from 'bun:test';

import { adminToken, eventually, startHouse, until } from '../harness.ts';
import type { House, Json } from '../harness.ts';
import { runCommand } from '../../src/cli/commands.ts';
import { readEnvironment } from '../../src/config.ts';
import { gatesOf, opus, withGate } from './gates-fixture.ts';

let house: House;
afterEach(() => house.stop());

const { ask, askUntil, gateOf } = gatesOf(() => house);

describe('a person and a gate', () => {
  const reason = { reason: 'rehearsing the loss of it' };

  test('held out it gets nothing; given back it is probed and ramps', async () => {
    house = await startHouse(withGate);
    expect((await ask()).target).toBe(opus);
    const held = await house.admin('POST', `gates/${opus}/hold`, { ...reason, expires_in: '1h' });
    expect(held).toMatchObject({ status: 200, body: { target: opus, gate: { state: 'ejected' } } });
    expect((held.body['gate'] as Json)['words']).toContain('held out by admin: rehearsing');
    for (let n = 0; n < 5; n++) expect((await ask()).target).toBe('openai/gpt-5.2');
    expect(await house.admin('POST', `gates/${opus}/return`, reason)).toMatchObject({
      status: 200,
      body: { gate: { state: 'probing' } },
    });
    await eventually(async () => (await ask()).target === opus, 'it is used again');
    await eventually(async () => {
      await ask();
      return (await gateOf(opus))['state'] === 'healthy';
    }, 'the ramp ends');
    expect((await house.admin('POST', `gates/${opus}/return`, reason)).status).toBe(409);
    expect((await house.admin('POST', 'gates/no/such/hold', reason)).status).toBe(404);
    expect((await house.admin('POST', `gates/${opus}/hold`, {})).status).toBe(400);
    const { body } = await house.admin('GET', 'changes?limit=100');
    const kinds = (body['items'] as Json[]).map((change) => change['kind']);
    expect(kinds).toContain('gate.held');
    expect(kinds).toContain('gate.returned');
    expect(kinds.filter((kind) => kind === 'write.rejected')).toHaveLength(3);
  }, 120_000);
});

describe('a restart', () => {
  test('in the middle of an outage keeps what was out, out', async () => {
    house = await startHouse((simulator) => ({
      ...withGate(simulator),
      gates: [{ match: {}, restore: { probeEvery: '10m', hold: '1s' } }],
    }));
    house.simulator.setFault({
      provider: 'anthropic',
      fault: { kind: 'preset', preset: 'server_error' },
    });
    await askUntil(['ejected']);
    const before = await gateOf(opus);
    house = await house.restart();
    expect(await gateOf(opus)).toEqual(before);
    const calls = house.simulator.calls('anthropic').length;
    for (let n = 0; n < 10; n++) expect((await ask()).target).toBe('openai/gpt-5.2');
    expect(house.simulator.calls('anthropic').length).toBe(calls);
  }, 120_000);

  test('a hold by a person outlives it', async () => {
    house = await startHouse(withGate);
    await house.admin('POST', `gates/${opus}/hold`, { reason: 'not to be trusted today' });
    house = await house.restart();
    expect(await gateOf(opus)).toMatchObject({ state: 'ejected' });
    expect((await ask()).target).toBe('openai/gpt-5.2');
  }, 120_000);
});

describe('an agreement', () => {
  test('can be tried on the traffic that was, as it is and as proposed', async () => {
    house = await startHouse(withGate);
    for (let n = 0; n < 40; n++) await ask();
    house.simulator.setFault({
      provider: 'anthropic',
      fault: { kind: 'preset', preset: 'server_error' },
    });
    await askUntil(['shedding', 'ejected']);
    const { status, body } = await house.admin('POST', 'gates/test', {
      since: '1h',
      gate: { budget: '90%', breach: '99%' },
    });
    expect(status).toBe(200);
    const of = (list: unknown): Json => (list as Json[]).find((each) => each['target'] === opus)!;
    expect(of(body['current'])).toMatchObject({ target: opus });
    const trips = of(body['current'])['trips'] as Json[];
    expect(trips).toHaveLength(1);
    expect(trips[0]!['words']).toContain('attempts failed since');
    expect(of(body['proposed'])['trips']).toEqual([]);
    const lines: string[] = [];
    const code = await runCommand(
      ['gate', 'test', '--since', '1h', '--budget', '90%', '--breach', '99%'],
      readEnvironment({ BREAKWATER_URL: house.url, BREAKWATER_ADMIN_TOKEN: adminToken }),
      { print: (text) => void lines.push(text), complain: (text) => void lines.push(text) },
    );
    expect(code).toBe(0);
    expect(lines.join('\n')).toMatch(/As agreed now:\n[^]*1 trip;[^]*As proposed:\n[^]*0 trips/);
  }, 120_000);

  test('that nobody reviewed in time is said to be stale: in the state, in the log, by gates, in the incident', async () => {
    house = await startHouse((simulator) => ({
      ...withGate(simulator),
      gates: [
        {
          match: {},
          restore: { probeEvery: '1m', ramp: ['100%'], hold: '1s' },
          agreed: { by: ['platform', 'support'], on: '2025-01-01', review: '90d' },
        },
      ],
    }));
    const { body } = await house.admin('GET', 'gates');
    const [first] = body['items'] as Json[];
    expect(first!['agreement']).toMatchObject({
      by: ['platform', 'support'],
      on: '2025-01-01T00:00:00.000Z',
      review_by: '2025-04-01T00:00:00.000Z',
      stale: true,
    });
    const state = (await house.admin('GET', 'state')).body['targets'] as Json[];
    expect((state[0]!['agreement'] as Json)['stale']).toBe(true);
    await until(() => house.logs.some((line) => line.includes('"event":"agreement"')), 'it is logged');
    const lines: string[] = [];
    const environment = readEnvironment({ BREAKWATER_URL: house.url, BREAKWATER_ADMIN_TOKEN: adminToken });
    const print = (text: string): void => void lines.push(text);
    await runCommand(['gates'], environment, { print, complain: print });
    expect(lines.join(' ')).toMatch(/its agreement is past its\s+review/);
    house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'preset', preset: 'server_error' } });
    await askUntil(['ejected']);
    await eventually(async () => {
      const [incident] = (await house.admin('GET', 'incidents')).body['items'] as Json[];
      if (incident === undefined) return false;
      const shown = (await house.admin('GET', `incidents/${String(incident['id'])}`)).body;
      return JSON.stringify(shown['timeline']).includes(
        `The agreement behind the gate of ${opus} was to be reviewed`,
      );
    }, 'the incident says so');
  }, 150_000);
});

test('a gate that only looks on says so, and moves nobody', async () => {
  house = await startHouse((simulator) => ({
    ...withGate(simulator),
    gates: [{ match: {}, mode: 'observe', restore: { probeEvery: '100ms', hold: '1s' } }],
  }));
  house.simulator.setFault({
    provider: 'anthropic',
    rate: 0.5,
    fault: { kind: 'preset', preset: 'server_error' },
  });
  await askUntil(['shedding', 'ejected']);
  const calls = house.simulator.calls('anthropic').length;
  for (let n = 0; n < 10; n++) await ask();
  expect(house.simulator.calls('anthropic').length).toBeGreaterThanOrEqual(calls + 10);
  const { body } = await house.admin('GET', 'changes?limit=50');
  const move = (body['items'] as Json[]).find((change) => change['kind'] === 'gate.transition')!;
  expect(move['reason']).toContain('(mode observe: routing is unchanged)');
}, 150_000);

test('with nothing else left the least bad is asked all the same, and the record says so', async () => {
  house = await startHouse((simulator) => ({
    ...withGate(simulator),
    features: { notes: { title: 'Meeting notes', route: [opus] } },
    gates: [{ match: {}, restore: { probeEvery: '10m', hold: '10m' } }],
  }));
  await ask();
  await house.admin('POST', `gates/${opus}/hold`, { reason: 'rehearsing panic' });
  const answer = await ask();
  expect(answer).toMatchObject({ status: 200, target: opus, warnings: 'panic' });
  const record = await house.record(answer.id);
  expect(record['warnings']).toEqual(['panic']);
  const words = (record['words'] as string[]).join(' ');
  expect(words).toContain('it was asked all the same, because everything permitted was out');
  expect(words).not.toContain('Left out');
  expect((record['candidates'] as Json[])[0]).toMatchObject({
    target: opus,
    eligible: false,
    reason: 'ejected',
    rule: expect.stringContaining('tried all the same, because nothing better is left: held out by admin'),
  });
}, 150_000);
