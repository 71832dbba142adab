/** What was shown is still there after `kill -9`, whenever it comes. */
import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openStore } from '../src/store/sqlite.ts';

const kills = 20;
const lifeMsMax = 80;
const seed = 7;

/** Mulberry32: the same moments in every run. */
function seededRandom(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

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
  expect(child.signalCode).toBe('SIGKILL');
  // The last piece is a line that was cut, or nothing.
  return text.split('\n').slice(0, -1);
}

test('every record and switch that was shown is there after kill -9', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-kill-'));
  const address = `sqlite:${join(folder, 'breakwater.db')}`;
  const random = seededRandom(seed);
  const shown: string[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const ids = await shownBeforeKill(address, random() * lifeMsMax);
    expect(ids.length).toBeGreaterThan(0);
    shown.push(...ids);
    const opened = await openStore(address);
    if (opened.kind === 'failed') throw new Error(opened.message);
    const { store } = opened;
    const switches = new Set<string>((await store.loadSwitches()).map(({ id }) => id));
    const isThere = async (id: string): Promise<boolean> =>
      id.startsWith('sw_') ? switches.has(id) : (await store.findRecord(id)) !== null;
    const lost: string[] = [];
    for (const id of kill === kills - 1 ? shown : ids) if (!(await isThere(id))) lost.push(id);
    expect(lost).toEqual([]);
    await store.close();
  }
  expect(shown.length).toBeGreaterThan(kills * 10);
  rmSync(folder, { recursive: true, force: true });
}, 60_000);
