/** The simulated providers: what they answer, also through the vendors' own SDKs. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

import type { Simulator } from '../src/simulator/simulator.ts';
import {
  anthropic,
  claudeTool,
  drain,
  functionTool,
  hear,
  local,
  openai,
  posterTo,
  refusalOf,
  schema,
  spoken,
  startTestSimulator,
  user,
} from './simulator-fixture.ts';
import type { Json, Post } from './simulator-fixture.ts';

let simulator: Simulator;
let post: Post;

beforeAll(async () => {
  simulator = await startTestSimulator();
  post = posterTo(simulator);
});

afterAll(() => simulator.stop());

beforeEach(() => simulator.forgetCalls());

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
    expect(await refusalOf(await post(anthropic, { ...ask, messages }))).toBe(
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
