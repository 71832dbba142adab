/** A killed process leaves no record that tells of content which is not there. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { serveProcess } from './serve-process.ts';
import type { ServeProcess } from './serve-process.ts';

const moments = 3;
const callers = 8;
const askedBefore = 40;
/** Long, and hard to compress: it takes longer to keep than its record. */
const text = Buffer.from(crypto.getRandomValues(new Uint8Array(65_536))).toString('base64');

let folder: string;
let upstream: Bun.Server<undefined>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-content-kill-'));
  const choice = { index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' };
  const answer = { id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [choice] };
  upstream = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => Response.json(answer) });
  writeFileSync(
    join(folder, 'breakwater.yaml'),
    JSON.stringify({
      providers: {
        sim: {
          api: 'openai-compatible',
          baseUrl: `http://127.0.0.1:${upstream.port}/v1`,
          models: { m: null },
        },
      },
      features: { notes: { route: ['sim/m'] } },
      audit: { mode: 'strict', capture: { key: 'env:CAPTURE_KEY', features: ['notes'] } },
    }),
  );
});
afterAll(async () => {
  await upstream.stop(true);
  rmSync(folder, { recursive: true });
});

const start = (): Promise<ServeProcess> =>
  serveProcess(join(folder, 'breakwater.yaml'), `sqlite:${join(folder, 'breakwater.db')}`, {
    CAPTURE_KEY: Buffer.alloc(32, 7).toString('base64'),
  });

/** Asks, and is killed when an answer has come, which is when its record is on disk, while more is asked. */
async function killedUnderLoad(server: ServeProcess): Promise<void> {
  let asked = 0;
  let isAlive = true;
  const busy = Promise.withResolvers<void>();
  const caller = async (): Promise<void> => {
    while (isAlive) {
      const response = await fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'notes', messages: [{ role: 'user', content: text }] }),
      });
      await response.text();
      if (++asked > askedBefore) busy.resolve();
    }
  };
  const all = Array.from({ length: callers }, caller).map((work) => work.catch(() => {}));
  await busy.promise;
  isAlive = false;
  await server.kill();
  await Promise.all(all);
}

type Listed = {
  readonly items: readonly { readonly id: string; readonly captured: string }[];
  readonly next_cursor: string | null;
};

async function recordsOf(server: ServeProcess): Promise<Listed['items']> {
  const items: Listed['items'][number][] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = (await server.admin('GET', `requests?limit=200${cursor}`)) as Listed;
    items.push(...page.items);
    cursor = page.next_cursor === null ? null : `&cursor=${page.next_cursor}`;
  }
  return items;
}

test(`killed at ${moments} moments: what a record says was captured is there`, async () => {
  let server = await start();
  for (let moment = 0; moment < moments; moment++) {
    await killedUnderLoad(server);
    server = await start();
  }
  const records = await recordsOf(server);
  const missing: string[] = [];
  for (const { id, captured } of records) {
    expect(captured).toBe('whole');
    const found = await server.ask('GET', `requests/${id}/content?reason=a+test`);
    await found.text();
    if (found.status !== 200) missing.push(id);
  }
  await server.kill();
  expect(records.length).toBeGreaterThan(askedBefore);
  expect(missing).toEqual([]);
}, 600_000);
