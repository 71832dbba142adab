import { expect, test } from 'bun:test';
import fc from 'fast-check';

import { comparedRate, nothingKnown } from './background.ts';
import { count, freshBank, suspicion } from './detector.ts';
import type { Agreement, Bank } from './detector.ts';
import { instant } from './ids.ts';

const agreement: Agreement = { budget: 0.005, breach: 0.2, falseAlarmMs: 30 * 86_400_000 };
const outcome = (failed: boolean, callerKey: string | null = null) => ({
  failed,
  overloaded: false,
  callerKey,
  requestKey: null,
});

function fed(outcomes: readonly boolean[], spacingMs = 1_000): Bank {
  let bank = freshBank(agreement, instant(0));
  outcomes.forEach((failed, index) => {
    bank = count(bank, outcome(failed), agreement, instant((index + 1) * spacingMs));
  });
  return bank;
}

const histories = fc.array(fc.boolean(), { maxLength: 200 });

test('a failure never lowers a sum, a success never raises one', () => {
  fc.assert(
    fc.property(histories, (history) => {
      const bank = fed(history);
      const at = instant((history.length + 1) * 1_000);
      const worse = count(bank, outcome(true), agreement, at);
      const better = count(bank, outcome(false), agreement, at);
      for (const sum of ['low', 'middle', 'high'] as const) {
        expect(worse[sum]).toBeGreaterThanOrEqual(bank[sum]);
        expect(better[sum]).toBeLessThanOrEqual(bank[sum]);
      }
    }),
  );
});

test('sums are bounded and never NaN, whatever was agreed and however time passes', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      fc.record({ budget: share, breach: share, falseAlarmMs: fc.integer({ min: 1, max: 2 ** 40 }) }),
      fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 10_000_000 })), { maxLength: 100 }),
      (agreed, steps) => {
        let now = 0;
        let bank = freshBank(agreed, instant(0));
        for (const [failed, pause] of steps) {
          now += pause;
          bank = count(bank, outcome(failed), agreed, instant(now));
          for (const sum of [bank.low, bank.middle, bank.high])
            expect(sum >= 0 && sum <= bank.tuning.height).toBe(true);
          expect(Number.isFinite(suspicion(bank))).toBe(true);
        }
      },
    ),
  );
});

test('the order of outcomes of one instant does not matter while suspicion lasts', () => {
  const start = fed([...Array.from({ length: 50 }, () => false), true, true]);
  const at = instant(60_000);
  const one = count(count(start, outcome(true), agreement, at), outcome(false), agreement, at);
  const other = count(count(start, outcome(false), agreement, at), outcome(true), agreement, at);
  for (const sum of ['low', 'middle', 'high'] as const) expect(one[sum]).toBeCloseTo(other[sum], 9);
});

test('what turned out to be nothing is learned; the rule does not change while it judges', () => {
  const judging = fed([true, false]);
  const before = freshBank(agreement, instant(0)).tuning.p0;
  expect(judging.tuning.p0).toBe(before);
  const noisy = fed(Array.from({ length: 4_000 }, (_, index) => index % 50 === 0));
  expect(noisy.background.failed).toBeGreaterThan(50);
  expect(noisy.tuning.usual).toBeWithin(0.015, 0.025);
});

test('what counts as usual is at least the budget and at most a quarter of the breach', () => {
  expect(comparedRate(nothingKnown, 0.005, 0.2)).toBeCloseTo(0.0075, 6);
  expect(comparedRate({ total: 1_000, failed: 500, spanMs: 1 }, 0.005, 0.2)).toBeCloseTo(0.05, 6);
  expect(comparedRate({ total: 1e6, failed: 0, spanMs: 1 }, 0.005, 0.2)).toBeCloseTo(0.005, 6);
});
