/** Changes as server-sent events, over a real socket. */
import { afterAll, beforeAll, expect, test } from 'bun:test';

import { adminToken, startHouse } from '../harness.ts';
import type { House } from '../harness.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.stop());

async function readUntil(
  text: string,
  headers: Record<string, string> = {},
  then?: () => Promise<unknown>,
): Promise<string> {
  const controller = new AbortController();
  const response = await fetch(`${house.url}/admin/v1/events`, {
    headers: { authorization: `Bearer ${adminToken}`, ...headers },
    signal: controller.signal,
  });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  let read = '';
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    if (read === '') await then?.();
    read += decoder.decode(bytes, { stream: true });
    if (read.includes(text)) break;
  }
  controller.abort();
  return read;
}

const off = (provider: string) => (): Promise<unknown> =>
  house.admin('POST', 'switches', { scope: { provider }, effect: 'off', reason: 'elevated errors' });

test('a change is told as it happens, and one that was missed is told to who comes back', async () => {
  const seen = await readUntil('switch.created', {}, off('anthropic'));
  expect(seen).toContain('event: change\ndata: {"id":"chg_');
  const id = /^id: (chg_\S+)/m.exec(seen)?.[1] ?? '';
  await off('openai')();
  const missed = await readUntil('openai', { 'last-event-id': id });
  expect(missed).not.toContain(`id: ${id}\n`);
  expect((await fetch(`${house.url}/admin/v1/events`)).status).toBe(401);
}, 150_000);
