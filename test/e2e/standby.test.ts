/**
 * A second process takes over what the first one was at: while the first lives it is refused, and after a kill -9, at
 * several moments of a playbook's run, it goes on where the run was. Each step is done once, whoever does it.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { startSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { serveProcess } from './serve-process.ts';

type Json = Record<string, unknown>;

const playbook = `
name: by-hand
title: By hand
agreed: { by: [platform], on: 2026-11-01, review: 90d }
automatic: false
match: { scope: { model: m }, when: { gate: ejected } }
decide:
  - otherwise:
      - notify: { channel: ops, text: one }
      - wait: 3s
      - switch: { scope: { model: other }, effect: off, expiresIn: 2h }
      - wait: 3s
      - incident: { class: availability, title: By hand }
      - wait: 3s
      - notify: { channel: ops, text: two }
      - wait: 3s
      - notify: { channel: ops, text: three }
tests:
  - { name: none, given: [], until: 1m, expect: [{ not: { asked: true } }] }
`;

let simulator: Simulator;
/** Whatever lives is ended with the test, also when it fails. */
const alive: { kill(signal: number): void }[] = [];
const folder = mkdtempSync(join(tmpdir(), 'breakwater-standby-'));
const configPath = join(folder, 'breakwater.yaml');
const store = `sqlite:${join(folder, 'standby.db')}`;
beforeAll(async () => {
  simulator = await startSimulator({
    seed: 1,
    providers: [{ id: 'local', api: 'openai-compatible', models: ['m'] }],
  });
  const provider = { api: 'openai-compatible', baseUrl: simulator.baseUrl('local') };
  const document = {
    providers: { local: provider },
    features: { f: { route: ['local/m'] } },
    playbooks: './books/*.yaml',
  };
  writeFileSync(configPath, JSON.stringify(document));
  await Bun.write(join(folder, 'books/by-hand.yaml'), playbook);
});
afterAll(async () => {
  for (const each of alive) each.kill(9);
  await simulator.stop();
  rmSync(folder, { recursive: true, force: true });
});

const itemsOf = (body: Json): readonly Json[] => body['items'] as readonly Json[];

test('a standby is refused while the first lives; after each kill the next goes on, and no step is lost or repeated', async () => {
  const first = await serveProcess(configPath, store);
  alive.push(first.process);
  const program = resolve(import.meta.dir, '../../src/main.ts');
  const words = ['serve', '--config', configPath, '--listen', '127.0.0.1:0', '--store', store];
  const standby = Bun.spawn([process.execPath, program, ...words], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  expect(await standby.exited).not.toBe(0);
  expect(
    `${await new Response(standby.stdout).text()}${await new Response(standby.stderr).text()}`,
  ).toContain('another');

  const started = await first.admin('POST', 'playbooks/by-hand/run', { reason: 'a rehearsal' });
  expect(started).toMatchObject({ state: 'running' });
  let server = first;
  let kills = 0;
  let killedAt = -1;
  let state: unknown = 'running';
  const end = Date.now() + 200_000;
  while (state !== 'done' && Date.now() < end) {
    await Bun.sleep(50);
    const run = await server.admin('GET', `runs/${String(started['id'])}`);
    ({ state } = run);
    const step = (run['steps'] as readonly Json[]).findIndex((each) => each['state'] === 'current');
    if (state === 'done' || kills === 4 || step === killedAt) continue;
    // Each life ends in another step, and at another moment of it.
    killedAt = step;
    await Bun.sleep(kills * 200);
    kills++;
    server.process.kill(9);
    await server.process.exited;
    server = await serveProcess(configPath, store);
    alive.push(server.process);
  }
  const changes = itemsOf(await server.admin('GET', 'changes?limit=200'));
  const incidents = itemsOf(await server.admin('GET', 'incidents'));
  server.process.kill(9);
  await server.process.exited;
  expect(state).toBe('done');
  expect(kills).toBeGreaterThan(1);
  const count = (kind: string): number => changes.filter((change) => change['kind'] === kind).length;
  expect([count('playbook.started'), count('playbook.ended')]).toEqual([1, 1]);
  expect(count('switch.created')).toBe(1);
  const told = changes
    .filter(({ kind }) => kind === 'playbook.notified')
    .map(({ after }) => (after as Json)['text']);
  expect(told.reverse()).toEqual(['one', 'two', 'three']);
  expect(incidents).toHaveLength(1);
}, 300_000);
