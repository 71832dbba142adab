import { expect, test } from 'bun:test';

import fc from 'fast-check';

import { dayText, momentText } from './moment.ts';

test('a moment is written as the platform writes it', () => {
  const latest = Date.UTC(9_999, 11, 31);
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(1, 0, 1), max: latest }), (at) => {
      const expected = new Date(at).toISOString();
      expect(momentText(at)).toBe(expected);
      expect(dayText(at)).toBe(expected.slice(0, 10));
    }),
  );
  for (const at of [Date.UTC(2024, 1, 29), Date.UTC(2000, 1, 29, 23, 59, 59, 999), 0, Date.UTC(2100, 1, 28)])
    expect(momentText(at)).toBe(new Date(at).toISOString());
});
