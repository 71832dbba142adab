/**
 * Canary strings in what providers say when they fail: in messages, codes, parameters, headers and events. Of all that,
 * a record keeps one word, short and of harmless characters, and the id of the request; nothing else is kept or told.
 */
import { afterEach, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { runCommand } from '../../src/cli/commands.ts';
import { readEnvironment } from '../../src/config.ts';
import { adminToken, startHouse, until } from '../harness.ts';
import type { House, Json } from '../harness.ts';
import { webhookSecret } from '../told-fixture.ts';

const canary = 'CANARY_5d0c_ibis';
let house: House;
let receiver: ReturnType<typeof Bun.serve> | null = null;
afterEach(async () => {
  await house.stop();
  await receiver?.stop(true);
});

/** One error in the shapes of all providers at once, with the canary wherever text may stand. */
const errorBody = (code: string): Json => ({
  type: 'error',
  error: {
    type: code,
    code,
    status: code,
    message: `the prompt was: ${canary}`,
    param: canary,
    details: [{ reason: canary, metadata: { prompt: canary } }],
    innererror: { content_filter_result: canary },
  },
  message: canary,
  request_id: canary,
});
const errorHeaders = {
  'x-canary': canary,
  'retry-after': canary,
  'x-ratelimit-reset-requests': canary,
  'anthropic-ratelimit-requests-reset': canary,
  warning: `199 - "${canary}"`,
};
/** The canary behind the length that is kept of a provider's word. */
const longCode = `${'a'.repeat(64)}${canary}`;
const statuses = [400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529];

async function ask(path: string, stream: boolean): Promise<void> {
  const response = await fetch(`${house.url}${path}`, {
    method: 'POST',
    headers: { 'anthropic-version': '2023-06-01', 'x-breakwater-user': 'u1' },
    body: JSON.stringify({
      model: 'notes',
      stream,
      max_tokens: 20,
      ...(path.endsWith('responses')
        ? { input: 'hello' }
        : { messages: [{ role: 'user', content: 'hello' }] }),
    }),
  });
  await response.text();
}

/** Every failure once, for every way to ask. */
async function failEveryWay(): Promise<void> {
  for (const status of statuses) {
    house.simulator.clearFaults();
    house.simulator.setFault({
      fault: { kind: 'status', status, body: errorBody(longCode), headers: errorHeaders },
    });
    for (const path of ['/v1/chat/completions', '/v1/messages', '/v1/responses'])
      for (const stream of [false, true]) await ask(path, stream);
  }
  house.simulator.clearFaults();
  house.simulator.setFault({ fault: { kind: 'error_event', afterEvents: 3, type: longCode } });
  for (const path of ['/v1/chat/completions', '/v1/messages']) await ask(path, true);
  house.simulator.clearFaults();
}

async function textOf(path: string): Promise<string> {
  const response = await fetch(`${house.url}/${path}`, {
    headers: { authorization: `Bearer ${adminToken}` },
  });
  return `${path} ${response.status} ${await response.text()}`;
}

async function drilled(): Promise<string> {
  const printed: string[] = [];
  const take = (text: string): void => void printed.push(text);
  const variables = {
    KEY_A: canary,
    KEY_B: canary,
    KEY_O: canary,
    KEY_W: canary,
    HOOK_SECRET: webhookSecret,
  };
  const words = ['drill', 'loss-of:anthropic', '--config', house.configPath];
  await runCommand(words, readEnvironment(variables), { print: take, complain: take });
  return `drill ${printed.join('\n')}`;
}

/** Whatever is told to anybody. */
async function toldAnywhere(): Promise<readonly string[]> {
  const incidents = (await house.admin('GET', 'incidents')).body['items'] as readonly Json[];
  const records = (await house.admin('GET', 'requests?limit=200')).body['items'] as readonly Json[];
  expect(records.length).toBeGreaterThan(statuses.length * 6);
  const told = ['metrics', 'status', 'api/v2/summary.json', 'api/v2/incidents.json', 'status/feed.atom'];
  const kept =
    'state changes?limit=200 requests?limit=200 diagnosis what-changed gates requests/export?format=csv requests/export?format=ocsf requests/export?format=cloudevents requests/export audit/export reports/continuity reports/sla';
  const each = [
    ...kept.split(' '),
    ...incidents.flatMap(({ id }) => [`incidents/${id}`, `incidents/${id}/postmortem`]),
    ...records.slice(0, 5).map(({ id }) => `requests/${id}`),
  ].map((path) => `admin/v1/${path}`);
  const texts = await Promise.all([...told, ...each].map(textOf));
  return [...texts, house.logs.join(''), await drilled()];
}

test('what providers say in their errors is nowhere but in its one short word', async () => {
  const streamed: string[] = [];
  receiver = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      streamed.push(`${JSON.stringify([...request.headers])} ${await request.text()}`);
      return new Response('');
    },
  });
  const url = `http://127.0.0.1:${receiver.port}`;
  house = await startHouse({
    audit: {
      capture: { key: 'env:CAPTURE_KEY', features: ['notes'] },
      stream: [
        { kind: 'webhook', url: `${url}/hook`, secrets: ['env:HOOK_SECRET'], every: '10ms' },
        { kind: 'otlp', url: `${url}/v1/logs`, every: '10ms' },
      ],
    },
    channels: { hook: { kind: 'webhook', url: `${url}/channel`, secret: 'env:HOOK_SECRET' } },
  });
  await failEveryWay();
  await house.server.engine.records.flush();
  await until(() => streamed.length > 2, 'something was streamed', 30_000);
  for (const text of [...(await toldAnywhere()), ...streamed])
    expect([text.slice(0, 40), text.includes(canary)]).toEqual([text.slice(0, 40), false]);
  const folder = dirname(house.storePath);
  await textOf('admin/v1/audit/checkpoint');
  const holding = readdirSync(folder).filter((name) =>
    readFileSync(join(folder, name)).toString('latin1').includes(canary),
  );
  expect(holding).toEqual([]);
}, 240_000);

test('the word itself is kept, capped; so is the id of the request', async () => {
  house = await startHouse();
  const long = `id/${'x'.repeat(300)}`;
  house.simulator.setFault({
    fault: {
      kind: 'status',
      status: 500,
      body: errorBody(`${canary} and <more>`),
      headers: { 'x-request-id': long, 'request-id': long },
    },
  });
  const response = await fetch(`${house.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'solo', messages: [{ role: 'user', content: 'hello' }] }),
  });
  await response.text();
  const record = await house.record(response.headers.get('x-breakwater-request-id') ?? '');
  const [attempt] = record['attempts'] as readonly Json[];
  expect(attempt?.['provider_code']).toBe(`${canary}_and__more_`);
  expect(String(attempt?.['provider_request_id'])).toBe(long.slice(0, 128));
});
