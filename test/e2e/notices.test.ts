/** What a product and its user are told about a backup, and what is changed in a request before a backup gets it. */
import { afterEach, beforeEach, expect, test } from 'bun:test';

import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import * as ai from 'ai';

import { patience, simulated, simulatedGoogle, startHouse, withGoogle } from '../harness.ts';
import type { House, Json } from '../harness.ts';

let house: House;

// A gateway of its own for each case, so that none meets a gate that another closed.
beforeEach(async () => {
  house = await startHouse(
    (simulator) => {
      const base = withGoogle(simulator);
      return {
        ...base,
        features: {
          notes: {
            title: 'Meeting notes',
            route: ['anthropic/claude-opus-4-8', 'openai/gpt-4o', 'local/llama-3.2-3b'],
            fallback: { same_vendor: 'auto', other_vendor: 'notify', local: 'reduce' },
            timeouts: patience,
            adapt: {
              'openai/gpt-4o': {
                system: { append: 'Answer in the sections of {{feature}}.' },
                params: { temperature: 0.3 },
              },
              'local/llama-3.2-3b': {
                reduce: { maxOutputTokens: 40, tools: 'none', systemReplace: 'Five bullet points.' },
              },
            },
          },
          quiet: {
            title: 'Quiet',
            route: ['anthropic/claude-opus-4-8', 'aws/claude-opus-4-8', 'openai/gpt-4o'],
            timeouts: patience,
            adapt: { 'aws/claude-opus-4-8': { system: { prepend: 'From here on.' } } },
          },
        },
      };
    },
    [
      ...simulated.map((each) =>
        each.id === 'openai' ? { ...each, models: [...each.models, 'gpt-4o'] } : each,
      ),
      simulatedGoogle,
    ],
  );
});
afterEach(() => house.stop());
const down = (provider: string): void => {
  house.simulator.setFault({ provider, fault: { kind: 'preset', preset: 'overloaded' } });
};

const noticeIn = (response: Response): Json =>
  JSON.parse(response.headers.get('x-breakwater-notice') ?? 'null') as Json;

const asks: readonly (readonly [string, (stream: boolean, feature: string) => readonly [string, Json]])[] = [
  [
    'openai-chat',
    (stream, model) => [
      '/v1/chat/completions',
      { model, stream, messages: [{ role: 'user', content: 'Hi' }] },
    ],
  ],
  ['openai-responses', (stream, model) => ['/v1/responses', { model, stream, input: 'Hi' }]],
  [
    'anthropic-messages',
    (stream, model) => [
      '/v1/messages',
      { model, stream, max_tokens: 200, messages: [{ role: 'user', content: 'Hi' }] },
    ],
  ],
  [
    'gemini',
    (stream, model) => [
      `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
      { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
    ],
  ],
];

function ask(path: string, body: Json, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${house.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

test.each(asks)(
  '%s: notify puts a notice in the header, and inside the answer when asked',
  async (_name, make) => {
    down('anthropic');
    const plain = await ask(...make(false, 'notes'));
    expect(noticeIn(plain)).toMatchObject({
      kind: 'backup',
      target: 'openai/gpt-4o',
      company: 'OpenAI',
      hop: 'other_vendor',
      boundary: ['entity'],
    });
    expect(await plain.json()).not.toHaveProperty('breakwater');
    const record = await house.record(plain.headers.get('x-breakwater-request-id') ?? '');
    expect(record).toMatchObject({ told: 'notice', hop: 'other_vendor' });

    const whole = await ask(...make(false, 'notes'), { 'x-breakwater-notice': 'inband' });
    const { breakwater } = (await whole.json()) as { breakwater: { notice: Json } };
    expect(breakwater.notice['text']).toContain('is not available right now');

    const stream = await ask(...make(true, 'notes'), { 'x-breakwater-notice': 'inband' });
    const events = (await stream.text()).split(/\r?\n\r?\n/);
    const at = events.findIndex((event) => event.includes('"kind":"backup"'));
    expect(at).toBe(1);
  },
);

test('official clients read a stream with a notice in it, and find it where they look', async () => {
  down('anthropic');
  const headers = { 'x-breakwater-notice': 'inband' };
  const chat = house.openai.chat.completions.stream(
    { model: 'notes', messages: [{ role: 'user', content: 'Hi' }] },
    { headers },
  );
  const noticed: unknown[] = [];
  for await (const chunk of chat) if ('breakwater' in chunk) noticed.push(chunk['breakwater']);
  expect(noticed).toHaveLength(1);
  expect((await chat.finalChatCompletion()).choices[0]?.message.content).not.toBe('');
  const response = house.openai.responses.stream({ model: 'notes', input: 'Hi' }, { headers });
  expect((await response.finalResponse()).output_text).not.toBe('');
  const message = house.anthropic.messages.stream(
    { model: 'notes', max_tokens: 200, messages: [{ role: 'user', content: 'Hi' }] },
    { headers },
  );
  expect((await message.finalMessage()).content[0]?.type).toBe('text');
});

test('a framework that checks every event reads such a stream, in every dialect', async () => {
  down('anthropic');
  const apiKey = 'any';
  const models = [
    createOpenAI({ baseURL: `${house.url}/v1`, apiKey }).chat('notes'),
    createOpenAI({ baseURL: `${house.url}/v1`, apiKey }).responses('notes'),
    createAnthropic({ baseURL: `${house.url}/v1`, apiKey })('notes'),
    createGoogleGenerativeAI({ baseURL: `${house.url}/v1beta`, apiKey })('notes'),
  ];
  for (const model of models) {
    const headers = { 'x-breakwater-notice': 'inband' };
    const stream = ai.streamText({ model, headers, prompt: 'say exactly: a quiet harbour' });
    let text = '';
    for await (const part of stream.fullStream) {
      if (part.type === 'error') throw part.error;
      if (part.type === 'text-delta') text += part.text;
    }
    expect(text).toBe('a quiet harbour');
  }
});

test('with auto, headers say it and a notice comes only when asked for', async () => {
  down('anthropic');
  down('aws');
  const [path, body] = [
    '/v1/chat/completions',
    { model: 'quiet', messages: [{ role: 'user', content: 'Hi' }] },
  ];
  const plain = await ask(path, body);
  expect(plain.headers.get('x-breakwater-notice')).toBeNull();
  expect(plain.headers.get('x-breakwater-hop')).toBe('other_vendor');
  expect(await house.record(plain.headers.get('x-breakwater-request-id') ?? '')).toMatchObject({
    told: 'header',
  });
  const tightened = await ask(path, body, { 'x-breakwater-fallback': 'notify' });
  expect(noticeIn(tightened)).toMatchObject({ kind: 'backup' });
  const wrong = await ask(path, body, { 'x-breakwater-notice': 'loud' });
  expect(wrong.status).toBe(400);
});

test('a request that needs no backup has no notice', async () => {
  const answer = await ask('/v1/messages', {
    model: 'notes',
    max_tokens: 50,
    messages: [{ role: 'user', content: 'Hi' }],
  });
  expect(answer.headers.get('x-breakwater-notice')).toBeNull();
  expect(answer.headers.get('x-breakwater-warnings')).toBeNull();
});

test('the limited mode is limited, announced, and in the record', async () => {
  down('anthropic');
  down('openai');
  const answer = await ask('/v1/messages', {
    model: 'notes',
    max_tokens: 900,
    system: 'Write at length.',
    tools: [{ name: 'look', input_schema: { type: 'object' } }],
    messages: [{ role: 'user', content: 'Hi' }],
  });
  expect(noticeIn(answer)).toMatchObject({ kind: 'limited', target: 'local/llama-3.2-3b' });
  expect(answer.headers.get('x-breakwater-warnings')).toContain('limited_mode');
  const [call] = house.simulator.calls('local');
  expect(call?.body).toMatchObject({ max_tokens: 40 });
  expect(call?.body).not.toHaveProperty('tools');
  expect(JSON.stringify(call?.body['messages'])).toContain('Five bullet points.');
  expect(JSON.stringify(call?.body['messages'])).not.toContain('Write at length.');
  const record = await house.record(answer.headers.get('x-breakwater-request-id') ?? '');
  expect(record).toMatchObject({ told: 'notice', hop: 'local' });
  const done = new Map((record['attempts'] as Json[]).map(({ target, adapted }) => [target, adapted]));
  expect(Object.fromEntries(done)).toEqual({
    'anthropic/claude-opus-4-8': 'no',
    'openai/gpt-4o': 'adapted',
    'local/llama-3.2-3b': 'limited',
  });
});

test('a request is adapted across dialects and within one, and only for the target that says so', async () => {
  down('anthropic');
  const body = {
    model: 'notes',
    max_tokens: 100,
    system: 'Be kind.',
    messages: [{ role: 'user', content: 'Hi' }],
  };
  const translated = await ask('/v1/messages', body);
  expect(translated.headers.get('x-breakwater-warnings')).toContain('adapted');
  const [call] = house.simulator.calls('openai');
  expect(call?.body).toMatchObject({ temperature: 0.3 });
  expect(JSON.stringify(call?.body['messages'])).toContain('Answer in the sections of Meeting notes.');
  const same = await ask('/v1/messages', { ...body, model: 'quiet', metadata: { user_id: 'u' } });
  expect(same.headers.get('x-breakwater-target')).toBe('aws/claude-opus-4-8');
  const [changed] = house.simulator.calls('aws');
  expect(changed?.body).toMatchObject({
    model: 'claude-opus-4-8',
    system: 'From here on.\n\nBe kind.',
    metadata: { user_id: 'u' },
  });
  expect(house.simulator.calls('anthropic')[0]?.body).toMatchObject({ system: 'Be kind.' });
});
