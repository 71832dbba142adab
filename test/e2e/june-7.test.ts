/**
 * 7 June 2026, end to end: two versions of one family fail, and from the first failing request to the draft of the
 * post-mortem nothing is typed but one approval. Traffic flows all the while; every step waits for what it is about.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { Webhook } from 'standardwebhooks';

import { configuration, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';
import { pagerDutyEvent, slackMessage } from '../payload-schemas.ts';
import { webhookSecret } from '../told-fixture.ts';

const timeouts = { connect: '5s', firstToken: '10s', stall: '10s', total: '30s' };
const features = {
  notes: { title: 'Meeting notes', route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'], timeouts },
  contract: {
    title: 'Contract review',
    route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'],
    fallback: { same_model: 'auto', other_vendor: 'ask' },
    timeouts,
  },
  chat: { title: 'Chat', route: ['anthropic/claude-opus-4-7', 'openai/gpt-5.2'], timeouts },
  search: { title: 'Search', route: ['anthropic/claude-sonnet-4-5', 'openai/gpt-5.2'], timeouts },
};
const gates = [{ match: {}, restore: { probeEvery: '200ms', ramp: ['50%', '100%'], hold: '1s' } }];
const sick = ['claude-opus-4-7', 'claude-opus-4-8'];
/** Share of calls that fail at the two versions: a brownout, by a seeded chance. */
const sickRate = 0.6;

/** The example that ships, with the same steps and shorter times. */
const playbook = readFileSync(join(import.meta.dir, '../../examples/playbooks/vendor-off.yaml'), 'utf8')
  .replace(/^tests:[^]*/m, '')
  .replace('quiet: 15m', 'quiet: 2s')
  .replace('count: 20, over: 5m', 'count: 5, over: 5s')
  .replace('hold: 5m', 'hold: 2s');

let house: House;
const told: Json[] = [];
const slack: Json[] = [];
const pager: Json[] = [];
const received: Readonly<Record<string, (body: string, headers: Headers) => void>> = {
  '/hook': (body, headers) =>
    void told.push(new Webhook(webhookSecret).verify(body, Object.fromEntries(headers)) as Json),
  '/slack': (body) => void slack.push(slackMessage.parse(JSON.parse(body))),
  '/pager': (body) => void pager.push(pagerDutyEvent.parse(JSON.parse(body))),
};
/** What is wrong with what the channels received. */
const unreadable: unknown[] = [];
const receiver = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    try {
      received[new URL(request.url).pathname]?.(await request.text(), request.headers);
    } catch (error) {
      unreadable.push(error);
    }
    return new Response('', { status: 202 });
  },
});

let announcements: Json[] = [];
const feed = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: () =>
    Response.json({
      page: { id: 'p', name: 'Claude', url: 'https://status.claude.com', updated_at: now() },
      status: { indicator: announcements.length === 0 ? 'none' : 'minor', description: 'x' },
      components: [],
      incidents: announcements,
    }),
});
const now = (): string => new Date().toISOString();

let sending = true;
let traffic: Promise<void> = Promise.resolve();

async function ask(feature: string): Promise<Response> {
  const response = await fetch(`${house.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: feature, max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  await response.text();
  return response;
}

async function flow(): Promise<void> {
  while (sending) {
    await Promise.all(Object.keys(features).map(ask));
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

const call = async (path: string): Promise<Json> => (await house.admin('GET', path)).body;
const itemsOf = (body: Json): readonly Json[] => body['items'] as readonly Json[];
const incidents = async (): Promise<readonly Json[]> => itemsOf(await call('incidents'));
const untilIncident = (isWanted: (incident: Json) => boolean, what: string): Promise<Json> =>
  eventually(async () => (await incidents()).find(isWanted), what);
const untilRun = (isWanted: (run: Json) => boolean, what: string): Promise<Json> =>
  eventually(async () => itemsOf(await call('runs')).find(isWanted), what);
const page = async (path: string): Promise<string> => (await fetch(`${house.url}${path}`)).text();
const toldOf = (type: string): Json | undefined => told.find((each) => each['type'] === type);

/** Every record that a query finds. */
async function records(query: string): Promise<readonly Json[]> {
  const found: Json[] = [];
  let cursor: unknown = null;
  do {
    const next: Json = await call(
      `requests?limit=200${query}${cursor === null ? '' : `&cursor=${String(cursor)}`}`,
    );
    found.push(...itemsOf(next));
    cursor = next['next_cursor'];
  } while (cursor !== null);
  return found;
}

beforeAll(async () => {
  const at = `http://127.0.0.1:${receiver.port}`;
  const document = (simulator: House['simulator'], more: Json = {}): Json => {
    const { providers } = configuration(simulator) as { providers: Record<string, Json> };
    const anthropic = {
      ...providers['anthropic'],
      statusFeed: { url: `http://127.0.0.1:${feed.port}/api/v2/summary.json`, allowPrivate: true },
    };
    return {
      providers: { ...providers, anthropic },
      features,
      gates,
      messages: { holdDown: '1s' },
      playbooks: './playbooks-*.yaml',
      channels: {
        hook: { kind: 'webhook', url: `${at}/hook`, secret: 'env:HOOK_SECRET', allowPrivate: true },
        oncall: { kind: 'slack', url: `${at}/slack`, allowPrivate: true },
        pager: { kind: 'pagerduty', url: `${at}/pager`, routingKey: 'env:PAGER_KEY', allowPrivate: true },
      },
      ...more,
    };
  };
  house = await startHouse(document);
  writeFileSync(join(dirname(house.configPath), 'playbooks-vendor-off.yaml'), playbook);
  house.configure(
    document(house.simulator, { statusPage: { title: 'Acme AI', url: `${house.url}/status` } }),
  );
  await house.server.reload();
  traffic = flow();
});
afterAll(async () => {
  sending = false;
  await traffic;
  await house.stop();
  await receiver.stop(true);
  await feed.stop(true);
});

test('before: the shipped playbook is on the shelf, and everything works', async () => {
  expect(itemsOf(await call('playbooks'))).toMatchObject([{ name: 'vendor-off', source: 'file' }]);
  expect(playbook).not.toMatch(/\b(?:15|5)m\b/);
  expect(await page('/status')).toContain('Everything is working normally');
  await eventually(async () => ((await records('')).length >= 40 ? true : null), 'traffic flows');
}, 90_000);

let id = '';
let asking: Json;

test('two versions fail: gates act, and one incident says which', async () => {
  for (const model of sick)
    house.simulator.setFault({
      id: model,
      provider: 'anthropic',
      model,
      rate: sickRate,
      fault: { kind: 'preset', preset: 'overloaded' },
    });
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
    () => JSON.stringify(slack).match(/"(http[^"]+\/approve\/[^"]+)"/)?.[1],
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
  expect((await ask('search')).headers.get('x-breakwater-target')).toBe('openai/gpt-5.2');
  expect((await ask('contract')).status).toBe(428);
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
  expect(slack.length).toBeGreaterThan(2);
  expect(pager.find((each) => each['dedup_key'] === id)).toMatchObject({ event_action: 'trigger' });
  expect(unreadable).toEqual([]);
}, 90_000);

test('the provider announces late, and is linked with our lead', async () => {
  announcements = [
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
  house.simulator.clearFaults();
  announcements = announcements.map((each) => ({ ...each, status: 'resolved', resolved_at: now() }));
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
    expect((await ask(feature)).headers.get('x-breakwater-target')).toBe(route[0] ?? '');
  const story = await eventually(async () => {
    const html = await page(`/status/incidents/${id}`);
    return html.includes('ormal routing resumed') ? html : null;
  }, 'the page says since when routing is normal');
  for (const { title } of Object.values(features)) expect(story).toContain(title);
  await eventually(() => toldOf('incident.resolved'), 'the channels are told of the end');
  await eventually(
    () => pager.find((each) => each['dedup_key'] === id && each['event_action'] === 'resolve'),
    'the pager is told of the end',
  );
  expect(unreadable).toEqual([]);
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
  const all = await records('');
  const hit = all.filter(({ incidents: met }) => (met as readonly unknown[]).includes(id));
  expect((await records(`&incident=${id}`)).map(({ id: each }) => each)).toEqual(
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
}, 60_000);
