import { expect, test } from 'bun:test';

import type { AnswerEvent } from '../dialects/conversation.ts';
import { codecFor } from '../dialects/registry.ts';
import { Carrier } from './carry-on.ts';

const start: AnswerEvent = { kind: 'start', id: 'a', model: 'm', usage: null };
const say = (text: string): AnswerEvent => ({ kind: 'text_delta', text });
const end: AnswerEvent = { kind: 'part_end', opaque: null };
const open: AnswerEvent = { kind: 'text_start' };
const finish: AnswerEvent = { kind: 'finish', reason: 'stop', stopSequence: null, usage: null };

const aCarrier = (): Carrier =>
  new Carrier(() => codecFor('anthropic-messages').streamWriter({ includeUsage: false, createdSeconds: 0 }));

test.each<readonly [string, readonly AnswerEvent[], string | null]>([
  ['text', [start, open, say('one '), say('two')], 'one two'],
  ['nothing yet', [start], null],
  ['an empty text', [start, open], null],
  ['a text that was closed', [start, open, say('one'), end], null],
  ['a second text', [start, open, say('one'), end, open, say('two')], null],
  [
    'thinking that was shown',
    [start, { kind: 'thinking_start' }, { kind: 'thinking_delta', text: 'hm' }],
    null,
  ],
  [
    'thinking that was shown before a text',
    [start, { kind: 'thinking_start' }, { kind: 'thinking_delta', text: 'hm' }, end, open, say('one')],
    null,
  ],
  [
    'thinking that shows nothing before a text',
    [start, { kind: 'thinking_start' }, end, open, say('one')],
    'one',
  ],
  ['a tool call', [start, open, say('one'), end, { kind: 'tool_start', id: 't', name: 'look' }], null],
  ['a refusal', [start, { kind: 'refusal_start' }, { kind: 'refusal_delta', text: 'no' }], null],
])('broken off in %s', (_name, events, said) => {
  const carrier = aCarrier();
  carrier.listen()(events);
  expect(carrier.breakOff()).toBe(said !== null);
  expect(carrier.said).toBe(said);
});

test('what an attempt said that nobody saw is forgotten', () => {
  const carrier = aCarrier();
  carrier.listen()([start, open, say('unseen')]);
  carrier.listen()([start, open, say('seen')]);
  carrier.breakOff();
  expect(carrier.said).toBe('seen');
});

test('it breaks off once', () => {
  const carrier = aCarrier();
  carrier.listen()([start, open, say('one')]);
  expect([carrier.breakOff(), carrier.breakOff()]).toEqual([true, false]);
});

test('the second half stands behind the first: no new start, no repetition, one end', () => {
  const carrier = aCarrier();
  carrier.listen()([start, open, say('the plan is ')]);
  carrier.breakOff();
  const second = carrier.listen();
  second([
    start,
    { kind: 'thinking_start' },
    { kind: 'thinking_delta', text: 'hm' },
    end,
    open,
    say('is '),
    say('good'),
  ]);
  second([say('.'), end, finish]);
  const text = new TextDecoder().decode(carrier.drain());
  expect(text.match(/"text":"([^"]*)"/g)).toEqual(['"text":"good"', '"text":"."']);
  expect(text).not.toContain('message_start');
  expect(text).not.toContain('hm');
  expect(text.match(/event: content_block_stop/g)).toHaveLength(1);
  expect(text.match(/event: message_stop/g)).toHaveLength(1);
});

test('a refusal of the second, or a tool call, is no way to go on', () => {
  for (const event of [{ kind: 'refusal_start' }, { kind: 'tool_start', id: 't', name: 'look' }] as const) {
    const carrier = aCarrier();
    carrier.listen()([start, open, say('one')]);
    carrier.breakOff();
    carrier.listen()([start, event]);
    expect(carrier.refused).toBe(true);
  }
});
