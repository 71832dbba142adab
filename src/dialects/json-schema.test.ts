import { Ajv } from 'ajv';
import { expect, test } from 'bun:test';
import fc from 'fast-check';

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

test('what a schema points to inside itself', () => {
  const tree = {
    type: 'object',
    properties: { name: { type: 'string' }, parts: { type: 'array', items: { $ref: '#/$defs/part' } } },
    $defs: { part: { type: 'object', required: ['name'], properties: { part: { $ref: '#/$defs/part' } } } },
  };
  expect(fits(tree, { parts: [{ name: 'a', part: { name: 'b' } }] })).toBe(true);
  expect(fits(tree, { parts: [{ name: 'a', part: {} }] })).toBe(false);
  const endless = { $ref: '#' };
  expect(fits(endless, 1)).toBe(true);
});

test('the order of properties in an enum does not matter, bounds do', () => {
  expect(fits({ enum: [{ a: 1, b: 2 }] }, { b: 2, a: 1 })).toBe(true);
  expect(fits({ type: 'integer', minimum: 1, maximum: 5 }, 6)).toBe(false);
  expect(fits({ type: 'ARRAY', maxItems: '2' }, [1, 2, 3])).toBe(false);
});

test('what costs more steps than it may is not held against the answer', () => {
  const words = (count: number): string[] => Array.from({ length: count }, (_, n) => `word ${n}`);
  expect(fits({ enum: words(1_000) }, 'none of them')).toBe(false);
  expect(fits({ type: 'array', items: { enum: words(1_000) } }, Array(1_000).fill('word 999'))).toBe(true);
  expect(fits({ enum: words(100_000) }, 'none of them')).toBe(true);
});

const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer({ min: -3, max: 9 }),
  fc.double(),
  fc.string(),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
  ),
}));
const { schema: schemas } = fc.letrec<{ schema: object }>((tie) => ({
  schema: fc.oneof(
    { depthSize: 'small' },
    fc.record(
      {
        type: fc.constantFrom('object', 'array', 'string', 'number', 'integer', 'boolean', 'null'),
        enum: fc.array(leaf, { minLength: 1, maxLength: 3 }),
        minimum: fc.integer({ min: -3, max: 3 }),
        maxItems: fc.integer({ min: 0, max: 3 }),
        minLength: fc.integer({ min: 0, max: 3 }),
        format: fc.constantFrom('date', 'made-up'),
      },
      { requiredKeys: [] },
    ),
    fc.record(
      {
        type: fc.constant('object'),
        properties: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('schema'), { maxKeys: 2 }),
        required: fc.subarray(['a', 'b']),
        additionalProperties: fc.oneof(fc.boolean(), tie('schema')),
      },
      { requiredKeys: [] },
    ),
    fc.record({ type: fc.constant('array'), items: tie('schema') }),
    fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    fc.record({
      $ref: fc.constantFrom('#', '#/$defs/text'),
      $defs: fc.constant({ text: { type: 'string' } }),
    }),
  ),
}));

test('what it refuses, a full validator refuses', () => {
  const ajv = new Ajv({ strict: false, validateFormats: false, logger: false });
  let refused = 0;
  fc.assert(
    fc.property(schemas, value, (schema, answer) => {
      if (fits(schema, answer)) return true;
      refused++;
      try {
        return !ajv.validate(schema, answer);
      } catch {
        return true; // no schema after all: a pointer that leads nowhere, a schema that contains itself
      }
    }),
    { numRuns: 300 },
  );
  expect(refused).toBeGreaterThan(30);
});
