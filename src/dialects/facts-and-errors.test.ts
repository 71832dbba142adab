import { describe, expect, test } from 'bun:test';
import { APIError as AnthropicError } from '@anthropic-ai/sdk';
import { APIError as OpenAiError } from 'openai';
import { chat, messages } from '../../test/dialect-fixture.ts';
import { errorCodes, type ErrorCode } from '../core/errors.ts';
import type { CallerError, DialectCodec, JsonObject, RequestFacts } from './dialect.ts';

const question = [{ role: 'user', content: 'abcd' }];

function factsOf(codec: DialectCodec, body: JsonObject): RequestFacts {
  const facts = codec.readFacts({ model: 'm', max_tokens: 5, messages: question, ...body });
  if ('kind' in facts) throw new Error(facts.message);
  return facts;
}

describe('facts of requests', () => {
  test.each([chat, messages].map((codec) => [codec.name, codec] as const))(
    '%s: bad input names the place',
    (_, codec) => {
      const bad: readonly (readonly [JsonObject, string])[] = [
        [{ messages: question, max_tokens: 1 }, 'model'],
        [{ model: 5, messages: question, max_tokens: 1 }, 'model'],
        [{ model: '', messages: question, max_tokens: 1 }, 'model'],
        [{ model: 'm', max_tokens: 1 }, 'messages'],
        [{ model: 'm', messages: 'hi', max_tokens: 1 }, 'messages'],
        [{ model: 'm', messages: [], max_tokens: 1 }, 'messages'],
        [{ model: 'm', messages: ['hi'], max_tokens: 1 }, 'messages[0]'],
        [{ model: 'm', messages: question, max_tokens: 1, stream: 'yes' }, 'stream'],
        [{ model: 'm', messages: question, max_tokens: 1, tools: {} }, 'tools'],
        [{ model: 'm', messages: question, max_tokens: '9' }, 'max_tokens'],
        [{ model: 'm', messages: question, max_tokens: 1.5 }, 'max_tokens'],
      ];
      for (const [body, param] of bad) {
        const facts = codec.readFacts(body);
        expect(facts).toMatchObject({ kind: 'invalid', param });
      }
    },
  );

  test('messages need a token limit, chat completions do not', () => {
    expect(messages.readFacts({ model: 'm', messages: question })).toMatchObject({
      kind: 'invalid',
      param: 'max_tokens',
    });
    expect(chat.readFacts({ model: 'm', messages: question })).toMatchObject({ outputTokensMax: null });
    expect(factsOf(messages, { max_tokens: 0 }).outputTokensMax).toBe(0);
    expect(factsOf(chat, { max_completion_tokens: 7 }).outputTokensMax).toBe(7);
  });

  test.each<[string, DialectCodec, JsonObject, readonly string[]]>([
    ['plain', chat, {}, []],
    ['tools', chat, { tools: [{ type: 'function', function: { name: 'f' } }] }, ['tools']],
    ['vision', chat, { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, ['vision']],
    ['documents', chat, { messages: [{ role: 'user', content: [{ type: 'file' }] }] }, ['documents']],
    ['audio', chat, { messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] }, ['audio']],
    ['JSON', chat, { response_format: { type: 'json_object' } }, ['structured_output']],
    ['effort', chat, { reasoning_effort: 'low' }, ['thinking']],
    ['no effort', chat, { reasoning_effort: 'none' }, []],
    ['plain', messages, {}, []],
    ['tools', messages, { tools: [{ name: 'f', input_schema: {} }] }, ['tools']],
    [
      'vision in a result',
      messages,
      { messages: [{ role: 'user', content: [{ type: 'tool_result', content: [{ type: 'image' }] }] }] },
      ['vision'],
    ],
    [
      'documents',
      messages,
      { messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'base64' } }] }] },
      ['documents'],
    ],
    [
      'text documents',
      messages,
      { messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'text', data: '' } }] }] },
      [],
    ],
    ['JSON', messages, { output_config: { format: { type: 'json_schema' } } }, ['structured_output']],
    ['thinking', messages, { thinking: { type: 'enabled', budget_tokens: 2_000 } }, ['thinking']],
    ['thinking left to the model', messages, { thinking: { type: 'adaptive' } }, []],
    ['no thinking', messages, { thinking: { type: 'disabled' } }, []],
  ])('needs: %s', (_, codec, body, needs) => {
    expect([...factsOf(codec, body).needs]).toEqual([...needs] as never);
  });

  test('the estimate counts text by four, and tools, system and pictures too', () => {
    expect(
      factsOf(chat, { messages: [{ role: 'user', content: 'a'.repeat(400) }] }).inputTokensEstimate,
    ).toBe(100);
    expect(factsOf(messages, { system: 'a'.repeat(400) }).inputTokensEstimate).toBe(101);
    const withTools = factsOf(messages, { tools: [{ name: 'f', description: 'a'.repeat(4_000) }] });
    expect(withTools.inputTokensEstimate).toBeGreaterThan(1_000);
    const data = { type: 'image', source: { type: 'base64', data: 'a'.repeat(400_000) } };
    const picture = factsOf(messages, { messages: [{ role: 'user', content: [data] }] });
    expect(picture.inputTokensEstimate).toBeLessThan(3_000);
  });
});

describe('errors', () => {
  const errorOf = (code: ErrorCode, more: Partial<CallerError> = {}): CallerError => ({
    code,
    status: errorCodes[code].status,
    message: 'It failed.',
    param: null,
    provider: null,
    requestId: 'req_1',
    breakwater: { code, request_id: 'req_1' },
    ...more,
  });
  const typeOf = (codec: DialectCodec, error: CallerError) =>
    (codec.errorBody(error)['error'] as JsonObject)['type'];

  test.each<[ErrorCode, string, string]>([
    ['unauthenticated', 'authentication_error', 'authentication_error'],
    ['forbidden', 'permission_error', 'permission_error'],
    ['invalid_request', 'invalid_request_error', 'invalid_request_error'],
    ['unknown_model', 'invalid_request_error', 'not_found_error'],
    ['request_too_large', 'invalid_request_error', 'request_too_large'],
    ['fallback_consent_required', 'invalid_request_error', 'invalid_request_error'],
    ['rate_limited', 'rate_limit_error', 'rate_limit_error'],
    ['budget_exhausted', 'insufficient_quota', 'rate_limit_error'],
    ['overloaded', 'server_error', 'overloaded_error'],
    ['upstream_failed', 'server_error', 'api_error'],
    ['internal_error', 'server_error', 'api_error'],
  ])('%s is %s and %s', (code, inChat, inMessages) => {
    expect(typeOf(chat, errorOf(code))).toBe(inChat);
    expect(typeOf(messages, errorOf(code))).toBe(inMessages);
  });

  test('the provider’s own words stay where they mean something', () => {
    const provider = { type: 'invalid_request_error', code: 'context_length_exceeded' };
    const error = errorOf('context_exceeded', { provider });
    expect(chat.errorBody(error)).toEqual({
      error: { message: 'It failed.', param: null, ...provider },
      breakwater: { code: 'context_exceeded', request_id: 'req_1' },
    });
    const foreign = errorOf('upstream_failed', { provider: { type: 'odd_error', code: null } });
    expect(messages.errorBody(foreign)).toEqual({
      type: 'error',
      error: { type: 'api_error', message: 'It failed.', details: { error_code: 'upstream_failed' } },
      request_id: 'req_1',
      breakwater: { code: 'upstream_failed', request_id: 'req_1' },
    });
  });

  test('official clients make their own class of each', () => {
    for (const code of Object.keys(errorCodes) as ErrorCode[]) {
      const { status } = errorCodes[code];
      const ours = AnthropicError.generate(
        status,
        messages.errorBody(errorOf(code)),
        undefined,
        new Headers(),
      );
      expect(ours.status as number).toBe(status);
      const theirs = OpenAiError.generate(status, chat.errorBody(errorOf(code)), undefined, new Headers());
      expect([theirs.status as number, theirs.code]).toEqual([status, code]);
    }
  });

  test('error events have the name that clients listen to, and no end signal follows', () => {
    expect(messages.errorEvent(errorOf('upstream_failed'))).toStartWith(
      'event: error\ndata: {"type":"error"',
    );
    expect(chat.errorEvent(errorOf('upstream_failed'))).toMatch(/^data: \{"error":.*\}\n\n$/);
  });

  test.each<[string, DialectCodec, unknown, unknown]>([
    [
      'by the book',
      chat,
      { error: { message: 'm', type: 't', param: null, code: 'c' } },
      { type: 't', code: 'c', message: 'm' },
    ],
    [
      'a number as code',
      chat,
      { error: { message: 'm', code: 503 } },
      { type: null, code: '503', message: 'm' },
    ],
    ['a sentence', chat, { error: 'm' }, { type: null, code: null, message: 'm' }],
    ['detail', chat, { detail: 'm' }, { type: null, code: null, message: 'm' }],
    [
      'a bare message',
      chat,
      { object: 'error', message: 'm', type: 'BadRequestError', code: 400 },
      { type: 'BadRequestError', code: '400', message: 'm' },
    ],
    ['a list', chat, [{ error: { message: 'm', code: 429 } }], { type: null, code: '429', message: 'm' }],
    ['a page', chat, '<html>', null],
    ['an answer', chat, { choices: [] }, null],
    [
      'by the book',
      messages,
      { type: 'error', error: { type: 'overloaded_error', message: 'm' } },
      { type: 'overloaded_error', code: null, message: 'm' },
    ],
    [
      'with details',
      messages,
      { error: { type: 'rate_limit_error', message: 'm', details: { error_code: 'spend' } } },
      { type: 'rate_limit_error', code: 'spend', message: 'm' },
    ],
    ['a bare message', messages, { message: 'm' }, { type: null, code: null, message: 'm' }],
    ['nothing', messages, null, null],
  ])('reading an error: %s', (_, codec, body, words) => {
    expect(codec.readError(body)).toEqual(words as never);
  });
});
