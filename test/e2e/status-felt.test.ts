/** The page is no calmer than what callers meet; copies on disk; listeners of their own. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readEnvironment } from '../../src/config.ts';
import { runCommand } from '../../src/cli/commands.ts';
import { adminToken, eventually, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-felt-'));
let house: House;
beforeAll(async () => {
  house = await startHouse({
    gates: [{ mode: 'observe' }],
    adminListen: '127.0.0.1:0',
    statusListen: '127.0.0.1:0',
    statusPage: { exportDir: join(folder, 'kept') },
  });
});
afterAll(async () => {
  await house.stop();
  rmSync(folder, { recursive: true, force: true });
});

const status = async (): Promise<string> => (await fetch(`${house.server.statusUrl}/status`)).text();

test('each address serves its own and nothing else', async () => {
  const { url, adminUrl, statusUrl } = house.server;
  expect(new Set([url, adminUrl, statusUrl]).size).toBe(3);
  const statusOf = async (address: string): Promise<number> =>
    (await fetch(address, { headers: { authorization: `Bearer ${adminToken}` } })).status;
  // oxfmt-ignore
  const expected = [
    ['/status',            404, 404, 200],
    ['/api/v2/status.json', 404, 404, 200],
    ['/admin/v1/state',    404, 200, 404],
    ['/metrics',           404, 200, 404],
    ['/v1/models',         200, 404, 404],
    ['/healthz',           200, 200, 200],
  ] as const;
  for (const [path, ...statuses] of expected)
    expect([
      path,
      ...(await Promise.all([url, adminUrl, statusUrl].map((base) => statusOf(`${base}${path}`)))),
    ]).toEqual([path, ...statuses]);
});

test('requests that fail show, although no gate acts', async () => {
  expect(await status()).toContain('Everything is working normally');
  house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'preset', preset: 'overloaded' } });
  for (let count = 0; count < 6; count++)
    await house.openai.chat.completions
      .create({ model: 'alone', messages: [{ role: 'user', content: 'x' }] })
      .catch(() => null);
  await eventually(async () => (await status()).includes('Alone: not available'), 'the page says it');
});

test('a copy is kept up to date on disk', async () => {
  const index = join(folder, 'kept', 'index.html');
  await eventually(
    () => existsSync(index) && readFileSync(index, 'utf8').includes('Alone: not available'),
    'the copy says it',
  );
  expect(existsSync(join(folder, 'kept', 'api/v2/summary.json'))).toBe(true);
});

test('and can be written by command', async () => {
  const lines: string[] = [];
  const environment = readEnvironment({
    BREAKWATER_ADMIN_TOKEN: adminToken,
    BREAKWATER_URL: house.server.adminUrl,
  });
  const terminal = {
    print: (text: string) => void lines.push(text),
    complain: (text: string) => void lines.push(text),
  };
  const into = join(folder, 'asked');
  expect(await runCommand(['status', 'export', into], environment, terminal)).toBe(0);
  expect(lines.join('\n')).toContain('files written');
  const summary = JSON.parse(readFileSync(join(into, 'api/v2/summary.json'), 'utf8')) as Json;
  expect(summary).toHaveProperty('status.indicator', 'critical');
  expect(readFileSync(join(into, 'index.html'), 'utf8')).toContain('href="history.html"');
});
