import { expect, test } from 'bun:test';

import { fits } from './json-schema.ts';

const weather = {
  type: 'object',
  properties: {
    city: { type: 'string' },
    days: { type: ['integer', 'null'] },
    unit: { enum: ['c', 'f'] },
    places: {
      type: 'array',
      items: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
    },
    at: { anyOf: [{ type: 'string' }, { type: 'number' }] },
  },
  required: ['city'],
  additionalProperties: false,
};

test.each([
  [{ city: 'Rome' }, true],
  [{ city: 'Rome', days: 3, unit: 'c', places: [{ name: 'a' }], at: 1 }, true],
  [{ city: 'Rome', days: null }, true],
  [{}, false],
  [{ city: 1 }, false],
  [{ city: 'Rome', days: 1.5 }, false],
  [{ city: 'Rome', unit: 'k' }, false],
  [{ city: 'Rome', places: [{}] }, false],
  [{ city: 'Rome', places: {} }, false],
  [{ city: 'Rome', at: true }, false],
  [{ city: 'Rome', other: 1 }, false],
  ['Rome', false],
])('%j', (value, expected) => {
  expect(fits(weather, value)).toBe(expected);
});

test('types in capitals, and null where it is allowed', () => {
  const schema = { type: 'OBJECT', properties: { city: { type: 'STRING', nullable: true } } };
  expect([{ city: 'Rome' }, { city: null }, { city: 1 }].map((value) => fits(schema, value))).toEqual([
    true,
    true,
    false,
  ]);
});

test('what is not known is not held against an answer', () => {
  for (const schema of [undefined, true, {}, { $ref: '#/$defs/x' }, { type: 'date' }, { not: {} }])
    expect(fits(schema, { any: 'thing' })).toBe(true);
  let deep: unknown = { type: 'string' };
  for (let n = 0; n < 100; n++) deep = { type: 'array', items: deep };
  expect(fits(deep, [[]])).toBe(true);
});
