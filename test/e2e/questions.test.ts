/** The eleven questions that people asked on 7 June 2026, each answered by one command and by one call of the API. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { commands, runCommand } from '../../src/cli/commands.ts';
import { readEnvironment } from '../../src/config.ts';
import { adminToken, configuration, patience, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

const features = {
  notes: {
    title: 'Meeting notes',
    route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'],
    timeouts: patience,
  },
  chat: { title: 'Chat', route: ['anthropic/claude-opus-4-7', 'openai/gpt-5.2'], timeouts: patience },
};
const gates = [{ match: {}, restore: { probeEvery: '100ms', ramp: ['50%', '100%'], hold: '1s' } }];

let house: House;
let answered: { id: string; user: string };
let incident: Json;
const announced = new Date(Date.now() - 60_000).toISOString();
let announcements: Json[] = [];
const feed = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: () =>
    Response.json({
      page: { id: 'p', name: 'Claude', url: 'https://status.claude.com', updated_at: announced },
      status: { indicator: announcements.length === 0 ? 'none' : 'minor', description: 'x' },
      components: [],
      incidents: announcements,
    }),
});

async function ask(feature: string, user = 'u1'): Promise<Response> {
  const response = await fetch(`${house.url}/v1/messages`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
      'x-breakwater-user': user,
    },
    body: JSON.stringify({ model: feature, max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  await response.text();
  return response;
}

async function untilIncident(isWanted: (incident: Json) => boolean, what: string): Promise<Json> {
  const end = Date.now() + 120_000;
  for (;;) {
    for (const feature of ['notes', 'chat']) await ask(feature);
    const [first] = (await house.admin('GET', 'incidents')).body['items'] as readonly Json[];
    if (first !== undefined && isWanted(first)) return first;
    if (Date.now() > end) throw new Error(`never ${what}: ${JSON.stringify(first)}`);
    await Bun.sleep(10);
  }
}

beforeAll(async () => {
  house = await startHouse((simulator) => {
    const { providers } = configuration(simulator) as { providers: Record<string, Json> };
    const statusFeed = `http://127.0.0.1:${feed.port}/api/v2/summary.json`;
    return {
      features,
      gates,
      providers: { ...providers, anthropic: { ...providers['anthropic'], statusFeed } },
    };
  });
  for (let sent = 0; sent < 3; sent++) await ask('notes');
  for (const model of ['claude-opus-4-8', 'claude-opus-4-7'])
    house.simulator.setFault({
      id: model,
      provider: 'anthropic',
      model,
      fault: { kind: 'preset', preset: 'overloaded' },
    });
  await untilIncident(
    ({ state, targets }) => state === 'mitigated' && (targets as unknown[]).length === 2,
    'mitigated',
  );
  const response = await ask('notes', 'ada');
  answered = { id: response.headers.get('x-breakwater-request-id') ?? '', user: 'ada' };
  announcements = [
    {
      id: 'abc',
      name: 'Elevated errors on Claude Opus 4.7 and 4.8',
      status: 'investigating',
      impact: 'minor',
      created_at: new Date().toISOString(),
      updated_at: announced,
    },
  ];
  await house.admin(
    'POST',
    'switches',
    { scope: { provider: 'anthropic' }, reason: 'elevated errors on two versions' },
    { 'x-breakwater-actor': 'maria' },
  );
  await untilIncident(({ times }) => (times as Json)['provider_declared'] !== null, 'announced');
  house.simulator.clearFaults();
  const [entry] = (await house.admin('GET', 'switches')).body['items'] as readonly Json[];
  await house.admin('POST', `switches/${String(entry?.['id'])}/release`, { reason: 'they have recovered' });
  announcements = announcements.map((each) => ({
    ...each,
    status: 'resolved',
    resolved_at: new Date().toISOString(),
  }));
  incident = await untilIncident(
    ({ state, times }) => state === 'resolved' && (times as Json)['provider_resolved'] !== null,
    'resolved',
  );
}, 240_000);
afterAll(async () => {
  await house.stop();
  await feed.stop(true);
});

/** One command: what it prints as JSON, and what it prints for people. */
async function command(...words: string[]): Promise<{ value: Json; text: string }> {
  const environment = readEnvironment({ BREAKWATER_URL: house.url, BREAKWATER_ADMIN_TOKEN: adminToken });
  const run = async (...given: string[]): Promise<string> => {
    const out: string[] = [];
    const exit = await runCommand(given, environment, {
      print: (text) => out.push(text),
      complain: (text) => out.push(text),
    });
    expect({ exit, out: exit === 0 ? '' : out.join('\n') }).toEqual({ exit: 0, out: '' });
    return out.join('\n');
  };
  return { value: JSON.parse(await run(...words, '--json')) as Json, text: await run(...words) };
}

const call = async (path: string): Promise<Json> => {
  const { status, body } = await house.admin('GET', path);
  expect(status).toBe(200);
  return body;
};
const id = (): string => String(incident['id']);

test('1. Which model answered me?', async () => {
  const { value, text } = await command('explain', answered.id);
  expect(value).toMatchObject({ served: 'openai/gpt-5.2', model_reported: 'gpt-5.2' });
  expect(text).toContain('openai/gpt-5.2');
  expect((await call(`requests/${answered.id}`))['served']).toBe('openai/gpt-5.2');
});

test('2. Was another model used, and why?', async () => {
  const { value } = await command('requests', '--user', 'ada', '--hop', 'other_vendor');
  expect((value['items'] as Json[])[0]).toMatchObject({
    id: answered.id,
    preferred: 'anthropic/claude-opus-4-8',
    fallback: expect.any(String),
  });
  const { items } = (await call('requests?user=ada&hop=other_vendor')) as { items: Json[] };
  expect(items).toHaveLength(1);
});

test('3. Did my data go to another company?', async () => {
  const { value } = await command('requests', '--user', 'ada', '--boundary', 'entity');
  expect((value['items'] as Json[]).map((record) => record['id'])).toEqual([answered.id]);
  expect((await call(`incidents/${id()}`))['data_left_to']).toEqual(['OpenAI']);
});

test('4. Which of my requests were hit, and how?', async () => {
  const { value, text } = await command('incident', 'requests', id(), '--how', 'rescued', '--limit', '200');
  expect((value['items'] as Json[]).length).toBeGreaterThan(0);
  expect(text).toContain('rescued');
  expect((await call(`requests?user=ada&incident=${id()}`))['items']).toMatchObject([{ id: answered.id }]);
});

test('5. Is it them or us, and can I continue?', async () => {
  const { value, text } = await command('diagnose', 'notes');
  expect(value).toMatchObject({ feature: 'notes', verdict: expect.any(String), can_continue: true });
  expect(text).toContain('You can continue.');
  expect(await call('diagnosis')).toMatchObject({ can_continue: true });
});

test('6. Did the model get worse, or did requests fail?', async () => {
  const { value, text } = await command('incident', 'show', id());
  expect(value).toMatchObject({ failure_class: 'availability' });
  expect(text.replaceAll(/\s+/g, ' ')).toContain('Nothing says that answers are worse');
  expect((await call(`incidents/${id()}`))['failure_class']).toBe('availability');
});

test('7. Which features are affected, and who answers instead?', async () => {
  const { value } = await command('state');
  expect((value['features'] as Json[]).map(({ feature }) => feature)).toEqual(['notes', 'chat']);
  const { features: affected } = (await call(`incidents/${id()}`)) as { features: Json[] };
  for (const feature of affected) {
    expect(feature).toMatchObject({ worst: 'backup', backup: 'openai/gpt-5.2' });
    expect(Number(feature['share'])).toBeGreaterThan(0);
  }
});

test('8. Since when, and who knew first?', async () => {
  const { value } = await command('incident', 'show', id());
  const times = value['times'] as Record<string, string>;
  expect(times['detected']! < times['provider_declared']!).toBe(true);
  expect(times['provider_declared']! < times['provider_resolved']!).toBe(true);
  expect(value['lead_ms']).toBe(Date.parse(times['provider_declared']!) - Date.parse(times['detected']!));
  expect((await call(`incidents/${id()}`))['announcements']).toMatchObject([
    { provider: 'anthropic', id: 'abc' },
  ]);
});

test('9. When was routing normal again?', async () => {
  const { value } = await command('incident', 'show', id());
  const resumed = String((value['times'] as Json)['normal_routing_resumed']);
  for (const feature of value['features'] as Json[])
    expect(String(feature['normal_at']) <= resumed).toBe(true);
  expect(((await call(`incidents/${id()}`))['times'] as Json)['normal_routing_resumed']).toBe(resumed);
});

test('10. Who decided what, when and why?', async () => {
  const { value, text } = await command('whatchanged', '--category', 'routing_change', '--limit', '200');
  const decided = (value['items'] as Json[]).find(({ kind }) => kind === 'switch.created');
  expect(decided).toMatchObject({
    actor: 'maria',
    words: expect.stringContaining('elevated errors on two versions'),
  });
  expect(text).toContain('maria');
  const { timeline } = (await call(`incidents/${id()}`)) as { timeline: Json[] };
  expect(timeline.some(({ source, by }) => source === 'person' && by === 'maria')).toBe(true);
});

test('11. What was agreed beforehand?', async () => {
  const { items } = (await call('coverage')) as { items: Json[] };
  const notes = items.find(({ feature }) => feature === 'notes') as { losses: Json[] };
  expect(notes.losses.some(({ verdict }) => verdict === 'survives')).toBe(true);
  const { value, text } = await command('coverage', 'notes');
  expect(value['items']).toEqual([notes]);
  expect(text).toContain('without provider:anthropic');
});

test('the numbers of the post-mortem are those of the records', async () => {
  const { value } = await command('incident', 'postmortem', id());
  const markdown = String(value['markdown']);
  const items: Json[] = [];
  for (let cursor = '', pages = 0; pages < 100; pages++) {
    const page = await call(`requests?incident=${id()}&limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`);
    items.push(...(page['items'] as Json[]));
    if (page['next_cursor'] === null) break;
    cursor = String(page['next_cursor']);
  }
  const rescued = items.filter(
    ({ outcome, served, preferred }) => outcome === 'answered' && served !== preferred,
  ).length;
  expect(markdown).toContain(`| all that met it | ${items.length} |`);
  expect(markdown).toContain(`| were answered by another model | ${rescued} |`);
  const bare = await fetch(`${house.url}/admin/v1/incidents/${id()}/postmortem`, {
    headers: { authorization: `Bearer ${adminToken}` },
  });
  expect(bare.headers.get('content-type')).toContain('text/markdown');
  expect(await bare.text()).toStartWith('# Claude Opus 4.7 and 4.8');
  for (const heading of ['## Five times', '## What the provider said', '## What was decided'])
    expect(markdown).toContain(heading);
});

test('the provider has a column of its own in the state', async () => {
  const { targets } = (await call('state')) as { targets: Json[] };
  const opus = targets.find(({ target }) => target === 'anthropic/claude-opus-4-8');
  expect(opus?.['provider_says']).toMatchObject({ status: expect.any(String) });
  const gpt = targets.find(({ target }) => target === 'openai/gpt-5.2');
  expect(gpt?.['provider_says']).toBeNull();
});

test('every command of the guide exists', () => {
  const guide = readFileSync(join(import.meta.dir, '../../docs/incident.md'), 'utf8');
  const named = [...guide.matchAll(/`?(?:npx )?breakwater ([a-z]+(?: [a-z]+)?)/g)].map(
    (match) => match[1] ?? '',
  );
  expect(named.length).toBeGreaterThan(20);
  const known = new Set(commands.map(({ name }) => name));
  expect(named.filter((name) => !known.has(name) && !known.has(name.split(' ')[0] ?? ''))).toEqual([]);
});
