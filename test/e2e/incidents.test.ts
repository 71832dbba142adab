/** Incidents from the first failing request to the review, with simulated providers on real sockets. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';

import { patience, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

const features = {
  notes: {
    title: 'Meeting notes',
    route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'],
    timeouts: patience,
  },
  chat: { title: 'Chat', route: ['anthropic/claude-opus-4-7', 'openai/gpt-5.2'], timeouts: patience },
  contract: {
    title: 'Contract review',
    route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'],
    fallback: { same_model: 'auto', other_vendor: 'ask' },
    timeouts: patience,
  },
  search: { title: 'Search', route: ['openai/gpt-5.2'], timeouts: patience },
};
const gates = [{ match: {}, restore: { probeEvery: '100ms', ramp: ['50%', '100%'], hold: '1s' } }];

let house: House;
beforeEach(async () => {
  house = await startHouse({ features, gates });
});
afterEach(() => house.stop());

async function ask(feature: string): Promise<Response> {
  const response = await fetch(`${house.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: feature, max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  await response.text();
  return response;
}

async function times(count: number, feature: string): Promise<readonly Response[]> {
  const responses: Response[] = [];
  for (let sent = 0; sent < count; sent++) responses.push(await ask(feature));
  return responses;
}

function fail(...models: readonly string[]): void {
  for (const model of models)
    house.simulator.setFault({
      id: model,
      provider: 'anthropic',
      model,
      fault: { kind: 'preset', preset: 'overloaded' },
    });
}

const list = async (): Promise<readonly Json[]> =>
  ((await house.admin('GET', 'incidents')).body['items'] ?? []) as readonly Json[];

/** Keeps asking until the first incident is as wanted. */
async function untilIncident(
  isWanted: (incident: Json) => boolean,
  busy: readonly string[] = [],
): Promise<Json> {
  const end = Date.now() + 60_000;
  for (;;) {
    const [incident] = await list();
    if (incident !== undefined && isWanted(incident)) return incident;
    if (Date.now() > end) throw new Error(`never as wanted: ${JSON.stringify(incident)}`);
    for (const feature of busy) await ask(feature);
    await Bun.sleep(10);
  }
}

/** Every page of a list, and the last page itself. */
async function allOf(path: string): Promise<{ items: readonly Json[]; last: Json }> {
  const items: Json[] = [];
  let last: Json = {};
  for (let cursor: unknown = null, pages = 0; pages === 0 || (cursor !== null && pages < 100); pages++) {
    const query = cursor === null ? '' : `&cursor=${String(cursor)}`;
    last = (await house.admin('GET', `${path}${query}`)).body;
    items.push(...(last['items'] as readonly Json[]));
    cursor = last['next_cursor'];
  }
  return { items, last };
}

async function allRequests(id: unknown): Promise<{ items: readonly Json[]; totals: Json }> {
  const { items, last } = await allOf(`incidents/${String(id)}/requests?limit=200`);
  return { items, totals: last['totals'] as Json };
}

test('two versions fail: one incident, named after them, on a backup, and back to normal feature by feature', async () => {
  await times(3, 'notes');
  await times(3, 'chat');
  fail('claude-opus-4-8', 'claude-opus-4-7');
  await times(8, 'notes');
  await times(8, 'chat');
  const mitigated = await untilIncident(
    ({ targets, features: hit }) => (targets as unknown[]).length === 2 && (hit as unknown[]).length === 3,
    ['notes', 'chat'],
  );
  expect(await list()).toHaveLength(1);
  expect(mitigated).toMatchObject({
    title: expect.stringContaining('Opus 4.7 and 4.8'),
    failure_class: 'availability',
    models: ['claude-opus-4-8', 'claude-opus-4-7'],
  });
  expect(String(mitigated['title'])).not.toContain('nthropic');

  // Contract review asks for consent, so not everybody is fine; the others are on a backup.
  const [met] = await times(1, 'notes');
  expect(met?.headers.get('x-breakwater-incident')).toBe(String(mitigated['id']));
  const consent = await ask('contract');
  expect(consent.status).toBe(428);
  expect((await times(1, 'search'))[0]?.headers.get('x-breakwater-incident')).toBeNull();

  house.simulator.clearFaults();
  const resolved = await untilIncident(({ state }) => state === 'resolved', ['notes', 'chat']);
  expect(resolved['times']).toMatchObject({
    detected: expect.any(String),
    switched: expect.any(String),
    provider_declared: null,
    normal_routing_resumed: expect.any(String),
  });
  const states = resolved['features'] as readonly Json[];
  expect(new Set(states.map(({ feature }) => feature))).toEqual(new Set(['chat', 'contract', 'notes']));
  for (const feature of states) expect(feature['normal_at']).toEqual(expect.any(String));
  expect(states.find(({ feature }) => feature === 'notes')).toMatchObject({
    worst: 'backup',
    backup: 'openai/gpt-5.2',
  });
  expect(resolved['data_left_to']).toEqual(['OpenAI']);
}, 90_000);

test('the set of requests is exactly those that were hit, also before anybody knew', async () => {
  await times(5, 'notes');
  fail('claude-opus-4-8');
  await untilIncident(({ features: hit }) => (hit as unknown[]).length === 2, ['notes']);
  const asked = await ask('contract');
  await times(2, 'search');
  await times(3, 'notes');
  await house.server.engine.records.flush();
  const all = (await allOf('requests?limit=200')).items;
  const hit = all.filter(
    ({ preferred, fallback }) => preferred === 'anthropic/claude-opus-4-8' && fallback !== null,
  );
  expect(hit.length).toBeGreaterThan(8);
  const [incident] = await list();
  const { items, totals } = await allRequests(incident?.['id']);
  expect(new Set(items.map(({ id }) => id))).toEqual(new Set(hit.map(({ id }) => id)));
  expect(items).toHaveLength(hit.length);
  const askedId = asked.headers.get('x-breakwater-request-id');
  expect(items.find(({ id }) => id === askedId)).toMatchObject({ how: 'asked', outcome: 'refused' });
  expect(totals).toMatchObject({ total: hit.length, rescued: hit.length - 1, asked: 1 });
  expect(incident?.['requests']).toEqual(totals);
  for (const record of all)
    expect(record['incidents']).toEqual(hit.includes(record) ? [incident?.['id']] : []);
  const filtered = await allOf(`requests?incident=${String(incident?.['id'])}&limit=200`);
  expect(filtered.items).toHaveLength(hit.length);
}, 90_000);

test('an incident outlives a restart, goes on in it, and ends as one', async () => {
  fail('claude-opus-4-8');
  const before = await untilIncident(({ features: hit }) => (hit as unknown[]).length === 2, ['notes']);
  house = await house.restart();
  const after = (await house.admin('GET', `incidents/${String(before['id'])}`)).body;
  expect(after).toMatchObject({ id: before['id'], title: before['title'], times: before['times'] });
  expect((after['timeline'] as unknown[]).length).toBeGreaterThanOrEqual(
    (before['timeline'] as unknown[]).length,
  );
  const [met] = await times(1, 'notes');
  expect(met?.headers.get('x-breakwater-incident')).toBe(String(before['id']));
  house.simulator.clearFaults();
  const resolved = await untilIncident(({ state }) => state === 'resolved', ['notes']);
  expect(resolved['id']).toBe(before['id']);
  expect(await list()).toHaveLength(1);
}, 120_000);

test('merged, split and dismissed: the requests go where the story goes', async () => {
  fail('claude-opus-4-8', 'claude-opus-4-7');
  const both = await untilIncident(({ targets }) => (targets as unknown[]).length === 2, ['notes', 'chat']);
  const id = String(both['id']);
  const split = await house.admin('POST', `incidents/${id}/split`, {
    targets: ['anthropic/claude-opus-4-7'],
  });
  expect(split).toMatchObject({ status: 201, body: { split_from: id, models: ['claude-opus-4-7'] } });
  const other = String(split.body['id']);
  expect((await allRequests(other)).items.every(({ feature }) => feature === 'chat')).toBe(true);
  expect((await allRequests(id)).items.every(({ feature }) => feature !== 'chat')).toBe(true);
  const merged = await house.admin('POST', `incidents/${other}/merge`, { into: id, reason: 'one cause' });
  expect(merged.body).toMatchObject({
    id,
    models: expect.arrayContaining(['claude-opus-4-7', 'claude-opus-4-8']),
  });
  expect((await allRequests(other)).items).toEqual([]);
  expect((await house.admin('GET', `incidents/${other}`)).body).toMatchObject({
    state: 'dismissed',
    merged_into: id,
  });
  expect((await house.admin('POST', `incidents/${id}/dismiss`, {})).status).toBe(400);
  const dismissed = await house.admin('POST', `incidents/${id}/dismiss`, { reason: 'a drill' });
  expect(dismissed.body).toMatchObject({ state: 'dismissed' });
  const [met] = await times(1, 'notes');
  expect(met?.headers.get('x-breakwater-incident')).toBeNull();
}, 120_000);

test('a caller who is refused is told of the incident in the error', async () => {
  fail('claude-opus-4-8');
  const incident = await untilIncident(({ features: hit }) => (hit as unknown[]).length === 2, ['notes']);
  const response = await fetch(`${house.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({
      model: 'contract',
      max_tokens: 20,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  });
  expect(response.status).toBe(428);
  const body = (await response.json()) as { breakwater: Json };
  expect(body.breakwater['incident']).toBe(incident['id']);
}, 90_000);

describe('people', () => {
  const open = (body: Json): ReturnType<House['admin']> => house.admin('POST', 'incidents', body);

  test('open one with its class, and are told why a vague word is refused', async () => {
    expect((await open({ title: 'Something' })).status).toBe(400);
    const vague = await open({ failure_class: 'latency', text: 'Degraded performance.', audience: 'public' });
    expect(vague.status).toBe(400);
    expect(JSON.stringify(vague.body)).toContain('degraded');
    const untold = await open({ failure_class: 'latency', text: 'Degraded performance.' });
    expect([untold.status, JSON.stringify(untold.body)]).toEqual([400, expect.stringContaining('internal')]);
    const created = await open({
      failure_class: 'quality',
      models: ['claude-opus-4-8'],
      features: ['notes'],
    });
    expect(created).toMatchObject({
      status: 201,
      body: { state: 'active', failure_class: 'quality', rev: 1 },
    });
    expect(created.headers.get('etag')).toBe('"1"');
    const state = await house.admin('GET', 'state');
    expect(state.body['incidents']).toMatchObject([{ id: created.body['id'] }]);
  });

  test('move it through its states, with what the provider said kept apart', async () => {
    const { body } = await open({ failure_class: 'availability', features: ['notes'] });
    const id = String(body['id']);
    const update = (input: Json, headers = {}): ReturnType<House['admin']> =>
      house.admin('POST', `incidents/${id}/updates`, input, headers);
    const declared = await update({
      source: 'provider',
      text: 'We are investigating.',
      at: '2026-06-07T09:12:00Z',
    });
    expect(declared.body).toMatchObject({
      state: 'active',
      times: { provider_declared: '2026-06-07T09:12:00.000Z', provider_resolved: null },
    });
    const said = await update({ source: 'provider', state: 'resolved', at: '2026-06-07T10:00:00Z' });
    expect(said.body).toMatchObject({
      state: 'active',
      times: { provider_resolved: '2026-06-07T10:00:00.000Z' },
    });
    expect((await update({ text: 'Degraded, they say.', audience: 'internal' })).status).toBe(200);
    expect((await update({ text: 'late' }, { 'if-match': '"1"' })).status).toBe(412);
    expect((await update({ failure_class: 'capacity' })).body).toMatchObject({
      failure_class: 'capacity',
      class_by: 'person',
    });
    expect((await update({ state: 'resolved' })).body).toMatchObject({ state: 'resolved' });
    const reviewed = await update({ state: 'reviewed' });
    expect(reviewed.body).toMatchObject({ state: 'reviewed', request_set: { count: 0 } });
    const { body: changes } = await house.admin(
      'GET',
      `changes?subject=${String(reviewed.body['id'])}&limit=1`,
    );
    const { hash } = reviewed.body['request_set'] as { readonly hash: string };
    expect((changes['items'] as readonly Json[])[0]).toMatchObject({
      before: { request_set: null },
      after: { request_set: { hash, count: 0 }, times: { provider_resolved: '2026-06-07T10:00:00.000Z' } },
    });
    expect((await update({ state: 'active' })).status).toBe(409);
    const late = await update({ text: 'A fact that came late.', at: '2026-06-07T09:30:00Z' });
    expect((late.body['timeline'] as readonly Json[]).at(-1)).toMatchObject({
      at: '2026-06-07T09:30:00.000Z',
    });
  });
});
