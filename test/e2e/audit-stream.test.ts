/** Records and changes on their way to a webhook, a collector and a bucket, which fail, and to a server that starts again. */
import { afterEach, expect, test } from 'bun:test';

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { configuration, simulated, startHouse, until } from '../harness.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { serveProcess } from './serve-process.ts';
import type { House, Json } from '../harness.ts';
import { webhookSecret } from '../told-fixture.ts';

type Received = {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly headers: Headers;
};

let house: House | null = null;
let receiver: ReturnType<typeof Bun.serve> | null = null;
afterEach(async () => {
  await house?.stop();
  await receiver?.stop(true);
  house = null;
});

/** Takes everything down; answers 503 as long as it is told to. */
function receive(): { url: string; received: Received[]; refuse: (yes: boolean) => void } {
  const received: Received[] = [];
  let refuses = false;
  receiver = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const body = await request.text();
      if (refuses) return new Response('later', { status: 503 });
      received.push({
        method: request.method,
        path: new URL(request.url).pathname,
        body,
        headers: request.headers,
      });
      return new Response('');
    },
  });
  return { url: `http://127.0.0.1:${receiver.port}`, received, refuse: (yes) => void (refuses = yes) };
}

async function ask(at: House): Promise<string> {
  const response = await fetch(`${at.url}/v1/messages`, {
    method: 'POST',
    headers: { 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({
      model: 'notes',
      max_tokens: 5,
      messages: [{ role: 'user', content: 'CANARY-91' }],
    }),
  });
  await response.text();
  return response.headers.get('x-breakwater-request-id') ?? '';
}

const entriesOf = (received: readonly Received[], path: string): Json[] =>
  received
    .filter((each) => each.path === path)
    .flatMap(({ body }) => (JSON.parse(body) as { data: { entries: Json[] } }).data.entries);
const idsIn = (entries: readonly Json[]): unknown[] =>
  entries.flatMap(({ kind, data }) => (kind === 'record' ? [(data as Json)['id']] : []));

test('what was refused comes later, once, in order, also over a restart; nobody waits', async () => {
  const { url, received, refuse } = receive();
  house = await startHouse({
    audit: { stream: [{ kind: 'webhook', url: `${url}/hook`, secrets: ['env:HOOK_SECRET'], every: '10ms' }] },
  });
  const first = await ask(house);
  await until(() => idsIn(entriesOf(received, '/hook')).includes(first), 'the first arrived');
  refuse(true);
  const second = await ask(house);
  const { server } = house;
  await until(
    () => server.engine.metrics.expose().includes('result="failed"'),
    'a batch was refused and counted',
  );
  house = await house.restart();
  refuse(false);
  const third = await ask(house);
  await until(() => idsIn(entriesOf(received, '/hook')).includes(third), 'the last arrived');
  const entries = entriesOf(received, '/hook');
  expect(idsIn(entries)).toEqual([first, second, third]);
  const places = entries.map(({ leaf }) => (leaf as Json)['index']);
  expect(places).toEqual(places.map((_, index) => Number(places[0]) + index));
  const [message] = received;
  const id = message?.headers.get('webhook-id') ?? '';
  const at = message?.headers.get('webhook-timestamp') ?? '';
  const key = Buffer.from(webhookSecret.replace('whsec_', ''), 'base64');
  expect(message?.headers.get('webhook-signature')).toBe(
    `v1,${new Bun.CryptoHasher('sha256', key).update(`${id}.${at}.${message?.body ?? ''}`).digest('base64')}`,
  );
  expect(received.map(({ body }) => body).join('')).not.toContain('CANARY-91');
}, 150_000);

test('a collector receives logs, a bucket windows with manifests, empty ones included', async () => {
  const { url, received } = receive();
  house = await startHouse({
    audit: {
      stream: [
        { kind: 'otlp', url: `${url}/v1/logs`, headers: { 'x-key': 'env:KEY_A' }, every: '10ms' },
        {
          kind: 's3',
          bucket: 'audit',
          prefix: 'a/',
          endpoint: url,
          region: 'us-east-1',
          accessKeyId: 'env:KEY_A',
          secretAccessKey: 'env:KEY_B',
          every: '10ms',
        },
      ],
    },
  });
  const id = await ask(house);
  const manifests = (): Json[] =>
    received
      .filter(({ path }) => path.endsWith('.manifest.json'))
      .map(({ body }) => JSON.parse(body) as Json);
  const logs = (): Received | undefined =>
    received.find(({ path, body }) => path === '/v1/logs' && body.includes(id));
  const full = (): Json | undefined => manifests().find(({ records }) => records === 1);
  await until(() => logs() !== undefined, 'logs arrived');
  await until(
    () => full() !== undefined && manifests().some(({ object }) => object === null),
    'windows arrived',
  );
  expect(logs()?.headers.get('x-key')).toBe('key-a');
  const window = full();
  const object = received.find(({ path }) => path === `/audit/${String(window?.['object'])}`);
  expect(object?.method).toBe('PUT');
  expect(window?.['sha256']).toBe(Bun.SHA256.hash(object?.body ?? '', 'hex'));
  expect(object?.body).toContain(id);
  const spans = manifests();
  for (const [index, { since }] of spans.entries())
    if (index > 0) expect(since).toBe(spans[index - 1]?.['until']);
}, 150_000);

test('after a kill every window is there, empty ones included, and none is missing between two', async () => {
  const objects = new Map<string, string>();
  receiver = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      objects.set(new URL(request.url).pathname, await request.text());
      return new Response('');
    },
  });
  const simulator = await startSimulator({ seed: 3, providers: simulated });
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-windows-'));
  const config = join(folder, 'breakwater.yaml');
  const bucket = { bucket: 'audit', region: 'us-east-1', endpoint: `http://127.0.0.1:${receiver.port}` };
  const keys = { accessKeyId: 'env:KEY_A', secretAccessKey: 'env:KEY_O' };
  const stream = [{ kind: 's3', ...bucket, ...keys, every: '1s' }];
  writeFileSync(config, JSON.stringify(configuration(simulator, { audit: { stream } })));
  const variables = { KEY_A: 'key-a', KEY_O: 'key-o', KEY_W: 'key-w' };
  const shown: string[] = [];
  const missing = (): readonly string[] => {
    const all = [...objects.values()].join('');
    return shown.filter((id) => !all.includes(id));
  };
  for (let round = 0; round < 4; round++) {
    const server = await serveProcess(config, `sqlite:${join(folder, 'x.db')}`, variables);
    const before = objects.size;
    for (let count = 0; count < 3; count++) {
      const response = await fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'solo', messages: [{ role: 'user', content: 'hello' }] }),
      });
      await response.text();
      const id = response.headers.get('x-breakwater-request-id') ?? '';
      // What was shown is in the store, so it has to arrive, now or after the next start.
      await server.admin('GET', `requests/${id}`);
      shown.push(id);
    }
    // Killed at another moment of its rounds each time; the last one has sent what there is.
    const isLast = round === 3;
    const hasEmpty = (): boolean => [...objects.values()].some((text) => /"object":\s*null/.test(text));
    const isSent = (): boolean => !isLast || (missing().length === 0 && hasEmpty());
    await until(() => objects.size > before + round && isSent(), 'windows arrived', 60_000);
    server.process.kill('SIGKILL');
    await server.process.exited;
  }
  const manifests = [...objects]
    .filter(([path]) => path.endsWith('.manifest.json'))
    .map(([, body]) => JSON.parse(body) as Json)
    .toSorted((one, other) => String(one['since']).localeCompare(String(other['since'])));
  for (const [index, { since, from, object, sha256 }] of manifests.entries()) {
    const before = manifests[index - 1];
    if (before !== undefined) expect([since, from]).toEqual([before['until'], before['next']]);
    if (object !== null) {
      const body = objects.get(`/audit/${String(object)}`) ?? '';
      expect(Bun.SHA256.hash(body, 'hex')).toBe(String(sha256));
    }
  }
  expect(manifests.some(({ object }) => object === null)).toBe(true);
  expect(missing()).toEqual([]);
  await simulator.stop();
  rmSync(folder, { recursive: true, force: true });
}, 180_000);
