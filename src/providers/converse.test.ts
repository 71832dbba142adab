import { describe, expect, test } from 'bun:test';

import { ConverseEvents, converseRequest, messageOf } from './converse.ts';

const asked = (more: Record<string, unknown>, content: unknown = 'Hello') => ({
  model: 'm',
  max_tokens: 50,
  messages: [{ role: 'user', content }],
  ...more,
});

describe('what Converse has no place for is named', () => {
  test.each([
    ['image_url', asked({}, [{ type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } }])],
    [
      'document_url',
      asked({}, [{ type: 'document', source: { type: 'url', media_type: 'application/pdf' } }]),
    ],
    ['structured_output', asked({ output_config: { format: { type: 'json_schema', schema: {} } } })],
    ['hosted_tools', asked({ tools: [{ type: 'web_search_20250305', name: 'web_search' }] })],
    ['tool_choice none', asked({ tools: [{ name: 'a', input_schema: {} }], tool_choice: { type: 'none' } })],
    [
      'system_order',
      asked({
        messages: [
          { role: 'user', content: 'a' },
          { role: 'system', content: 'b' },
        ],
      }),
    ],
    ['container_upload', asked({}, [{ type: 'container_upload', file_id: 'f' }])],
  ])('%s', (what, body) => {
    expect(converseRequest(body)).toEqual({ kind: 'unsayable', what });
  });
});

test('a request keeps its system, tools, results, pictures and limits', () => {
  const conversed = converseRequest({
    model: 'm',
    max_tokens: 50,
    temperature: 0.5,
    top_k: 5,
    stop_sequences: ['END'],
    system: [{ type: 'text', text: 'Be kind', cache_control: { type: 'ephemeral' } }],
    tools: [{ name: 'look', description: 'Look', input_schema: { type: 'object' } }],
    tool_choice: { type: 'tool', name: 'look' },
    messages: [
      {
        role: 'user',
        content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }],
      },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'look', input: { a: 1 } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: 'no', is_error: true }] },
    ],
  });
  expect(conversed).toEqual({
    kind: 'body',
    body: {
      messages: [
        { role: 'user', content: [{ image: { format: 'png', source: { bytes: 'AAAA' } } }] },
        { role: 'assistant', content: [{ toolUse: { toolUseId: 't1', name: 'look', input: { a: 1 } } }] },
        {
          role: 'user',
          content: [{ toolResult: { toolUseId: 't1', content: [{ text: 'no' }], status: 'error' } }],
        },
      ],
      system: [{ text: 'Be kind' }],
      inferenceConfig: { maxTokens: 50, temperature: 0.5, stopSequences: ['END'] },
      toolConfig: {
        tools: [
          { toolSpec: { name: 'look', description: 'Look', inputSchema: { json: { type: 'object' } } } },
        ],
        toolChoice: { tool: { name: 'look' } },
      },
      additionalModelRequestFields: { top_k: 5 },
    },
  });
});

test('answers come back as messages, with usage, reasons and thoughts', () => {
  expect(
    messageOf(
      {
        output: {
          message: {
            role: 'assistant',
            content: [
              { reasoningContent: { reasoningText: { text: 'Hm', signature: 's' } } },
              { text: 'Hi' },
              { toolUse: { toolUseId: 't1', name: 'look', input: {} } },
            ],
          },
        },
        stopReason: 'guardrail_intervened',
        usage: { inputTokens: 5, outputTokens: 7, cacheReadInputTokens: 2 },
      },
      'nova',
    ),
  ).toMatchObject({
    model: 'nova',
    stop_reason: 'refusal',
    content: [
      { type: 'thinking', thinking: 'Hm', signature: 's' },
      { type: 'text', text: 'Hi' },
      { type: 'tool_use', id: 't1', name: 'look', input: {} },
    ],
    usage: { input_tokens: 5, output_tokens: 7, cache_read_input_tokens: 2 },
  });
  expect(messageOf({ message: 'no' }, 'nova')).toBeNull();
});

test('a stream without its metadata has no end', () => {
  const events = new ConverseEvents('nova');
  events.read('messageStart', { role: 'assistant' });
  events.read('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hi' } });
  expect(events.read('messageStop', { stopReason: 'end_turn' })).toEqual([]);
  expect(events.read('metadata', { usage: { inputTokens: 1 } }).map((event) => event.type)).toEqual([
    'message_delta',
    'message_stop',
  ]);
});
