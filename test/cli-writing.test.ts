/** What the command line says when its own output goes nowhere: it is not the server that is away. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join, resolve } from 'node:path';

import { runCommand } from '../src/cli/commands.ts';
import { readEnvironment } from '../src/config.ts';
import { adminToken, startHouse } from './harness.ts';
import type { House } from './harness.ts';

let house: House;
const variables = (): Record<string, string> => ({
  BREAKWATER_URL: house.url,
  BREAKWATER_ADMIN_TOKEN: adminToken,
});
beforeAll(async () => {
  house = await startHouse();
  await house.admin('POST', 'switches', { scope: { provider: 'nobody' }, reason: 'an entry to export' });
});
afterAll(() => house.stop());

test('a file that cannot be written is named, and ends with 1', async () => {
  const out = join(house.configPath, 'in-a-file');
  const told: string[] = [];
  const exit = await runCommand(['audit', 'export', '--out', out], readEnvironment(variables()), {
    print: () => {},
    complain: (text) => told.push(text),
  });
  expect([exit, told.join('')]).toEqual([1, expect.stringContaining(`${out} cannot be written (ENOTDIR).`)]);
});

test('whoever closes the pipe early has seen enough', async () => {
  const main = resolve(import.meta.dir, '../src/main.ts');
  // The reader is gone before anything is written.
  const command = `("${process.execPath}" "${main}" audit export; echo "ended $?" >&2) | true`;
  const child = Bun.spawn(['sh', '-c', command], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    env: { PATH: process.env['PATH'] ?? '', ...variables() },
  });
  expect(await new Response(child.stderr).text()).toBe('ended 0\n');
});

test('the admin token may stand behind more than one space', async () => {
  const headers = { authorization: `bearer  ${adminToken}` };
  expect((await fetch(`${house.url}/admin/v1/state`, { headers })).status).toBe(200);
});

test('a switch for some requests only is not told as one for all', async () => {
  const told: string[] = [];
  const to = { print: (text: string) => told.push(text), complain: () => {} };
  const words = ['switch', 'off', 'provider:anthropic', 'feature:notes', '--reason', 'x'];
  await runCommand(words, readEnvironment(variables()), to);
  expect(told.join('\n')).toContain('Off now for feature:notes: anthropic/claude-opus-4-8');
});
