/** Gates over real sockets: what a sick provider looks like from outside, and what becomes of callers meanwhile. */
import { afterEach, describe, expect, test } from 'bun:test';

import {
  adminToken,
  configuration,
  LeapingTime,
  patience,
  simulated,
  simulatedGoogle,
  startHouse,
  until,
  withGoogle,
} from '../harness.ts';
import type { House, Json } from '../harness.ts';
import { runCommand } from '../../src/cli/commands.ts';
import { readEnvironment } from '../../src/config.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';

let house: House;
afterEach(() => house.stop());

const opus = 'anthropic/claude-opus-4-8';

/** Two keys at Anthropic, a quick way back, and patience for a slow machine. */
function withGate(simulator: Simulator): Json {
  const { providers } = configuration(simulator) as { providers: Record<string, Json> };
  return {
    providers: {
      ...providers,
      anthropic: { ...providers['anthropic'], keys: ['env:KEY_A', 'env:KEY_B'] },
    },
    features: { notes: { title: 'Meeting notes', route: [opus, 'openai/gpt-5.2'], timeouts: patience } },
    gates: [{ match: {}, restore: { probeEvery: '100ms', ramp: ['50%', '100%'], hold: '1s' } }],
  };
}

type Answer = {
  readonly status: number;
  readonly target: string | null;
  readonly warnings: string | null;
  readonly id: string;
};

async function ask(more: Json = {}, signal?: AbortSignal): Promise<Answer> {
  const response = await fetch(`${house.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({
      model: 'notes',
      max_tokens: 50,
      messages: [{ role: 'user', content: 'Hello' }],
      ...more,
    }),
    ...(signal === undefined ? {} : { signal }),
  });
  await response.arrayBuffer();
  return {
    status: response.status,
    target: response.headers.get('x-breakwater-target'),
    warnings: response.headers.get('x-breakwater-warnings'),
    id: response.headers.get('x-breakwater-request-id') ?? '',
  };
}

async function gateOf(target: string): Promise<Json> {
  const { body } = await house.admin('GET', 'state');
  return (body['targets'] as Json[]).find((each) => each['target'] === target)!['gate'] as Json;
}

const waitUntil = async (isTrue: () => Promise<boolean>, what: string): Promise<void> => {
  const end = Date.now() + 60_000;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`never happened: ${what}`);
    await Bun.sleep(20);
  }
};

/** Asks until the gate is in one of these states. */
async function askUntil(states: readonly string[]): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  await waitUntil(
    async () => {
      answers.push(await ask());
      return states.includes(String((await gateOf(opus))['state']));
    },
    `the gate is ${states.join(' or ')}`,
  );
  return answers;
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${house.url}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

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
    await waitUntil(async () => (await ask()).target === opus, 'the keys are used again');
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
    await waitUntil(async () => (await ask()).target === opus, 'it is used again');
    await waitUntil(async () => {
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

describe('probes', () => {
  /** Nobody asks meanwhile: what brings the target back is only what Breakwater sends itself. */
  const byProbesAlone = async (target: string, provider: string): Promise<void> => {
    await house.admin('POST', `gates/${target}/hold`, { reason: 'rehearsing its return' });
    const before = house.simulator.calls(provider).length;
    await house.admin('POST', `gates/${target}/return`, { reason: 'rehearsing its return' });
    await waitUntil(async () => (await gateOf(target))['state'] === 'healthy', `${target} is back`);
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
    await waitUntil(
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
    await waitUntil(async () => {
      void ask({ stream: true }, leaving.signal).catch(() => {});
      await Bun.sleep(150);
      return (await gateOf(opus))['state'] !== 'healthy';
    }, 'the gate hears the silence');
    expect((await gateOf(opus))['words']).toContain('wait far longer than usual');
    // One of them may be let through to try it, and meets the same silence.
    await waitUntil(async () => {
      const answer = await ask({ stream: true }, AbortSignal.timeout(5_000)).catch(() => null);
      return answer?.target === 'openai/gpt-5.2';
    }, 'others are answered');
    leaving.abort();
  }, 120_000);

  test('callers who give up on silent streams tell of the target', async () => {
    house = await startHouse(withGate);
    for (let n = 0; n < 60; n++) await ask({ stream: true });
    hang();
    await waitUntil(async () => {
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
    await waitUntil(async () => {
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
  await waitUntil(async () => {
    expect((await ask({ model: 'notes' })).status).toBe(200);
    expect((await ask({ model: 'chat' })).status).toBe(200);
    return house.logs.some((line) => line.includes('"event":"egress_suspected"'));
  }, 'ourselves are suspected');
  expect(await metric('breakwater_egress_suspected_total')).toBeGreaterThan(0);
  const { body } = await house.admin('GET', 'changes?limit=100');
  const declared = (body['items'] as Json[]).filter((change) => change['after'] === 'ejected');
  expect(new Set(declared.map((change) => change['subject'])).size).toBeLessThan(2);
}, 120_000);
