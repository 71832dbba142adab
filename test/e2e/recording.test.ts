/** Records and answers: what waits for what, and what happens when nothing can be kept. */
import { afterEach, expect, test } from 'bun:test';

import type OpenAI from 'openai';

import { StoreUnavailable } from '../../src/store/store.ts';
import { LeapingTime, eventually, simulated, startHouse, until } from '../harness.ts';
import type { House, Json } from '../harness.ts';

let house: House;
afterEach(() => house.stop());

const question = { model: 'notes', messages: [{ role: 'user' as const, content: 'hello' }] };

async function ask(stream = false): Promise<Response> {
  const response = await fetch(`${house.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ ...question, stream }),
  });
  return response;
}

/** From now on the store takes nothing, and neither does the spool. */
function breakEverything(): () => void {
  const { store } = house.server;
  const appendPacked = store.appendPacked.bind(store);
  const appendRecords = store.appendRecords.bind(store);
  const fails = (): Promise<void> => Promise.reject(new Error('disk full'));
  Object.assign(store, { appendPacked: fails, appendRecords: fails });
  return () => void Object.assign(store, { appendPacked, appendRecords });
}

test('strict: when an answer has ended, its record is there, whole or streamed', async () => {
  house = await startHouse({ audit: { mode: 'strict' } });
  for (const stream of [false, true]) {
    const response = await ask(stream);
    await response.text();
    const id = response.headers.get('x-breakwater-request-id') ?? '';
    expect(await house.server.store.findRecord(id)).toMatchObject({ outcome: 'answered' });
  }
});

test('strict: an answer whose record cannot be kept is not given, and no new work is taken until one can', async () => {
  house = await startHouse({ audit: { mode: 'strict', spool: '1B' } });
  const mend = breakEverything();
  const waiting = ask();
  await until(() => !house.server.engine.records.accepts(), 'the pump is stuck');
  const refused = await ask();
  expect(refused.status).toBe(503);
  expect(refused.headers.get('x-should-retry')).toBe('false');
  expect(await refused.json()).toMatchObject({
    error: { code: 'audit_unavailable' },
    breakwater: { code: 'audit_unavailable' },
  });
  mend();
  expect((await waiting).status).toBe(200);
  await until(() => house.server.engine.records.accepts(), 'the pump is free');
  expect((await ask()).status).toBe(200);
});

test('strict: an answer does not wait for its record without end; one that is written later is named', async () => {
  const time = new LeapingTime();
  house = await startHouse({ audit: { mode: 'strict', spool: '1B' } }, simulated, time);
  const mend = breakEverything();
  const waiting = [ask(), ask(true).then((response) => response.text())] as const;
  await until(() => house.server.engine.records.counts().pending === 2, 'both wait');
  await until(() => !house.server.engine.records.accepts(), 'the pump is stuck');
  time.leap(10_001);
  const [whole, stream] = await Promise.all(waiting);
  expect([whole.status, await whole.json()]).toMatchObject([503, { error: { code: 'audit_unavailable' } }]);
  expect(stream).toContain('audit_unavailable');
  expect(stream).not.toContain('[DONE]');
  // The store takes the records again, but not the first change.
  const { store } = house.server;
  const appendChange = store.appendChange.bind(store);
  const refuseOnce = (): Promise<void> => {
    Object.assign(store, { appendChange });
    return Promise.reject(new StoreUnavailable('failed', 'disk full'));
  };
  Object.assign(store, { appendChange: refuseOnce });
  mend();
  const named = await eventually(async () => {
    const { body } = await house.admin('GET', 'changes?kind=answer.withheld');
    const subjects = (body['items'] as Json[]).map(({ subject }) => subject);
    return subjects.length === 2 ? subjects : null;
  }, 'both are named');
  const id = whole.headers.get('x-breakwater-request-id') ?? '';
  expect(named).toContain(id);
  expect(await house.record(id)).toMatchObject({ outcome: 'answered' });
}, 60_000);

test('strict: a stream whose record is lost ends with an error event, not with its end', async () => {
  house = await startHouse({ audit: { mode: 'strict' } });
  Object.assign(house.server.engine.gateway, { record: () => Promise.resolve(false) });
  const text = await (await ask(true)).text();
  expect(text).toContain('audit_unavailable');
  expect(text).not.toContain('[DONE]');
  const whole = await ask();
  expect(whole.status).toBe(503);
  const { message } = ((await whole.json()) as { error: { message: string } }).error;
  expect(message).toContain('cannot be recorded');
});

test('best effort: a store that fails costs no answer; records wait on local disk and come back', async () => {
  house = await startHouse();
  const mend = breakEverything();
  const ids: string[] = [];
  for (let count = 0; count < 3; count++) {
    const { response } = await (house.openai as OpenAI).chat.completions.create(question).withResponse();
    ids.push(response.headers.get('x-breakwater-request-id') ?? '');
  }
  await until(() => house.server.engine.records.counts().spooled === 3, 'records are spooled');
  expect((await house.admin('GET', `requests/${ids[0]}`)).status).toBe(404);
  mend();
  await until(() => house.server.engine.records.counts().spooled === 0, 'the spool is empty');
  for (const id of ids) expect((await house.admin('GET', `requests/${id}`)).status).toBe(200);
  expect(house.logs.join('')).toContain('"trouble":"caught_up"');
});

test('a record can be read as soon as its answer has ended', async () => {
  house = await startHouse();
  const response = await ask();
  await response.text();
  const id = response.headers.get('x-breakwater-request-id');
  expect((await house.admin('GET', `requests/${id}`)).body).toMatchObject({
    id,
    leaf: { index: expect.any(Number), hash: expect.any(String) },
  });
  expect((await house.admin('GET', 'requests')).body).toMatchObject({ items: [{ id }] });
});
