/** Ways in which gateways are known to have mixed up thoughts and signatures. The numbers are those of our list of them. */
import { describe, expect, test } from 'bun:test';

import {
  chat,
  fixtureText,
  messages,
  openaiTraits,
  plainContext,
  playText,
  streamOf,
  translated,
} from '../../test/dialect-fixture.ts';
import type { JsonObject } from './dialect.ts';
import { foreignThinkingMark } from './foreign-thinking.ts';
import { chatBody, claudeBody } from '../../test/translation-fixture.ts';

const start = { type: 'message_start', message: { id: 'msg_1', model: 'c', usage: { input_tokens: 3 } } };

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
    expect(JSON.stringify(claudeBody(body))).not.toContain('thought');
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
    const scrubbed = messages.scrub(JSON.stringify(body), () => body);
    expect(scrubbed).toEqual({
      ...body,
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: [{ type: 'text', text: 'b' }] },
        { role: 'user', content: 'c' },
      ],
    });
    const own = assistant({ type: 'thinking', thinking: 'own', signature: 'EqQB' });
    expect(messages.scrub(JSON.stringify(own), () => own)).toBeNull();
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
    const compatible = chatBody(body, { ...openaiTraits, compatible: true });
    expect(compatible).toMatchObject({ max_tokens: 900, messages: [{}, { reasoning_content: 'mine' }, {}] });
    expect(compatible).not.toHaveProperty('max_completion_tokens');
    expect(JSON.stringify(chatBody(body))).not.toContain('mine');
    const signed = assistant({ type: 'thinking', thinking: 'signed elsewhere', signature: 'EqQB' });
    expect(JSON.stringify(chatBody(signed, { ...openaiTraits, compatible: true }))).not.toContain(
      'elsewhere',
    );
  });
});
