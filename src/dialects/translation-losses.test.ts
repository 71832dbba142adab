/** What cannot be carried into the other dialect: a target lacks what matters; the rest is dropped and named. */
import { describe, expect, test } from 'bun:test';

import type { Encoded } from './dialect.ts';
import {
  adaptive,
  claudeTool,
  newest,
  question,
  toChat,
  toClaude,
  tool,
} from '../../test/translation-fixture.ts';

describe('what matters and can not be carried makes a target lack it', () => {
  test.each<[string, Encoded]>([
    ['n', toClaude({ n: 2 })],
    ['audio', toClaude({ modalities: ['text', 'audio'] })],
    [
      'audio',
      toClaude({ messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }] }),
    ],
    [
      'file_ids',
      toClaude({ messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }] }),
    ],
    ['functions', toClaude({ functions: [{ name: 'f' }] })],
    ['content part video_url', toClaude({ messages: [{ role: 'user', content: [{ type: 'video_url' }] }] })],
    ['prefill', toClaude({ messages: [...question, { role: 'assistant', content: 'So' }] }, adaptive)],
    [
      'image_type',
      toClaude({
        messages: [
          { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/tiff;base64,AA' } }] },
        ],
      }),
    ],
    ['container', toChat({ container: 'c' })],
    ['thread', toChat({ thread: { previous_message_id: 'm' } })],
    ['inference_geo', toChat({ inference_geo: 'us' })],
    ['prefill', toChat({ messages: [...question, { role: 'assistant', content: 'So' }] })],
    [
      'file_ids',
      toChat({
        messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'f' } }] }],
      }),
    ],
    ['builtin_tools', toChat({ tools: [{ type: 'bash_20250124', name: 'bash' }] })],
    [
      'document_url',
      toChat({
        messages: [
          { role: 'user', content: [{ type: 'document', source: { type: 'url', url: 'https://x' } }] },
        ],
      }),
    ],
    ['cache_warming', toChat({ max_tokens: 0 })],
  ])('%s', (capability, encoded) => {
    expect(encoded).toEqual({ kind: 'lacks', capability });
  });
});

describe('what does not matter is dropped and named', () => {
  test.each<[string, Encoded]>([
    ['logprobs', toClaude({ logprobs: true })],
    ['logit_bias', toClaude({ logit_bias: { 5: 1 } })],
    ['seed', toClaude({ seed: 7 })],
    ['presence_penalty', toClaude({ presence_penalty: 1 })],
    ['web_search_options', toClaude({ web_search_options: {} })],
    ['message_name', toClaude({ messages: [{ role: 'user', name: 'Ann', content: 'q' }] })],
    [
      'image_detail',
      toClaude({
        messages: [
          { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x', detail: 'high' } }] },
        ],
      }),
    ],
    ['temperature', toClaude({ temperature: 1.7 })],
    [
      'input_examples',
      toChat({ tools: [{ ...claudeTool, input_examples: [{}], eager_input_streaming: false }] }),
    ],
    ['response_format', toClaude({ response_format: { type: 'json_object' } })],
    ['max_tokens', toClaude({ max_tokens: 900_000 })],
    ['tool_choice', toClaude({ tools: [tool], tool_choice: 'required' }, newest)],
    ['thinking', toClaude({ reasoning_effort: 'high', tools: [tool], tool_choice: 'required' })],
    ['thinking', toClaude({ reasoning_effort: 'high' }, { thinking: false })],
    ['stop', toClaude({ stop: ['\n'] })],
    ['top_k', toChat({ top_k: 5 })],
    ['stop', toChat({ stop_sequences: ['a', 'b', 'c', 'd', 'e'] })],
    ['hosted_tools', toChat({ tools: [{ type: 'web_search_20250305', name: 'web_search' }] })],
    ['context_management', toChat({ context_management: { edits: [] } })],
    [
      'citations',
      toChat({
        messages: [
          {
            role: 'user',
            content: [
              { type: 'document', source: { type: 'text', data: 'd' }, citations: { enabled: true } },
            ],
          },
        ],
      }),
    ],
    ['temperature', toChat({ temperature: 0.5 }, { upstream: 'gpt-5-mini' })],
    ['thinking', toChat({ thinking: { type: 'enabled', budget_tokens: 2_000 } }, { thinking: false })],
    [
      'strict',
      toChat({
        tools: [{ ...claudeTool, input_schema: { type: 'object', properties: { a: {} } }, strict: true }],
      }),
    ],
    ['effort', toChat({ output_config: { effort: 'max' } })],
  ])('%s', (warning, encoded) => {
    expect(encoded).toMatchObject({ kind: 'encoded', warnings: [warning] });
  });

  test('what is not wished (said as −1 by some clients) is nothing to drop', () => {
    const encoded = toChat({ top_p: -1, top_k: -1 });
    expect(encoded).toMatchObject({ kind: 'encoded', warnings: [] });
    expect(encoded).not.toHaveProperty('body.top_p');
  });

  test('a word of the caller is made harmless before it is named', () => {
    expect(toClaude({ 'x\r\ny: secret words that go on and on and on and on': 1 })).toMatchObject({
      warnings: ['x__y_ secret words that go on and on and'],
    });
  });

  test('what asks for nothing is not named', () => {
    const idle = {
      n: 1,
      presence_penalty: 0,
      service_tier: 'auto',
      seed: null,
      store: false,
      reasoning_effort: 'none',
    };
    expect(toClaude({ ...idle, prompt_cache_key: 'k' })).toMatchObject({ warnings: [] });
    expect(
      toChat({ service_tier: 'auto', thinking: { type: 'disabled' }, temperature: 1 }, { upstream: 'gpt-5' }),
    ).toMatchObject({ warnings: [] });
  });
});
