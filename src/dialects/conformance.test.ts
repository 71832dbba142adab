import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';

import type { Conversation, Message, Part } from './conversation.ts';
import type { CallerError, DialectCodec, JsonObject, ModelTraits } from './dialect.ts';
import { readJsonObject, replaceTopLevel } from './json-text.ts';
import { codecFor } from './registry.ts';
import { createSseParser } from './sse.ts';

const codecs: readonly DialectCodec[] = [
  codecFor('openai-chat'),
  codecFor('openai-responses'),
  codecFor('anthropic-messages'),
  codecFor('gemini'),
];
const traits: Record<string, ModelTraits> = {
  'openai-chat': {
    upstream: 'gpt-4o',
    vendor: 'openai',
    family: 'gpt-4o',
    outputTokens: 16_000,
    compatible: false,
    thinking: false,
  },
  'openai-responses': {
    upstream: 'gpt-4o',
    vendor: 'openai',
    family: 'gpt-4o',
    outputTokens: 16_000,
    compatible: false,
    thinking: false,
  },
  gemini: {
    upstream: 'gemini-2.5-flash',
    vendor: 'google',
    family: 'gemini-flash',
    outputTokens: 64_000,
    compatible: false,
    thinking: true,
  },
  'anthropic-messages': {
    upstream: 'claude-opus-4-5',
    vendor: 'anthropic',
    family: 'claude-opus',
    outputTokens: 64_000,
    compatible: false,
    thinking: true,
  },
};
const request = { structuredOutput: false, toolNames: new Set<string>() };

const text = fc
  .string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
  .filter((value) => value.trim() === value && !value.includes('\n'));
const name = fc.stringMatching(/^[a-z][a-z_]{0,15}$/);
const textPart = text.map((value): Part => ({ kind: 'text', text: value }));
const imagePart = fc
  .base64String({ minLength: 4, maxLength: 12 })
  .map((base64): Part => ({ kind: 'image', media: { kind: 'data', mediaType: 'image/png', base64 } }));

/** A turn of tool calls and the turn that answers them. */
const exchange = fc.uniqueArray(name, { minLength: 1, maxLength: 3 }).chain((names) =>
  fc
    .tuple(
      fc.array(text, { minLength: names.length, maxLength: names.length }),
      fc.integer({ min: 0, max: 1e6 }),
    )
    .map(([results, salt]): Message[] => [
      {
        role: 'assistant',
        parts: names.map((each, index): Part => ({
          kind: 'tool_call',
          id: `call_${salt}_${index}`,
          name: each,
          arguments: `{"n":${index}}`,
        })),
      },
      {
        role: 'user',
        parts: names.map((_, index): Part => ({
          kind: 'tool_result',
          id: `call_${salt}_${index}`,
          parts: [{ kind: 'text', text: results[index] ?? '' }],
          isError: false,
        })),
      },
    ]),
);
const turn = fc
  .tuple(fc.array(fc.oneof(textPart, imagePart), { minLength: 1, maxLength: 3 }), text)
  .map(([parts, answer]): Message[] => [
    { role: 'user', parts: [...parts] },
    { role: 'assistant', parts: [{ kind: 'text', text: answer }] },
  ]);
const conversation = fc
  .tuple(
    fc.option(text),
    fc.array(turn, { maxLength: 2 }),
    text,
    fc.option(exchange),
    fc.array(name, { maxLength: 3 }),
    fc.option(fc.integer({ min: 1, max: 4_000 })),
  )
  .map(([system, turns, question, calls, tools, limit]): Conversation => ({
    messages: [
      ...(system === null
        ? []
        : [{ role: 'system' as const, parts: [{ kind: 'text' as const, text: system }] }]),
      ...turns.flat(),
      { role: 'user', parts: [{ kind: 'text', text: question }] },
      ...(calls ?? []),
    ],
    tools: [...new Set(tools)].map((tool) => ({
      name: tool,
      description: `does ${tool}`,
      schema: { type: 'object', properties: { n: { type: 'number' } } },
      strict: null,
    })),
    toolChoice: tools.length > 0 ? { kind: 'auto' } : null,
    parallelToolCalls: null,
    outputTokensMax: limit ?? 100,
    temperature: 0.5,
    topP: null,
    topK: null,
    stop: ['END'],
    format: null,
    effort: null,
    thinkingBudgetTokens: null,
    user: 'u1',
    stream: false,
    includeUsage: false,
    cache: false,
    leftOver: [],
  }));

/** Adjacent texts of a message count as one: formats differ in how they cut them. */
function plain(messages: readonly Message[]): unknown {
  return messages.map((message) => {
    const parts: Part[] = [];
    for (const part of message.parts) {
      const last = parts.at(-1);
      if (last?.kind === 'text' && part.kind === 'text')
        parts[parts.length - 1] = { kind: 'text', text: `${last.text}\n${part.text}` };
      else
        parts.push(
          part.kind === 'tool_call'
            ? { ...part, arguments: JSON.stringify(JSON.parse(part.arguments)) }
            : part,
        );
    }
    return { role: message.role, parts };
  });
}

/** What a format cannot say of a conversation, taken out of what is expected back: each is a warning, and tested as one. */
function sayable(given: Conversation, dialect: string): Conversation {
  if (dialect === 'gemini') return { ...given, user: null };
  if (dialect !== 'openai-responses') return given;
  return {
    ...given,
    stop: [],
    outputTokensMax: Math.max(16, given.outputTokensMax ?? 16),
    tools: given.tools.map((tool) => ({ ...tool, strict: false })),
  };
}

describe.each(codecs.map((codec) => [codec.name, codec] as const))('%s', (dialect, codec) => {
  test('decode after encode keeps a conversation', () => {
    fc.assert(
      fc.property(conversation, (any) => {
        const given = sayable(any, dialect);
        const encoded = codec.encodeRequest(any, traits[dialect]!);
        if (encoded.kind !== 'encoded') throw new Error(encoded.capability);
        const back = codec.decodeRequest(JSON.parse(JSON.stringify(encoded.body)) as JsonObject);
        if ('kind' in back) throw new Error(back.message);
        expect(plain(back.messages)).toEqual(plain(given.messages) as never);
        expect(back.tools).toEqual(given.tools as never);
        expect([back.outputTokensMax, back.temperature, back.stop, back.user]).toEqual([
          given.outputTokensMax,
          given.temperature,
          given.stop,
          given.user,
        ]);
      }),
      { numRuns: 150 },
    );
  });

  test('what it encodes, it can read the facts of', () => {
    fc.assert(
      fc.property(conversation, (given) => {
        const encoded = codec.encodeRequest(given, traits[dialect]!);
        if (encoded.kind !== 'encoded') throw new Error(encoded.capability);
        const facts = codec.readFacts(encoded.body);
        if ('kind' in facts) throw new Error(facts.message);
        expect([...facts.toolNames].sort()).toEqual(given.tools.map((tool) => tool.name).sort());
      }),
      { numRuns: 100 },
    );
  });

  test('any JSON in gives a value, never a throw', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom(
            'model',
            'messages',
            'input',
            'output',
            'item',
            'response',
            'output_index',
            'contents',
            'candidates',
            'generationConfig',
            'usageMetadata',
            'status',
            'tools',
            'stream',
            'system',
            'max_tokens',
            'choices',
            'content',
            'error',
            'usage',
            'delta',
            'type',
            'message',
          ),
          fc.jsonValue(),
        ),
        fc.string(),
        (body, data) => {
          codec.readFacts(body as JsonObject);
          const decoded = codec.decodeRequest(body as JsonObject);
          if (!('kind' in decoded)) codec.encodeRequest(decoded, traits[dialect]!);
          if (codec.readAnswer(body, request) !== null)
            codec.encodeAnswer(codec.decodeAnswer(body as JsonObject, request), { createdSeconds: 1 });
          codec.readError(body);
          const reader = codec.streamReader({ translate: true, request });
          for (const each of [JSON.stringify(body), data, '[DONE]']) reader.read(null, each);
          reader.end();
          reader.facts();
          reader.closing();
        },
      ),
      { numRuns: 500 },
    );
  });

  test('errors keep the shape that SDKs read, and carry ours', () => {
    const error: CallerError = {
      code: 'upstream_failed',
      status: 502,
      message: 'It failed.',
      param: null,
      provider: null,
      requestId: 'req_1',
      breakwater: { code: 'upstream_failed', request_id: 'req_1' },
    };
    const body = codec.errorBody(error);
    const ours = { code: 'upstream_failed', request_id: 'req_1' };
    if (dialect === 'gemini')
      expect(body).toMatchObject({ error: { code: 502, details: [{ '@type': 'breakwater', ...ours }] } });
    else expect(body['breakwater']).toEqual(ours);
    expect((body['error'] as JsonObject)['message']).toBe('It failed.');
    if (dialect === 'anthropic-messages')
      expect(body).toMatchObject({
        type: 'error',
        request_id: 'req_1',
        error: { details: { error_code: 'upstream_failed' } },
      });
    else if (dialect !== 'gemini')
      expect(body).toMatchObject({ error: { code: 'upstream_failed', param: null } });
    const event = codec.errorEvent(error);
    const [parsed] = createSseParser({ eventBytesMax: 1e6 }).push(new TextEncoder().encode(event));
    expect(
      codec.streamReader({ translate: false, request }).read(parsed?.event ?? null, parsed?.data ?? '')
        .meaning.kind,
    ).toBe('error');
  });
});

test('a model name is replaced in the text and nothing else is touched', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 3 })),
      fc.string(),
      (rest, model) => {
        const body = JSON.stringify({ ...rest, model }, null, 1);
        const read = readJsonObject(body, { depthMax: 20 });
        if (read.kind !== 'object') throw new Error(read.message);
        const replaced = replaceTopLevel(body, read.spans, 'model', '"new"');
        expect(JSON.parse(replaced)).toEqual({ ...(JSON.parse(body) as JsonObject), model: 'new' });
        expect(
          replaceTopLevel(
            replaced,
            (readJsonObject(replaced, { depthMax: 20 }) as typeof read).spans,
            'model',
            JSON.stringify(model),
          ),
        ).toBe(body);
      },
    ),
    { numRuns: 200 },
  );
});

test.each([
  ['{"a":1,"a":2}', 'a'],
  ['{"model":"x","\\u006dodel":"y"}', 'model'],
])('a top-level key twice is refused and named: %s', (body, key) => {
  const read = readJsonObject(body, { depthMax: 10 });
  expect(read.kind).toBe('invalid');
  expect(read.kind === 'invalid' && read.message).toContain(key);
});
