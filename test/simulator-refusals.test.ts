/** What the simulated providers refuse, each in the words of its vendor. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';

import type { Simulator } from '../src/simulator/simulator.ts';
import {
  anthropic,
  functionTool,
  openai,
  posterTo,
  refusalOf,
  startTestSimulator,
  user,
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
