import { expect, test } from 'bun:test';

import { nothingSeen, sawFirstToken } from './first-token.ts';
import type { FirstToken } from './first-token.ts';
import { leftBeforeFirstToken, leftInStall } from './silence.ts';

function usual(ms: number): FirstToken {
  let known = nothingSeen;
  for (let n = 0; n < 200; n++) known = sawFirstToken(known, ms * (0.7 + (n % 7) / 10));
  return known;
}

test('who leaves within the usual time left for reasons of their own', () => {
  expect(leftBeforeFirstToken(usual(500), 900)).toBe(false);
  expect(leftBeforeFirstToken(usual(10_000), 15_000)).toBe(false);
  expect(leftBeforeFirstToken(nothingSeen, 5_000)).toBe(false);
});

test('who waited far longer than usual was driven away', () => {
  expect(leftBeforeFirstToken(usual(500), 5_000)).toBe(true);
  expect(leftBeforeFirstToken(usual(10_000), 60_000)).toBe(true);
  expect(leftBeforeFirstToken(nothingSeen, 60_000)).toBe(true);
});

test('the longer the silence, the surer', () => {
  const known = usual(2_000);
  const said = Array.from({ length: 100 }, (_, n) => leftBeforeFirstToken(known, n * 500));
  expect(said).toEqual([...said].sort((a, b) => Number(a) - Number(b)));
});

test('in the middle of an answer, silence counts from half the stall limit', () => {
  expect([1_000, 7_000, 8_000].map((ms) => leftInStall(ms, 15_000))).toEqual([false, false, true]);
  expect(leftInStall(1_000, 400)).toBe(false);
});
