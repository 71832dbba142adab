/** Which policy applied to a request: asked years later, by one call and one command, and held against its hash. */
import { afterEach, expect, test } from 'bun:test';

import { Database } from 'bun:sqlite';

import { runCommand } from '../src/cli/commands.ts';
import { readEnvironment } from '../src/config.ts';
import { verifyStore } from '../src/store/verify.ts';
import { adminToken, configuration, startHouse, until } from './harness.ts';
import type { House } from './harness.ts';

let house: House;
afterEach(() => house.stop());

async function command(...words: string[]): Promise<string> {
  const said: string[] = [];
  const environment = readEnvironment({ BREAKWATER_URL: house.url, BREAKWATER_ADMIN_TOKEN: adminToken });
  const print = (text: string): void => void said.push(text);
  expect(await runCommand(words, environment, { print, complain: print })).toBe(0);
  return said.join('\n');
}

test('an old configuration answers for its request, and one that was edited is found out', async () => {
  house = await startHouse();
  const response = await fetch(`${house.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'solo', messages: [{ role: 'user', content: 'hello' }] }),
  });
  await response.text();
  const id = response.headers.get('x-breakwater-request-id') ?? '';
  const hash = response.headers.get('x-breakwater-policy') ?? '';
  const written = JSON.stringify(configuration(house.simulator));
  house = await house.restart(() =>
    house.configure({ ...configuration(house.simulator), audit: { mode: 'strict' } }),
  );
  await until(() => house.server.engine.state.snapshot.hash !== hash, 'another configuration is in force');
  expect((await house.admin('GET', `requests/${id}/policy`)).body).toEqual({
    snapshot: hash,
    intact: true,
    text: written,
  });
  expect(await command('requests', 'policy', id)).toContain('as it was in force');
  const path = house.storePath;
  const verify = () => verifyStore(path, { notes: [], rows: false, onProgress: () => {} }).findings;
  expect(verify()).toEqual([]);
  const database = new Database(path);
  database.query("UPDATE snapshots SET text = replace(text, 'Solo', 'Duo') WHERE hash = ?").run(hash);
  database.close();
  expect(await command('requests', 'policy', hash)).toContain('THIS TEXT WAS EDITED');
  expect(verify()).toMatchObject([{ problem: 'snapshot_changed', id: hash }]);
}, 120_000);
