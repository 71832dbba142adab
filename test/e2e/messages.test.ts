/** From an incident to what users are told: previewed, published, kept back, said by itself; on the page, in the banner, to channels. */
import { afterAll, beforeAll, expect, test } from 'bun:test';

import { Webhook } from 'standardwebhooks';

import { eventually, LeapingTime, simulated, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';
import { webhookSecret } from '../told-fixture.ts';

let house: House;
let receiver: ReturnType<typeof Bun.serve>;
const told: Json[] = [];
const time = new LeapingTime();
const holdDownMs = 120_000;

beforeAll(async () => {
  receiver = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const body = await request.text();
      told.push(new Webhook(webhookSecret).verify(body, Object.fromEntries(request.headers)) as Json);
      return new Response();
    },
  });
  const changes = {
    messages: {
      holdDown: `${holdDownMs}ms`,
      nextUpdate: '20m',
      locales: { de: { states: { backup: 'mit Ersatzmodell' } } },
    },
    statusPage: { title: 'Acme AI', url: 'https://status.acme.example/status' },
    channels: {
      hook: {
        kind: 'webhook',
        url: `http://127.0.0.1:${receiver.port}/`,
        secret: 'env:HOOK_SECRET',
        allowPrivate: true,
      },
      private: { kind: 'webhook', url: `http://127.0.0.1:${receiver.port}/`, secret: 'env:HOOK_SECRET' },
    },
  };
  house = await startHouse(changes, simulated, time);
});
afterAll(async () => {
  await house.stop();
  await receiver.stop(true);
});

const read = async (path: string): Promise<string> => (await fetch(`${house.url}${path}`)).text();
const readJson = async (path: string): Promise<Json> => JSON.parse(await read(path)) as Json;
const toldOf = (type: string, subject: string): Json | null =>
  told.find((each) => each['type'] === type && (each['data'] as Json)['subject'] === subject) ?? null;

async function open(model: string, title: string): Promise<string> {
  const answer = await house.admin('POST', 'incidents', {
    failure_class: 'availability',
    models: [model],
    title,
  });
  expect(answer.status).toBe(201);
  return answer.body['id'] as string;
}
const messagesOf = async (id: string): Promise<Json[]> =>
  (await house.admin('GET', `incidents/${id}/messages`)).body['items'] as Json[];

let incident = '';

test('nobody speaks: after the hold-down users are told, and what they are told says what it is', async () => {
  await house.admin('POST', 'switches', {
    scope: { model: 'claude-opus-4-8' },
    reason: 'elevated errors of key-a',
  });
  incident = await open('claude-opus-4-8', 'Opus 4.8: elevated errors');
  expect(await messagesOf(incident)).toEqual([]);
  time.leap(holdDownMs);
  const [message] = await eventually(async () => {
    const list = await messagesOf(incident);
    return list.length > 0 ? list : null;
  }, 'users are told');
  expect(message).toMatchObject({ state: 'published', automatic: true, by: 'system' });
  const { en, de } = (message ?? {})['texts'] as { en: Json; de: Json };
  expect(en['body']).toContain('This is a technical fault; it says nothing about how good the answers are.');
  expect(de['body']).toContain('mit Ersatzmodell');
});

test('channels are told of the incident and of the message, signed', async () => {
  expect(await eventually(() => toldOf('incident.opened', incident), 'the incident is told')).toMatchObject({
    data: {
      title: 'Opus 4.8: elevated errors',
      url: `https://status.acme.example/status/incidents/${incident}`,
    },
  });
  await eventually(() => toldOf('message.published', incident), 'the message is told');
  const dead = await eventually(async () => {
    const { body } = await house.admin('GET', 'deliveries?channel=private&state=dead');
    const items = body['items'] as Json[];
    return items.length > 0 ? items : null;
  }, 'a delivery is dead');
  expect(dead[0]).toMatchObject({ words: expect.stringContaining('private address') as string });
});

test('the page, the feeds and the files tell the story, and nothing from inside', async () => {
  const html = await read(`/status/incidents/${incident}`);
  expect(html).toContain('Opus 4.8: elevated errors');
  expect(html).toContain('This is a technical fault');
  expect(await read('/status')).toContain(`status/incidents/${incident}`);
  const { incidents } = (await readJson('/api/v2/incidents/unresolved.json')) as { incidents: Json[] };
  expect(incidents.find(({ id }) => id === incident)).toMatchObject({
    x_ai: { failure_class: 'availability', models: ['claude-opus-4-8'] },
  });
  for (const path of [
    '/status',
    '/status/history',
    `/status/incidents/${incident}`,
    '/status/feed.atom',
    '/api/v2/incidents.json',
    '/status/banner',
  ])
    expect(await read(path)).not.toMatch(/key-a|elevated errors of|127\.0\.0\.1|test-admin-token/);
});

test('the banner feed says whether to show something, in the language asked for', async () => {
  const banner = await readJson('/status/banner?feature=notes&locale=de-AT');
  expect(banner).toMatchObject({ feature: 'notes', status: 'backup', show: true, level: 'info', incident });
  expect(banner['heading']).toBe('Meeting notes: mit Ersatzmodell');
  expect(banner['text']).toContain('mit Ersatzmodell');
  expect(await readJson('/status/banner?feature=chat')).toMatchObject({
    status: 'normal',
    show: false,
    level: 'none',
  });
  expect(await readJson('/status/banner?feature=alone')).toMatchObject({
    status: 'paused',
    show: true,
    level: 'error',
  });
  const answer = await fetch(`${house.url}/status/banner?feature=notes`);
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  expect(answer.headers.get('cache-control')).toContain('max-age');
  expect((await fetch(`${house.url}/status/banner?featur=notes`)).status).toBe(400);
  expect((await fetch(`${house.url}/status/banner?feature=nothing`)).status).toBe(404);
});

test('a person looks first, and a bare "degraded" is refused with the reason', async () => {
  const path = `incidents/${incident}/messages`;
  const preview = await house.admin('POST', `${path}/preview`, {
    stage: 'backup',
    title: 'A backup model helps out',
  });
  expect(preview).toMatchObject({
    status: 200,
    body: { may_be_published: true, texts: { en: { title: 'A backup model helps out' } } },
  });
  const count = (await messagesOf(incident)).length;
  const vague = { body: 'We see degraded performance.' };
  expect((await house.admin('POST', `${path}/preview`, vague)).body).toMatchObject({
    may_be_published: false,
  });
  expect(await house.admin('POST', `${path}/publish`, vague)).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('degraded') as string } },
  });
  expect(await messagesOf(incident)).toHaveLength(count);
  const published = await house.admin(
    'POST',
    `${path}/publish`,
    {
      body: 'Requests to Opus 4.8 fail. Meeting notes works with a backup model.',
      next_update_at: null,
    },
    { 'x-breakwater-actor': 'mara' },
  );
  expect(published).toMatchObject({
    status: 201,
    body: { automatic: false, by: 'mara', next_update_at: null },
  });
  expect(await read(`/status/incidents/${incident}`)).toContain('Meeting notes works with a backup model.');
});

test('what is kept back is not said, and why stays', async () => {
  await house.admin('POST', 'switches', { scope: { model: 'gpt-5.2' }, reason: 'try it' });
  const other = await open('gpt-5.2', 'gpt-5.2: elevated errors');
  const kept = await house.admin('POST', `incidents/${other}/messages/suppress`, {
    stage: 'paused',
    reason: 'a planned test',
  });
  expect(kept).toMatchObject({
    status: 201,
    body: { state: 'suppressed', reason: 'a planned test', stage: 'paused' },
  });
  time.leap(holdDownMs);
  // Long enough for several looks.
  await Bun.sleep(3_500);
  expect((await messagesOf(other)).filter(({ state }) => state === 'published')).toEqual([]);
  const { body } = await house.admin('GET', 'changes');
  expect((body['items'] as Json[]).map(({ kind }) => kind)).toContain('message.suppressed');
});
