/** Answers that parse and do not fit the schema that was asked for: seen in every format, streamed and whole. */
import { describe, expect, test } from 'bun:test';

import type { AnswerEvent, Answer } from './conversation.ts';
import type { AnswerFacts, DialectCodec, JsonObject, RequestFacts } from './dialect.ts';
import { codecFor } from './registry.ts';
import { createSseParser } from './sse.ts';

const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

const requests: readonly (readonly [Parameters<typeof codecFor>[0], JsonObject, JsonObject])[] = [
  [
    'openai-chat',
    { tools: [{ type: 'function', function: { name: 'weather', parameters: schema } }] },
    { response_format: { type: 'json_schema', json_schema: { name: 'w', schema } } },
  ],
  [
    'openai-responses',
    { tools: [{ type: 'function', name: 'weather', parameters: schema }] },
    { text: { format: { type: 'json_schema', name: 'w', schema } } },
  ],
  [
    'anthropic-messages',
    { tools: [{ name: 'weather', input_schema: schema }] },
    { output_config: { format: { type: 'json_schema', schema } } },
  ],
  [
    'gemini',
    { tools: [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: schema }] }] },
    { generationConfig: { responseMimeType: 'application/json', responseJsonSchema: schema } },
  ],
];

function factsOf(codec: DialectCodec, more: JsonObject): RequestFacts {
  const facts = codec.readFacts({
    model: 'm',
    max_tokens: 100,
    input: 'hi',
    messages: [{ role: 'user', content: 'hi' }],
    contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
    ...more,
  });
  if ('kind' in facts) throw new Error(facts.message);
  return facts;
}

const usage = { inputTokens: 5, outputTokens: 5, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };

function answerOf(call: string | null, text: string | null): Answer {
  return {
    id: 'a1',
    model: 'm',
    parts:
      call === null
        ? [{ kind: 'text', text: text ?? '' }]
        : [{ kind: 'tool_call', id: 'call_1', name: 'weather', arguments: call }],
    finish: call === null ? 'stop' : 'tool_calls',
    stopSequence: null,
    usage,
  };
}

function eventsOf(answer: Answer): readonly AnswerEvent[] {
  const [part] = answer.parts;
  const content: AnswerEvent[] =
    part?.kind === 'tool_call'
      ? [
          { kind: 'tool_start', id: part.id, name: part.name },
          { kind: 'tool_delta', json: part.arguments },
        ]
      : [{ kind: 'text_start' }, { kind: 'text_delta', text: part?.kind === 'text' ? part.text : '' }];
  return [
    { kind: 'start', id: answer.id, model: answer.model, usage: null },
    ...content,
    { kind: 'part_end', opaque: null },
    { kind: 'finish', reason: answer.finish, stopSequence: null, usage },
  ];
}

const options = { createdSeconds: 1, includeUsage: true };

function streamed(codec: DialectCodec, answer: Answer, request: RequestFacts): AnswerFacts {
  const writer = codec.streamWriter(options);
  const text = eventsOf(answer)
    .map((event) => writer.write(event))
    .join('');
  const reader = codec.streamReader({ translate: false, request });
  const parser = createSseParser({ eventBytesMax: 1_000_000 });
  for (const event of parser.push(new TextEncoder().encode(text)))
    if (event.data !== null) reader.read(event.event, event.data);
  return reader.facts();
}

describe.each(requests)('%s', (dialect, toolRequest, outputRequest) => {
  const codec = codecFor(dialect);
  const read = (answer: Answer, request: RequestFacts): readonly unknown[] => {
    const whole = codec.readAnswer(codec.encodeAnswer(answer, options), request);
    const stream = streamed(codec, answer, request);
    expect([whole?.toolCallInvalid, stream.toolCallInvalid]).toEqual([false, false]);
    expect([whole?.structuredOutputInvalid, stream.structuredOutputInvalid]).toEqual([false, false]);
    return [whole?.misfit, stream.misfit];
  };

  test('a call that fits, and one that does not', () => {
    const request = factsOf(codec, toolRequest);
    expect(read(answerOf('{"city":"Rome"}', null), request)).toEqual([undefined, undefined]);
    expect(read(answerOf('{"town":"Rome"}', null), request)).toEqual(['tool_call', 'tool_call']);
  });

  test('output that fits, and output that does not', () => {
    const request = factsOf(codec, outputRequest);
    expect(read(answerOf(null, '{"city":"Rome"}'), request)).toEqual([undefined, undefined]);
    expect(read(answerOf(null, '{"city":1}'), request)).toEqual(['structured_output', 'structured_output']);
  });
});
