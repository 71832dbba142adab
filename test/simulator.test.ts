/** The simulated providers: what they answer through the vendors' own SDKs, and what they refuse. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

import type { Simulator } from '../src/simulator/simulator.ts';
import {
  anthropic,
  drain,
  hear,
  local,
  openai,
  posterTo,
  refusalOf,
  spoken,
  startTestSimulator,
} from './simulator-fixture.ts';
import type { Json, Post, Spoken } from './simulator-fixture.ts';

let simulator: Simulator;
let post: Post;

beforeAll(async () => {
  simulator = await startTestSimulator();
  post = posterTo(simulator);
});

afterAll(() => simulator.stop());

beforeEach(() => simulator.forgetCalls());

const refused = async (how: Spoken, body: Json, headers: Record<string, string> = {}): Promise<string> =>
  refusalOf(await post(how, body, headers));

const sayIt = (words: string): Json => ({ messages: [{ role: 'user', content: `say exactly: ${words}` }] });

describe.each(spoken)('answers of $id', (how) => {
  test('the same request gets the same answer, whole and in a stream', async () => {
    const first = await (await post(how, {})).text();
    expect(await (await post(how, {})).text()).toBe(first);
    const heard = hear((await drain(await post(how, { stream: true }))).text);
    expect(heard).toMatchObject({ terminal: true, error: false });
    expect(first).toContain(heard.said.slice(0, 20));
    expect(heard.said).toMatch(/[^\u0000-\u007f]/);
  });

  test('it says what it is told, with the system prompt in sight', async () => {
    expect(hear((await drain(await post(how, { ...sayIt('é 🌊 ok'), stream: true }))).text).said).toBe(
      'é 🌊 ok',
    );
    const system = 'You answer in haiku, always.';
    const body =
      how.id === 'a'
        ? { system }
        : {
            messages: [
              { role: 'system', content: system },
              { role: 'user', content: 'Hello' },
            ],
          };
    expect(await (await post(how, body)).text()).toContain('[system: You answer in haiku,]');
  });

  test('it ends for length where it is told to', async () => {
    const heard = hear((await drain(await post(how, { max_tokens: 3, stream: true }))).text);
    expect(heard.finish).toBe(how.id === 'a' ? 'max_tokens' : 'length');
    expect([...heard.said].length).toBe(12);
  });
});

const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' }, note: { type: 'string' } },
  required: ['city', 'days'],
  additionalProperties: false,
};
const user = (content: unknown): Json => ({ role: 'user', content });
const functionTool = (name: string): OpenAI.ChatCompletionTool => ({
  type: 'function',
  function: { name, parameters: schema },
});
const claudeTool = (name: string): Anthropic.Tool => ({
  name,
  input_schema: schema as Anthropic.Tool.InputSchema,
});

describe('through the official SDK of Anthropic', () => {
  const client = (): Anthropic =>
    new Anthropic({ apiKey: 'key-a', baseURL: simulator.baseUrl('a'), maxRetries: 0 });
  const model = 'claude-opus-5-5';

  test('a message whole and streamed are the same message', async () => {
    const ask = { model, max_tokens: 200, messages: [{ role: 'user' as const, content: 'Hello' }] };
    const whole = await client().messages.create(ask);
    const streamed = await client().messages.stream(ask).finalMessage();
    expect<unknown>(streamed.content).toEqual(whole.content);
    expect(streamed.stop_reason).toBe('end_turn');
    expect(streamed.usage.output_tokens).toBe(whole.usage.output_tokens);
    expect(whole._request_id).toStartWith('req_sim_a_');
  });

  test('two tools at once, their results, and the text that quotes them', async () => {
    const ask = {
      model,
      max_tokens: 300,
      thinking: { type: 'adaptive' as const },
      tools: [claudeTool('weather'), claudeTool('news')],
    };
    const question = { role: 'user' as const, content: 'use tools weather and news' };
    const calling = await client()
      .messages.stream({ ...ask, messages: [question] })
      .finalMessage();
    const calls = calling.content.filter((block) => block.type === 'tool_use');
    expect(calling.content[0]!.type).toBe('thinking');
    expect(calling.stop_reason).toBe('tool_use');
    expect(calls.map(({ name, input }) => ({ name, input }))).toEqual([
      { name: 'weather', input: { city: 'Rome', days: 7 } },
      { name: 'news', input: { city: 'Rome', days: 7 } },
    ]);
    const results = calls.map((call, index) => ({
      type: 'tool_result' as const,
      tool_use_id: call.id,
      content: `result ${index} é`,
    }));
    const history = [
      question,
      { role: 'assistant' as const, content: calling.content },
      { role: 'user' as const, content: results },
    ];
    const said = await client().messages.create({ ...ask, messages: history });
    expect(said.content.at(-1)).toMatchObject({ text: 'The tool said: result 0 é; result 1 é' });
    const forged = { type: 'thinking' as const, thinking: 'Let me think', signature: 'EqForged==' };
    const messages = [
      question,
      { role: 'assistant', content: [forged, ...calling.content.slice(1)] },
      history[2],
    ];
    expect(await refused(anthropic, { ...ask, messages })).toBe(
      '400 messages.1.content.0: Invalid `signature` in `thinking` block',
    );
  });

  test('structured output fits its schema, and an image is seen', async () => {
    const said = await client().messages.create({
      model,
      max_tokens: 300,
      output_config: { format: { type: 'json_schema', schema } },
      messages: [{ role: 'user', content: 'Where to?' }],
    });
    const [block] = said.content;
    expect(JSON.parse(block?.type === 'text' ? block.text : '')).toEqual({ city: 'Rome', days: 7 });
    const source = { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' };
    const seen = await post(anthropic, {
      messages: [
        user([
          { type: 'image', source },
          { type: 'text', text: 'this?' },
        ]),
      ],
    });
    expect(await seen.text()).toContain('I see 1 image.');
  });

  test('models and the count of tokens', async () => {
    const ids: string[] = [];
    for await (const each of client().models.list()) ids.push(each.id);
    expect(ids).toEqual(['claude-opus-5-5', 'claude-sonnet-4-5']);
    const ask = { model, messages: [{ role: 'user' as const, content: 'Hello' }] };
    const counted = await client().messages.countTokens(ask);
    const said = await client().messages.create({ ...ask, max_tokens: 20 });
    expect(counted.input_tokens).toBe(said.usage.input_tokens);
  });
});

describe('through the official SDK of OpenAI', () => {
  const client = (id = 'o'): OpenAI =>
    new OpenAI({ apiKey: 'key-o', baseURL: simulator.baseUrl(id), maxRetries: 0 });
  const model = 'gpt-5.2';

  test('a completion whole and streamed are the same completion', async () => {
    const ask = { model, messages: [{ role: 'user' as const, content: 'Hello' }] };
    const whole = await client().chat.completions.create(ask);
    const streamed = await client()
      .chat.completions.stream({ ...ask, stream_options: { include_usage: true } })
      .finalChatCompletion();
    expect(streamed.choices[0]!.message.content).toBe(whole.choices[0]!.message.content);
    expect(streamed.choices[0]!.finish_reason).toBe('stop');
    expect(streamed.usage).toEqual(whole.usage!);
    expect(whole._request_id).toStartWith('req_sim_o_');
    const { prompt_tokens: asked, completion_tokens: answered, total_tokens: total } = whole.usage!;
    expect(asked + answered).toBe(total);
  });

  test('two tools at once, their results, and the text that quotes them', async () => {
    const ask = { model, tools: [functionTool('weather'), functionTool('news')] };
    const question = { role: 'user' as const, content: 'use tools weather and news' };
    const { choices } = await client()
      .chat.completions.stream({ ...ask, messages: [question] })
      .finalChatCompletion();
    const { message, finish_reason: finish } = choices[0]!;
    expect(finish).toBe('tool_calls');
    const calls = message.tool_calls!.flatMap((call) => (call.type === 'function' ? [call] : []));
    expect(calls.map(({ function: { name, arguments: text } }) => [name, JSON.parse(text)])).toEqual([
      ['weather', { city: 'Rome', days: 7 }],
      ['news', { city: 'Rome', days: 7 }],
    ]);
    const results = calls.map((call, index) => ({
      role: 'tool' as const,
      tool_call_id: call.id,
      content: `result ${index}`,
    }));
    const assistant = { role: 'assistant' as const, content: null, tool_calls: calls };
    const said = await client().chat.completions.create({
      ...ask,
      messages: [question, assistant, ...results],
    });
    expect(said.choices[0]!.message.content).toBe('The tool said: result 0; result 1');
  });

  test('structured output fits its schema', async () => {
    const strict = { ...schema, required: ['city', 'days', 'note'] };
    const said = await client().chat.completions.create({
      model,
      response_format: { type: 'json_schema', json_schema: { name: 'trip', strict: true, schema: strict } },
      messages: [{ role: 'user', content: 'Where to?' }],
    });
    const trip: unknown = JSON.parse(said.choices[0]!.message.content ?? '');
    expect(trip).toEqual({ city: 'Rome', days: 7, note: 'Rome' });
  });

  test('a compatible server shows its reasoning and takes fields it does not know', async () => {
    const answer = await post(local, { reasoning_effort: 'low', think: true, num_ctx: 4096 });
    expect(await answer.json()).toMatchObject({
      choices: [{ message: { reasoning_content: expect.stringContaining('Let me think') } }],
    });
    const ids: string[] = [];
    for await (const each of client('local').models.list()) ids.push(each.id);
    expect(ids).toEqual(['llama3.2:3b']);
  });
});

const call = (id: string): Json => ({ type: 'tool_use', id, name: 'w', input: {} });
const result = (id: string): Json => ({ type: 'tool_result', tool_use_id: id, content: 'x' });
const newest = { 'anthropic-version': '2026-10-21' };

describe('what Anthropic refuses', () => {
  const cases: readonly (readonly [string, Json, string, Record<string, string>?])[] = [
    ['an unknown field', { frequency_penalty: 1 }, 'frequency_penalty: Extra inputs are not permitted'],
    [
      'a field of another vendor in a message',
      { messages: [{ ...user('x'), name: 'M' }] },
      'messages.0.name: Extra inputs',
    ],
    ['no max_tokens', { max_tokens: undefined }, 'max_tokens: Field required'],
    ['no known version', {}, 'is not a valid version', { 'anthropic-version': '2024-01-01' }],
    ['sampling in the newest version', { temperature: 1 }, 'temperature: Extra inputs', newest],
    [
      'free sampling of a newer model',
      { model: 'claude-opus-5-5', temperature: 0.2 },
      'may only be set to 1',
    ],
    [
      'an unknown beta',
      {},
      'Unexpected value(s) `my-beta`',
      { 'anthropic-beta': 'tools-2024-05-16,my-beta' },
    ],
    ['an empty text block', { messages: [user([{ type: 'text', text: '' }])] }, 'must be non-empty'],
    [
      'an assistant first',
      { messages: [{ role: 'assistant', content: 'x' }] },
      'first message must use the "user" role',
    ],
    [
      'a tool id of another alphabet',
      { messages: [user('x'), { role: 'assistant', content: [call('a:b')] }] },
      'tool_use.id: String should match',
    ],
    [
      'a call without its result',
      { messages: [user('x'), { role: 'assistant', content: [call('a'), call('b')] }, user([result('a')])] },
      'without `tool_result` blocks immediately after: b',
    ],
    [
      'a result without its call',
      { messages: [user('x'), { role: 'assistant', content: 'y' }, user([result('a')])] },
      'unexpected `tool_use_id`',
    ],
    [
      'a prefill of a newer model',
      { model: 'claude-opus-5-5', messages: [user('x'), { role: 'assistant', content: '{' }] },
      'does not support assistant message prefill',
    ],
    [
      'a small budget of thinking',
      { thinking: { type: 'enabled', budget_tokens: 100 } },
      'greater than or equal to 1024',
    ],
    [
      'an open schema',
      { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } },
      "'additionalProperties' must be explicitly set to false",
    ],
    ['a tool choice without tools', { tool_choice: { type: 'any' } }, 'while providing tools'],
  ];
  test.each(cases)('%s', async (_name, body, words, headers = {}) => {
    const said = await refused(anthropic, body, headers);
    expect(said).toStartWith('400 ');
    expect(said).toContain(words);
  });

  test('a key it does not know, and a model it does not have', async () => {
    expect(await refused(anthropic, {}, { authorization: 'Bearer other' })).toBe('401 invalid x-api-key');
    expect(await refused(anthropic, { model: 'claude-9' })).toBe('404 model: claude-9');
  });

  test('no version at all', async () => {
    const headers = { authorization: 'Bearer key-a' };
    const body = JSON.stringify({ model: anthropic.model, max_tokens: 9, messages: [user('x')] });
    const answer = await fetch(`${simulator.baseUrl('a')}/v1/messages`, { method: 'POST', headers, body });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('anthropic-version: header is required');
  });

  test('but it takes x-api-key, known betas, merged roles and old prefills', async () => {
    const headers = { authorization: '', 'x-api-key': 'key-a', 'anthropic-beta': 'context-1m-2025-08-07' };
    const messages = [user('one'), user('two'), { role: 'assistant', content: 'It is' }];
    expect((await post(anthropic, { messages, temperature: 0.3 }, headers)).status).toBe(200);
    expect(simulator.calls('a').at(-1)).toMatchObject({ key: 'key-a', ending: 'completed' });
  });
});

const spokenCall = { id: 'c1', type: 'function', function: { name: 'w', arguments: '{}' } };
const asking = { role: 'assistant', content: null, tool_calls: [spokenCall, { ...spokenCall, id: 'c2' }] };
const told = (id: string): Json => ({ role: 'tool', tool_call_id: id, content: 'x' });

describe('what OpenAI refuses', () => {
  const cases: readonly (readonly [string, Json, string])[] = [
    ['an unknown field', { top_k: 3 }, 'Unrecognized request argument supplied: top_k'],
    [
      'a field of another vendor in a message',
      { messages: [{ ...user('x'), reasoning_content: 'y' }] },
      "Additional properties are not allowed ('reasoning_content' was unexpected) - 'messages.0'",
    ],
    [
      'a field of another vendor in a part',
      { messages: [user([{ type: 'text', text: 'x', cache_control: {} }])] },
      "Additional properties are not allowed ('cache_control' was unexpected) - 'messages.0.content.0'",
    ],
    [
      'max_tokens of a reasoning model',
      { model: 'gpt-5.2', max_tokens: 9 },
      "'max_tokens' is not supported with this model",
    ],
    ['stops of a reasoning model', { model: 'gpt-5.2', stop: ['x'] }, "'stop' is not supported"],
    [
      'stream options without a stream',
      { stream_options: { include_usage: true } },
      "only allowed when 'stream' is enabled",
    ],
    [
      'a call without its result',
      { messages: [user('x'), asking, told('c1')] },
      'did not have response messages: c2',
    ],
    [
      'a result without its call',
      { messages: [user('x'), told('c9')] },
      "messages with role 'tool' must be a response",
    ],
    [
      'null content that calls nothing',
      { messages: [user('x'), { role: 'assistant', content: null }] },
      'expected a string, got null',
    ],
    ['a long tool name', { tools: [functionTool('n'.repeat(65))] }, 'maximum length 64'],
    ['a tool name with a dot', { tools: [functionTool('a.b')] }, 'does not match pattern'],
    [
      'an open schema called strict',
      {
        tools: [{ type: 'function', function: { name: 'w', strict: true, parameters: { type: 'object' } } }],
      },
      "'additionalProperties' is required",
    ],
    [
      'parallel calls without tools',
      { parallel_tool_calls: false },
      "only allowed when 'tools' are specified",
    ],
  ];
  test.each(cases)('%s', async (_name, body, words) => {
    const said = await refused(openai, body);
    expect(said).toStartWith('400 ');
    expect(said).toContain(words);
  });

  test('a key it does not know, and a model it does not have', async () => {
    expect(await refused(openai, {}, { authorization: 'Bearer other' })).toStartWith('401 Incorrect API key');
    expect(await refused(openai, { model: 'gpt-9' })).toStartWith('404 The model `gpt-9` does not exist');
  });

  test('a body that is no JSON', async () => {
    const headers = { authorization: 'Bearer key-o' };
    const url = `${simulator.baseUrl('o')}/chat/completions`;
    const answer = await fetch(url, { method: 'POST', headers, body: '{' });
    expect(answer.status).toBe(400);
    expect(simulator.calls('o').at(-1)).toMatchObject({ model: '', ending: 'refused' });
  });
});

test('one tool at a time, for those who ask for that', async () => {
  const messages = [user('use tools weather and news')];
  const choice = { type: 'auto', disable_parallel_tool_use: true };
  const claude = await post(anthropic, {
    messages,
    tools: [claudeTool('weather'), claudeTool('news')],
    tool_choice: choice,
  });
  const { content } = (await claude.json()) as { content: Json[] };
  expect(content.map((block) => block['name'])).toEqual(['weather']);
  const tools = [functionTool('weather'), functionTool('news')];
  const gpt = await post(openai, { messages, tools, parallel_tool_calls: false });
  const { choices } = (await gpt.json()) as OpenAI.ChatCompletion;
  expect(choices[0]!.message.tool_calls).toHaveLength(1);
});
