import { expect, test } from 'bun:test';

import { hedgeAfterMs, takesHedge } from './hedging.ts';
import type { FirstCall } from './hedging.ts';

const hedge = { afterMs: 2_000, budget: 0.05 };
const first: FirstCall = { stream: true, panic: false, calls: 1, attemptsMax: 4, moreToTry: true };

test('the first call of a stream is hedged when it has been silent for as long as the feature says', () => {
  expect(hedgeAfterMs({ hedge }, first)).toBe(2_000);
});

test.each<[string, Partial<FirstCall>]>([
  ['a whole answer', { stream: false }],
  ['a call that passes a closed gate', { panic: true }],
  ['a second call', { calls: 2 }],
  ['a request that may make one call only', { attemptsMax: 1 }],
  ['the last target of a plan', { moreToTry: false }],
])('%s is not', (_name, changes) => {
  expect(hedgeAfterMs({ hedge }, { ...first, ...changes })).toBeNull();
});

test('no feature hedges unless it says so', () => {
  expect(hedgeAfterMs({ hedge: null }, first)).toBeNull();
});

test('a target that is nearly full takes no hedge', () => {
  expect(takesHedge(0.79)).toBe(true);
  expect(takesHedge(0.8)).toBe(false);
});
