import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
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
import type { AnswerEvent } from './conversation.ts';
import type { DialectCodec, JsonObject } from './dialect.ts';
import { readings } from './readings.ts';

const usage = {
  inputTokens: 135,
  outputTokens: 90,
  cachedTokens: 100,
  cacheWriteTokens: 10,
  reasoningTokens: 60,
};
const recorded: readonly (readonly [string, DialectCodec])[] = [
  ['anthropic-tools.sse', messages],
  ['anthropic-overloaded.sse', messages],
  ['openai-tools.sse', chat],
  ['compatible-thinking.sse', chat],
  ['azure-preamble.sse', chat],
];

describe('recorded streams', () => {
  test('messages with thinking and two calls: facts, meanings, neutral events', () => {
    const { meanings, events, reader } = play(messages, [fixture('anthropic-tools.sse')]);
    expect(reader.facts()).toEqual({
      model: 'claude-opus-4-8',
      fingerprint: null,
      finish: 'tool_calls',
      finishRaw: 'tool_use',
      usage,
      empty: false,
      toolCallInvalid: false,
      structuredOutputInvalid: false,
    });
    expect(meanings.slice(0, 4)).toEqual(['preamble', 'liveness', 'progress', 'content']);
    expect(meanings.at(-1)).toBe('terminal');
    expect(joinedEvents(events)).toEqual([
      {
        kind: 'start',
        id: 'msg_01AbC',
        model: 'claude-opus-4-8',
        usage: { ...usage, outputTokens: 1, reasoningTokens: 0 },
      },
      { kind: 'thinking_start' },
      { kind: 'thinking_delta', text: 'Two cities 🌍' },
      { kind: 'part_end', opaque: { issuer: 'anthropic-messages', value: { signature: 'EqQBCkYIB' } } },
      { kind: 'text_start' },
      { kind: 'text_delta', text: 'Schöne Frage — ich sehe nach.' },
      { kind: 'part_end', opaque: null },
      { kind: 'tool_start', id: 'toolu_01', name: 'get_weather' },
      { kind: 'tool_delta', json: '{"city": "Röma"}' },
      { kind: 'part_end', opaque: null },
      { kind: 'tool_start', id: 'toolu_02', name: 'get_time' },
      { kind: 'tool_delta', json: '{}' },
      { kind: 'part_end', opaque: null },
      { kind: 'finish', reason: 'tool_calls', stopSequence: null, usage },
    ]);
  });

  test('a chat completion with two calls: facts and neutral events', () => {
    const { meanings, events, reader } = play(chat, [fixture('openai-tools.sse')]);
    expect(reader.facts()).toMatchObject({
      model: 'gpt-5.2-2026-02-01',
      fingerprint: 'fp_1',
      finish: 'tool_calls',
      usage,
      empty: false,
      toolCallInvalid: false,
    });
    expect(meanings).toEqual([
      'preamble',
      ...Array.from({ length: 6 }, () => 'content' as const),
      'progress',
      'progress',
      'terminal',
    ]);
    expect(joinedEvents(events).map((event) => event.kind)).toEqual([
      'start',
      'text_start',
      'text_delta',
      'part_end',
      'tool_start',
      'tool_delta',
      'part_end',
      'tool_start',
      'tool_delta',
      'part_end',
      'finish',
    ]);
  });

  test('an Azure stream: the first chunk without choices is preamble, and the start has the real id', () => {
    const { meanings, events } = play(chat, [fixture('azure-preamble.sse')]);
    expect(meanings).toEqual(['preamble', 'preamble', 'content', 'progress', 'terminal']);
    expect(events[0]).toEqual({ kind: 'start', id: 'chatcmpl-Az', model: 'gpt-4o-2024-11-20', usage: null });
  });

  test.each(recorded)('%s: any cutting gives the same', (name, codec) => {
    const bytes = fixture(name);
    const whole = play(codec, [bytes]);
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(bytes.length), { maxLength: 20 }), (points) => {
        const sorted = [0, ...points.toSorted((a, b) => a - b), bytes.length];
        const chunks = sorted.slice(1).map((end, index) => bytes.slice(sorted[index], end));
        const cut = play(codec, chunks);
        expect(cut.meanings).toEqual(whole.meanings);
        expect(cut.events).toEqual(whole.events);
      }),
      { numRuns: 30 },
    );
  });

  test.each(recorded)('%s: cut off anywhere, it is never taken for whole', (name, codec) => {
    const text = fixtureText(name);
    const complete = play(codec, [fixture(name)]);
    const isWhole = complete.meanings.includes('terminal');
    const finishAt = Math.max(text.indexOf('"finish_reason":"'), text.indexOf('event: message_delta'));
    for (let end = 0; end < text.length - 1; end += 7) {
      const { reader, meanings } = playText(codec, text.slice(0, end));
      if (end < finishAt || !isWhole) {
        expect(reader.end()).toBe('truncated');
        expect(meanings).not.toContain('terminal');
      }
    }
  });

  test.each(recorded)('%s: without translation there are meanings only, the same ones', (name, codec) => {
    const { meanings, events } = play(codec, [fixture(name)], { translate: false });
    expect(meanings).toEqual(play(codec, [fixture(name)]).meanings);
    expect(events).toEqual([]);
  });
});

describe('reading without translation', () => {
  test('gives the same value for every delta: nothing is made per event', () => {
    const context = { structuredOutput: false, toolNames: new Set<string>() };
    const reader = chat.streamReader({ translate: false, request: context });
    const data =
      '{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}';
    expect(reader.read(null, data)).toBe(readings.content);
    expect(reader.read(null, data)).toBe(readings.content);
  });
});

describe('ends', () => {
  const chunk = (delta: JsonObject, finish: string | null = null): JsonObject => ({
    id: 'c',
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: finish }],
  });

  test('chat: [DONE] before a finish reason is truncated, after it terminal', () => {
    expect(playText(chat, streamOf(chat, [chunk({ content: 'a' }), '[DONE]'])).meanings.at(-1)).toBe(
      'truncated',
    );
    expect(playText(chat, streamOf(chat, [chunk({ content: 'a' }, 'stop'), '[DONE]'])).meanings.at(-1)).toBe(
      'terminal',
    );
    expect(playText(chat, streamOf(chat, ['[DONE]'])).meanings).toEqual(['truncated']);
  });

  test('chat: [DONE] after an error is not success', () => {
    const data = [chunk({ content: 'a' }, 'stop'), { error: { message: 'x', type: 't', code: 5 } }, '[DONE]'];
    expect(playText(chat, streamOf(chat, data)).meanings).toEqual(['content', 'error', 'truncated']);
  });

  test('chat: every choice must be finished', () => {
    const second = { id: 'c', model: 'm', choices: [{ index: 1, delta: { content: 'b' } }] };
    const { reader } = playText(chat, streamOf(chat, [chunk({ content: 'a' }, 'stop'), second]));
    expect(reader.end()).toBe('truncated');
  });

  test('chat: a finish reason without [DONE] is complete', () => {
    const { reader } = playText(chat, streamOf(chat, [chunk({ content: 'a' }, 'stop')]));
    expect(reader.end()).toBe('complete');
    expect(reader.missingTerminal()).toBe('data: [DONE]\n\n');
  });

  test('messages: a stop reason without message_stop is complete, message_stop without one truncated', () => {
    const text = fixtureText('anthropic-tools.sse');
    const unended = text.slice(0, text.indexOf('event: message_stop'));
    expect(playText(messages, unended).reader.end()).toBe('complete');
    const unreasoned = text.replace('"stop_reason":"tool_use"', '"stop_reason":null');
    expect(playText(messages, unreasoned).meanings.at(-1)).toBe('truncated');
  });

  test('empty answers are empty, unless the token limit or a refusal explains them', () => {
    const facts = (finish: string) =>
      playText(chat, streamOf(chat, [chunk({ role: 'assistant' }, finish)])).reader.facts();
    expect(facts('stop').empty).toBe(true);
    expect(facts('length').empty).toBe(false);
    expect(facts('content_filter').empty).toBe(false);
  });
});

describe('grammar of messages', () => {
  const start = { type: 'message_start', message: { id: 'm', model: 'c', usage: {} } };
  const open = (index: number, block: JsonObject): JsonObject => ({
    type: 'content_block_start',
    index,
    content_block: block,
  });
  const delta = (index: number, fields: JsonObject): JsonObject => ({
    type: 'content_block_delta',
    index,
    delta: fields,
  });
  const stop = (index: number): JsonObject => ({ type: 'content_block_stop', index });
  const text = (value: string): JsonObject => ({ type: 'text_delta', text: value });
  const end: readonly JsonObject[] = [
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ];
  const kinds = (data: readonly unknown[]) => playText(messages, streamOf(messages, data)).meanings;

  test('a broken event in the middle is malformed, and the rest completes', () => {
    const data = [
      start,
      open(0, { type: 'text', text: '' }),
      delta(0, text('a')),
      '{"type":"content_bl',
      delta(0, text('b')),
      stop(0),
      ...end,
    ];
    expect(kinds(data)).toEqual([
      'preamble',
      'progress',
      'content',
      'malformed',
      'content',
      'progress',
      'progress',
      'terminal',
    ]);
  });

  test('a lost block start makes the end truncated', () => {
    const data = [start, '{', delta(0, text('a')), stop(0), ...end];
    expect(kinds(data)).toEqual(['preamble', 'malformed', 'malformed', 'malformed', 'progress', 'truncated']);
  });

  test('a lost block stop loses nothing', () => {
    const data = [
      start,
      open(0, { type: 'text', text: '' }),
      delta(0, text('a')),
      open(1, { type: 'text', text: 'b' }),
      ...end,
    ];
    expect(kinds(data).at(-1)).toBe('terminal');
  });

  test('blocks and deltas that are not known are never malformed', () => {
    const data = [
      start,
      open(0, { type: 'hologram' }),
      delta(0, { type: 'photon_delta', light: 1 }),
      stop(0),
      { type: 'aurora' },
      ...end,
    ];
    expect(kinds(data)).toEqual([
      'preamble',
      'content',
      'progress',
      'progress',
      'unknown',
      'progress',
      'terminal',
    ]);
    expect(
      kinds([start, open(0, { type: 'text', text: '' }), delta(0, { type: 'photon_delta' })]).at(-1),
    ).toBe('progress');
  });

  test('a broken tool input is seen, and not held against an answer that the limit cut', () => {
    const call = [
      start,
      open(0, { type: 'tool_use', id: 't', name: 'f', input: {} }),
      delta(0, { type: 'input_json_delta', partial_json: '{"a":' }),
      stop(0),
    ];
    const facts = (reason: string) =>
      playText(
        messages,
        streamOf(messages, [...call, { type: 'message_delta', delta: { stop_reason: reason } }]),
      ).reader.facts();
    expect(facts('tool_use').toolCallInvalid).toBe(true);
    expect(facts('max_tokens').toolCallInvalid).toBe(false);
  });

  test('structured output is judged when it was asked for', () => {
    const data = (value: string) =>
      streamOf(messages, [
        start,
        open(0, { type: 'text', text: '' }),
        delta(0, text(value)),
        stop(0),
        ...end,
      ]);
    const context = { structuredOutput: true, toolNames: new Set<string>() };
    expect(playText(messages, data('{"a":1}'), context).reader.facts().structuredOutputInvalid).toBe(false);
    expect(playText(messages, data('Sure! {"a":1}'), context).reader.facts().structuredOutputInvalid).toBe(
      true,
    );
    expect(playText(messages, data('Sure!')).reader.facts().structuredOutputInvalid).toBe(false);
    const refused = data('I can not').replace('end_turn', 'refusal');
    expect(playText(messages, refused, context).reader.facts().structuredOutputInvalid).toBe(false);
  });
});

describe('writing and reading back', () => {
  const text = fc.string({ minLength: 1, maxLength: 10, unit: 'grapheme' });
  const part = fc.oneof(
    text.map((value): AnswerEvent[] => [{ kind: 'text_start' }, { kind: 'text_delta', text: value }]),
    fc
      .tuple(
        fc.integer({ min: 1, max: 1e9 }),
        fc.dictionary(fc.string({ maxLength: 4 }), fc.integer(), { maxKeys: 2 }),
      )
      .map(([id, input]): AnswerEvent[] => [
        { kind: 'tool_start', id: `call_${id}`, name: 'f' },
        { kind: 'tool_delta', json: JSON.stringify(input) },
      ]),
  );
  /** Texts next to each other are one text in a chat completion. */
  const parts = fc
    .uniqueArray(part, { maxLength: 5, selector: (events) => JSON.stringify(events[0]) })
    .map((list) => list.flatMap((events): AnswerEvent[] => [...events, { kind: 'part_end', opaque: null }]));

  test.each([chat, messages].map((codec) => [codec.name, codec] as const))(
    '%s: what is written is read back, and is whole',
    (_, codec) => {
      fc.assert(
        fc.property(parts, (given) => {
          const hasCall = given.some((event) => event.kind === 'tool_start');
          const prefix = codec.name === 'openai-chat' ? 'chatcmpl-' : 'msg_';
          const startUsage = codec.name === 'openai-chat' ? null : { ...usage, reasoningTokens: 0 };
          const events: AnswerEvent[] = [
            { kind: 'start', id: `${prefix}1`, model: 'm', usage: startUsage },
            ...given,
            { kind: 'finish', reason: hasCall ? 'tool_calls' : 'stop', stopSequence: null, usage },
          ];
          const writer = codec.streamWriter({ includeUsage: true, createdSeconds: 1 });
          const played = playText(codec, events.map((event) => writer.write(event)).join(''));
          expect(played.meanings.at(-1)).toBe('terminal');
          expect(played.meanings).not.toContain('malformed');
          expect(joinedEvents(played.events)).toEqual(events);
        }),
        { numRuns: 100 },
      );
    },
  );

  test('a chat completion streamed to a caller of messages keeps text, calls and usage', () => {
    const { events, meanings } = playText(
      messages,
      translated(chat, messages, fixtureText('openai-tools.sse')),
    );
    expect(meanings).not.toContain('malformed');
    expect(joinedEvents(events).slice(1)).toEqual(
      joinedEvents(play(chat, [fixture('openai-tools.sse')]).events).slice(1),
    );
  });

  test('a message streamed to a caller of chat completions keeps text, thinking, calls and usage', () => {
    const written = translated(messages, chat, fixtureText('anthropic-tools.sse'));
    expect(written).toContain('"tool_calls":[{"index":0,"id":"toolu_01"');
    expect(written).toContain('"tool_calls":[{"index":1,"id":"toolu_02"');
    const { events } = playText(chat, written);
    const unsigned = play(messages, [fixture('anthropic-tools.sse')]).events.map((event): AnswerEvent =>
      event.kind === 'part_end' ? { kind: 'part_end', opaque: null } : event,
    );
    expect(joinedEvents(events).slice(1)).toEqual(joinedEvents(unsigned).slice(1));
  });
});
