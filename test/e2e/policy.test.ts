/** Data classes, limits of keys and of targets, as a caller meets them. */
import { afterEach, beforeEach, expect, test } from 'bun:test';

import { LeapingTime, simulated, simulatedGoogle, startHouse, until, withGoogle } from '../harness.ts';
import type { House, Json } from '../harness.ts';

let house: House;
let time: LeapingTime;
const terms = (entity: string, changes: Json = {}): Json => ({
  entity,
  regions: ['us'],
  retention: '30d',
  training: 'no',
  ...changes,
});

beforeEach(async () => {
  time = new LeapingTime();
  house = await startHouse(
    (simulator) => {
      const base = withGoogle(simulator)['providers'] as Record<string, Json>;
      return {
        providers: {
          ...base,
          openai: { ...base['openai'], terms: terms('OpenAI', { expires: '2020-01-01' }) },
        },
        dataClasses: {
          internal: { training: 'no' },
          short: { training: 'no', retention: '7d' },
          restricted: { training: 'no', retention: 'none', regions: ['eu'] },
        },
        dataRules: [{ match: { tenant: 'clinic' }, dataClass: 'restricted' }],
        features: {
          notes: {
            title: 'Notes',
            route: [
              'anthropic/claude-opus-4-8',
              'openai/gpt-5.2',
              'aws/claude-opus-4-8',
              'local/llama-3.2-3b',
            ],
            dataClass: 'internal',
          },
          pictures: { route: ['google/gemini-2.5-flash'], dataClass: 'internal' },
          'open-pictures': { route: ['google/gemini-2.5-flash'] },
        },
      };
    },
    [...simulated, simulatedGoogle],
    time,
  );
});
afterEach(() => house.stop());

type Answer = { readonly status: number; readonly body: Json; readonly headers: Headers };

async function ask(headers: Record<string, string> = {}, changes: Json = {}): Promise<Answer> {
  const response = await fetch(`${house.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      model: 'notes',
      max_tokens: 50,
      messages: [{ role: 'user', content: 'Hello' }],
      ...changes,
    }),
  });
  return { status: response.status, body: (await response.json()) as Json, headers: response.headers };
}

const codeOf = ({ body }: Answer): unknown => (body['breakwater'] as Json | undefined)?.['code'];
const recordOf = (answer: Answer): Promise<Json> =>
  house.record(answer.headers.get('x-breakwater-request-id') ?? '');

async function keyWith(terms_: Json): Promise<string> {
  const { body } = await house.admin('POST', 'keys', { name: 'a', ...terms_ });
  return String(body['secret']);
}

test('the strictest class wins, and a caller can only raise it', async () => {
  const strict = await ask({ 'x-breakwater-data-class': 'restricted' });
  expect(strict.headers.get('x-breakwater-target')).toBe('local/llama-3.2-3b');
  expect(await recordOf(strict)).toMatchObject({ data_class: 'restricted', data_class_source: 'header' });
  const shorter = await ask({ 'x-breakwater-data-class': 'short' });
  expect(shorter.headers.get('x-breakwater-target')).toBe('aws/claude-opus-4-8');
  expect(await recordOf(await ask())).toMatchObject({ data_class: 'internal', data_class_source: 'feature' });
  const unknown = await ask({ 'x-breakwater-data-class': 'secret' });
  expect([unknown.status, codeOf(unknown)]).toEqual([403, 'data_policy_denied']);
});

test('terms that have expired count as worst: such a target gets nothing, also as a backup', async () => {
  house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'preset', preset: 'overloaded' } });
  const answer = await ask();
  expect(answer.headers.get('x-breakwater-target')).toBe('aws/claude-opus-4-8');
  expect(house.asked('openai')).toHaveLength(0);
  const record = await recordOf(answer);
  expect(record['boundary']).toEqual(['entity']);
  expect((record['attempts'] as Json[]).map(({ boundary }) => boundary)).toEqual([
    ...(record['attempts'] as Json[]).slice(1).map(() => []),
    ['entity'],
  ]);
});

test('a rule of the configuration classes data whatever the caller says', async () => {
  const secret = await keyWith({ tenant: 'clinic' });
  const answer = await ask({ 'x-api-key': secret, 'x-breakwater-data-class': 'internal' });
  expect(answer.headers.get('x-breakwater-target')).toBe('local/llama-3.2-3b');
  expect(await recordOf(answer)).toMatchObject({ data_class: 'restricted', data_class_source: 'rule' });
});

test('a key sends nothing above its highest class', async () => {
  const secret = await keyWith({ data_class_max: 'internal' });
  expect((await ask({ 'x-api-key': secret })).status).toBe(200);
  const before = house.simulator.calls().length;
  const refused = await ask({ 'x-api-key': secret, 'x-breakwater-data-class': 'restricted' });
  expect([refused.status, codeOf(refused)]).toEqual([403, 'forbidden']);
  expect(house.asked()).toHaveLength(before);
  expect(await recordOf(refused)).toMatchObject({ outcome: 'refused', told: 'refused' });
});

test('a refusal by policy is counted as the policy at work', async () => {
  await ask({ 'x-breakwater-data-class': 'secret' });
  await house.server.engine.records.flush();
  const metrics = await (await fetch(`${house.url}/metrics`)).text();
  expect(metrics).toContain('breakwater_policy_refusals_total{feature="notes",code="data_policy_denied"} 1');
  expect(metrics).not.toMatch(/breakwater_requests_total\{[^}]*outcome="failed"/);
});

test('a switch and a question may mean a key by its name', async () => {
  const named = await keyWith({ name: 'mobile' });
  const other = await keyWith({ name: 'desktop' });
  const scope = { key: 'mobile', provider: 'anthropic' };
  const made = await house.admin('POST', 'switches', { scope, reason: 'it asks too much of them' });
  expect(made.status).toBe(201);
  const target = async (secret: string): Promise<string | null> =>
    (await ask({ 'x-api-key': secret })).headers.get('x-breakwater-target');
  expect(await target(named)).toBe('aws/claude-opus-4-8');
  expect(await target(other)).toBe('anthropic/claude-opus-4-8');
  const { body } = await house.admin('POST', 'explain', { feature: 'notes', key: 'mobile' });
  expect((body['candidates'] as Json[])[0]).toMatchObject({ reason: 'switched_off' });
});

test('a budget that is used up is still used up after a restart', async () => {
  const secret = await keyWith({ budget: '0.000001usd/month' });
  expect((await ask({ 'x-api-key': secret })).status).toBe(200);
  house = await house.restart();
  const stopped = await ask({ 'x-api-key': secret });
  expect([stopped.status, codeOf(stopped)]).toEqual([429, 'budget_exhausted']);
});

test('a budget that is used up stops the next request', async () => {
  const secret = await keyWith({ budget: '0.000001usd/day' });
  expect((await ask({ 'x-api-key': secret })).status).toBe(200);
  const stopped = await ask({ 'x-api-key': secret });
  expect([stopped.status, codeOf(stopped)]).toEqual([429, 'budget_exhausted']);
  expect(stopped.headers.get('x-should-retry')).toBe('false');
  expect(Number(stopped.headers.get('retry-after'))).toBeGreaterThan(0);
  const other = await keyWith({ budget: '50usd/month' });
  expect((await ask({ 'x-api-key': other })).status).toBe(200);
});

test('a budget is spent by streams too, whether or not their tokens are counted', async () => {
  const stream = async (secret: string, more: Json = {}): Promise<number> => {
    const response = await fetch(`${house.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}` },
      body: JSON.stringify({
        model: 'openai/gpt-5.2',
        stream: true,
        messages: [{ role: 'user', content: 'Hello' }],
        ...more,
      }),
    });
    await response.text();
    return response.status;
  };
  const uncounted = await keyWith({ budget: '0.000001usd/day' });
  expect(await stream(uncounted)).toBe(200);
  expect(await stream(uncounted)).toBe(429);
  const counted = await keyWith({ budget: '0.000001usd/day' });
  expect(await stream(counted, { stream_options: { include_usage: true } })).toBe(200);
  expect(await stream(counted)).toBe(429);
});

test('a count of tokens is charged to nobody: it is no use of them', async () => {
  const secret = await keyWith({ budget: '0.000001usd/day' });
  const count = (): Promise<Response> =>
    fetch(`${house.url}/v1/messages/count_tokens`, {
      method: 'POST',
      headers: { 'x-api-key': secret },
      body: JSON.stringify({ model: 'notes', messages: [{ role: 'user', content: 'How many?' }] }),
    });
  const counted = await count();
  expect(((await counted.json()) as Json)['input_tokens']).toBeGreaterThan(0);
  const record = await house.record(counted.headers.get('x-breakwater-request-id') ?? '');
  const [attempt] = record['attempts'] as Json[];
  expect(attempt).toMatchObject({ outcome: 'ok', input_tokens: null, cost_usd: null });
  expect((await count()).status).toBe(200);
});

test.each([[['audio']], [{ audio: true, tools: false }]])(
  'explain takes what a request needs as %j',
  async (needs) => {
    const { status, body } = await house.admin('POST', 'explain', { feature: 'notes', needs });
    const spoken = (body['candidates'] as Json[]).map(({ reason, rule }) => [reason, rule]);
    expect(status).toBe(200);
    expect(spoken).toContainEqual(['lacks_capability', 'audio']);
  },
);

test('explain names every rule that spoke', async () => {
  const { body } = await house.admin('POST', 'explain', { feature: 'notes', data_class: 'restricted' });
  const [first] = body['candidates'] as readonly { rules: readonly Json[] }[];
  expect(first?.rules.map(({ rule }) => rule)).toEqual([
    'data_policy',
    'switches',
    'key_permissions',
    'capability',
    'context',
    'consent',
    'gates',
  ]);
  expect(first?.rules[0]).toMatchObject({ says: 'excludes', reason: 'data_policy' });
  expect(body).toMatchObject({ decision: 'route', plan: ['local/llama-3.2-3b'] });
});

test('pictures by address are not fetched for classified data: unknown hosts count as worst', async () => {
  const content = [{ type: 'image', source: { type: 'url', url: 'http://127.0.0.1:9/x.png' } }];
  const messages = [{ role: 'user', content }];
  const excludedFrom = async (model: string): Promise<unknown> => {
    const { status, body } = await ask({}, { model, messages });
    const { excluded } = body['breakwater'] as { excluded: readonly Json[] };
    return [status, excluded[0]?.['reason']];
  };
  expect(await excludedFrom('pictures')).toEqual([503, 'data_policy']);
  expect(await excludedFrom('open-pictures')).toEqual([503, 'lacks_capability']);
});

test('a target that cannot stream is left out of a stream, and a backup is not asked for more than it can give', async () => {
  await house.stop();
  house = await startHouse(
    (simulator) => {
      const base = withGoogle(simulator)['providers'] as Record<string, Json>;
      return {
        providers: {
          ...base,
          anthropic: {
            ...base['anthropic'],
            models: { 'claude-opus-4-8': { streaming: 'no' } },
          },
          aws: { ...base['aws'], models: { 'claude-opus-4-8': { context: 100_000, output: 64 } } },
        },
        features: { notes: { route: ['anthropic/claude-opus-4-8', 'aws/claude-opus-4-8'] } },
      };
    },
    [...simulated, simulatedGoogle],
  );
  const whole = await ask();
  expect(whole.headers.get('x-breakwater-target')).toBe('anthropic/claude-opus-4-8');
  const streamed = await fetch(`${house.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'notes',
      stream: true,
      max_tokens: 500,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  });
  await streamed.text();
  expect(streamed.headers.get('x-breakwater-target')).toBe('aws/claude-opus-4-8');
  expect(streamed.headers.get('x-breakwater-fallback')).toBe('lacks_capability');
  expect(streamed.headers.get('x-breakwater-warnings')).toBe('max_tokens');
  expect(house.simulator.calls('aws')[0]?.body).toMatchObject({ max_tokens: 64 });
});

test('one deadline bounds all attempts of a request together', async () => {
  house.simulator.setFault({ fault: { kind: 'hang', where: 'headers' } });
  const answering = ask({ 'x-breakwater-timeout-ms': '9000' });
  await until(() => house.asked().length === 1, 'the first is asked');
  time.leap(9_000);
  const late = await answering;
  expect(late.status).toBe(504);
  const { attempts } = await recordOf(late);
  // Running out of the caller's own time is nobody's failure, and no further target is asked after it.
  expect((attempts as readonly Json[]).at(-1)).toMatchObject({ failure: 'deadline_exceeded' });
});
