/** What every refusal says of itself, in each dialect: the contract's headers, the code, the shape. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';

import { adminToken, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.stop());

type Spoken = {
  readonly dialect: string;
  readonly path: (model: string) => string;
  readonly body: (model: string) => Json;
  readonly code: (error: Json) => unknown;
};

const says = [{ role: 'user', content: 'x' }];
const inner = (error: Json): Json => error['error'] as Json;

const spoken: readonly Spoken[] = [
  {
    dialect: 'openai-chat',
    path: () => '/v1/chat/completions',
    body: (model) => ({ model, messages: says }),
    code: (error) => inner(error)['code'],
  },
  {
    dialect: 'openai-responses',
    path: () => '/v1/responses',
    body: (model) => ({ model, input: 'x' }),
    code: (error) => inner(error)['code'],
  },
  {
    dialect: 'anthropic-messages',
    path: () => '/v1/messages',
    body: (model) => ({ model, max_tokens: 5, messages: says }),
    code: (error) => (inner(error)['details'] as Json)['error_code'],
  },
  {
    dialect: 'gemini',
    path: (model) => `/v1beta/models/${model}:generateContent`,
    body: () => ({ contents: [{ role: 'user', parts: [{ text: 'x' }] }] }),
    code: (error) => (inner(error)['details'] as Json[])[0]?.['code'],
  },
];

type Refusal = {
  readonly name: string;
  readonly model: string;
  readonly headers?: Record<string, string>;
  readonly text?: string;
  readonly told: { readonly status: number; readonly code: string; readonly feature: string };
};

const refusals: readonly Refusal[] = [
  {
    name: 'an unknown model',
    model: 'nobody',
    told: { status: 404, code: 'unknown_model', feature: 'default' },
  },
  {
    name: 'a model that the feature does not offer',
    model: 'gpt-4o',
    headers: { 'x-breakwater-feature': 'notes' },
    told: { status: 400, code: 'model_not_allowed', feature: 'notes' },
  },
  {
    name: 'a header that is not understood',
    model: 'notes',
    headers: { 'x-breakwater-fallback': 'perhaps' },
    told: { status: 400, code: 'invalid_request', feature: 'notes' },
  },
  {
    name: 'a feature that does not exist',
    model: 'gpt-5.2',
    headers: { 'x-breakwater-feature': 'nothing' },
    told: { status: 400, code: 'invalid_request', feature: 'default' },
  },
  {
    name: 'a body that is not JSON',
    model: 'notes',
    headers: { 'x-breakwater-feature': 'notes' },
    text: '{',
    told: { status: 400, code: 'invalid_request', feature: 'notes' },
  },
];

describe.each(spoken)('$dialect', (how) => {
  test.each(refusals)('$name', async ({ model, headers = {}, text, told }) => {
    const response = await fetch(`${house.url}${how.path(model)}`, {
      method: 'POST',
      headers,
      body: text ?? JSON.stringify(how.body(model)),
    });
    const header = (name: string): string | null => response.headers.get(`x-breakwater-${name}`);
    expect(response.status).toBe(told.status);
    expect(how.code((await response.json()) as Json)).toBe(told.code);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(header('request-id')).toStartWith('req_');
    expect([header('feature'), header('attempts'), header('boundary')]).toEqual([told.feature, '0', 'none']);
    expect(header('policy')).toBe(house.server.engine.state.snapshot.hash);
    const isReadable = text === undefined || how.dialect === 'gemini';
    expect(header('requested')).toBe(isReadable ? model : null);
  });
});

test('another method is refused, and the right one is named', async () => {
  for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
    const response = await fetch(`${house.url}/v1/messages`, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  }
  const posted = await fetch(`${house.url}/v1/models`, { method: 'POST' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

/** What comes back when a client writes just this. */
function written(text: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let answer = '';
  void Bun.connect({
    hostname: '127.0.0.1',
    port: Number(new URL(house.url).port),
    socket: {
      open: (socket) => void socket.write(text),
      data: (_socket, bytes) => void (answer += bytes.toString()),
      close: () => resolve(answer),
    },
  });
  return promise;
}

test.each([
  ['/v1/models', 'x-api-key: any'],
  ['/v1beta/models?pageSize=1', 'x-goog-api-key: any'],
  ['/status/banner?feature=notes', 'accept: */*'],
  ['/admin/v1/state', `authorization: Bearer ${adminToken}`],
])('%s of HTTP/1.0 without a host is answered', async (path, header) => {
  expect(await written(`GET ${path} HTTP/1.0\r\n${header}\r\n\r\n`)).toStartWith('HTTP/1.1 200');
});
