/**
 * 7 June 2026, end to end: two versions of one family fail, and from the first failing request to the draft of the
 * post-mortem nothing is typed but one approval. Traffic flows all the while; every step waits for what it is about.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { House, Json } from '../harness.ts';
import { features, itemsOf, shippedPlaybook, sick, startJune7 } from './june-7-house.ts';
import type { June7 } from './june-7-house.ts';

const gates = [{ match: {}, restore: { probeEvery: '200ms', ramp: ['50%', '100%'], hold: '1s' } }];
/** The example that ships, with the same steps and shorter times. */
const playbook = shippedPlaybook
  .replace('quiet: 15m', 'quiet: 2s')
  .replace('count: 20, over: 5m', 'count: 5, over: 5s')
  .replace('hold: 5m', 'hold: 2s');

let june: June7;
let house: House;
const now = (): string => new Date().toISOString();

let sending = true;
let traffic: Promise<void> = Promise.resolve();

async function flow(): Promise<void> {
  while (sending) {
    await Promise.all(Object.keys(features).map(june.ask));
    await Bun.sleep(50);
  }
}

/** Looks again until it is there. */
async function eventually<T>(look: () => Promise<T | null | undefined> | T | null | undefined, what: string) {
  const end = Date.now() + 60_000;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined) return found;
    if (Date.now() > end) throw new Error(`never happened: ${what}`);
    await Bun.sleep(100);
  }
}

const call = (path: string): Promise<Json> => june.call(path);
const page = (path: string): Promise<string> => june.page(path);
const incidents = async (): Promise<readonly Json[]> => itemsOf(await call('incidents'));
const untilIncident = (isWanted: (incident: Json) => boolean, what: string): Promise<Json> =>
  eventually(async () => (await incidents()).find(isWanted), what);
const untilRun = (isWanted: (run: Json) => boolean, what: string): Promise<Json> =>
  eventually(async () => itemsOf(await call('runs')).find(isWanted), what);
const toldOf = (type: string): Json | undefined => june.told.find((each) => each['type'] === type);

beforeAll(async () => {
  june = await startJune7({ playbook, gates, holdDown: '1s' });
  house = june.house;
  traffic = flow();
});
afterAll(async () => {
  sending = false;
  await traffic;
  await june.stop();
});

test('before: the shipped playbook is on the shelf, and everything works', async () => {
  expect(itemsOf(await call('playbooks'))).toMatchObject([{ name: 'vendor-off', source: 'file' }]);
  expect(playbook).not.toMatch(/\b(?:15|5)m\b/);
  expect(await page('/status')).toContain('Everything is working normally');
  await eventually(async () => ((await june.records('')).length >= 40 ? true : null), 'traffic flows');
}, 90_000);

let id = '';
let asking: Json;

test('two versions fail: gates act, and one incident says which', async () => {
  june.fail();
  const incident = await untilIncident(({ models }) => (models as unknown[]).length === 2, 'both are in it');
  id = String(incident['id']);
  expect(incident).toMatchObject({
    title: expect.stringContaining('Opus 4.7 and 4.8') as string,
    failure_class: 'availability',
    times: { detected: expect.any(String) as string, provider_declared: null },
  });
  expect(String(incident['title'])).not.toContain('nthropic');
  expect(incident).toMatchObject({ opened_by: 'system', source: 'system' });
  const out = itemsOf(await call('changes?limit=200')).flatMap(({ kind, after, subject }) =>
    kind === 'gate.transition' && after === 'ejected' ? [String(subject).replace('anthropic/', '')] : [],
  );
  expect(out.length).toBeGreaterThan(0);
  for (const model of out) expect(sick).toContain(model);
}, 120_000);

test('the playbook switches the sick versions off and asks; a person approves from the chat', async () => {
  asking = await untilRun(({ state }) => state === 'asking', 'the playbook asks');
  expect(asking).toMatchObject({ playbook: 'vendor-off', incident: id, started_by: 'system' });
  const made = itemsOf(await call('switches'));
  expect(new Set(made.map(({ scope }) => (scope as Json)['model']))).toEqual(new Set(sick));

  const link = await eventually(
    () => JSON.stringify(june.slack).match(/"(http[^"]+\/approve\/[^"]+)"/)?.[1],
    'the question is in the chat',
  );
  expect(await page(new URL(link).pathname)).toContain('Switch off every model of the vendor?');
  const form = { by: 'maria', answer: 'approve', reason: 'two versions are sick, we pause them all' };
  expect((await fetch(link, { method: 'POST', body: new URLSearchParams(form) })).status).toBe(200);
  const off = await eventually(
    async () =>
      itemsOf(await call('switches')).find(({ scope }) => (scope as Json)['vendor'] === 'anthropic'),
    'the vendor is off',
  );
  expect(off).toMatchObject({ created_by: 'playbook vendor-off', effect: 'off' });
  expect((await june.ask('search')).headers.get('x-breakwater-target')).toBe('openai/gpt-5.2');
  expect((await june.ask('contract')).status).toBe(428);
}, 120_000);

test('the page says which features use a backup, to people and to programs', async () => {
  const html = await eventually(async () => {
    const text = await page('/status');
    return text.split('working with a backup model').length > 3 ? text : null;
  }, 'three features are on a backup');
  expect(html).toContain('gpt-5.2 answers instead.');
  const summary = JSON.parse(await page('/api/v2/summary.json')) as Record<string, readonly Json[]>;
  const states = Object.fromEntries(
    (summary['components'] ?? []).map((each) => [each['id'], (each['x_ai'] as Json | undefined)?.['state']]),
  );
  expect(states).toMatchObject({ notes: 'backup', chat: 'backup', search: 'backup', contract: 'partial' });
  expect((summary['incidents'] ?? []).find((each) => each['id'] === id)).toMatchObject({
    name: expect.stringContaining('Opus 4.7 and 4.8') as string,
    x_ai: { failure_class: 'availability' },
  });
  expect(await page(`/status/incidents/${id}`)).toContain('Opus 4.7 and 4.8');
}, 90_000);

test('channels were told, each in its own form and signed', async () => {
  await eventually(() => toldOf('message.published'), 'users were told, and the channels of it');
  expect(toldOf('incident.opened')).toMatchObject({
    data: { subject: id, url: `${house.url}/status/incidents/${id}` },
  });
  for (const type of ['playbook.notified', 'switch.created']) await eventually(() => toldOf(type), type);
  expect(june.slack.length).toBeGreaterThan(2);
  expect(june.pager.find((each) => each['dedup_key'] === id)).toMatchObject({ event_action: 'trigger' });
  expect(june.unreadable).toEqual([]);
}, 90_000);

test('the provider announces late, and is linked with our lead', async () => {
  june.announcements = [
    {
      id: 'abc',
      name: 'Elevated errors on Claude Opus 4.7 and 4.8',
      status: 'investigating',
      impact: 'minor',
      created_at: now(),
      updated_at: now(),
    },
  ];
  const linked = await untilIncident(
    ({ announcements: all }) => (all as unknown[]).length > 0,
    'it is linked',
  );
  expect(linked).toMatchObject({ id, announcements: [{ provider: 'anthropic', id: 'abc' }] });
  const times = linked['times'] as Record<string, string>;
  const lead = Date.parse(times['provider_declared'] ?? '') - Date.parse(times['detected'] ?? '');
  expect(lead).toBeGreaterThan(0);
  expect(linked['lead_ms']).toBe(lead);
}, 90_000);

let over: Json;

test('it recovers: the playbook lets it back by shares, and routing is normal again feature by feature', async () => {
  june.recover();
  june.announcements = june.announcements.map((each) => ({
    ...each,
    status: 'resolved',
    resolved_at: now(),
  }));
  const done = await untilRun(({ id: run, state }) => run === asking['id'] && state === 'done', 'it is done');
  const words = (done['steps'] as readonly Json[]).map(({ words: said }) => String(said));
  expect(words.filter((said) => /^let \d+ % back in$/.test(said))).toEqual([
    'let 10 % back in',
    'let 50 % back in',
  ]);
  expect(itemsOf(await call('switches'))).toEqual([]);
  over = await untilIncident(
    ({ state, times }) => state === 'resolved' && (times as Json)['provider_resolved'] !== null,
    'it is resolved, and the provider says so',
  );
  const times = over['times'] as Record<string, string>;
  for (const time of Object.values(times)) expect(time).toEqual(expect.any(String) as string);
  const affected = over['features'] as readonly Json[];
  expect(new Set(affected.map(({ feature }) => feature))).toEqual(new Set(Object.keys(features)));
  for (const { normal_at: at } of affected)
    expect(String(at) <= String(times['normal_routing_resumed'])).toBe(true);
  expect(await incidents()).toHaveLength(1);
  for (const [feature, { route }] of Object.entries(features))
    expect((await june.ask(feature)).headers.get('x-breakwater-target')).toBe(route[0] ?? '');
  const story = await eventually(async () => {
    const html = await page(`/status/incidents/${id}`);
    return html.includes('ormal routing resumed') ? html : null;
  }, 'the page says since when routing is normal');
  for (const { title } of Object.values(features)) expect(story).toContain(title);
  await eventually(() => toldOf('incident.resolved'), 'the channels are told of the end');
  await eventually(
    () => june.pager.find((each) => each['dedup_key'] === id && each['event_action'] === 'resolve'),
    'the pager is told of the end',
  );
  expect(june.unreadable).toEqual([]);
}, 150_000);

test('the numbers of the post-mortem are those that the records give', async () => {
  sending = false;
  await traffic;
  await house.server.engine.records.flush();
  const { markdown } = await eventually(async () => {
    const draft = await house.admin('GET', `incidents/${id}/postmortem`, undefined, {
      accept: 'application/json',
    });
    return draft.body['markdown'] === undefined ? null : (draft.body as { markdown: string });
  }, 'the draft is there');
  const all = await june.records('');
  const hit = all.filter(({ incidents: met }) => (met as readonly unknown[]).includes(id));
  expect((await june.records(`&incident=${id}`)).map(({ id: each }) => each)).toEqual(
    hit.map(({ id: each }) => each),
  );
  const count = (isCounted: (record: Json) => boolean): number => hit.filter(isCounted).length;
  const rescued = count(({ outcome, served, preferred }) => outcome === 'answered' && served !== preferred);
  const asked = count(({ told: word }) => word === 'asked');
  expect(rescued).toBeGreaterThan(0);
  expect(asked).toBeGreaterThan(0);
  for (const row of [
    `| all that met it | ${hit.length} |`,
    `| were answered by another model | ${rescued} |`,
    `| were asked before another model would answer | ${asked} |`,
  ])
    expect(markdown).toContain(row);
  const read = await call(`incidents/${id}`);
  const searched = (read['features'] as readonly Json[]).find(({ feature }) => feature === 'search') ?? {};
  // Its model was well: the switch of the whole vendor moved it.
  expect(read['moved']).toMatchObject([{ target: 'anthropic/claude-sonnet-4-5' }]);
  expect((searched['requests'] as Json)['rescued']).toBeGreaterThan(0);
  expect(searched['share']).toBeGreaterThan(0);
  expect(read['data_left_to']).toEqual(['OpenAI']);
  expect(markdown).toStartWith('# Claude Opus 4.7 and 4.8');
  expect(markdown).toContain('Elevated errors on Claude Opus 4.7 and 4.8');
  expect(markdown).toContain('playbook vendor-off');
}, 150_000);
