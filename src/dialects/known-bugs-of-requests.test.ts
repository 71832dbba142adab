/** Ways in which gateways are known to have broken requests. The numbers are those of our list of them. */
import { describe, expect, test } from 'bun:test';

import {
  chat,
  claudeTraits,
  fixtureText,
  messages,
  plainContext,
  translated,
} from '../../test/dialect-fixture.ts';
import type { JsonObject } from './dialect.ts';
import { chatBody, claudeBody } from '../../test/translation-fixture.ts';

describe('requests', () => {
  const calling = (id: string): JsonObject => ({
    role: 'assistant',
    content: '',
    tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
  });

  test('bug 29: pictures in a tool result follow in a user message after all results', () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBO' } };
    const body = chatBody({
      messages: [
        { role: 'user', content: 'look' },
        {
          role: 'assistant',
          content: [
            { type: 'tool_use', id: 'a', name: 'f', input: {} },
            { type: 'tool_use', id: 'b', name: 'f', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'a', content: [image] },
            { type: 'tool_result', tool_use_id: 'b', content: 'none', is_error: true },
            { type: 'text', text: 'well?' },
          ],
        },
      ],
    });
    expect((body['messages'] as JsonObject[]).slice(2)).toEqual([
      { role: 'tool', tool_call_id: 'a', content: 'The result follows in the next user message.' },
      { role: 'tool', tool_call_id: 'b', content: 'Error: none' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Result of the tool call a:' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBO' } },
          { type: 'text', text: 'well?' },
        ],
      },
    ]);
  });

  test('bugs 30, 32: calls and results stay paired, results first, with ids changed on both sides alike', () => {
    const body = claudeBody({
      messages: [
        { role: 'user', content: 'q' },
        calling('call:1|x'),
        { role: 'tool', tool_call_id: 'call:1|x', content: 'r' },
        { role: 'user', content: 'and?' },
      ],
    });
    const [, assistant, user] = body['messages'] as { content: JsonObject[] }[];
    const id = assistant!.content[0]!['id'];
    expect(id).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(user!.content.map((block) => block['type'])).toEqual(['tool_result', 'text']);
    expect(user!.content[0]!['tool_use_id']).toBe(id);
  });

  test('bug 30: results come first even when the user spoke before them', () => {
    const body = claudeBody({
      messages: [
        { role: 'user', content: 'q' },
        calling('a'),
        { role: 'user', content: 'hurry' },
        { role: 'tool', tool_call_id: 'a', content: 'r' },
      ],
    });
    const turns = body['messages'] as { content: JsonObject[] }[];
    expect(turns[2]!.content.map((block) => block['type'])).toEqual(['tool_result', 'text']);
  });

  test('bug 30: ids that a server uses again in each turn are made unique, each result with its own call', () => {
    const turn = [calling('0'), { role: 'tool', tool_call_id: '0', content: 'r' }];
    const body = claudeBody({ messages: [{ role: 'user', content: 'q' }, ...turn, ...turn] });
    const blocks = (body['messages'] as { content: JsonObject[] }[]).flatMap((message) => message.content);
    const ids = blocks.map((block) => block['id'] ?? block['tool_use_id']).filter((id) => id !== undefined);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).toBe(ids[3]);
    expect(ids[0]).not.toBe(ids[2]);
  });

  test.each([
    'claude-opus-4-7',
    'claude-opus-4-8-20260601',
    'claude-sonnet-5',
    'claude-fable-5-1',
    'claude-next',
  ])('bug 39: %s gets no sampling parameters', (upstream) => {
    const sampling = { messages: [{ role: 'user', content: 'q' }], temperature: 0.2, top_p: 0.5, top_k: 3 };
    const conversation = chat.decodeRequest({ model: 'x', ...sampling });
    if ('kind' in conversation) throw new Error(conversation.message);
    const encoded = messages.encodeRequest(conversation, { ...claudeTraits, upstream });
    expect(encoded).toMatchObject({ kind: 'encoded', warnings: ['top_k', 'temperature', 'top_p'] });
    const { body } = encoded as { body: JsonObject };
    expect([body['temperature'], body['top_p'], body['top_k']]).toEqual([undefined, undefined, undefined]);
  });

  test('bug 40: blank text beside tool calls is left out', () => {
    const body = claudeBody({
      messages: [
        { role: 'user', content: 'q' },
        { ...calling('a'), content: ' \n' },
        { role: 'tool', tool_call_id: 'a', content: '' },
      ],
    });
    const [, assistant, user] = body['messages'] as { content: JsonObject[] }[];
    expect(assistant!.content.map((block) => block['type'])).toEqual(['tool_use']);
    expect(user!.content[0]!['content']).toEqual([]);
  });

  test('bug 41: allowed tools and parallel calls are carried', () => {
    const tool = (name: string): JsonObject => ({ type: 'function', function: { name } });
    const body = claudeBody({
      messages: [{ role: 'user', content: 'q' }],
      tools: [tool('f'), tool('g')],
      parallel_tool_calls: false,
      tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [tool('g')] } },
    });
    expect((body['tools'] as JsonObject[]).map((each) => each['name'])).toEqual(['g']);
    expect(body['tool_choice']).toEqual({ type: 'any', disable_parallel_tool_use: true });
  });

  test('bug 42: tools arrive in the form of the other dialect', () => {
    const schema = { type: 'object', properties: { city: { type: 'string' } } };
    const parameters = { name: 'get', description: 'gets', parameters: schema };
    const question = { messages: [{ role: 'user', content: 'q' }] };
    expect(claudeBody({ ...question, tools: [{ type: 'function', function: parameters }] })['tools']).toEqual(
      [{ name: 'get', description: 'gets', input_schema: schema }],
    );
    expect(
      chatBody({ ...question, tools: [{ name: 'get', description: 'gets', input_schema: schema }] })['tools'],
    ).toEqual([{ type: 'function', function: parameters }]);
  });

  test('bug 45: accounting in the system prompt does not travel', () => {
    const body = chatBody({
      system: [
        { type: 'text', text: 'x-anthropic-billing-header: cch=1;' },
        { type: 'text', text: 'Be kind.' },
      ],
      messages: [{ role: 'user', content: 'q' }],
    });
    expect(body['messages']).toEqual([
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'q' },
    ]);
  });

  test('bug 47: a token limit is invented where it must be, within what the model can give', () => {
    const question = { messages: [{ role: 'user', content: 'q' }] };
    expect(claudeBody(question)['max_tokens']).toBe(16_384);
    expect(claudeBody(question, { ...claudeTraits, outputTokens: 4_096 })['max_tokens']).toBe(4_096);
  });

  test('bug 47: a schema loses what the service refuses, and closes its objects', () => {
    const schema = {
      $schema: 'x',
      type: 'object',
      properties: { n: { type: 'integer', minimum: 1 }, of: { oneOf: [{ type: 'string', format: 'odd' }] } },
    };
    const body = claudeBody({
      messages: [{ role: 'user', content: 'q' }],
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema } },
    });
    expect(body['output_config']).toEqual({
      format: {
        type: 'json_schema',
        schema: {
          type: 'object',
          properties: { n: { type: 'integer' }, of: { anyOf: [{ type: 'string' }] } },
          additionalProperties: false,
        },
      },
    });
  });

  test('bug 48: citations are never null', () => {
    const answer = chat.decodeAnswer(
      JSON.parse(fixtureText('openai-answer.json')) as JsonObject,
      plainContext,
    );
    expect(JSON.stringify(messages.encodeAnswer(answer, { createdSeconds: 1 }))).not.toContain('citations');
    expect(translated(chat, messages, fixtureText('openai-tools.sse'))).not.toContain('citations');
  });
});
