/** Content that is captured: encrypted, found by few, seen by nobody unseen, and gone when its key is. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { Database } from 'bun:sqlite';

import { startHouse, until } from '../harness.ts';
import type { House, Json } from '../harness.ts';

const masterKey = Buffer.alloc(32, 7).toString('base64');
const canary = 'CANARY-4e1d-heron';
const capture = { key: 'env:CAPTURE_KEY', features: ['notes', 'chat'] };
let house: House;

const open = async (changes: Json = {}): Promise<void> => {
  house = await startHouse({ audit: { capture }, ...changes });
};
beforeEach(() => open());
afterEach(() => house.stop());

type Asked = {
  readonly model?: string;
  readonly stream?: boolean;
  readonly headers?: Record<string, string>;
};

async function ask({ model = 'notes', stream = false, headers = {} }: Asked = {}): Promise<string> {
  const response = await fetch(`${house.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-breakwater-user': 'user-1', ...headers },
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: `say ${canary}` }] }),
  });
  const text = await response.text();
  expect([response.status, text.length > 0]).toEqual([200, true]);
  return response.headers.get('x-breakwater-request-id') ?? '';
}

const look = (id: string, reason = 'a complaint') =>
  house.admin('GET', `requests/${id}/content?reason=${encodeURIComponent(reason)}`);

const kinds = async (): Promise<readonly unknown[]> =>
  ((await house.admin('GET', 'changes')).body['items'] as readonly Json[]).map(({ kind }) => kind);

function filesWith(text: string): readonly string[] {
  const folder = dirname(house.storePath);
  return readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(text));
}

test('off unless the configuration names what', async () => {
  await house.stop();
  await open({ audit: {} });
  const id = await ask();
  expect(await house.record(id)).toMatchObject({ captured: 'none' });
  const refused = await look(id);
  expect([refused.status, JSON.stringify(refused.body)]).toEqual([
    404,
    expect.stringContaining('It was not captured.'),
  ]);
  expect(existsSync(`${house.storePath}.content`)).toBe(false);
});

test.each([false, true])('request and answer, as they were sent (streamed: %p)', async (stream) => {
  const id = await ask({ stream });
  expect(await house.record(id)).toMatchObject({ captured: 'whole' });
  const { status, body } = await look(id);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    request: id,
    question: { text: expect.stringContaining(canary), cut: false },
    answer: { text: expect.stringContaining(stream ? 'data: [DONE]' : '"finish_reason"'), cut: false },
  });
});

test('is found nowhere in the clear, and not in logs, metrics or records', async () => {
  for (const stream of [false, true]) await look(await ask({ stream }));
  const looks = await house.admin('GET', 'content/looks');
  const records = await house.admin('GET', 'requests');
  const metrics = await (await fetch(`${house.url}/metrics`)).text();
  for (const text of [JSON.stringify(looks.body), JSON.stringify(records.body), metrics, house.logs.join('')])
    expect(text).not.toContain(canary);
  expect(metrics).toContain('breakwater_content_kept_total 2');
  expect(existsSync(`${house.storePath}.content-keys`)).toBe(true);
  for (const text of [canary, masterKey]) expect(filesWith(text)).toEqual([]);
});

test('every look is in the ledger before it is answered; so is one that is refused', async () => {
  const id = await ask();
  await look(id, 'ticket 4711');
  expect((await house.admin('GET', `requests/${id}/content`)).status).toBe(400);
  expect((await look('req_0')).status).toBe(404);
  const looks = (await house.admin('GET', 'content/looks')).body['items'] as readonly Json[];
  expect(looks.map(({ kind, subject }) => [kind, subject])).toEqual([
    ['content.refused', 'req_0'],
    ['content.refused', id],
    ['content.read', id],
  ]);
  expect(looks[2]).toMatchObject({ actor: 'admin', reason: 'ticket 4711' });
  const one = (await house.admin('GET', `content/looks?request=${id}`)).body['items'];
  expect(one).toHaveLength(2);
});

test('a look that cannot be written down is not answered', async () => {
  const id = await ask();
  await house.record(id);
  await house.server.store.setReadOnly(true);
  const refused = await look(id);
  expect([refused.status, JSON.stringify(refused.body)]).toEqual([503, expect.not.stringContaining(canary)]);
});

test('erasing a user destroys the keys: nothing of it is left, and others are untouched', async () => {
  const id = await ask();
  const other = await ask({ headers: { 'x-breakwater-user': 'user-2' } });
  const erased = await house.admin('POST', 'audit/erase', { user: 'user-1', reason: 'on request' });
  expect(erased.body).toEqual({ records: 1, contents: 1 });
  expect((await look(id)).status).toBe(404);
  expect((await look(other)).status).toBe(200);
  const keys = new Database(`${house.storePath}.content-keys`, { readonly: true });
  expect(keys.query('SELECT user FROM keys').all()).toEqual([{ user: 'user-2' }]);
  keys.close();
  expect(await kinds()).toContain('content.erased');
});

test('days end: their keys are destroyed when the time is over', async () => {
  const id = await ask();
  const { content, pump } = house.server.engine.capturing;
  await pump.flush();
  const tomorrow = Date.now() + 86_400_000;
  expect(await content.overdue(Date.now(), 30 * 86_400_000, 0)).toEqual([]);
  expect(await content.overdue(tomorrow + 30 * 86_400_000, null, 0)).toHaveLength(1);
  const [key] = await content.overdue(tomorrow, 0, 0);
  expect(await content.destroy([key?.id ?? 0])).toBe(1);
  expect(JSON.stringify((await look(id)).body)).toContain('no longer there');
});

test('a class that forbids it is never captured, also where another class is the stricter', async () => {
  await house.stop();
  await open({
    audit: { capture },
    dataClasses: { loose: { capture: false }, tight: { training: 'no', retention: '30d' } },
  });
  const asked = async (dataClass: string): Promise<unknown> =>
    (await house.record(await ask({ headers: { 'x-breakwater-data-class': dataClass } })))['captured'];
  expect([await asked('tight'), await asked('loose')]).toEqual(['whole', 'none']);
  house.configure({
    ...(JSON.parse(readFileSync(house.configPath, 'utf8')) as Json),
    dataRules: [{ match: { feature: 'notes' }, dataClass: 'loose' }],
  });
  await house.server.reload();
  expect(await asked('tight')).toBe('none');
});

test('only the features that are named, and no more of a body than is said', async () => {
  await house.stop();
  await open({ audit: { capture: { ...capture, features: ['notes'], bodyMax: '20B' } } });
  expect(await house.record(await ask({ model: 'chat' }))).toMatchObject({ captured: 'none' });
  const id = await ask();
  expect(await house.record(id)).toMatchObject({ captured: 'cut' });
  const { question } = (await look(id)).body as { question: { text: string; cut: boolean } };
  expect([question.text.length, question.cut]).toEqual([20, true]);
});

test('it outlives a restart; another key opens nothing, and says so', async () => {
  const id = await ask();
  house = await house.restart();
  expect((await look(id)).status).toBe(200);
  house.configure({
    ...(JSON.parse(readFileSync(house.configPath, 'utf8')) as Json),
    audit: { capture: { ...capture, key: 'env:OTHER_CAPTURE_KEY' } },
  });
  await house.server.reload();
  const sealed = await look(id);
  expect([sealed.status, JSON.stringify(sealed.body)]).toEqual([409, expect.stringContaining('another key')]);
  const later = await ask();
  expect((await look(later)).status).toBe(200);
});

test('what cannot be kept costs no answer, is counted, and said', async () => {
  const { content } = house.server.engine.capturing;
  Object.assign(content, { keep: () => Promise.reject(new Error('disk full')) });
  await ask();
  await until(() => house.logs.join('').includes('"event":"content"'), 'the loss is said');
  expect(await (await fetch(`${house.url}/metrics`)).text()).toContain('breakwater_content_lost_total 1');
});

test('its files are for their owner alone, also those that SQLite makes beside them', async () => {
  await house.record(await ask());
  const folder = dirname(house.storePath);
  const files = readdirSync(folder).filter((name) => name.includes('.content'));
  expect(files.filter((name) => name.endsWith('-wal'))).toHaveLength(2);
  expect(files.map((name) => [name, statSync(join(folder, name)).mode & 0o777])).toEqual(
    files.map((name) => [name, 0o600]),
  );
});

test('a class whose records go sooner has keys of its own, which go with them', async () => {
  await house.stop();
  await open({
    audit: { capture, retention: { default: '400d', restricted: '2d' } },
    dataClasses: { restricted: { training: 'no' } },
  });
  for (const headers of [{}, { 'x-breakwater-data-class': 'restricted' }]) {
    const id = await ask({ headers });
    expect((await look(id)).status).toBe(200);
  }
  const keys = new Database(`${house.storePath}.content-keys`, { readonly: true })
    .query<{ day: number; until: number }, []>('SELECT day, until FROM keys ORDER BY until')
    .all();
  expect(keys.map(({ day, until: end }) => end / 86_400_000 - day - 1)).toEqual([2, 30]);
});
