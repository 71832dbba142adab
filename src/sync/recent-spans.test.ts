import { expect, test } from 'bun:test';

import { RecentSpans } from './recent-spans.ts';

type Counts = { n: number };

function counted(moments: readonly number[]): RecentSpans<Counts> {
  const spans = new RecentSpans<Counts>(10, 6, () => ({ n: 0 }));
  for (const moment of moments) {
    const counts = spans.at(moment);
    if (counts !== null) counts.n++;
  }
  return spans;
}
const sum = (spans: RecentSpans<Counts>, windowMs: number, now: number): number =>
  spans.within(windowMs, now).reduce((total, { n }) => total + n, 0);

test('a window holds every span that it touches, and no other', () => {
  const spans = counted([100, 105, 119, 120, 131]);
  expect(sum(spans, 5, 131)).toBe(2);
  expect(sum(spans, 20, 131)).toBe(3);
  expect(sum(spans, 60, 131)).toBe(5);
});

test('what comes late is counted where it belongs, as long as that is remembered', () => {
  const spans = counted([100, 140, 101]);
  expect(sum(spans, 50, 145)).toBe(3);
  expect(counted([100, 160]).at(100)).toBeNull();
});

test('what is older than the ring is forgotten, and quiet times are empty', () => {
  expect(sum(counted([100, 200]), 1_000, 205)).toBe(1);
  expect(sum(counted([100]), 30, 1_000)).toBe(0);
});

test('what a clock that went back has left behind is not of now', () => {
  expect(sum(counted([500]), 60, 120)).toBe(0);
});
