/** Legal holds through the API and the command line: what they cover stays, and whoever wants it gone is told why. */
import { afterEach, beforeEach, expect, test } from 'bun:test';

import { createContentDesk } from '../../src/wiring/content.ts';
import { instant } from '../../src/core/ids.ts';
import { runCommand } from '../../src/cli/commands.ts';
import { readEnvironment } from '../../src/config.ts';
import { adminToken, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

let house: House;
beforeEach(async () => {
  house = await startHouse({ audit: { capture: { key: 'env:CAPTURE_KEY', features: ['notes'] } } });
});
afterEach(() => house.stop());

async function ask(user: string): Promise<string> {
  const response = await fetch(`${house.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-breakwater-user': user },
    body: JSON.stringify({ model: 'notes', messages: [{ role: 'user', content: 'hello' }] }),
  });
  await response.text();
  return response.headers.get('x-breakwater-request-id') ?? '';
}

async function command(line: string): Promise<{ readonly code: number; readonly text: string }> {
  const printed: string[] = [];
  const environment = readEnvironment({ BREAKWATER_URL: house.url, BREAKWATER_ADMIN_TOKEN: adminToken });
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((found) => found[1] ?? found[2] ?? '');
  const take = (text: string): void => void printed.push(text);
  const code = await runCommand(words, environment, { print: take, complain: take });
  return { code, text: printed.join('\n') };
}

const erase = (user: string) => house.admin('POST', 'audit/erase', { user, reason: 'on request' });
const hourAgo = (): string => new Date(Date.now() - 3_600_000).toISOString();

test('what is held is not erased, with the reason; released, it is', async () => {
  const id = await ask('user-1');
  await ask('user-2');
  const placed = await command(`hold add --user user-1 --since ${hourAgo()} --reason "lawsuit 12" --as kim`);
  expect(placed.code).toBe(0);
  const hold = /hold_[\w-]+/.exec(placed.text)?.[0] ?? '';
  const refused = await erase('user-1');
  expect([refused.status, JSON.stringify(refused.body)]).toEqual([409, expect.stringContaining(hold)]);
  expect((await erase('user-2')).body).toEqual({ records: 1, contents: 1 });
  expect((await house.admin('GET', `requests/${id}/content?reason=lawsuit`)).status).toBe(200);
  expect((await command('hold list')).text).toContain('lawsuit 12');
  const stale = await fetch(`${house.url}/admin/v1/holds/${hold}/release`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'if-match': '"2"' },
    body: JSON.stringify({ reason: 'it is over' }),
  });
  expect(stale.status).toBe(412);
  expect((await command(`hold release ${hold} --reason "it is over"`)).code).toBe(0);
  expect((await command(`hold release ${hold} --reason "it is over"`)).code).toBe(1);
  expect((await erase('user-1')).body).toEqual({ records: 1, contents: 1 });
  const changes = (await house.admin('GET', 'changes')).body['items'] as readonly Json[];
  const told = changes.filter(({ subject }) => subject === hold).map(({ kind, actor }) => [kind, actor]);
  expect(told).toEqual([
    ['write.rejected', 'admin'],
    ['hold.released', 'admin'],
    ['write.rejected', 'admin'],
    ['hold.placed', 'kim'],
  ]);
  expect(changes).toContainEqual(
    expect.objectContaining({ kind: 'write.rejected', reason: expect.stringContaining(hold) }),
  );
});

test('content whose day is over stays while an incident that its request met is held', async () => {
  const { engine, store } = house.server;
  const [hit, other] = [await ask('user-1'), await ask('user-2')];
  const opened = await house.admin('POST', 'incidents', {
    title: 'A story',
    failure_class: 'availability',
    targets: ['openai/gpt-5.2'],
  });
  const incident = String(opened.body['id']);
  await house.record(hit);
  const record = await store.findRecord(hit);
  if (record === null) throw new Error('the record is there');
  const facts = { request: record.id, at: record.at, feature: 'notes', preferred: record.preferred };
  await store.addHits([{ ...facts, incident, how: 'failed', served: null, leftTo: [] } as never]);
  const held = await house.admin('POST', 'holds', { scope: { incident }, reason: 'an inquiry' });
  expect([held.status, held.body['in_force']]).toEqual([201, true]);
  await engine.capturing.pump.flush();
  const later = instant(Date.now() + 40 * 86_400_000);
  await createContentDesk({ ...engine, clock: { ...engine.clock, now: () => later } }, store).look();
  const look = async (id: string): Promise<number> =>
    (await house.admin('GET', `requests/${id}/content?reason=inquiry`)).status;
  expect([await look(hit), await look(other)]).toEqual([200, 404]);
});

test.each([
  ['nothing named', { scope: {} }],
  ['no reason', { scope: { tenant: 'acme' }, reason: '' }],
  ['an incident that is not there', { scope: { incident: 'inc_0' } }],
  [
    'a span that ends before it begins',
    { scope: { since: '2026-06-08T00:00:00Z', until: '2026-06-07T00:00:00Z' } },
  ],
])('refused and written down: %s', async (_what, body) => {
  const refused = await house.admin('POST', 'holds', { reason: 'a lawsuit', ...body });
  expect(refused.status).toBe(400);
  const [change] = (await house.admin('GET', 'changes')).body['items'] as readonly Json[];
  expect(change).toMatchObject({ kind: 'write.rejected', subject: 'hold' });
});
