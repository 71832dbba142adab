import { expect, test } from 'bun:test';

import { instant } from '../core/ids.ts';
import { Tally } from './tally.ts';

const start = 1_780_000_000_000;

test('counts the last five minutes and forgets the rest', () => {
  const tally = new Tally();
  for (let second = 0; second < 600; second++)
    tally.count(second % 10 === 0 ? 'server_error' : null, instant(start + second * 1_000));
  const now = instant(start + 599_000);
  const { ok, failed } = tally.read(now);
  expect(failed * 9).toBe(ok);
  expect(ok + failed).toBeGreaterThanOrEqual(270);
  expect(ok + failed).toBeLessThanOrEqual(300);
  expect(tally.read(instant(start + 900_000))).toMatchObject({
    ok: 0,
    failed: 0,
    lastAt: now,
    lastFailure: 'server_error',
  });
});

test('a clock that goes back loses nothing', () => {
  const tally = new Tally();
  tally.count(null, instant(start));
  tally.count(null, instant(start - 3_600_000));
  expect(tally.read(instant(start)).ok).toBe(2);
});
