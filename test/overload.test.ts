/** The metastable case, small: what protecting is for. `npm run bench:overload` prints it in full. */
import { describe, expect, test } from 'bun:test';

import {
  answeredShare,
  attemptsPerRequest,
  kinds,
  minutes,
  off,
  on,
  recoveredMs,
  runCase,
  slowestRefusalMs,
} from '../bench/overload/case.ts';

const { moved, back, end } = minutes;

test('without protection the backup collapses, and stays down after the load is gone', () => {
  const found = runCase(1, off);
  const run = found.tally;
  expect(recoveredMs(found)).toBeNull();
  for (const kind of kinds) expect(answeredShare(run, kind, 0, moved)).toBeGreaterThan(0.98);
  for (const kind of kinds) expect(answeredShare(run, kind, moved, back)).toBeLessThan(0.3);
  expect(answeredShare(run, 'own', back, end)).toBeLessThan(0.1);
  expect(answeredShare(run, 'own-critical', back, end)).toBeLessThan(0.1);
  expect(attemptsPerRequest(run)).toBeGreaterThan(1.5);
});

describe.each([1, 2, 3])('with protection, seed %d', (seed) => {
  const found = runCase(seed, on);
  const run = found.tally;
  test('critical requests lose nothing', () => {
    expect(answeredShare(run, 'own-critical', 0, end)).toBe(1);
  });
  test("the backup's own traffic and people who wait are served", () => {
    expect(answeredShare(run, 'own', moved, back)).toBeGreaterThan(0.98);
    expect(answeredShare(run, 'interactive', moved, back)).toBeGreaterThan(0.93);
  });
  test('what can be shed is refused at once', () => {
    const slowest = slowestRefusalMs(found);
    expect(slowest).not.toBeNull();
    expect(slowest).toBeLessThan(100);
  });
  test('hardly a request is sent twice', () => {
    expect(attemptsPerRequest(run)).toBeLessThan(1.1);
  });
  test('everybody is served again within 30 s', () => {
    expect(recoveredMs(found)).not.toBeNull();
    expect(recoveredMs(found)).toBeLessThanOrEqual(30_000);
    for (const kind of kinds) expect(answeredShare(run, kind, back, back + 1)).toBeGreaterThan(0.98);
  });
});

test('the same seed gives the same run', () => {
  const outcomes = (seed: number): unknown =>
    kinds.map((kind) => runCase(seed, on).tally.feature(kind).outcomes());
  expect(outcomes(7)).toEqual(outcomes(7));
  expect(outcomes(7)).not.toEqual(outcomes(8));
});
