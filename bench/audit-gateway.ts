/**
 * What recording costs a request, and an answer, in whole servers side by side in one run: one without recording, one that
 * records, one that waits for every record. Rounds in turn, so that what else the machine does falls on all alike.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { cpuSeconds, start } from './processes.ts';
import type { Started } from './processes.ts';

const root = resolve(import.meta.dir, '..');
const bun = process.execPath;
const adminToken = 'bench';
const modes = ['off', 'best_effort', 'strict'] as const;
type Mode = (typeof modes)[number];

/** What one server did in one round. */
type Round = {
  readonly answers: number;
  readonly perSecond: number;
  readonly microseconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};
type Side = { readonly mode: Mode; readonly server: Started; readonly url: string; readonly key: string };

const quantile = (list: readonly number[], share: number): number =>
  list.toSorted((one, other) => one - other)[Math.min(list.length - 1, Math.floor(list.length * share))] ??
  Number.NaN;

const prompt = 'Please summarise the harbour log of last night. '.repeat(42).slice(0, 1_900);
const body = JSON.stringify({ model: 'bench', messages: [{ role: 'user', content: prompt }] });

async function side(folder: string, origin: string, mode: Mode): Promise<Side> {
  const config = join(folder, `gateway-${mode}.yaml`);
  writeFileSync(
    config,
    JSON.stringify({
      providers: { openai: { api: 'openai', baseUrl: `${origin}/v1`, keys: ['env:BENCH_KEY'] } },
      features: { bench: { route: ['openai/gpt-5.2'] } },
      ...(mode === 'strict' && { audit: { mode } }),
    }),
  );
  const preload = mode === 'off' ? ['--preload', join(root, 'bench/without-records.ts')] : [];
  const store = join(folder, `gateway-${mode}.db`);
  for (const ending of ['', '-wal', '-shm', '.lock']) rmSync(`${store}${ending}`, { force: true });
  const server = await start(
    [
      bun,
      ...preload,
      join(root, 'src/main.ts'),
      'serve',
      '--config',
      config,
      '--listen',
      '127.0.0.1:0',
      '--store',
      `sqlite:${store}`,
    ],
    0,
    'address',
    { BENCH_KEY: 'k', BREAKWATER_ADMIN_TOKEN: adminToken },
  );
  const url = server.ready['address'] as string;
  const made = await fetch(`${url}/admin/v1/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}` },
    body: JSON.stringify({ name: 'bench' }),
  });
  return { mode, server, url, key: ((await made.json()) as { secret: string }).secret };
}

async function load({ url, key, server }: Side, callers: number, seconds: number): Promise<Round> {
  const waits: number[] = [];
  const began = performance.now();
  const end = began + seconds * 1_000;
  const before = cpuSeconds(server.process.pid);
  const caller = async (): Promise<void> => {
    while (performance.now() < end) {
      const asked = performance.now();
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
        body,
      });
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error(`the gateway answered ${response.status}`);
      waits.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const cpu = cpuSeconds(server.process.pid) - before;
  return {
    answers: waits.length,
    perSecond: waits.length / ((performance.now() - began) / 1_000),
    microseconds: (cpu / waits.length) * 1e6,
    p50Ms: quantile(waits, 0.5),
    p99Ms: quantile(waits, 0.99),
  };
}

export type GatewayFigures = Readonly<Record<Mode, readonly Round[]>>;

/** Rounds of each server by turns, after each has been warmed. */
export async function gatewayFigures(
  folder: string,
  asked: { readonly rounds: number; readonly seconds: number; readonly callers: number },
): Promise<GatewayFigures> {
  const upstream = await start([bun, join(root, 'bench/upstream.ts')], 1, 'ready');
  const origin = `http://127.0.0.1:${upstream.ready['ready'] as number}`;
  const sides: Side[] = [];
  for (const mode of modes) sides.push(await side(folder, origin, mode));
  const found: Record<Mode, Round[]> = { off: [], best_effort: [], strict: [] };
  for (const each of sides) await load(each, asked.callers, asked.seconds * 2);
  for (let round = 0; round < asked.rounds; round++)
    for (const each of sides) found[each.mode].push(await load(each, asked.callers, asked.seconds));
  for (const { server } of sides) server.process.kill();
  upstream.process.kill();
  return found;
}
