/** A killed process loses nothing that it has shown: neither records nor switches. */
import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { seededRandom } from '../../src/simulator/random.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { serveProcess } from './serve-process.ts';
import type { ServeProcess } from './serve-process.ts';
import { openOrThrow } from '../store-fixture.ts';

const moments = 20;

/** Sends requests and reads their records until the server is gone; gives the ids that were shown, and says when one is. */
async function shownUntilGone({ url, ask }: ServeProcess, onShown: () => void): Promise<string[]> {
  const shown: string[] = [];
  const work = async (): Promise<void> => {
    for (let sent = 0; sent < 10_000; sent++) {
      const answer = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'f', messages: [{ role: 'user', content: 'x' }] }),
      });
      await answer.text();
      const id = answer.headers.get('x-breakwater-request-id') ?? '';
      for (let tries = 0; tries < 50; tries++) {
        const record = await ask('GET', `requests/${id}`);
        await record.text();
        if (record.status !== 200) continue;
        shown.push(id);
        onShown();
        break;
      }
    }
  };
  await Promise.all(Array.from({ length: 6 }, () => work().catch(() => {})));
  return shown;
}

test(`every record that was shown is there after kill -9, at ${moments} moments, and so is a switch`, async () => {
  const simulator = await startSimulator({
    seed: 1,
    providers: [{ id: 'local', api: 'openai-compatible', models: ['m'] }],
  });
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-kill-'));
  const configPath = join(folder, 'breakwater.yaml');
  const store = `sqlite:${join(folder, 'kill.db')}`;
  writeFileSync(
    configPath,
    JSON.stringify({
      providers: { local: { api: 'openai-compatible', baseUrl: simulator.baseUrl('local') } },
      features: { f: { route: ['local/m'] } },
    }),
  );
  const random = seededRandom(42);
  const shown: string[] = [];
  const switches: string[] = [];
  for (let moment = 0; moment < moments; moment++) {
    const server = await serveProcess(configPath, store);
    const scope = { model: `other-${moment}` };
    const created = await server.admin('POST', 'switches', { scope, reason: 'kept across a crash' });
    switches.push(String(created['id']));
    // Its life is counted from the first record that is shown: a slow machine takes its time until then.
    const first = Promise.withResolvers<void>();
    const lifeMs = random() * 200;
    const killed = first.promise.then(() => Bun.sleep(lifeMs)).then(server.kill);
    shown.push(...(await shownUntilGone(server, first.resolve)));
    await killed;
  }
  const reopened = await openOrThrow(store);
  const lost: string[] = [];
  for (const id of shown) if ((await reopened.findRecord(id)) === null) lost.push(id);
  const kept = (await reopened.loadSwitches()).map((entry) => entry.id as string);
  await reopened.close();
  await simulator.stop();
  rmSync(folder, { recursive: true, force: true });
  expect(shown.length).toBeGreaterThanOrEqual(moments);
  expect(lost).toEqual([]);
  expect(kept).toEqual(switches);
}, 300_000);
