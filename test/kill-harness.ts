/**
 * Kills a process that writes at random moments, and looks each time at what it left: nothing that was shown may be lost,
 * the tree must verify, and opening the store again must be quick.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { seededRandom } from '../src/simulator/random.ts';
import { verifyStore } from '../src/store/verify.ts';
import { openOrThrow } from './store-fixture.ts';

const lifeMsMax = 80;

/** Lets a writer live for a while after its first word; what it had shown until it was killed. */
async function shownBeforeKill(address: string, lifeMs: number): Promise<readonly string[]> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'kill-writer.ts'), address], {
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of child.stdout) {
    if (text === '') setTimeout(() => child.kill('SIGKILL'), lifeMs);
    text += decoder.decode(chunk, { stream: true });
  }
  await child.exited;
  if (child.signalCode !== 'SIGKILL') throw new Error('the writer ended by itself');
  // The last piece is a line that was cut, or nothing.
  return text.split('\n').slice(0, -1);
}

export type Killed = {
  readonly kills: number;
  /** Records and switches that somebody had been shown. */
  readonly shown: number;
  readonly lost: readonly string[];
  /** What verification found, in words. */
  readonly findings: readonly string[];
  readonly entries: number;
  readonly slowestOpenMs: number;
};

export async function kill(
  times: number,
  seed: number,
  onKill: (kills: number, bad: number) => void,
): Promise<Killed> {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-kill-'));
  const path = join(folder, 'breakwater.db');
  const random = seededRandom(seed);
  const shown: string[] = [];
  const lost: string[] = [];
  const findings: string[] = [];
  let slowestOpenMs = 0;
  let entries = 0;
  for (let kills = 1; kills <= times; kills++) {
    const ids = await shownBeforeKill(`sqlite:${path}`, random() * lifeMsMax);
    shown.push(...ids);
    const began = performance.now();
    const store = await openOrThrow(`sqlite:${path}`);
    await store.treeHead();
    slowestOpenMs = Math.max(slowestOpenMs, performance.now() - began);
    const switches = new Set<string>((await store.loadSwitches()).map(({ id }) => id));
    for (const id of kills === times ? shown : ids) {
      const isThere = id.startsWith('sw_') ? switches.has(id) : (await store.findRecord(id)) !== null;
      if (!isThere) lost.push(id);
    }
    await store.close();
    if (kills % verifyEvery === 0 || kills === times) {
      const verified = verifyStore(path, { notes: [], rows: true, onProgress: () => {} });
      findings.push(...verified.findings.map(({ words }) => words));
      entries = verified.size;
    }
    onKill(kills, lost.length + findings.length);
  }
  rmSync(folder, { recursive: true, force: true });
  return { kills: times, shown: shown.length, lost, findings, entries, slowestOpenMs };
}

/** The store grows, so that looking at all of it each time would be most of the work. */
const verifyEvery = 10;
