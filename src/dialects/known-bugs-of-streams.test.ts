/** Ways in which gateways are known to have broken streams. The numbers are those of our list of them. */
import { describe, expect, test } from 'bun:test';

import {
  chat,
  fixture,
  fixtureText,
  joinedEvents,
  messages,
  play,
  playText,
  streamOf,
  translated,
} from '../../test/dialect-fixture.ts';
import type { JsonObject } from './dialect.ts';

const start = { type: 'message_start', message: { id: 'msg_1', model: 'c', usage: { input_tokens: 3 } } };
const chunk = (delta: JsonObject, finish: string | null = null, index = 0): JsonObject => ({
  id: 'chatcmpl-1',
  model: 'm',
  choices: [{ index, delta, finish_reason: finish }],
});

const call = (fields: JsonObject): JsonObject => chunk({ tool_calls: [fields] });

const finished = (reason = 'tool_calls'): readonly unknown[] => [chunk({}, reason), '[DONE]'];

/** Name and arguments of the calls in a chat completion stream. */
function callsIn(data: readonly unknown[]): readonly (readonly [string, string])[] {
  const calls: [string, string][] = [];
  for (const event of playText(chat, streamOf(chat, data)).events) {
    if (event.kind === 'tool_start') calls.push([event.name, '']);
    else if (event.kind === 'tool_delta') calls.at(-1)![1] += event.json;
  }
  return calls;
}

describe('streams', () => {
  test('bug 1: a second message_start, and thinking inside a text block, are malformed and change nothing', () => {
    const data = [
      start,
      start,
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'no' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'yes' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: {} },
      { type: 'message_stop' },
    ];
    const { meanings, events } = playText(messages, streamOf(messages, data));
    expect(meanings).toEqual([
      'preamble',
      'malformed',
      'progress',
      'malformed',
      'content',
      'progress',
      'progress',
      'terminal',
    ]);
    expect(events.filter((event) => event.kind === 'text_delta')).toEqual([
      { kind: 'text_delta', text: 'yes' },
    ]);
    const written = translated(chat, messages, fixtureText('compatible-thinking.sse'));
    expect(written.match(/event: message_start/g)).toHaveLength(1);
    expect(playText(messages, written).meanings).not.toContain('malformed');
  });

  test.each(['reasoning_content', 'reasoning'])(
    'bug 2: chunks that hold only %s reach a caller of messages',
    (field) => {
      const data = [chunk({ [field]: 'Hm' }), chunk({ content: 'Ja' }), ...finished('stop')];
      const { events } = playText(messages, translated(chat, messages, streamOf(chat, data)));
      expect(events).toContainEqual({ kind: 'thinking_delta', text: 'Hm' });
    },
  );

  test('bug 3: the first piece of each part survives the change of parts', () => {
    const data = [
      chunk({ reasoning_content: 'a' }),
      chunk({ content: 'b' }),
      chunk({ refusal: 'c' }),
      ...finished('stop'),
    ];
    const written = translated(chat, messages, streamOf(chat, data));
    for (const piece of ['"thinking":"a"', '"text":"b"', '"text":"c"']) expect(written).toContain(piece);
  });

  test('bugs 4, 6: cached tokens are carried, and not counted as fresh input', () => {
    const written = translated(chat, messages, fixtureText('openai-tools.sse'));
    expect(written).toContain(
      '"input_tokens":25,"cache_creation_input_tokens":10,"cache_read_input_tokens":100',
    );
    const back = translated(messages, chat, fixtureText('anthropic-tools.sse'));
    expect(back).toContain('"prompt_tokens":135');
    expect(back).toContain('"cached_tokens":100');
  });

  test('bug 5: the start of a message already counts the cache', () => {
    const [event] = play(messages, [fixture('anthropic-tools.sse')]).events;
    expect(event).toMatchObject({ usage: { inputTokens: 135, cachedTokens: 100, cacheWriteTokens: 10 } });
  });

  test('bugs 7, 10, 13: an error event is an error, with or without its name, and never a stop reason', () => {
    const { meanings, reader } = play(messages, [fixture('anthropic-overloaded.sse')]);
    expect(meanings.at(-1)).toBe('error');
    expect(reader.end()).toBe('truncated');
    const nameless = fixtureText('anthropic-overloaded.sse').replace('event: error\n', '');
    expect(playText(messages, nameless).meanings.at(-1)).toBe('error');
    expect(playText(chat, 'event: error\ndata: overloaded\n\n').meanings).toEqual(['error']);
  });

  test('bug 11: the first chunk has the role', () => {
    const [first] = translated(messages, chat, fixtureText('anthropic-tools.sse')).split('\n\n');
    expect(first).toContain('"delta":{"role":"assistant","content":""');
  });

  test('bug 12: the usage chunk stands alone, after the finish, before [DONE]', () => {
    const chunks = translated(messages, chat, fixtureText('anthropic-tools.sse')).trim().split('\n\n');
    expect(chunks.at(-1)).toBe('data: [DONE]');
    expect(chunks.at(-2)).toContain('"choices":[],"usage":{"prompt_tokens":135');
    expect(chunks.at(-3)).toContain('"finish_reason":"tool_calls"');
    const quiet = chat.streamWriter({ includeUsage: false, createdSeconds: 1 });
    const end = quiet.write({ kind: 'finish', reason: 'stop', stopSequence: null, usage: null });
    expect(end).not.toContain('usage');
  });

  test('bug 14: a caller of messages always gets message_delta and message_stop', () => {
    const written = translated(chat, messages, fixtureText('azure-preamble.sse'));
    expect(written.match(/^event: .*$/gm)?.slice(-2)).toEqual([
      'event: message_delta',
      'event: message_stop',
    ]);
  });

  test('bugs 15, 20: [DONE] without a finish reason is truncated, after tool calls too', () => {
    const data = [call({ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }), '[DONE]'];
    expect(playText(chat, streamOf(chat, data)).meanings).toEqual(['content', 'truncated']);
  });

  test('bug 16: parallel calls that all have index 0 are told apart by id', () => {
    const data = [
      call({ index: 0, id: 'a', function: { name: 'f', arguments: '{"x":1}' } }),
      call({ index: 0, id: 'b', function: { name: 'g', arguments: '{"x":2}' } }),
      ...finished(),
    ];
    expect(callsIn(data)).toEqual([
      ['f', '{"x":1}'],
      ['g', '{"x":2}'],
    ]);
  });

  test('bug 17: calls of one name are not merged, with ids or without', () => {
    const ids = [
      call({ index: 0, id: 'a', function: { name: 'f', arguments: '{"x":1}' } }),
      call({ index: 1, id: 'b', function: { name: 'f', arguments: '{"x":2}' } }),
    ];
    const bare = [
      call({ function: { name: 'f', arguments: '{"x":1}' } }),
      call({ function: { name: 'f', arguments: '{"x":2}' } }),
    ];
    for (const data of [ids, bare])
      expect(callsIn([...data, ...finished()])).toEqual([
        ['f', '{"x":1}'],
        ['f', '{"x":2}'],
      ]);
  });

  test('bug 18: without indexes, pieces belong to the latest call, and repeated ids to their own', () => {
    const data = [
      call({ id: 'a', function: { name: 'f', arguments: '{"x"' } }),
      call({ function: { arguments: ':1}' } }),
      call({ id: 'b', function: { name: 'g', arguments: '{"y"' } }),
      call({ id: 'b', function: { name: 'g', arguments: ':2}' } }),
      ...finished(),
    ];
    expect(callsIn(data)).toEqual([
      ['f', '{"x":1}'],
      ['g', '{"y":2}'],
    ]);
  });

  test('interleaved calls come out one after the other', () => {
    const data = [
      call({ index: 0, id: 'a', function: { name: 'f', arguments: '' } }),
      call({ index: 1, id: 'b', function: { name: 'g', arguments: '{"y"' } }),
      call({ index: 0, function: { arguments: '{"x":1}' } }),
      call({ index: 1, function: { arguments: ':2}' } }),
      ...finished(),
    ];
    expect(callsIn(data)).toEqual([
      ['f', '{"x":1}'],
      ['g', '{"y":2}'],
    ]);
  });

  test('bug 19: stop after tool calls means tool calls', () => {
    const data = [call({ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }), ...finished('stop')];
    const { reader } = playText(chat, streamOf(chat, data));
    expect(reader.facts()).toMatchObject({ finish: 'tool_calls', finishRaw: 'stop' });
    expect(translated(chat, messages, streamOf(chat, data))).toContain('"stop_reason":"tool_use"');
  });

  test('bug 21: a call without arguments is kept, as an empty object', () => {
    expect(
      callsIn([call({ index: 0, id: 'a', function: { name: 'f', arguments: '' } }), ...finished()]),
    ).toEqual([['f', '{}']]);
    const facts = playText(
      chat,
      streamOf(chat, [call({ index: 0, id: 'a', function: { name: 'f', arguments: '' } }), ...finished()]),
    ).reader.facts();
    expect(facts.toolCallInvalid).toBe(false);
    const written = translated(messages, chat, fixtureText('anthropic-tools.sse'));
    expect(written).toContain('"arguments":"{}"');
  });

  test('bug 37: characters cut between chunks stay whole, in text and in arguments', () => {
    const bytes = fixture('openai-tools.sse');
    const { events } = play(
      chat,
      [...bytes].map((byte) => Uint8Array.of(byte)),
    );
    const said = joinedEvents(events);
    expect(said).toContainEqual({ kind: 'text_delta', text: 'Schöne Frage 🌍 — ich sehe nach.' });
    expect(said).toContainEqual({ kind: 'tool_delta', json: '{"city": "Röma"}' });
  });

  test('bug 46: with several choices each keeps its own finish', () => {
    const data = [chunk({ content: 'a' }), chunk({ content: 'b' }, null, 1), chunk({}, 'stop', 1)];
    expect(playText(chat, streamOf(chat, data)).reader.end()).toBe('truncated');
    expect(playText(chat, streamOf(chat, [...data, chunk({}, 'length')])).reader.facts().finish).toBe(
      'length',
    );
  });
});
