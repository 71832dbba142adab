/** Asking the user: offers, tokens and agreements, with the official clients and by hand. */
import { afterEach, beforeEach, expect, test } from 'bun:test';

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

import { startServer } from '../../src/app.ts';
import { readEnvironment } from '../../src/config.ts';
import { adminToken, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

let house: House;
beforeEach(async () => {
  house = await startHouse();
});
afterEach(() => house.stop());

type Answer = { readonly status: number; readonly body: Json; readonly headers: Headers };

async function ask(headers: Record<string, string> = {}, url = house.url): Promise<Answer> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'contract', messages: [{ role: 'user', content: 'Hello' }] }),
  });
  return { status: response.status, body: (await response.json()) as Json, headers: response.headers };
}

const breakwaterOf = ({ body }: Answer): Json => body['breakwater'] as Json;
const offersOf = (answer: Answer): readonly Json[] => breakwaterOf(answer)['offers'] as readonly Json[];
const tokenOf = (answer: Answer): string => String(offersOf(answer)[0]?.['token']);
const recordOf = (answer: Answer): Promise<Json> =>
  house.record(answer.headers.get('x-breakwater-request-id') ?? '');
const taking = (token: string, headers: Record<string, string> = {}): Record<string, string> => ({
  ...headers,
  'x-breakwater-consent': token,
});

async function switchOff(): Promise<string> {
  const { body } = await house.admin('POST', 'switches', {
    scope: { provider: 'anthropic' },
    effect: 'off',
    reason: 'test',
    failure_class: 'availability',
  });
  return String(body['id']);
}

test('an offer names target, company, region, retention and hop; the token goes there and nowhere else', async () => {
  await switchOff();
  const asked = await ask();
  expect(asked.status).toBe(428);
  expect(asked.headers.get('x-should-retry')).toBe('false');
  expect(offersOf(asked)).toEqual([
    {
      target: 'openai/gpt-5.2',
      company: 'OpenAI',
      region: 'us',
      retention: '30d',
      hop: 'other_vendor',
      token: expect.stringMatching(/^cns_[\w.-]+$/),
    },
  ]);
  expect(house.asked()).toHaveLength(0);
  expect(await recordOf(asked)).toMatchObject({ outcome: 'refused', told: 'asked', consent: 'none' });

  const answered = await ask(taking(tokenOf(asked)));
  expect(answered.status).toBe(200);
  expect(answered.headers.get('x-breakwater-target')).toBe('openai/gpt-5.2');
  expect(await recordOf(answered)).toMatchObject({
    consent: 'token',
    consent_offered_in: asked.headers.get('x-breakwater-request-id'),
    outcome: 'answered',
    served: 'openai/gpt-5.2',
  });
  expect((await ask()).status).toBe(428);
});

test('neither official client tries again by itself', async () => {
  await switchOff();
  const openai = new OpenAI({ apiKey: 'any', baseURL: `${house.url}/v1` });
  const anthropic = new Anthropic({ apiKey: 'any', baseURL: house.url });
  const messages = [{ role: 'user' as const, content: 'Hello' }];
  const chat = await openai.chat.completions.create({ model: 'contract', messages }).then(
    () => null,
    (error: unknown) => error,
  );
  expect(chat).toMatchObject({ status: 428, code: 'fallback_consent_required' });
  const response = await openai.responses.create({ model: 'contract', input: 'Hello' }).then(
    () => null,
    (error: unknown) => error,
  );
  expect(response).toMatchObject({ status: 428 });
  const message = await anthropic.messages.create({ model: 'contract', max_tokens: 50, messages }).then(
    () => null,
    (error: unknown) => error,
  );
  expect(message).toMatchObject({ status: 428 });
  const { body } = await house.admin('GET', 'requests?feature=contract');
  await house.server.engine.records.flush();
  const after = await house.admin('GET', 'requests?feature=contract');
  expect(body['items']).toBeArray();
  expect(after.body['items'] as Json[]).toHaveLength(3);

  const { offers } = (message as { error: { breakwater: { offers: Json[] } } }).error.breakwater;
  const taken = await anthropic.messages.create(
    { model: 'contract', max_tokens: 50, messages },
    { headers: taking(String(offers[0]?.['token'])) },
  );
  expect(taken.content[0]?.type).toBe('text');
});

test('a token is refused when it is forged, moved, used or expired, each with its word, and nothing is sent', async () => {
  await switchOff();
  const token = tokenOf(await ask({ 'x-breakwater-user': 'u1' }));
  const forged = `${token.slice(0, -4)}${token.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
  const refusals: readonly (readonly [string, Record<string, string>])[] = [
    ['forged', taking(forged, u1)],
    ['forged', taking('cns_anything', u1)],
    ['moved', taking(token, { 'x-breakwater-user': 'u2' })],
    ['moved', taking(token)],
    ['session_missing', taking(`${token}; scope=session`, u1)],
  ];
  for (const [word, headers] of refusals) {
    const refused = await ask(headers);
    expect([refused.status, breakwaterOf(refused)['consent']]).toEqual([400, word]);
    expect(refused.headers.get('x-should-retry')).toBe('false');
    expect(await recordOf(refused)).toMatchObject({ outcome: 'refused', told: 'refused', attempts: [] });
  }
  expect(house.asked()).toHaveLength(0);
  expect((await ask(taking(token, u1))).status).toBe(200);
  const replayed = await ask(taking(token, u1));
  expect([replayed.status, breakwaterOf(replayed)['consent']]).toEqual([400, 'used']);
  expect(house.asked()).toHaveLength(1);
});

test.each([
  ['cns_a; scope=forever', 400],
  ['cns_a; minutes=5', 400],
  ['cns_a; scope=session; minutes=0', 400],
  ['cns_a; scope=session; scope=incident', 400],
  ['two words', 400],
])('%p is not understood', async (value, status) => {
  const refused = await ask(taking(value));
  expect([refused.status, refused.body['error']]).toMatchObject([status, { code: 'invalid_request' }]);
});

test('a failure does not use the token up, and two requests cannot share it', async () => {
  await switchOff();
  const token = tokenOf(await ask());
  house.simulator.setFault({
    provider: 'openai',
    times: 1,
    fault: { kind: 'preset', preset: 'request_rejected' },
  });
  expect((await ask(taking(token))).status).toBe(400);
  house.simulator.setFault({ provider: 'openai', fault: { kind: 'delay', beforeHeadersMs: 150 } });
  const both = await Promise.all([ask(taking(token)), ask(taking(token))]);
  expect(both.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 400]);
});

test('an offer runs out', async () => {
  await house.stop();
  house = await startHouse({ consent: { expires: '1ms' } });
  await switchOff();
  const token = tokenOf(await ask());
  await Bun.sleep(5);
  expect(breakwaterOf(await ask(taking(token)))['consent']).toBe('expired');
});

test('what the user agreed to must still be what is offered', async () => {
  await switchOff();
  const token = tokenOf(await ask());
  const text = await Bun.file(house.configPath).text();
  await Bun.write(house.configPath, text.replace('"OpenAI"', '"Another Company"'));
  await house.server.reload();
  expect(breakwaterOf(await ask(taking(token)))['consent']).toBe('changed');
});

test('for a session: no further question there, and none of it elsewhere', async () => {
  await switchOff();
  const here = { 'x-breakwater-session': 's1', 'x-breakwater-user': 'u1' };
  const token = tokenOf(await ask(here));
  expect((await ask(taking(`${token}; scope=session; minutes=30`, here))).status).toBe(200);
  const next = await ask(here);
  expect(next.status).toBe(200);
  expect(await recordOf(next)).toMatchObject({ consent: 'session', served: 'openai/gpt-5.2' });
  expect((await ask({ ...here, 'x-breakwater-session': 's2' })).status).toBe(428);
  expect((await ask({ ...here, 'x-breakwater-user': 'u2' })).status).toBe(428);
  expect((await ask({ ...here, 'x-breakwater-fallback': 'never' })).status).toBe(503);
});

const u1 = { 'x-breakwater-user': 'u1' };

async function agreeUntilTheIncidentEnds(): Promise<void> {
  const token = tokenOf(await ask(u1));
  expect((await ask(taking(`${token}; scope=incident`, u1))).status).toBe(200);
}

async function openIncident(): Promise<string> {
  const { body } = await house.admin('POST', 'incidents', {
    failure_class: 'availability',
    models: ['claude-opus-4-8'],
    text: 'Requests to Opus fail.',
  });
  return String(body['id']);
}

const release = (id: string): Promise<unknown> =>
  house.admin('POST', `switches/${id}/release`, { reason: 'over', ramp: false });

/** The usual model answers for a while, and is out again. */
async function comeAndGo(off: string): Promise<void> {
  await release(off);
  expect((await ask(u1)).headers.get('x-breakwater-target')).toBe('anthropic/claude-opus-4-8');
  await switchOff();
}

test('an agreement until the incident ends outlives a return and a restart, and ends with the incident', async () => {
  const incident = await openIncident();
  const off = await switchOff();
  await agreeUntilTheIncidentEnds();
  await comeAndGo(off);
  expect(await recordOf(await ask(u1))).toMatchObject({ consent: 'incident', served: 'openai/gpt-5.2' });
  house = await house.restart();
  expect(await recordOf(await ask(u1))).toMatchObject({ consent: 'incident' });
  expect((await ask({ 'x-breakwater-user': 'u2' })).status).toBe(428);
  const { status } = await house.admin('POST', `incidents/${incident}/updates`, { state: 'resolved' });
  expect(status).toBeLessThan(300);
  expect((await ask(u1)).status).toBe(428);
  house = await house.restart();
  expect((await ask(u1)).status).toBe(428);
});

test('an agreement given before there was an incident follows the one that opens', async () => {
  const off = await switchOff();
  await agreeUntilTheIncidentEnds();
  const incident = await openIncident();
  await comeAndGo(off);
  expect(await recordOf(await ask(u1))).toMatchObject({ consent: 'incident' });
  await house.admin('POST', `incidents/${incident}/dismiss`, { reason: 'not an incident' });
  expect((await ask(u1)).status).toBe(428);
});

test('with no incident, it is over as soon as the usual model is back', async () => {
  const id = await switchOff();
  await agreeUntilTheIncidentEnds();
  expect(await recordOf(await ask(u1))).toMatchObject({ consent: 'incident' });
  await release(id);
  const normal = await ask(u1);
  expect(normal.headers.get('x-breakwater-target')).toBe('anthropic/claude-opus-4-8');
  expect(await recordOf(normal)).toMatchObject({ consent: 'none' });
  await switchOff();
  expect((await ask(u1)).status).toBe(428);
});

test('tokens, their use and agreements outlive a restart', async () => {
  await switchOff();
  const here = { 'x-breakwater-session': 's1' };
  const [open, used] = [tokenOf(await ask()), tokenOf(await ask(here))];
  expect((await ask(taking(`${used}; scope=session`, here))).status).toBe(200);
  await house.server.stop();
  const started = await startServer({
    configPath: house.configPath,
    listen: '127.0.0.1:0',
    store: `sqlite:${house.storePath}`,
    environment: readEnvironment({
      KEY_A: 'key-a',
      KEY_O: 'key-o',
      KEY_W: 'key-w',
      BREAKWATER_ADMIN_TOKEN: adminToken,
    }),
    write: () => {},
    show: () => {},
  });
  if (started.kind === 'failed') throw new Error(started.lines.join('\n'));
  const { url } = started.server;
  try {
    expect((await ask(here, url)).status).toBe(200);
    expect(breakwaterOf(await ask(taking(used, here), url))['consent']).toBe('used');
    expect((await ask(taking(open), url)).status).toBe(200);
  } finally {
    await started.server.stop();
  }
});
