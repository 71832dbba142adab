/** `breakwater audit verify` without a store of its own: what the running server exports is verified. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { adminToken, startHouse } from '../harness.ts';
import type { House } from '../harness.ts';

const main = resolve(import.meta.dir, '../../src/main.ts');
let house: House;
let folder: string;
beforeEach(async () => {
  house = await startHouse();
  folder = mkdtempSync(join(tmpdir(), 'breakwater-verify-'));
});
afterEach(async () => {
  await house.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** From a folder in which there is no store. */
async function verify(words: readonly string[], url = house.url) {
  const child = Bun.spawn([process.execPath, main, 'audit', 'verify', ...words], {
    cwd: folder,
    env: { ...process.env, BREAKWATER_URL: url, BREAKWATER_ADMIN_TOKEN: adminToken },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, text: out + err };
}

const ask = async (): Promise<void> => {
  const body = JSON.stringify({ model: 'notes', messages: [{ role: 'user', content: 'hello' }] });
  await (await fetch(`${house.url}/v1/chat/completions`, { method: 'POST', body })).text();
};

test('it holds, and is held against checkpoints from elsewhere', async () => {
  for (let round = 0; round < 20; round++) await ask();
  const held = await house.admin('GET', 'audit/checkpoint', undefined, { accept: 'application/json' });
  const note = join(folder, 'held.txt');
  writeFileSync(note, String(held.body['checkpoint']));
  await ask();
  const { code, text } = await verify(['--checkpoint', note]);
  expect([code, text]).toEqual([0, expect.stringContaining('It holds.')]);
  const entries = Number(/^(\d+) entries/.exec(text)?.[1]);
  expect(entries).toBeGreaterThan(21);
  const json = JSON.parse((await verify(['--json'])).text) as { holds: boolean; size: number };
  expect(json).toMatchObject({ holds: true, size: entries });
});

test('it does not hold against a checkpoint of another ledger', async () => {
  const held = await house.admin('GET', 'audit/checkpoint', undefined, { accept: 'application/json' });
  const note = join(folder, 'held.txt');
  const other = Buffer.alloc(32, 1).toString('base64');
  writeFileSync(note, String(held.body['checkpoint']).replace(/^(\S+\n\d+\n)\S+/, `$1${other}`));
  const { code, text } = await verify(['--checkpoint', note]);
  expect([code, text]).toEqual([1, expect.stringContaining('It does NOT hold.')]);
});

test('no store and no server: both are said', async () => {
  const { code, text } = await verify([], 'http://127.0.0.1:9');
  expect(code).toBe(3);
  expect(text).toContain('There is no store at ./data/breakwater.db');
  expect(text).toContain('http://127.0.0.1:9');
});
