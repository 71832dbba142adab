import { expect, test } from 'bun:test';

import { budgetFrom, periodAt } from './budget.ts';
import { instant } from './ids.ts';

test.each([
  ['50usd/day', { usd: 50, period: 'day' }],
  ['0.5usd/month', { usd: 0.5, period: 'month' }],
  ['50 usd/day', null],
  ['50usd/week', null],
] as const)('%p is %p', (text, expected) => {
  expect(budgetFrom(text)).toEqual(expected);
});

test('periods are those of the calendar, in every year', () => {
  for (let at = Date.UTC(1999, 11, 30); at < Date.UTC(2101, 1, 2); at += 86_400_000 * 3 + 12_345_678) {
    const date = new Date(at);
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
    expect(periodAt(instant(at), 'month')).toEqual({
      start: Date.UTC(year, month, 1),
      end: Date.UTC(year, month + 1, 1),
    });
    const { start, end } = periodAt(instant(at), 'day');
    expect([start <= at, at < end, end - start]).toEqual([true, true, 86_400_000]);
  }
});
