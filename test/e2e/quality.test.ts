/** Answers that arrive and are not like they were, over real sockets: warned of everywhere, and nobody is taken out. */
import { afterEach, describe, expect, test } from 'bun:test';

import { runCommand } from '../../src/cli/commands.ts';
import { readEnvironment } from '../../src/config.ts';
import { adminToken, configuration, eventually, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

let house: House;
let receiver: ReturnType<typeof Bun.serve> | null = null;
afterEach(async () => {
  await house.stop();
  await receiver?.stop(true);
  receiver = null;
});

const gpt = 'openai/gpt-5.2';
const question = { model: 'chat', messages: [{ role: 'user', content: 'Hello there' }] };
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const withTool: Json = {
  messages: [{ role: 'user', content: 'use tool w' }],
  tools: [{ type: 'function', function: { name: 'w', parameters: schema } }],
};

async function ask(user: number, more: Json = {}): Promise<string> {
  const response = await fetch(`${house.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-breakwater-user': `user-${user}` },
    body: JSON.stringify({ ...question, ...more }),
  });
  await response.arrayBuffer();
  expect(response.status).toBe(200);
  expect(response.headers.get('x-breakwater-target')).toBe(gpt);
  return response.headers.get('x-breakwater-request-id') ?? '';
}

/** Many users, a few at a time. */
async function askMany(count: number, more: Json = {}): Promise<void> {
  for (let n = 0; n < count; n += 10)
    await Promise.all(Array.from({ length: Math.min(10, count - n) }, (_, of) => ask((n + of) % 30, more)));
}

async function targetState(): Promise<Json> {
  const { body } = await house.admin('GET', 'state');
  return (body['targets'] as Json[]).find((each) => each['target'] === gpt) ?? {};
}
const warnings = async (): Promise<readonly Json[]> => (await targetState())['warnings'] as Json[];

async function metrics(): Promise<string> {
  return (await fetch(`${house.url}/metrics`)).text();
}

async function command(...words: readonly string[]): Promise<string> {
  const lines: string[] = [];
  const print = (text: string): void => void lines.push(text);
  const environment = readEnvironment({ BREAKWATER_URL: house.url, BREAKWATER_ADMIN_TOKEN: adminToken });
  expect(await runCommand(words, environment, { print, complain: print })).toBe(0);
  return lines.join('\n').replaceAll(/\s+/g, ' ');
}

async function whatChanged(category: string): Promise<readonly Json[]> {
  const { body } = await house.admin('GET', `whatchanged?category=${category}`);
  return body['items'] as Json[];
}

const playbook = `
name: model-changed
match: { scope: { model: gpt-5.2 }, when: { warning: refused } }
decide:
  - otherwise:
      - notify: { channel: hook, text: 'Please read some answers.' }
      - ask: { question: 'Shall it go?', timeout: 1h, otherwise: skip_rest }
`;

describe('a rise of refusals', () => {
  test('is warned of in every place, moves nobody, outlives a restart, and ends', async () => {
    const told: Json[] = [];
    receiver = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: async (request) => {
        told.push((await request.json()) as Json);
        return new Response();
      },
    });
    const url = `http://127.0.0.1:${receiver.port}/`;
    const hook = { kind: 'webhook', url, secret: 'env:HOOK_SECRET', allowPrivate: true };
    house = await startHouse({ channels: { hook } });
    expect((await house.admin('POST', 'playbooks', { text: playbook })).status).toBe(201);
    await askMany(260);
    expect(await warnings()).toEqual([]);
    const fault = house.simulator.setFault({ provider: 'openai', rate: 0.4, fault: { kind: 'refusal' } });
    for (let n = 0; n < 40 && (await warnings()).length === 0; n++) await askMany(10);
    const id = await ask(1);
    const [warning] = await warnings();
    expect(warning).toMatchObject({ signal: 'refused' });
    const words = String(warning?.['words']);
    expect(words).toMatch(
      /^\d+ of \d+ answers were refusals since \d\d:\d\d:\d\d \(\d+ %; usual [\d.]+ %\); by chance /,
    );
    expect(((await targetState())['gate'] as Json)['state']).toBe('healthy');

    const diagnosis = (await house.admin('GET', 'diagnosis?feature=chat')).body;
    expect(diagnosis).toMatchObject({ verdict: 'model', can_continue: true });
    expect(diagnosis['evidence']).toContainEqual({ source: 'quality', subject: gpt, words });
    expect(await whatChanged('quality_drift')).toMatchObject([{ kind: 'quality.warned', subject: gpt }]);
    expect(String((await house.admin('POST', 'explain', { feature: 'chat' })).body['words'])).toContain(
      words,
    );
    expect(((await house.record(id))['words'] as string[]).join(' ')).toContain(words);
    expect(await metrics()).toMatch(/breakwater_warning\{target="openai\/gpt-5.2",signal="refused"\} 1/);
    expect(house.logs.join('\n')).toContain('"event":"quality"');
    for (const line of ['state', 'gates'])
      expect(await command(line)).toContain(`warning: ${words.slice(0, 20)}`);
    const toldOf = async (type: string): Promise<Json> => {
      for (let tries = 0; tries < 600; tries++) {
        const found = told.find((each) => each['type'] === type);
        if (found !== undefined) return found['data'] as Json;
        await Bun.sleep(50);
      }
      throw new Error(`nobody was told of ${type}`);
    };
    const warned = await toldOf('quality.warned');
    expect(warned).toMatchObject({ subject: `${gpt} refused`, title: `${gpt}: more refusals` });
    expect(String(warned['text'])).toContain(words);
    expect(await toldOf('playbook.notified')).toMatchObject({ title: 'Please read some answers.' });
    expect(JSON.stringify((await house.admin('GET', 'switches')).body['items'])).toBe('[]');

    house = await house.restart();
    expect(await warnings()).toMatchObject([{ signal: 'refused', words }]);
    house.simulator.removeFault(fault);
    for (let n = 0; n < 60 && (await warnings()).length > 0; n++) await askMany(50);
    expect(await warnings()).toEqual([]);
    expect((await whatChanged('quality_drift'))[0]).toMatchObject({ kind: 'quality.cleared', subject: gpt });
    expect(await toldOf('quality.cleared')).toMatchObject({ subject: `${gpt} refused` });
    expect(await metrics()).toMatch(/breakwater_warning\{target="openai\/gpt-5.2",signal="refused"\} 0/);
  }, 240_000);
});

test('tool calls in streams that do not fit their schema are warned of', async () => {
  house = await startHouse();
  const more = { ...withTool, stream: true };
  await askMany(220, more);
  house.simulator.setFault({ provider: 'openai', rate: 0.5, fault: { kind: 'misfit' } });
  for (let n = 0; n < 40 && (await warnings()).length === 0; n++) await askMany(10, more);
  expect(await warnings()).toMatchObject([{ signal: 'tool_call_invalid' }]);
  expect(((await targetState())['gate'] as Json)['state']).toBe('healthy');
}, 240_000);

test('a new fingerprint, and a new name under the old one, are in the ledger of what changed', async () => {
  house = await startHouse();
  await askMany(10);
  house.simulator.setFault({ provider: 'openai', fault: { kind: 'fingerprint', fingerprint: 'fp_other' } });
  await askMany(10);
  house.simulator.setFault({
    provider: 'openai',
    fault: { kind: 'wrong_model', model: 'gpt-5.2-2026-06-01' },
  });
  await askMany(10);
  const end = Date.now() + 30_000;
  let found: readonly Json[] = [];
  while (found.length < 2 && Date.now() < end) {
    found = await whatChanged('model_update');
    await Bun.sleep(50);
  }
  const words = found.map((each) => String(each['words'])).join('\n');
  expect(words).toContain('carry the fingerprint fp_other; until now they carried fp_simulated');
  expect(words).toContain('gpt-5.2-2026-06-01; until now they said gpt-5.2');
}, 120_000);

test('a failure that is in no table alarms: in the log, the metrics, the state and the events', async () => {
  house = await startHouse();
  await askMany(5);
  const events = await fetch(`${house.url}/admin/v1/events`, {
    headers: { authorization: `Bearer ${adminToken}` },
  });
  const reader = events.body!.getReader();
  house.simulator.setFault({
    provider: 'openai',
    times: 2,
    fault: { kind: 'status', status: 418, body: {} },
  });
  const response = await fetch(`${house.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...question, model: 'solo' }),
  });
  await response.arrayBuffer();
  const [warning] = await warnings();
  expect(warning).toMatchObject({ signal: 'unclassified' });
  expect(String(warning?.['words'])).toContain('of a kind that is in no table');
  expect(await metrics()).toMatch(/breakwater_unclassified_total\{.*\} [1-9]/);
  expect(await metrics()).toMatch(/breakwater_warning\{target="openai\/gpt-5.2",signal="unclassified"\} 1/);
  let told = '';
  while (!told.includes('unclassified')) told += new TextDecoder().decode((await reader.read()).value);
  await reader.cancel();
  const end = Date.now() + 30_000;
  while (!house.logs.some((line) => line.includes('unclassified_failure')) && Date.now() < end)
    await Bun.sleep(20);
  expect(house.logs.join('\n')).toContain('"event":"unclassified_failure"');
}, 120_000);

describe('a model that changes under its name', () => {
  const canaryState = async (): Promise<Json> =>
    ((await house.admin('GET', 'canaries')).body['items'] as Json[])[0] ?? {};

  test('is found by fixed questions: a warning, an entry among model updates, and no request moved', async () => {
    house = await startHouse((simulator) => ({
      ...configuration(simulator),
      canaries: { every: '1s', targets: [gpt], budget: '5usd/day', falseAlarm: '1 per 30d' },
    }));
    const rounds = async (): Promise<number> =>
      Number(((await canaryState())['reference'] as Json)['rounds']);
    await eventually(async () => (await rounds()) >= 12, 'the reference is learned', 120_000);
    expect(await warnings()).toEqual([]);
    house.simulator.setFault({ provider: 'openai', fault: { kind: 'other_answers' } });
    await eventually(async () => (await warnings()).length > 0, 'the change is found', 120_000);
    const [warning] = await warnings();
    expect(warning).toMatchObject({ signal: 'changed_answers' });
    const words = String(warning?.['words']);
    expect(words).toMatch(/^\d+ answers to 8 fixed questions are not like the \d+ before/);
    expect(await whatChanged('model_update')).toMatchObject([{ kind: 'quality.warned', subject: gpt }]);
    expect(((await targetState())['gate'] as Json)['state']).toBe('healthy');
    await ask(1);
    expect(await metrics()).toMatch(
      /breakwater_canaries_total\{provider="openai",model="gpt-5.2",outcome="ok"\} \d\d+/,
    );
    expect(await command('canaries')).toContain('fixed questions');
    house = await house.restart();
    expect(await warnings()).toMatchObject([{ signal: 'changed_answers', words }]);
    expect((await canaryState())['finding']).not.toBeNull();
  }, 240_000);

  test('costs no more than agreed', async () => {
    house = await startHouse((simulator) => ({
      ...configuration(simulator),
      canaries: { every: '1s', targets: [gpt], budget: '0.000001usd/day' },
    }));
    await eventually(
      async () => house.simulator.calls('openai').length > 0,
      'the first question is asked',
      120_000,
    );
    await Bun.sleep(3_000);
    expect(house.simulator.calls('openai').length).toBe(1);
  }, 150_000);
});
