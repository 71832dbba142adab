import { expect, test } from 'bun:test';
import fc from 'fast-check';

import { grownBy, msUntilGrown, startGrowth } from './growth.ts';
import { instant } from './ids.ts';

const rule = { fromTokens: 1_000, share: 0.5, perMs: 900_000 };
const minutes = (count: number) => instant(count * 60_000);

/** Sends as much as is let through, a piece each second, from one minute to another; tokens a minute. */
function flood(growth: ReturnType<typeof startGrowth>, from: number, to: number) {
  let state = growth;
  let sent = 0;
  for (let now = from * 60_000; now < to * 60_000; now += 1_000)
    while (msUntilGrown(state, 10, 1, instant(now)) === 0) {
      state = grownBy(state, 10, instant(now));
      sent += 10;
    }
  return { state, perMinute: sent / (to - from) };
}

test('a cold target is filled in steps of half more each quarter of an hour', () => {
  const first = flood(startGrowth(rule, minutes(0)), 0, 15);
  const second = flood(first.state, 15, 30);
  const third = flood(second.state, 30, 45);
  expect(first.perMinute).toBeLessThan(1_100);
  expect(second.perMinute / first.perMinute).toBeGreaterThan(1.3);
  expect(second.perMinute / first.perMinute).toBeLessThan(1.55);
  expect(third.perMinute / second.perMinute).toBeLessThan(1.55);
});

test('after a quiet hour it begins below again, and never under what is free', () => {
  const grown = flood(flood(startGrowth(rule, minutes(0)), 0, 15).state, 15, 30).state;
  const quiet = grownBy(grown, 0, minutes(90));
  expect(quiet.meter.perMinute).toBe(1_000);
});

test('no window lets through more than its rate and one bucket, whatever is asked', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 1, max: 800 })), {
        maxLength: 200,
      }),
      (asked) => {
        let state = startGrowth(rule, instant(0));
        let now = 0;
        let sent = 0;
        for (const [gap, tokens] of asked) {
          now += gap;
          if (now >= rule.perMs) break;
          if (msUntilGrown(state, tokens, 1, instant(now)) > 0) continue;
          state = grownBy(state, tokens, instant(now));
          sent += tokens;
        }
        expect(sent).toBeLessThanOrEqual(rule.fromTokens * (1 + now / 60_000) + 1);
      },
    ),
  );
});
