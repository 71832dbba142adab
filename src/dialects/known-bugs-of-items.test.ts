/** Known bugs of gateways in the formats whose conversations are items or contents: responses and gemini. */
import { describe, expect, test } from 'bun:test';
import {
  bodyOf,
  chat,
  encodedFor,
  claudeTraits,
  messages,
  openaiTraits,
  plainContext,
  playText,
} from '../../test/dialect-fixture.ts';
import type { DialectCodec, JsonObject, ModelTraits } from './dialect.ts';
import { codecFor } from './registry.ts';

const responses = codecFor('openai-responses');
const gemini = codecFor('gemini');
const geminiTraits: ModelTraits = {
  ...openaiTraits,
  upstream: 'gemini-3.1-pro',
  vendor: 'google',
  family: 'gemini-pro',
};

const carried = (from: DialectCodec, to: DialectCodec, traits: ModelTraits, body: JsonObject): JsonObject =>
  bodyOf(encodedFor(from, to, traits, { model: 'x', ...body }));

type Blocks = readonly { readonly role: string; readonly content: readonly JsonObject[] }[];
const turnsOf = (body: JsonObject): Blocks => body['messages'] as Blocks;
const asked = { role: 'user', content: 'q' };
const called = (fields: JsonObject): JsonObject => ({
  type: 'function_call',
  name: 'f',
  arguments: '{}',
  ...fields,
});
const result = (fields: JsonObject): JsonObject => ({ type: 'function_call_output', output: 'r', ...fields });
const toClaude = (input: readonly JsonObject[]): Blocks =>
  turnsOf(carried(responses, messages, claudeTraits, { input }));

const chatCall = {
  role: 'assistant',
  tool_calls: [
    { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
    { id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } },
  ],
};
const chatResult = (id: string, content: string): JsonObject => ({ role: 'tool', tool_call_id: id, content });
const contentsOf = (
  body: JsonObject,
): readonly { readonly role: string; readonly parts: readonly JsonObject[] }[] =>
  body['contents'] as readonly { readonly role: string; readonly parts: readonly JsonObject[] }[];

describe('responses', () => {
  test('bug 31: the call is its `call_id`; the `id` of the item, and of the result’s item, name neither', () => {
    const turns = toClaude([
      asked,
      called({ id: 'fc_1', call_id: 'call_1' }),
      result({ id: 'fco_9', call_id: 'call_1' }),
    ]);
    expect(turns[1]?.content[0]).toMatchObject({ type: 'tool_use', id: 'call_1' });
    expect(turns[2]?.content[0]).toMatchObject({ type: 'tool_result', tool_use_id: 'call_1' });
  });

  test('bug 33: a result without `call_id` answers the call that has none, and is written with one', () => {
    const turns = toClaude([
      asked,
      called({ call_id: 'call_1' }),
      called({ call_id: 'call_2' }),
      result({ call_id: 'call_1' }),
      result({ id: 'fco_2' }),
    ]);
    expect(turns[2]?.content.map((block) => block['tool_use_id'])).toEqual(['call_1', 'call_2']);
    const input = carried(chat, responses, openaiTraits, {
      messages: [asked, chatCall, chatResult('a', 'one'), chatResult('b', 'two')],
    })['input'] as readonly JsonObject[];
    expect(
      input.filter((item) => item['type'] === 'function_call_output').map((item) => item['call_id']),
    ).toEqual(input.filter((item) => item['type'] === 'function_call').map((item) => item['call_id']));
  });

  test('bug 34: what stands between a call and its result does not part them', () => {
    const turns = toClaude([
      asked,
      called({ call_id: 'call_1' }),
      { type: 'message', role: 'user', content: 'and hurry' },
      { type: 'reasoning', summary: [] },
      result({ call_id: 'call_1' }),
    ]);
    const uses = turns.findIndex((turn) => turn.content.some((block) => block['type'] === 'tool_use'));
    expect(turns[uses + 1]?.content[0]).toMatchObject({ type: 'tool_result', tool_use_id: 'call_1' });
  });

  test('bug 35: a stream that closes before `response.completed` is no answer', () => {
    const events = [
      { type: 'response.created', response: { id: 'resp_1', model: 'm', status: 'in_progress' } },
      {
        type: 'response.output_item.added',
        output_index: 0,
        item: { type: 'message', id: 'msg_1', role: 'assistant', content: [] },
      },
      {
        type: 'response.output_text.delta',
        output_index: 0,
        content_index: 0,
        item_id: 'msg_1',
        delta: 'half',
      },
    ];
    const text = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
    const { meanings, reader } = playText(responses, text);
    expect(meanings).toContain('content');
    expect(meanings).not.toContain('terminal');
    expect(reader.end()).toBe('truncated');
  });

  test('bug 36: calls have a status, and an answer cut by its budget is incomplete', () => {
    const answer = messages.decodeAnswer(
      {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'claude-opus-4-5',
        content: [{ type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }],
        stop_reason: 'max_tokens',
        usage: { input_tokens: 1, output_tokens: 2 },
      },
      plainContext,
    );
    const written = responses.encodeAnswer(answer, { createdSeconds: 1 }) as JsonObject;
    expect(written).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    });
    const items = written['output'] as readonly JsonObject[];
    expect(items.map((item) => item['status'])).toEqual(['incomplete']);
    const whole = responses.encodeAnswer(
      { ...answer, finish: 'tool_calls' },
      { createdSeconds: 1 },
    ) as JsonObject;
    expect((whole['output'] as readonly JsonObject[]).map((item) => item['status'])).toEqual(['completed']);
  });

  test('bug 43: a request that asks for caching is marked for Claude, and no other is', () => {
    const ask = { messages: [{ role: 'system', content: 's' }, asked] };
    const lastBlock = (body: JsonObject): JsonObject | undefined => turnsOf(body).at(-1)?.content.at(-1);
    const mark = { cache_control: { type: 'ephemeral' } };
    const marked = [{ role: 'user', content: [{ type: 'text', text: 'q', ...mark }] }];
    expect(lastBlock(carried(chat, messages, claudeTraits, { messages: marked }))).toMatchObject(mark);
    expect(lastBlock(carried(chat, messages, claudeTraits, { ...ask, prompt_cache_key: 'k' }))).toMatchObject(
      mark,
    );
    expect(
      lastBlock(carried(responses, messages, claudeTraits, { input: 'q', prompt_cache_key: 'k' })),
    ).toMatchObject(mark);
    expect(lastBlock(carried(chat, messages, claudeTraits, ask))).not.toHaveProperty('cache_control');
    expect(
      JSON.stringify(carried(messages, chat, openaiTraits, { max_tokens: 9, messages: marked })),
    ).not.toContain('cache_control');
  });
});

describe('gemini', () => {
  const history = [asked, chatCall, chatResult('a', 'one'), chatResult('b', 'two')];

  test('bug 22: the first call of a turn is signed, with the documented word where no signature is left', () => {
    const contents = contentsOf(carried(chat, gemini, geminiTraits, { messages: history }));
    const calls = contents.find((content) => content.role === 'model')?.parts ?? [];
    expect(calls.map((part) => part['thoughtSignature'])).toEqual([
      'skip_thought_signature_validator',
      undefined,
    ]);
  });

  test('bug 22: a signature that this format gave comes back with its call', () => {
    const given = [
      { role: 'user', parts: [{ text: 'q' }] },
      { role: 'model', parts: [{ functionCall: { name: 'f', args: {} }, thoughtSignature: 'c2ln' }] },
      { role: 'user', parts: [{ functionResponse: { name: 'f', response: { output: 'r' } } }] },
    ];
    const contents = contentsOf(carried(gemini, gemini, geminiTraits, { contents: given }));
    expect(contents[1]?.parts[0]).toMatchObject({ thoughtSignature: 'c2ln' });
  });

  test('bug 23: schemas go where JSON Schema is taken, without `const`, which is refused even there', () => {
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        kind: { const: 'a' },
        maybe: { type: ['string', 'null'] },
        either: { description: 'one of both', anyOf: [{ type: 'string' }, { $ref: '#/$defs/point' }] },
      },
      $defs: { point: { type: 'object', properties: { x: { type: 'number' } } } },
    };
    const body = carried(chat, gemini, geminiTraits, {
      messages: [asked],
      tools: [{ type: 'function', function: { name: 'f', parameters: schema } }],
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema } },
    });
    const [{ functionDeclarations }] = body['tools'] as readonly [
      { functionDeclarations: readonly JsonObject[] },
    ];
    const { const: _const, ...kept } = { ...schema.properties.kind, enum: ['a'] };
    const { $schema: _schema, ...rest } = schema;
    const accepted = { ...rest, properties: { ...schema.properties, kind: kept } };
    expect(functionDeclarations[0]).toEqual({ name: 'f', parametersJsonSchema: accepted });
    expect(body['generationConfig']).toMatchObject({ responseJsonSchema: accepted });
  });

  test('bug 24: `$ref` in a result stays inside a text and is never read as a reference', () => {
    const contents = contentsOf(
      carried(chat, gemini, geminiTraits, {
        messages: [asked, chatCall, chatResult('a', '{"$ref":"#/x"}'), chatResult('b', 'two')],
      }),
    );
    expect(contents.at(-1)?.parts[0]).toMatchObject({
      functionResponse: { name: 'f', response: { output: '{"$ref":"#/x"}' } },
    });
  });
});
