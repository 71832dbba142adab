/** Reports of a server that ran: what is counted in them, and what is not. */
import { afterEach, expect, test } from 'bun:test';

import { verifyStore } from '../../src/store/verify.ts';
import { adminToken, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

let house: House;
afterEach(() => house.stop());

async function ask(path: string): Promise<void> {
  const response = await fetch(`${house.url}${path}`, {
    method: 'POST',
    headers: { 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: 'notes', max_tokens: 5, messages: [{ role: 'user', content: 'hello' }] }),
  });
  await response.text();
  expect(response.status).toBe(200);
}

test('counts of tokens are told apart in statistics, and are no answers in the report of a month', async () => {
  house = await startHouse();
  for (const path of ['/v1/messages', '/v1/messages']) await ask(path);
  for (let count = 0; count < 3; count++) await ask('/v1/messages/count_tokens');
  const { body: counted } = await house.admin('GET', 'requests/stats?by=operation');
  expect(counted['items']).toMatchObject([
    { group: { operation: 'count_tokens' }, requests: 3 },
    { group: { operation: 'answer' }, requests: 2 },
  ]);
  const { body: report } = await house.admin('GET', 'reports/sla');
  const notes = (report['features'] as Json[]).find(({ feature }) => feature === 'notes');
  expect(notes).toMatchObject({ requests: 2, availability: 1 });
  expect(report['providers']).toMatchObject([{ provider: 'anthropic', tries: 2 }]);
  const path = house.storePath;
  expect(verifyStore(path, { notes: [], rows: true, onProgress: () => {} }).findings).toEqual([]);
});

test('continuity says how long the records of each class are kept', async () => {
  house = await startHouse({ audit: { retention: { default: '400d', restricted: '30d' } } });
  const response = await fetch(`${house.url}/admin/v1/reports/continuity?format=markdown`, {
    headers: { authorization: `Bearer ${adminToken}` },
  });
  expect(await response.text()).toContain(
    'Records are kept for 400 days, of the class restricted for 30 days.',
  );
});
