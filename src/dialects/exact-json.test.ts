/** Long whole numbers, read and written again. */
import { expect, test } from 'bun:test';

import { exactly, exactTurns, parseExact } from './exact-json.ts';

const id = '9007199254740993';
const written = (value: unknown): string => JSON.stringify(value);

test.each([
  `{"id":${id}}`,
  `[-${id}]`,
  `{"a":[1, ${id}, 2.5, "${id}"]}`,
  '{"id":123456789012345678901234567890}',
])('%s stays as it is written', (text) => {
  expect(written(parseExact(text))).toBe(text.replaceAll(', ', ','));
});

test.each(['{"share":0.12345678901234567}', '{"large":1e300}', `{"text":"${id}"}`])(
  '%s is read as ever',
  (text) => {
    expect(parseExact(text)).toEqual(JSON.parse(text));
  },
);

test('what is no JSON is undefined', () => expect(parseExact(`{"id":${id}`)).toBeUndefined());

test('of a request only what was said is read so', () => {
  const text = `{"max_tokens":${id},"messages":[{"input":{"id":${id}}}]}`;
  const body = exactTurns(text, JSON.parse(text) as Record<string, unknown>);
  expect(typeof body['max_tokens']).toBe('number');
  expect(written(body['messages'])).toBe(`[{"input":{"id":${id}}}]`);
});

test('a body without end of values is left as it was read: it would hold up everybody else', () => {
  const text = `{"messages":[${id}${',0'.repeat(100_000)}]}`;
  const body = JSON.parse(text) as Record<string, unknown>;
  expect(exactly(text, body)).toBe(body);
  expect(exactTurns(text, body)).toBe(body);
});
