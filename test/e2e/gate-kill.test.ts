/** A killed process forgets no gate: what was out is out when it starts again, whenever it was killed. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { serveProcess } from './serve-process.ts';
import type { ServeProcess } from './serve-process.ts';

const moments = 3;
const sick = 'first/m';

let simulator: Simulator;
let folder: string;
beforeAll(async () => {
  simulator = await startSimulator({
    seed: 1,
    providers: ['first', 'second'].map((id) => ({ id, api: 'openai-compatible', models: ['m'] })),
  });
  folder = mkdtempSync(join(tmpdir(), 'breakwater-gate-kill-'));
  const provider = (id: string): object => ({
    api: 'openai-compatible',
    baseUrl: simulator.baseUrl(id),
    models: { m: null },
  });
  writeFileSync(
    join(folder, 'breakwater.yaml'),
    JSON.stringify({
      providers: { first: provider('first'), second: provider('second') },
      features: { f: { route: [sick, 'second/m'] } },
      // Long enough out to be found out there after a restart.
      gates: [{ match: {}, restore: { probeEvery: '60s', ramp: ['100%'], hold: '1s' } }],
    }),
  );
});
afterAll(async () => {
  await simulator.stop();
  rmSync(folder, { recursive: true });
});

async function ask(server: ServeProcess): Promise<string | null> {
  const answer = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'f', messages: [{ role: 'user', content: 'x' }] }),
  });
  await answer.text();
  return answer.headers.get('x-breakwater-target');
}

async function gateState(server: ServeProcess): Promise<string> {
  const { targets } = (await server.admin('GET', 'state')) as {
    readonly targets: readonly { readonly target: string; readonly gate: { readonly state: string } }[];
  };
  return targets.find(({ target }) => target === sick)?.gate.state ?? 'none';
}

/** Asks until the gate has declared the target out. */
async function untilOut(server: ServeProcess): Promise<void> {
  const end = Date.now() + 120_000;
  while ((await gateState(server)) !== 'ejected') {
    if (Date.now() > end) throw new Error('it was never taken out');
    await ask(server);
  }
}

test(`what is out stays out over kill -9 right after, ${moments} times`, async () => {
  for (let moment = 0; moment < moments; moment++) {
    const store = `sqlite:${join(folder, `${moment}.db`)}`;
    simulator.clearFaults();
    const before = await serveProcess(join(folder, 'breakwater.yaml'), store);
    for (let n = 0; n < 20; n++) await ask(before);
    simulator.setFault({ provider: 'first', fault: { kind: 'status', status: 500 } });
    await untilOut(before);
    await before.kill();
    const asked = simulator.calls('first').length;
    const after = await serveProcess(join(folder, 'breakwater.yaml'), store);
    try {
      expect(await gateState(after)).toBe('ejected');
      expect(await ask(after)).toBe('second/m');
      expect(simulator.calls('first').length).toBe(asked);
    } finally {
      await after.kill();
    }
  }
}, 300_000);
