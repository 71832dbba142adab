/** A request that is turned away before it has a place on a route has a record as well. */
import { afterAll, beforeAll, expect, test } from 'bun:test';

import { startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.stop());

const hello = { messages: [{ role: 'user', content: 'hello CANARY-55' }] };

async function ask(body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${house.url}/v1/chat/completions`, { method: 'POST', headers, body });
}

async function recordOf(response: Response): Promise<Json> {
  await response.text();
  return house.record(response.headers.get('x-breakwater-request-id') ?? '');
}

const turned: readonly (readonly [string, number, string, string, string])[] = [
  ['unknown_model', 404, JSON.stringify({ model: 'no-such-model', ...hello }), '', 'no-such-model'],
  ['model_not_allowed', 400, JSON.stringify({ model: 'gpt-4o', ...hello }), 'notes', 'gpt-4o'],
  ['invalid_request', 400, '{ "model": ', 'notes', ''],
  ['invalid_request', 400, JSON.stringify({ model: 'notes' }), '', 'notes'],
];

test.each(turned)('%s (%d): %s', async (code, status, body, feature, requested) => {
  const response = await ask(body, {
    'x-breakwater-user': 'ann',
    ...(feature === '' ? {} : { 'x-breakwater-feature': feature }),
  });
  expect(response.status).toBe(status);
  const record = await recordOf(response);
  expect(record).toMatchObject({
    requested,
    user: 'ann',
    outcome: 'refused',
    told: 'refused',
    error_code: code,
    status,
    preferred: null,
    served: null,
    attempts: [],
    candidates: [],
  });
  if (feature !== '') expect(record['feature']).toBe(feature);
  expect(JSON.stringify(record)).not.toContain('CANARY');
  const explained = await house.admin('GET', `requests/${String(record['id'])}`);
  expect(JSON.stringify(explained.body)).toContain('Nothing was sent to any provider.');
});

test('one header that is not understood takes nothing from what the others say', async () => {
  const trace = '0af7651916cd43dd8448eb211c80319c';
  const response = await ask(JSON.stringify({ model: 'notes', ...hello }), {
    'x-breakwater-feature': 'notes',
    'x-breakwater-user': 'ann',
    'x-breakwater-session': 'two words',
    'x-breakwater-fallback': 'sometimes',
    traceparent: `00-${trace}-b7ad6b7169203331-01`,
  });
  expect(response.status).toBe(400);
  expect(await recordOf(response)).toMatchObject({ feature: 'notes', user: 'ann', session: null, trace });
});

/** Sends the beginning of a request, and leaves. */
async function leaveWhileSending(framing: string): Promise<void> {
  const { hostname, port } = new URL(house.url);
  const socket = await Bun.connect({ hostname, port: Number(port), socket: { data() {} } });
  const head = ['POST /v1/chat/completions HTTP/1.1', 'host: x', framing, 'x-breakwater-user: leaver'];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  socket.write(framing.startsWith('transfer') ? '5\r\n{"mod\r\n' : '{"mod');
  socket.flush();
  await Bun.sleep(50);
  socket.end();
}

test.each(['content-length: 500', 'content-length: 500000', 'transfer-encoding: chunked'])(
  'a caller who leaves while still sending (%s) was not refused',
  async (framing) => {
    const already = await recordsOf('leaver');
    await leaveWhileSending(framing);
    let records = already;
    while (records.length === already.length) records = await recordsOf('leaver');
    expect(records[0]).toMatchObject({ outcome: 'cancelled', told: 'none', error_code: null, status: 499 });
    const explained = await house.admin('GET', `requests/${String(records[0]?.['id'])}`);
    expect(JSON.stringify(explained.body)).toContain('left');
  },
);

async function recordsOf(user: string): Promise<readonly Json[]> {
  return (await house.admin('GET', `requests?user=${user}`)).body['items'] as readonly Json[];
}

test('a caller who asks wrongly makes no feature look sick, and is no refusal by policy', async () => {
  for (let n = 0; n < 30; n++) await (await ask(JSON.stringify({ model: 'notes' }))).text();
  const { body } = await house.admin('GET', 'state');
  const notes = (body['features'] as Json[]).find(({ feature }) => feature === 'notes');
  expect(notes?.['status']).toBe('normal');
  const metrics = await (await fetch(`${house.url}/metrics`)).text();
  expect(metrics).not.toMatch(/policy_refusals_total\{[^}]*invalid_request/);
  expect(metrics).toMatch(/requests_total\{[^}]*outcome="refused"/);
});

test('a key that may not use a feature, and one whose limit is used up', async () => {
  const made = await house.admin('POST', 'keys', { name: 'narrow', features: ['chat'], rpm: 1 });
  const headers = { authorization: `Bearer ${String(made.body['secret'])}` };
  const denied = await recordOf(await ask(JSON.stringify({ model: 'notes', ...hello }), headers));
  expect(denied).toMatchObject({ key: made.body['id'], feature: 'notes', error_code: 'forbidden' });
  const answer = await ask(JSON.stringify({ model: 'chat', ...hello }), headers);
  expect(answer.headers.get('x-breakwater-feature')).toBe('chat');
  expect(answer.headers.get('x-breakwater-requested')).toBe('chat');
  expect(await recordOf(answer)).toMatchObject({
    key: made.body['id'],
    feature: 'chat',
    requested: 'chat',
    error_code: 'rate_limited',
    status: 429,
  });
  const long = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'x'.repeat(100_000) }] });
  expect(await recordOf(await ask(long, headers))).toMatchObject({ requested: '', status: 429 });
  const { body } = await house.admin('GET', 'state');
  const chat = (body['features'] as Json[]).find(({ feature }) => feature === 'chat');
  expect(chat?.['status']).toBe('normal');
});

test('a key that is not known leaves no record: anybody could fill the disk', async () => {
  const response = await ask(JSON.stringify({ model: 'notes', ...hello }), {
    authorization: 'Bearer nobody',
  });
  expect(response.status).toBe(401);
  const id = response.headers.get('x-breakwater-request-id') ?? '';
  expect((await house.admin('GET', `requests/${id}`)).status).toBe(404);
});
