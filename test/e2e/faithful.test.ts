/** Within one dialect the caller's own bytes, headers and query reach the target; credentials of the caller never do. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';

import Anthropic from 'anthropic-previous';

import { startHouse } from '../harness.ts';
import type { House } from '../harness.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.stop());
beforeEach(() => house.simulator.forgetCalls());

test('same dialect is byte-faithful: unknown fields, beta headers, both versions, only model and credentials change', async () => {
  const text =
    '{ "model":"notes",  "max_tokens": 10, "messages":[{"role":"user","content":"caf\\u00e9 🌊"}], "metadata":{"user_id":"{\\"a\\":1}"}, "stop_sequences" : [ ] }';
  for (const [version, auth] of [
    ['2023-06-01', { 'x-api-key': 'whatever' }],
    ['2026-10-21', { authorization: 'Bearer whatever' }],
  ] as const) {
    const response = await fetch(`${house.url}/v1/messages?beta=true`, {
      method: 'POST',
      headers: {
        'anthropic-version': version,
        'anthropic-beta': 'new-thing-2026-11-01',
        'content-type': 'application/json',
        ...auth,
      },
      body: text,
    });
    expect(response.status).toBe(200);
    const call = house.simulator.calls('anthropic').at(-1)!;
    expect(call.text).toBe(text.replace('"notes"', '"claude-opus-4-8"'));
    expect(call.headers.get('anthropic-version')).toBe(version);
    expect(call.headers.get('anthropic-beta')).toBe('new-thing-2026-11-01');
    expect(call.query).toBe('beta=true');
    expect(call.key).toBe('key-a');
    expect(call.headers.get('authorization')).toBeNull();
  }
});

test('the beta calls of an SDK that marks them in the query reach the provider so', async () => {
  const client = new Anthropic({ baseURL: house.url, apiKey: 'any' });
  const made = await client.beta.messages.create({
    model: 'notes',
    max_tokens: 10,
    messages: [{ role: 'user', content: 'x' }],
  });
  expect(made.model).toBe('claude-opus-4-8');
  expect(house.simulator.calls('anthropic').map(({ query }) => query)).toEqual(['beta=true']);
});

test('no key, version or form of the answer can be set by the query, and another dialect has no use for it', async () => {
  const ask = async (model: string, query: string): Promise<void> => {
    const answer = await fetch(`${house.url}/v1/chat/completions?${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'x' }] }),
    });
    expect(answer.status).toBe(200);
    await answer.text();
  };
  await ask('chat', 'key=stolen&a=%20b&api-version=1&access_token=t');
  expect(house.simulator.calls('openai').map(({ query }) => query)).toEqual(['a=%20b']);
  await ask('alone', 'a=1');
  expect(house.simulator.calls('anthropic').map(({ query }) => query)).toEqual(['']);
});

test('what a caller turns on by header is named where another dialect has no place for it', async () => {
  const ask = async (model: string): Promise<string | null> => {
    const answer = await fetch(`${house.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'anthropic-beta': 'new-thing-2026-11-01' },
      body: JSON.stringify({ model, max_tokens: 10, messages: [{ role: 'user', content: 'x' }] }),
    });
    expect(answer.status).toBe(200);
    return answer.headers.get('x-breakwater-warnings');
  };
  expect(await ask('chat')).toBe('anthropic-beta');
  expect(await ask('notes')).toBeNull();
});
