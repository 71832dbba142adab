import { expect, test } from 'bun:test';

import fc from 'fast-check';

import { dayText, epochOf, momentText } from './moment.ts';

test('a moment is written as the platform writes it', () => {
  const latest = Date.UTC(9_999, 11, 31);
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(1, 0, 1), max: latest }), (at) => {
      const expected = new Date(at).toISOString();
      expect(momentText(at)).toBe(expected);
      expect(dayText(at)).toBe(expected.slice(0, 10));
      expect(epochOf(expected)).toBe(at);
    }),
  );
  for (const at of [Date.UTC(2024, 1, 29), Date.UTC(2000, 1, 29, 23, 59, 59, 999), 0, Date.UTC(2100, 1, 28)])
    expect(momentText(at)).toBe(new Date(at).toISOString());
});

test('moments with an offset, without seconds, and mere days are read; other text is not', () => {
  expect(epochOf('2026-06-07')).toBe(Date.UTC(2026, 5, 7));
  expect(epochOf('2026-06-07T11:30:00.5+02:00')).toBe(Date.UTC(2026, 5, 7, 9, 30, 0, 500));
  expect(epochOf('2026-06-07T00:30-01:00')).toBe(Date.UTC(2026, 5, 7, 1, 30));
  for (const text of ['', 'soon', '2026-06', '2026-06-07 09:00']) expect(epochOf(text)).toBeNaN();
});
