/** Streams of the ledger while whoever is to take them does not: in virtual time, against a receiver on a real socket. */
import { afterAll, beforeEach, describe, expect, test } from 'bun:test';

import { auditSettings } from '../src/core/configure-audit.ts';
import type { AuditSettings } from '../src/core/configure-audit.ts';
import { instant } from '../src/core/ids.ts';
import { Secret } from '../src/core/secret.ts';
import type { Engine } from '../src/engine.ts';
import type { Store, StreamPosition } from '../src/store/store.ts';
import { createStreamDesk } from '../src/wiring/streams.ts';
import { start } from './record-fixture.ts';
import { webhookSecret } from './told-fixture.ts';

type Received = { readonly at: number; readonly path: string; readonly body: string };
let received: Received[] = [];
let tried: number[] = [];
let refuses = false;
let now = start;
const receiver = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: async (request) => {
    const body = await request.text();
    tried.push(now - start);
    if (refuses) return new Response('', { status: 503 });
    received.push({ at: now - start, path: new URL(request.url).pathname, body });
    return new Response('');
  },
});
afterAll(() => receiver.stop(true));
const url = `http://127.0.0.1:${receiver.port}`;

beforeEach(() => {
  received = [];
  tried = [];
  refuses = false;
  now = start;
});

const secret = webhookSecret;
const given = {
  webhook: { kind: 'webhook', url: `${url}/hook`, secrets: ['env:S'], every: '10s', allowPrivate: true },
  otlp: { kind: 'otlp', url: `${url}/v1/logs`, every: '10s', allowPrivate: true },
  s3: {
    kind: 's3',
    bucket: 'b',
    endpoint: url,
    region: 'us-east-1',
    accessKeyId: 'env:S',
    secretAccessKey: 'env:S',
    every: '10s',
  },
} as const;
type Kind = keyof typeof given;

function settingsOf(kind: Kind): AuditSettings {
  const problems: unknown[] = [];
  const context = {
    secrets: () => new Secret(secret),
    features: new Set<string>(),
    classes: new Map(),
    report: (problem: unknown) => void problems.push(problem),
  };
  const settings = auditSettings({ stream: [given[kind]] } as Parameters<typeof auditSettings>[0], context);
  expect(problems).toEqual([]);
  return settings;
}

/** A ledger of so many changes, and where its streams stand. */
function ledger() {
  const kept = new Map<string, StreamPosition>();
  const store = {
    size: 0,
    loadStream: (name: string) => Promise.resolve(kept.get(name) ?? null),
    saveStream: (name: string, position: StreamPosition) => Promise.resolve(void kept.set(name, position)),
    treeHead: () => Promise.resolve({ size: store.size, root: '' }),
    leavesFrom: (from: number, most: number) =>
      Promise.resolve(
        Array.from({ length: Math.max(0, Math.min(most, store.size - from)) }, (_, offset) => ({
          index: from + offset,
          hash: '00',
          text: JSON.stringify({ id: `chg_${from + offset}`, kind: 'switch.created' }),
        })),
      ),
  };
  return store;
}

function opened(kind: Kind) {
  const store = ledger();
  const audit = settingsOf(kind);
  const open = () =>
    createStreamDesk({
      engine: {
        clock: { now: () => instant(now) },
        state: { snapshot: { audit } },
        records: { flush: () => Promise.resolve() },
        metrics: { count: () => {}, set: () => {} },
        onBug: (error: unknown) => {
          throw error;
        },
      } as unknown as Engine,
      store: store as unknown as Store,
      log: () => {},
    });
  let desk = open();
  return {
    store,
    restart: async (): Promise<void> => {
      await desk.stop();
      desk = open();
      await desk.stop();
    },
    /** Looks once a second, as the server does. */
    seconds: async (count: number): Promise<void> => {
      await desk.stop();
      for (let second = 0; second < count; second++) {
        now = instant(now + 1_000);
        desk.look();
        await desk.stop();
      }
    },
  };
}

/** Moments at which it was tried, in seconds, one for each round. */
const rounds = (): readonly number[] => [...new Set(tried)].map((ms) => ms / 1_000);

describe.each(['webhook', 'otlp', 's3'] as const)('%s', (kind) => {
  test('what is refused is tried again less and less often, up to every five minutes, and comes in order', async () => {
    const stream = opened(kind);
    await stream.seconds(1);
    stream.store.size = 3;
    refuses = true;
    tried = [];
    await stream.seconds(2_000);
    const gaps = rounds().map((at, index) => at - (rounds()[index - 1] ?? at));
    expect(gaps.slice(1, 9)).toEqual([20, 40, 80, 160, 300, 300, 300, 300]);
    stream.store.size = 5;
    refuses = false;
    await stream.seconds(320);
    expect(received.map(({ body }) => body).join('')).toContain('chg_4');
    const order = [
      ...received
        .map(({ body }) => body)
        .join('')
        .matchAll(/chg_(\d+)/g),
    ].map(([, n]) => Number(n));
    expect([...new Set(order)]).toEqual([0, 1, 2, 3, 4]);
  }, 150_000);

  test('once it was taken, the next comes at its usual time again', async () => {
    const stream = opened(kind);
    await stream.seconds(1);
    refuses = true;
    stream.store.size = 1;
    await stream.seconds(100);
    refuses = false;
    await stream.seconds(100);
    received = [];
    tried = [];
    for (let round = 0; round < 5; round++) {
      stream.store.size++;
      await stream.seconds(10);
    }
    const gaps = rounds().map((at, index) => at - (rounds()[index - 1] ?? at - 10));
    expect(gaps).toEqual([10, 10, 10, 10, 10]);
  }, 150_000);

  test('it goes on after a restart from what was taken', async () => {
    const stream = opened(kind);
    await stream.seconds(1);
    stream.store.size = 2;
    await stream.seconds(20);
    refuses = true;
    stream.store.size = 4;
    await stream.seconds(20);
    refuses = false;
    received = [];
    await stream.restart();
    await stream.seconds(20);
    const text = received.map(({ body }) => body).join('');
    expect([text.includes('chg_1'), text.includes('chg_2'), text.includes('chg_3')]).toEqual([
      false,
      true,
      true,
    ]);
  }, 150_000);
});

test('windows never share a place, also when the clock stands still or goes back', async () => {
  const stream = opened('s3');
  await stream.seconds(1);
  stream.store.size = 45_000;
  await stream.seconds(12);
  now = instant(now - 60_000);
  stream.store.size = 45_010;
  await stream.seconds(90);
  const manifests = received
    .filter(({ path }) => path.endsWith('.manifest.json'))
    .map(({ body }) => JSON.parse(body) as { since: string; until: string; from: number; next: number });
  expect(new Set(manifests.map(({ since }) => since)).size).toBe(manifests.length);
  for (const [index, { since, from }] of manifests.entries()) {
    const before = manifests[index - 1];
    if (before !== undefined) expect([since, from]).toEqual([before.until, before.next]);
  }
  expect(manifests.at(-1)?.next).toBe(45_010);
}, 150_000);
