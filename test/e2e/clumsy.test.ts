/** What a clumsy or hostile hand sends to the admin API: each is refused with its place and what to do, or is harmless. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';

import { adminToken, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

let house: House;
let incident: string;

beforeAll(async () => {
  house = await startHouse({ messages: { locales: { de: {} } } });
  const opened = await house.admin('POST', 'incidents', {
    title: 'Reported slow',
    failure_class: 'latency',
    targets: ['anthropic/claude-opus-4-8'],
  });
  incident = String(opened.body['id']);
});
afterAll(() => house.stop());

const errorOf = (body: Json): Json => body['error'] as Json;

test.each([
  ['GET', 'requests?since=2026-02-30T00:00:00Z', undefined, 'since', /must be a time/],
  ['GET', 'changes?until=2026-04-31', undefined, 'until', /must be a time/],
  ['GET', 'requests?feature=', undefined, 'feature', /must not be empty/],
  ['GET', 'audit/consistency', undefined, 'from', /^from: is missing$/],
  [
    'POST',
    'switches',
    { scope: { provider: 7 }, reason: 'x' },
    'scope.provider',
    /must be text, not a number/,
  ],
  ['POST', 'switches', { scope: { provider: 'x' }, reason: 'a \u001B[2J' }, 'reason', /cannot be shown/],
  ['POST', 'holds', { tenant: 'acme', reason: 'x' }, 'tenant', /Unknown field "tenant"/],
  ['POST', 'config/check', { yaml: 'listen: x' }, 'yaml', /Unknown field "yaml"/],
  ['POST', 'explain', { feature: 'notes', needs: ['telepathy'] }, 'needs.0', /must be one of tools/],
  ['POST', 'explain', { feature: 'notes', input_tokens: 1.5 }, 'input_tokens', /must be a whole number$/],
  [
    'POST',
    'gates/test',
    { gate: { budget: '30%', breach: '20%' } },
    'gate.budget',
    /is not below the breach/,
  ],
  ['POST', 'gates/test', { gate: { falseAlarm: '0 per 1d' } }, 'gate.falseAlarm', /must be a frequency/],
  ['POST', 'keys/key_x/revoke', { why: 'leaked' }, 'why', /Unknown field "why"/],
  ['POST', 'channels/x/test', { to: 'me' }, 'to', /Unknown field "to"/],
])('%s %s is refused with its place', async (method, path, body, field, words) => {
  const answer = await house.admin(method, path, body);
  expect([answer.status, errorOf(answer.body)['field']]).toEqual([400, field]);
  expect(String(errorOf(answer.body)['message'])).toMatch(words);
});

test('times are read as RFC 3339 allows them to be written', async () => {
  for (const since of ['2026-06-07t08:00:00z', '2026-06-07T08:00:00.123456Z', '2026-06-07T08:00:00%2B02:00'])
    expect((await house.admin('GET', `requests?since=${since}`)).status).toBe(200);
});

test('no word is promised for a time that has passed', async () => {
  const past = { next_update_at: '2020-01-01T00:00:00Z' };
  for (const path of [
    `incidents/${incident}/updates`,
    `incidents/${incident}/messages/preview`,
    `incidents/${incident}/messages/publish`,
  ]) {
    const answer = await house.admin('POST', path, past);
    expect([path, answer.status, errorOf(answer.body)['field']]).toEqual([path, 400, 'next_update_at']);
  }
});

test('a list of counts ends like every list', async () => {
  const { body } = await house.admin('GET', 'requests/stats');
  expect(body).toMatchObject({ items: [], next_cursor: null });
});

test('gates are tried on a week unless said otherwise', async () => {
  const { status, body } = await house.admin('POST', 'gates/test', {});
  expect(status).toBe(200);
  const days = (Date.parse(String(body['until'])) - Date.parse(String(body['since']))) / 86_400_000;
  expect(days).toBeCloseTo(7, 3);
});

test('a key is revoked once, with its reason, by whoever saw it as it is', async () => {
  const made = await house.admin('POST', 'keys', { name: 'backend' });
  const path = `keys/${String(made.body['id'])}/revoke`;
  const stale = { 'if-match': '"9"' };
  expect((await house.admin('POST', path, undefined, stale)).status).toBe(412);
  const revoked = await house.admin('POST', path, { reason: 'leaked' }, { 'if-match': '"1"' });
  expect(revoked.body).toMatchObject({ id: made.body['id'], name: 'backend' });
  expect(revoked.body['revoked_at']).toBeString();
  expect((await house.admin('POST', path)).status).toBe(409);
  const changes = await house.admin('GET', `changes?kind=key.revoked&subject=${String(made.body['id'])}`);
  expect(changes.body['items']).toMatchObject([
    { reason: 'leaked', before: { name: 'backend', revoked_at: null }, after: { name: 'backend' } },
  ]);
});

describe('a target that a person holds out', () => {
  test('is our own doing, and not called sick', async () => {
    await house.admin('POST', 'gates/anthropic/claude-opus-4-8/hold', { reason: 'a test' });
    const { body } = await house.admin('GET', 'diagnosis');
    expect(body['verdict']).toBe('ours');
    await house.admin('POST', 'gates/anthropic/claude-opus-4-8/return', { reason: 'over' });
    expect((await house.admin('GET', 'diagnosis')).body['verdict']).toBe('ours');
  });
});

test('a switch for a part that changes nothing for it is not told as another way', async () => {
  const scope = { provider: 'openai' };
  for (const effect of ['off', { shed: 20 }])
    await house.admin('POST', 'switches', { scope, effect, reason: 'x' });
  const { body } = await house.admin('POST', 'explain', { model: 'gpt-5.2' });
  expect(body['shares']).toMatchObject([{ share: 1 }]);
  expect(String(body['words'])).not.toContain('a part of the requests');
});

test('the banner speaks one language at a time', async () => {
  const read = await fetch(`${house.url}/status/banner?locale=de`);
  const { features } = (await read.json()) as { features: readonly Json[] };
  expect(features.map((each) => each['words'])).not.toContain('working normally');
});

describe('an incident', () => {
  const open = async (title: string, target: string): Promise<string> => {
    const targets = [target];
    const made = await house.admin('POST', 'incidents', { title, failure_class: 'latency', targets });
    return String(made.body['id']);
  };
  const update = (id: string, body: Json) => house.admin('POST', `incidents/${id}/updates`, body);
  const postmortem = async (id: string): Promise<string> =>
    (
      await fetch(`${house.url}/admin/v1/incidents/${id}/postmortem`, {
        headers: { authorization: `Bearer ${adminToken}` },
      })
    ).text();

  test('keeps its times in an order that can be', async () => {
    const id = await open('Odd times', 'anthropic/claude-opus-4-8');
    const early = await update(id, { times: { normal_routing_resumed: '2020-01-01T00:00:00Z' } });
    expect([early.status, errorOf(early.body)['field']]).toEqual([400, 'times.normal_routing_resumed']);
    expect((await update(id, { times: { detected: null } })).status).toBe(400);
  });

  test('that was reviewed is about what it was about', async () => {
    const id = await open('Over', 'anthropic/claude-opus-4-8');
    for (const state of ['resolved', 'reviewed']) expect((await update(id, { state })).status).toBe(200);
    const more = await update(id, { targets: ['openai/gpt-5.2'] });
    expect([more.status, errorOf(more.body)['field']]).toEqual([409, 'targets']);
    expect((await update(id, { text: 'A fact that came late.' })).status).toBe(200);
  });

  test('that was dismissed or became part of another says so in its post-mortem', async () => {
    const [one, other] = [
      await open('One', 'anthropic/claude-opus-4-8'),
      await open('Other', 'openai/gpt-5.2'),
    ];
    await house.admin('POST', `incidents/${one}/merge`, { into: other });
    expect(await postmortem(one)).toContain(`It was made part of ${other}`);
    expect((await update(one, { targets: ['openai/gpt-5.2'] })).status).toBe(409);
    await house.admin('POST', `incidents/${other}/dismiss`, { reason: 'a test' });
    expect(await postmortem(other)).toContain('It was dismissed');
  });
});

test('nobody decides under a name of our own', async () => {
  const input = { scope: { provider: 'x' }, reason: 'x', mode: 'observe' };
  for (const name of ['system', 'System', 'playbook vendor-off', 'provider']) {
    const answer = await house.admin('POST', 'switches', input, { 'x-breakwater-actor': name });
    expect([name, answer.status]).toEqual([name, 400]);
  }
  const named = await house.admin('POST', 'switches', input, { 'x-breakwater-actor': 'systems.ada' });
  expect(named.body).toMatchObject({ created_by: 'systems.ada' });
});

test('a question is answered once', async () => {
  const text = `name: asks
match: { scope: { vendor: anthropic }, when: { gate: ejected } }
decide:
  - otherwise:
      - ask: { question: "Shall it go?", timeout: 5m, otherwise: abort }
      - switch: { scope: { model: $model }, effect: off, expiresIn: 2h }
`;
  expect((await house.admin('POST', 'playbooks', { text })).status).toBe(201);
  const started = await house.admin('POST', 'playbooks/asks/run', { reason: 'a test' });
  const run = `runs/${String(started.body['id'])}`;
  for (let tries = 0; tries < 600; tries++) {
    if ((await house.admin('GET', run)).body['state'] === 'asking') break;
    await Bun.sleep(50);
  }
  const answers = await Promise.all(
    ['approve', 'reject'].map((answer) => house.admin('POST', `${run}/answer`, { answer, reason: 'x' })),
  );
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  await house.admin('POST', `${run}/abort`, { reason: 'over' });
});

test('who asks for the head alone is told how long the answer is', async () => {
  const headers = { authorization: `Bearer ${adminToken}` };
  for (const path of ['/status', '/api/v2/summary.json', '/admin/v1/keys']) {
    // The page may change between the two; its tag says so.
    let isCompared = false;
    for (let tries = 0; tries < 100 && !isCompared; tries++) {
      const whole = await fetch(`${house.url}${path}`, { headers });
      const body = await whole.arrayBuffer();
      const head = await fetch(`${house.url}${path}`, { method: 'HEAD', headers });
      const length = [head.status, head.headers.get('content-length'), await head.text()];
      if (head.headers.get('etag') !== whole.headers.get('etag')) continue;
      expect([path, ...length]).toEqual([path, 200, `${body.byteLength}`, '']);
      isCompared = true;
    }
    expect(isCompared).toBe(true);
  }
});

test('a page that is held already is not sent again, however its tag is written', async () => {
  // Nothing is planned, so that it stays as it is.
  const url = `${house.url}/status/calendar.ics`;
  const etag = (await fetch(url)).headers.get('etag') ?? '';
  for (const tag of [etag, etag.replace('W/', ''), `"other", ${etag}`, '*'])
    expect([tag, (await fetch(url, { headers: { 'if-none-match': tag } })).status]).toEqual([tag, 304]);
  expect((await fetch(url, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
});

test('who follows an old link to the status page reads a page, and a program JSON', async () => {
  const url = `${house.url}/status/incidents/inc_gone`;
  const page = await fetch(url, { headers: { accept: 'text/html,*/*' } });
  expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
  const json = await fetch(url, { headers: { accept: 'application/json' } });
  expect([json.status, json.headers.get('content-type')]).toEqual([404, 'application/json']);
});
