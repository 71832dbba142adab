/** Whole answers and the names of tools, given back in the dialect of the caller. */
import { describe, expect, test } from 'bun:test';

import { chat, fixtureText, messages, plainContext } from '../../test/dialect-fixture.ts';
import type { Answer, FinishReason } from './conversation.ts';
import type { JsonObject } from './dialect.ts';
import { callersToolName, toolNameFor } from './tool-names.ts';

describe('names of tools', () => {
  const long = `search_${'in_all_documents_of_the_company_'.repeat(4)}`;
  const other = `${long}x`;

  test('long or odd names are changed for the target, and restored for the caller', () => {
    const declared = new Set([long, other, 'files.read']);
    const shown = [...declared].map((name) => toolNameFor(name, 64));
    expect(new Set(shown).size).toBe(3);
    for (const name of shown) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(shown.map((name) => callersToolName(name, declared, 64))).toEqual([...declared]);
  });

  test('the caller sees its own name in whole answers and in streams, and the call is not held undeclared', () => {
    const context = { structuredOutput: false, toolNames: new Set([long]) };
    const shown = toolNameFor(long, 64);
    const answer = JSON.parse(fixtureText('openai-answer.json').replace('get_weather', shown)) as JsonObject;
    expect(chat.readAnswer(answer, context)?.toolCallInvalid).toBe(false);
    const encoded = messages.encodeAnswer(chat.decodeAnswer(answer, context), { createdSeconds: 1 });
    expect(encoded['content']).toContainEqual({
      type: 'tool_use',
      id: 'call_1',
      name: long,
      input: { city: 'Rome' },
    });
    const reader = chat.streamReader({ translate: true, request: context });
    const data = {
      choices: [
        { delta: { tool_calls: [{ index: 0, id: 'a', function: { name: shown, arguments: '{}' } }] } },
      ],
    };
    expect(reader.read(null, JSON.stringify(data)).events).toContainEqual({
      kind: 'tool_start',
      id: 'a',
      name: long,
    });
    expect(reader.facts().toolCallInvalid).toBe(false);
  });

  test('a call of a tool that was not declared is invalid', () => {
    const context = { structuredOutput: false, toolNames: new Set(['other']) };
    for (const [codec, name] of [
      [chat, 'openai-answer.json'],
      [messages, 'anthropic-answer.json'],
    ] as const)
      expect(codec.readAnswer(JSON.parse(fixtureText(name)), context)?.toolCallInvalid).toBe(true);
  });
});

describe('whole answers', () => {
  const usage = {
    inputTokens: 135,
    outputTokens: 90,
    cachedTokens: 100,
    cacheWriteTokens: 10,
    reasoningTokens: 60,
  };
  const options = { createdSeconds: 5 };

  test('facts', () => {
    const expected = {
      finish: 'tool_calls',
      usage,
      empty: false,
      toolCallInvalid: false,
      structuredOutputInvalid: false,
    };
    expect(chat.readAnswer(JSON.parse(fixtureText('openai-answer.json')), plainContext)).toMatchObject({
      ...expected,
      fingerprint: 'fp_1',
      finishRaw: 'tool_calls',
    });
    expect(messages.readAnswer(JSON.parse(fixtureText('anthropic-answer.json')), plainContext)).toMatchObject(
      { ...expected, finishRaw: 'tool_use' },
    );
    const broken = {
      content: [{ type: 'tool_use', id: 't', name: 'f', input: '{}' }],
      stop_reason: 'tool_use',
    };
    expect(messages.readAnswer(broken, plainContext)?.toolCallInvalid).toBe(true);
    for (const odd of [null, [], 'x', {}, { choices: [] }, { content: 'x' }]) {
      expect(chat.readAnswer(odd, plainContext)).toBeNull();
      expect(messages.readAnswer(odd, plainContext)).toBeNull();
    }
  });

  test('a message for a caller of chat completions', () => {
    const answer = messages.decodeAnswer(
      JSON.parse(fixtureText('anthropic-answer.json')) as JsonObject,
      plainContext,
    );
    expect(chat.encodeAnswer(answer, options)).toEqual({
      id: 'chatcmpl-01',
      object: 'chat.completion',
      created: 5,
      model: 'claude-opus-4-8',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Hi',
            refusal: null,
            reasoning_content: 'Two cities',
            tool_calls: [
              {
                id: 'toolu_01',
                type: 'function',
                function: { name: 'get_weather', arguments: '{"city":"Rome"}' },
              },
            ],
          },
          logprobs: null,
          finish_reason: 'tool_calls',
        },
      ],
      usage: {
        prompt_tokens: 135,
        completion_tokens: 90,
        total_tokens: 225,
        prompt_tokens_details: { cached_tokens: 100, cache_write_tokens: 10 },
        completion_tokens_details: { reasoning_tokens: 60 },
      },
    });
  });

  test('a chat completion for a caller of messages', () => {
    const answer = chat.decodeAnswer(
      JSON.parse(fixtureText('openai-answer.json')) as JsonObject,
      plainContext,
    );
    expect(messages.encodeAnswer(answer, options)).toEqual({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'gpt-5.2-2026-02-01',
      content: [
        { type: 'text', text: 'Hi' },
        { type: 'tool_use', id: 'call_1', name: 'get_weather', input: { city: 'Rome' } },
      ],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: {
        input_tokens: 25,
        cache_creation_input_tokens: 10,
        cache_read_input_tokens: 100,
        output_tokens: 90,
        output_tokens_details: { thinking_tokens: 60 },
      },
    });
  });

  test.each<[FinishReason, string, string]>([
    ['stop', 'stop', 'end_turn'],
    ['stop_sequence', 'stop', 'stop_sequence'],
    ['length', 'length', 'max_tokens'],
    ['tool_calls', 'tool_calls', 'tool_use'],
    ['refusal', 'content_filter', 'refusal'],
    ['pause', 'stop', 'pause_turn'],
    ['other', 'stop', 'end_turn'],
  ])('finish %s is %s and %s', (finish, inChat, inMessages) => {
    const answer: Answer = {
      id: 'x',
      model: 'm',
      parts: [{ kind: 'text', text: 'a' }],
      finish,
      stopSequence: null,
      usage,
    };
    expect(chat.encodeAnswer(answer, options)).toMatchObject({ choices: [{ finish_reason: inChat }] });
    expect(messages.encodeAnswer(answer, options)).toMatchObject({ stop_reason: inMessages });
  });

  test('a refusal is a refusal on both sides', () => {
    const refused = {
      choices: [{ message: { role: 'assistant', content: null, refusal: 'No.' }, finish_reason: 'stop' }],
    };
    expect(chat.readAnswer(refused, plainContext)).toMatchObject({
      finish: 'refusal',
      finishRaw: 'stop',
      empty: false,
    });
    expect(messages.encodeAnswer(chat.decodeAnswer(refused, plainContext), options)).toMatchObject({
      stop_reason: 'refusal',
      content: [{ type: 'text', text: 'No.' }],
    });
    const explained = {
      content: [],
      stop_reason: 'refusal',
      stop_details: { type: 'refusal', explanation: 'No.' },
    };
    expect(messages.readAnswer(explained, plainContext)).toMatchObject({ finish: 'refusal', empty: false });
    expect(chat.encodeAnswer(messages.decodeAnswer(explained, plainContext), options)).toMatchObject({
      choices: [{ finish_reason: 'stop', message: { content: null, refusal: 'No.' } }],
    });
  });
});
