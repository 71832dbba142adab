import { expect, test } from 'bun:test';

import fc from 'fast-check';

import { countedShare, writtenShare } from './percent.ts';

test.each([
  [0, '0 %'],
  [1, '100 %'],
  [0.264, '26 %'],
  [0.5, '50 %'],
  [0.0314, '3.1 %'],
  [0.003, '0.3 %'],
  [0.000_000_1, '0.0001 %'],
  [0.963, '96.3 %'],
  [0.9995, '99.95 %'],
  [0.999_999_9, '99.9999 %'],
])('%p was counted: %p', (share, words) => {
  expect(countedShare(share)).toBe(words);
});

test.each([
  [0.125, '12.5 %'],
  [0.9995, '99.95 %'],
  [0.07, '7 %'],
  [1, '100 %'],
])('%p was agreed: %p', (share, words) => {
  expect(writtenShare(share)).toBe(words);
});

test('nothing and all are said only of nothing and all, and more is never shown as less', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const shown = (value: number): number => Number.parseFloat(countedShare(value));
  fc.assert(
    fc.property(share, share, (one, other) => {
      if (one > 0) expect(shown(one)).toBeGreaterThan(0);
      if (one < 1) expect(shown(one)).toBeLessThan(100);
      expect(shown(Math.min(one, other))).toBeLessThanOrEqual(shown(Math.max(one, other)));
    }),
  );
});
