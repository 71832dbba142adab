/** Ways in which gateways are known to have broken these formats. The numbers are those of our list of them. */
import { describe, expect, test } from 'bun:test';
import {
  chat,
  claudeTraits,
  fixture,
  fixtureText,
  joinedEvents,
  messages,
  openaiTraits,
  plainContext,
  play,
  playText,
  streamOf,
  translated,
} from '../../test/dialect-fixture.ts';
import type { DialectCodec, JsonObject, ModelTraits } from './dialect.ts';
import { foreignThinkingMark } from './foreign-thinking.ts';

const start = { type: 'message_start', message: { id: 'msg_1', model: 'c', usage: { input_tokens: 3 } } };
const chunk = (delta: JsonObject, finish: string | null = null, index = 0): JsonObject => ({
  id: 'chatcmpl-1',
  model: 'm',
  choices: [{ index, delta, finish_reason: finish }],
});
const call = (fields: JsonObject): JsonObject => chunk({ tool_calls: [fields] });
const finished = (reason = 'tool_calls'): readonly unknown[] => [chunk({}, reason), '[DONE]'];

function carried(from: DialectCodec, to: DialectCodec, traits: ModelTraits, body: JsonObject): JsonObject {
  const conversation = from.decodeRequest(body);
  if ('kind' in conversation) throw new Error(conversation.message);
  const encoded = to.encodeRequest(conversation, traits);
  if (encoded.kind === 'lacks') throw new Error(`lacks ${encoded.capability}`);
  return encoded.body;
}
const toClaude = (body: JsonObject, traits = claudeTraits): JsonObject =>
  carried(chat, messages, traits, { model: 'x', ...body });
const toChat = (body: JsonObject, traits = openaiTraits): JsonObject =>
  carried(messages, chat, traits, { model: 'x', max_tokens: 9, ...body });

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

describe('thinking', () => {
  const assistant = (block: JsonObject): JsonObject => ({
    messages: [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: [block, { type: 'text', text: 'b' }] },
      { role: 'user', content: 'c' },
    ],
  });

  test('bugs 25, 27: thoughts of another provider, signed or not, never reach a messages target', () => {
    const body = {
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', reasoning_content: 'secret thought', content: 'b' },
        { role: 'user', content: 'c' },
      ],
    };
    expect(JSON.stringify(toClaude(body))).not.toContain('thought');
  });

  test('bug 26: a real signature is never overwritten; only what has none gets our mark', () => {
    const signed = messages.encodeAnswer(
      messages.decodeAnswer(JSON.parse(fixtureText('anthropic-answer.json')) as JsonObject, plainContext),
      { createdSeconds: 1 },
    );
    expect(JSON.stringify(signed)).toContain('"signature":"EqQB"');
    expect(translated(chat, messages, fixtureText('compatible-thinking.sse'))).toContain(
      `"type":"signature_delta","signature":"${foreignThinkingMark}"`,
    );
  });

  test('what carries our mark is taken out of a request that stays in its dialect', () => {
    const body = {
      model: 'x',
      odd: [1, 2.5],
      ...assistant({ type: 'thinking', thinking: 'foreign', signature: foreignThinkingMark }),
    };
    const scrubbed = messages.scrub(JSON.stringify(body), body);
    expect(JSON.parse(scrubbed!)).toEqual({
      ...body,
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: [{ type: 'text', text: 'b' }] },
        { role: 'user', content: 'c' },
      ],
    });
    const own = assistant({ type: 'thinking', thinking: 'own', signature: 'EqQB' });
    expect(messages.scrub(JSON.stringify(own), own)).toBeNull();
  });

  test('bug 28: a signature that comes in pieces is put together whole', () => {
    const data = [
      start,
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'thinking', thinking: '', signature: '' },
      },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'Eq' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'QB' } },
      { type: 'content_block_stop', index: 0 },
    ];
    expect(playText(messages, streamOf(messages, data)).events).toContainEqual({
      kind: 'part_end',
      opaque: { issuer: 'anthropic-messages', value: { signature: 'EqQB' } },
    });
  });

  test('bug 44: thoughts of a compatible server go back to one, and its token limit is max_tokens', () => {
    const body = assistant({ type: 'thinking', thinking: 'mine', signature: foreignThinkingMark });
    const compatible = toChat(body, { ...openaiTraits, compatible: true });
    expect(compatible).toMatchObject({ max_tokens: 9, messages: [{}, { reasoning_content: 'mine' }, {}] });
    expect(compatible).not.toHaveProperty('max_completion_tokens');
    expect(JSON.stringify(toChat(body))).not.toContain('mine');
    const signed = assistant({ type: 'thinking', thinking: 'signed elsewhere', signature: 'EqQB' });
    expect(JSON.stringify(toChat(signed, { ...openaiTraits, compatible: true }))).not.toContain('elsewhere');
  });
});

describe('requests', () => {
  const calling = (id: string): JsonObject => ({
    role: 'assistant',
    content: '',
    tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
  });

  test('bug 29: pictures in a tool result follow in a user message after all results', () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBO' } };
    const body = toChat({
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
    const body = toClaude({
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
    const body = toClaude({
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
    const body = toClaude({ messages: [{ role: 'user', content: 'q' }, ...turn, ...turn] });
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
    const body = toClaude({
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
    const body = toClaude({
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
    expect(toClaude({ ...question, tools: [{ type: 'function', function: parameters }] })['tools']).toEqual([
      { name: 'get', description: 'gets', input_schema: schema },
    ]);
    expect(
      toChat({ ...question, tools: [{ name: 'get', description: 'gets', input_schema: schema }] })['tools'],
    ).toEqual([{ type: 'function', function: parameters }]);
  });

  test('bug 45: accounting in the system prompt does not travel', () => {
    const body = toChat({
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
    expect(toClaude(question)['max_tokens']).toBe(16_384);
    expect(toClaude(question, { ...claudeTraits, outputTokens: 4_096 })['max_tokens']).toBe(4_096);
  });

  test('bug 47: a schema loses what the service refuses, and closes its objects', () => {
    const schema = {
      $schema: 'x',
      type: 'object',
      properties: { n: { type: 'integer', minimum: 1 }, of: { oneOf: [{ type: 'string', format: 'odd' }] } },
    };
    const body = toClaude({
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
