/** Gates over real sockets: what a sick provider looks like from outside, and what becomes of callers meanwhile. */
import { afterEach, describe, expect, test } from 'bun:test';

import { eventually, LeapingTime, simulated, simulatedGoogle, startHouse, withGoogle } from '../harness.ts';
import type { House, Json } from '../harness.ts';
import { gatesOf, opus, withGate } from './gates-fixture.ts';
import type { Answer } from './gates-fixture.ts';

let house: House;
afterEach(() => house.stop());

const { ask, askUntil, gateOf, metric } = gatesOf(() => house);

describe('codes that lie', () => {
  test('a storm of 401 on keys that worked is the provider’s: the gate acts, no key is lost', async () => {
    house = await startHouse(withGate);
    for (let n = 0; n < 6; n++) expect(await ask()).toMatchObject({ status: 200, target: opus });
    const fault = house.simulator.setFault({
      provider: 'anthropic',
      fault: { kind: 'preset', preset: 'credential_rejected' },
    });
    const during = await askUntil(['shedding', 'ejected']);
    expect(during.every(({ status, target }) => status === 200 && target === 'openai/gpt-5.2')).toBe(true);
    expect(await metric('breakwater_disbelieved_total')).toBeGreaterThan(0);
    house.simulator.removeFault(fault);
    await eventually(async () => (await ask()).target === opus, 'the keys are used again');
  }, 120_000);

  test('one revoked key of two: the key is left alone, the model is not', async () => {
    house = await startHouse(withGate);
    for (let n = 0; n < 6; n++) await ask();
    house.simulator.setFault({
      provider: 'anthropic',
      key: 'key-a',
      fault: { kind: 'preset', preset: 'credential_rejected' },
    });
    for (let n = 0; n < 40; n++) expect(await ask()).toMatchObject({ status: 200, target: opus });
    expect((await gateOf(opus))['state']).toBe('healthy');
    const refused = house.simulator.calls('anthropic').filter((call) => call.key === 'key-a').length;
    expect(refused).toBeLessThanOrEqual(3 + 3);
  }, 120_000);

  test('a 429 with plenty left is overload: the gate acts, and the key is not set aside', async () => {
    house = await startHouse(withGate);
    for (let n = 0; n < 3; n++) await ask();
    house.simulator.setFault({
      provider: 'anthropic',
      fault: {
        kind: 'preset',
        preset: 'rate_limited',
        headers: {
          'retry-after': '20',
          'anthropic-ratelimit-requests-limit': '4000',
          'anthropic-ratelimit-requests-remaining': '3990',
        },
      },
    });
    const during = await askUntil(['shedding', 'ejected']);
    expect(during.every(({ status, target }) => status === 200 && target === 'openai/gpt-5.2')).toBe(true);
    const record = await house.record(during[0]!.id);
    expect((record['attempts'] as Json[])[0]!['failure']).toBe('overloaded');
  }, 120_000);
});

describe('probes', () => {
  /** Nobody asks meanwhile: what brings the target back is only what Breakwater sends itself. */
  const byProbesAlone = async (target: string, provider: string): Promise<void> => {
    await house.admin('POST', `gates/${target}/hold`, { reason: 'rehearsing its return' });
    const before = house.simulator.calls(provider).length;
    await house.admin('POST', `gates/${target}/return`, { reason: 'rehearsing its return' });
    await eventually(async () => (await gateOf(target))['state'] === 'healthy', `${target} is back`);
    expect(house.simulator.calls(provider).length).toBeGreaterThan(before);
  };

  test.each([
    ['anthropic-messages', opus, 'anthropic'],
    ['openai-chat', 'openai/gpt-5.2', 'openai'],
    ['gemini', 'google/gemini-2.5-flash', 'google'],
    ['a local server', 'local/llama-3.2-3b', 'local'],
  ])(
    'bring a target back without a request of anybody: %s',
    async (_name, target, provider) => {
      house = await startHouse(
        (simulator) => {
          const { providers } = withGoogle(simulator);
          return {
            providers,
            features: { one: { title: 'One', route: [target] } },
            gates: [{ match: {}, restore: { probeEvery: '100ms', ramp: ['100%'], hold: '100ms' } }],
          };
        },
        [...simulated, simulatedGoogle],
      );
      await byProbesAlone(target, provider);
      const call = house.simulator.calls(provider).at(-1)!;
      expect(call.stream).toBe(true);
      expect(call.text.length).toBeLessThan(400);
      const { body } = await house.admin('GET', 'state');
      const shown = (body['targets'] as Json[])[0]!;
      expect(shown['probes']).toMatchObject({ failed: 0, last_failure: null });
      expect((shown['probes'] as Json)['ok']).toBeGreaterThan(5);
      expect(shown['traffic']).toMatchObject({ ok: 0, failed: 0 });
      expect(await metric('breakwater_probes_total')).toBeGreaterThan(5);
      expect((await house.admin('GET', 'requests')).body['items']).toEqual([]);
    },
    120_000,
  );

  test('what a person switched off is never probed', async () => {
    house = await startHouse(withGate);
    await ask();
    await house.admin('POST', 'switches', { scope: { provider: 'anthropic' }, reason: 'not today' });
    await house.admin('POST', `gates/${opus}/hold`, { reason: 'rehearsing' });
    await house.admin('POST', `gates/${opus}/return`, { reason: 'rehearsing' });
    const before = house.simulator.calls('anthropic').length;
    // Long enough for ten probes, had they been allowed.
    await Bun.sleep(1_500);
    expect(house.simulator.calls('anthropic').length).toBe(before);
    expect((await gateOf(opus))['state']).toBe('probing');
  }, 120_000);

  test('thin traffic: after one failure probes find out, without another request', async () => {
    house = await startHouse(withGate);
    await ask();
    house.simulator.setFault({
      provider: 'anthropic',
      fault: { kind: 'preset', preset: 'server_error' },
    });
    expect((await ask()).status).toBe(200);
    await eventually(
      async () => ['ejected', 'probing'].includes(String((await gateOf(opus))['state'])),
      'it is out',
    );
  }, 120_000);
});

describe('failures at a seeded rate', () => {
  test.each([
    [0.1, 400],
    [0.2, 150],
    [0.5, 50],
    [1, 20],
  ])(
    '%p: callers see none of it, and the target is shed',
    async (rate, most) => {
      const time = new LeapingTime();
      house = await startHouse(withGate, simulated, time);
      house.simulator.setFault({
        provider: 'anthropic',
        rate,
        fault: { kind: 'preset', preset: 'server_error' },
      });
      const answers: Answer[] = [];
      while (String((await gateOf(opus))['state']) === 'healthy') {
        if (answers.length > most) throw new Error(`still healthy after ${most} requests`);
        answers.push(await ask());
      }
      time.stand();
      expect(answers.every(({ status }) => status === 200)).toBe(true);
      const gate = await gateOf(opus);
      expect(gate['words']).toMatch(/^\d+ of \d+ attempts failed since \d\d:\d\d:\d\d \(\d+ %; usual /);
      const { body } = await house.admin('GET', 'changes?limit=50');
      const moves = (body['items'] as Json[]).filter((change) => change['kind'] === 'gate.transition');
      expect(moves.at(-1)).toMatchObject({ subject: opus, before: 'healthy', after: 'shedding' });
      expect(moves.find((move) => move['after'] === gate['state'])?.['reason']).toBe(gate['words']);
      // The same sentence, wherever somebody asks.
      const { id } = await ask();
      expect((await house.record(id))['words'] as string[]).toContainEqual(
        expect.stringContaining(String(gate['words'])),
      );
      const hypothetical = await house.admin('POST', 'explain', { feature: 'notes' });
      expect(hypothetical.body['words']).toContain(String(gate['words']));
      expect(await metric('breakwater_gate_trouble_failed')).toBeGreaterThan(0);
      expect(await metric('breakwater_gate_transitions_total')).toBeGreaterThan(0);
    },
    120_000,
  );
});

describe('silence', () => {
  const hang = (): void =>
    void house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'hang', where: 'first_token' } });

  test('a hang of streams is noticed while they wait, long before any of them times out', async () => {
    house = await startHouse((simulator) => ({
      ...withGate(simulator),
      features: {
        notes: {
          title: 'Meeting notes',
          route: [opus, 'openai/gpt-5.2'],
          timeouts: { firstToken: '10m', stall: '10m', total: '15m' },
        },
      },
    }));
    for (let n = 0; n < 60; n++) await ask({ stream: true });
    hang();
    const leaving = new AbortController();
    await eventually(async () => {
      void ask({ stream: true }, leaving.signal).catch(() => {});
      await Bun.sleep(150);
      return (await gateOf(opus))['state'] !== 'healthy';
    }, 'the gate hears the silence');
    expect((await gateOf(opus))['words']).toContain('wait far longer than usual');
    // One of them may be let through to try it, and meets the same silence.
    await eventually(async () => {
      const answer = await ask({ stream: true }, AbortSignal.timeout(5_000)).catch(() => null);
      return answer?.target === 'openai/gpt-5.2';
    }, 'others are answered');
    leaving.abort();
  }, 120_000);

  test('callers who give up on silent streams tell of the target', async () => {
    house = await startHouse(withGate);
    for (let n = 0; n < 60; n++) await ask({ stream: true });
    hang();
    await eventually(async () => {
      const impatient = Array.from({ length: 4 }, () =>
        ask({ stream: true }, AbortSignal.timeout(3_500)).catch(() => null),
      );
      await Promise.all(impatient);
      return (await gateOf(opus))['state'] !== 'healthy';
    }, 'the gate hears those who left');
    expect(await metric('breakwater_disbelieved_total')).toBeGreaterThan(0);
  }, 120_000);
});

test('soft signals are counted, told, and take nothing out', async () => {
  house = await startHouse(withGate);
  for (let n = 0; n < 30; n++) await ask();
  house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'refusal' } });
  for (let n = 0; n < 60; n++) expect((await ask()).target).toBe(opus);
  expect((await gateOf(opus))['state']).toBe('healthy');
  const { text } = await fetch(`${house.url}/metrics`).then(async (answer) => ({
    text: await answer.text(),
  }));
  expect(text).toMatch(/breakwater_soft_failures_total\{[^}]*signal="refused"[^}]*\} 60/);
  house.simulator.clearFaults();
  house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'wrong_model', model: 'another-model' } });
  await ask();
  expect(await metric('breakwater_identity_news_total')).toBe(1);
  expect(
    house.logs.some((line) => line.includes('"event":"identity"') && line.includes('another-model')),
  ).toBe(true);
}, 120_000);

test('unrelated providers failing together: ourselves are suspected, and nobody is condemned twice', async () => {
  house = await startHouse((simulator) => ({
    ...withGate(simulator),
    features: {
      notes: { title: 'Meeting notes', route: [opus, 'openai/gpt-5.2', 'local/llama-3.2-3b'] },
      chat: { title: 'Chat', route: ['openai/gpt-5.2', opus, 'local/llama-3.2-3b'] },
    },
  }));
  for (let n = 0; n < 60; n++) await ask({ model: n % 2 === 0 ? 'notes' : 'chat' });
  for (const provider of ['anthropic', 'openai'])
    house.simulator.setFault({ provider, fault: { kind: 'preset', preset: 'overloaded' } });
  await eventually(async () => {
    expect((await ask({ model: 'notes' })).status).toBe(200);
    expect((await ask({ model: 'chat' })).status).toBe(200);
    return house.logs.some((line) => line.includes('"event":"egress_suspected"'));
  }, 'ourselves are suspected');
  expect(await metric('breakwater_egress_suspected_total')).toBeGreaterThan(0);
  const { body } = await house.admin('GET', 'changes?limit=100');
  const declared = (body['items'] as Json[]).filter((change) => change['after'] === 'ejected');
  expect(new Set(declared.map((change) => change['subject'])).size).toBeLessThan(2);
}, 120_000);
