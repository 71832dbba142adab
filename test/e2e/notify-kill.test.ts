/** A killed process loses no message, and what it repeats has the same message id. */
import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Webhook } from 'standardwebhooks';

import { until } from '../harness.ts';
import { webhookSecret } from '../told-fixture.ts';
import { serveProcess } from './serve-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-notify-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const roundsMax = 6;

test('every switch is told, whenever the process is killed', async () => {
  const told = new Map<string, Set<string>>();
  let calls = 0;
  const receiver = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const body = await request.text();
      const message = new Webhook(webhookSecret).verify(body, Object.fromEntries(request.headers)) as {
        readonly data: { readonly subject: string };
      };
      const { subject } = message.data;
      told.set(subject, (told.get(subject) ?? new Set()).add(request.headers.get('webhook-id') ?? ''));
      calls++;
      // Some answers come when nobody waits for them any more, some are refusals: both are tried again.
      if (calls % 3 === 0) await Bun.sleep(400);
      return new Response('', { status: calls % 5 === 0 ? 500 : 200 });
    },
  });
  const configPath = join(folder, 'breakwater.yaml');
  writeFileSync(
    configPath,
    JSON.stringify({
      channels: {
        hook: {
          kind: 'webhook',
          url: `http://127.0.0.1:${receiver.port}/`,
          secret: 'env:HOOK_SECRET',
          allowPrivate: true,
        },
      },
    }),
  );
  const store = `sqlite:${join(folder, 'kill.db')}`;
  const made: string[] = [];
  const start = () => serveProcess(configPath, store, { HOOK_SECRET: webhookSecret });
  for (let round = 0; round < roundsMax; round++) {
    const server = await start();
    for (let count = 0; count < 4; count++) {
      const answer = await server.admin('POST', 'switches', {
        scope: { provider: `p${round}-${count}` },
        reason: 'a reason',
      });
      made.push(answer['id'] as string);
    }
    // The rounds of the notifier come once a second: each life ends at another moment of one.
    await Bun.sleep(round * 350);
    server.process.kill('SIGKILL');
    await server.process.exited;
  }
  const last = await start();
  await until(() => made.every((id) => told.has(id)), 'every switch is told', 150_000).catch(() => {});
  last.process.kill('SIGKILL');
  await last.process.exited;
  await receiver.stop(true);
  expect(made.filter((id) => !told.has(id))).toEqual([]);
  // However often it was told, it is one message.
  expect([...told.values()].filter((ids) => ids.size !== 1)).toEqual([]);
}, 240_000);
