/**
 * Kills a running server under load at random moments, as `kill-harness.ts` kills a writer. Records are strict, so an answer
 * that has come whole is a promise that its record is kept; so is a switch that was acknowledged. The next server is asked
 * for each of them, and says how long its start took.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { seededRandom } from '../src/simulator/random.ts';
import { verifyStore } from '../src/store/verify.ts';
import { serveProcess } from './e2e/serve-process.ts';
import type { ServeProcess } from './e2e/serve-process.ts';
import type { Killed } from './kill-harness.ts';

const lifeMsMax = 400;
const firstWaitMs = 30_000;
const callers = 12;
const verifyEvery = 10;

const answer = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-5.2',
  choices: [{ index: 0, message: { role: 'assistant', content: 'All is well.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
};

type Running = ServeProcess & { readonly startMs: number };

async function start(folder: string): Promise<Running> {
  const began = performance.now();
  const store = `sqlite:${join(folder, 'breakwater.db')}`;
  const server = await serveProcess(join(folder, 'breakwater.yaml'), store, { KILL_KEY: 'k' });
  return { ...server, startMs: performance.now() - began };
}

/** Callers ask until the server is gone; gives what they and the operator were promised. */
async function promised(server: Running, key: string, lifeMs: number): Promise<readonly string[]> {
  const ids: string[] = [];
  let isAlive = true;
  const first = Promise.withResolvers<void>();
  const promise = (id: string): void => {
    ids.push(id);
    first.resolve();
  };
  const caller = async (): Promise<void> => {
    while (isAlive) {
      const response = await fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'notes', messages: [{ role: 'user', content: 'Is all well?' }] }),
      });
      const id = response.headers.get('x-breakwater-request-id');
      await response.json();
      if (response.status === 200 && id !== null) promise(id);
    }
  };
  const operator = async (): Promise<void> => {
    while (isAlive) {
      const scope = { target: 'sim/unused' };
      const made = await server.ask('POST', 'switches', {
        scope,
        effect: 'off',
        reason: 'a drill',
        failure_class: 'availability',
      });
      const { id } = (await made.json()) as { id?: string };
      if (made.status === 201 && id !== undefined) promise(id);
    }
  };
  // Whoever is cut off was promised nothing.
  const all = [...Array.from({ length: callers }, caller), operator()].map((work) => work.catch(() => {}));
  // Its life begins with the first promise: a server that has just started may take a while for it.
  await Promise.race([first.promise, Bun.sleep(firstWaitMs)]);
  await Bun.sleep(lifeMs);
  isAlive = false;
  await server.kill();
  await Promise.all(all);
  return ids;
}

async function missing(server: Running, ids: readonly string[]): Promise<readonly string[]> {
  const lost: string[] = [];
  const left = [...ids];
  const look = async (): Promise<void> => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const found = await server.ask('GET', `${id.startsWith('sw_') ? 'switches' : 'requests'}/${id}`);
      await found.body?.cancel();
      if (found.status !== 200) lost.push(id);
    }
  };
  await Promise.all(Array.from({ length: callers }, look));
  return lost;
}

type Spread = { readonly medianMs: number; readonly slowestMs: number };

/**
 * Beside what a killed writer tells: how long starts took, from the command to `ready`, without and with something to
 * recover, and what of that the recovery was, from the opening of the store on.
 */
type KilledServer = Killed & {
  readonly emptyStartMs: number;
  readonly start: Spread;
  readonly recovery: Spread;
};

const spreadOf = (times: readonly number[]): Spread => ({
  medianMs: times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0,
  slowestMs: Math.max(...times),
});

export async function killServer(
  times: number,
  seed: number,
  onKill: (kills: number, bad: number) => void,
): Promise<KilledServer> {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-kill-server-'));
  const upstream = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => Response.json(answer) });
  writeFileSync(
    join(folder, 'breakwater.yaml'),
    JSON.stringify({
      providers: {
        sim: {
          api: 'openai',
          baseUrl: `http://127.0.0.1:${upstream.port}/v1`,
          keys: ['env:KILL_KEY'],
          models: { unused: { vendor: 'x' } },
        },
      },
      features: { notes: { route: ['sim/gpt-5.2'] } },
      audit: { mode: 'strict' },
    }),
  );
  const random = seededRandom(seed);
  const [shown, lost, findings]: [string[], string[], string[]] = [[], [], []];
  const [starts, recoveries]: [number[], number[]] = [[], []];
  let entries = 0;
  let server = await start(folder);
  const emptyStartMs = server.startMs;
  const { secret } = (await server.admin('POST', 'keys', { name: 'kill' })) as { secret: string };
  for (let kills = 1; kills <= times; kills++) {
    const ids = await promised(server, secret, random() * lifeMsMax);
    shown.push(...ids);
    server = await start(folder);
    starts.push(server.startMs);
    recoveries.push(server.recoveryMs);
    lost.push(...(await missing(server, kills === times ? shown : ids)));
    if (kills % verifyEvery === 0 || kills === times) {
      const path = join(folder, 'breakwater.db');
      const verified = verifyStore(path, { notes: [], rows: true, onProgress: () => {} });
      findings.push(...verified.findings.map(({ words }) => words));
      entries = verified.size;
    }
    onKill(kills, lost.length + findings.length);
  }
  await server.kill();
  await upstream.stop(true);
  rmSync(folder, { recursive: true, force: true });
  return {
    kills: times,
    shown: shown.length,
    lost,
    findings,
    entries,
    emptyStartMs,
    slowestOpenMs: Math.max(...recoveries),
    start: spreadOf(starts),
    recovery: spreadOf(recoveries),
  };
}
