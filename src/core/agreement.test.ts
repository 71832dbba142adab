import { expect, test } from 'bun:test';

import { reviewBy, staleWords } from './agreement.ts';

const day = 86_400_000;
const agreed = { by: ['platform'], on: 0, reviewMs: 90 * day };

test('an agreement is stale from its review date on', () => {
  expect(reviewBy(agreed)).toBe(90 * day);
  expect(staleWords('gate 1', agreed, 90 * day - 1)).toBeNull();
  expect(staleWords('gate 1', agreed, 90 * day)).toBe(
    'The agreement behind gate 1 was to be reviewed today.',
  );
  expect(staleWords('gate 1', agreed, 91 * day)).toContain('1 day ago');
  expect(staleWords('gate 1', agreed, 100 * day)).toContain('10 days ago');
});

test('without a date or a term there is nothing to be late for', () => {
  for (const each of [null, { ...agreed, on: null }, { ...agreed, reviewMs: null }])
    expect(staleWords('gate 1', each, 1_000 * day)).toBeNull();
});
