import { expect, test } from 'bun:test';
import fc from 'fast-check';

import { instant } from './ids.ts';
import { deposit, fullBudget, hedgeRule, withdraw } from './retry-budget.ts';

test('second tries are at most a tenth of the requests, one a second, and ten saved up', () => {
  const step = fc.record({
    ms: fc.integer({ min: 0, max: 5_000 }),
    kind: fc.constantFrom('request', 'retry'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 500 }), (steps) => {
      let now = 0;
      let budget = fullBudget(instant(now));
      let [requests, retries] = [0, 0];
      for (const { ms, kind } of steps) {
        now += ms;
        if (kind === 'request') {
          budget = deposit(budget, instant(now));
          requests++;
          continue;
        }
        const taken = withdraw(budget, instant(now));
        if (taken === null) continue;
        budget = taken;
        retries++;
        expect(retries).toBeLessThanOrEqual(10 + requests / 10 + now / 1_000 + 1e-9);
      }
    }),
  );
});

test('in a storm they are a tenth of the load', () => {
  let budget = fullBudget(instant(0));
  let retries = 0;
  for (let request = 1; request <= 100_000; request++) {
    const now = instant(request);
    budget = deposit(budget, now);
    const taken = withdraw(budget, now);
    if (taken === null) continue;
    budget = taken;
    retries++;
  }
  // Of 1,000 requests a second, each of which fails: a tenth, and the one a second.
  expect(retries / 100_000).toBeLessThan(0.102);
});

test('a clock that runs backwards gives nothing away', () => {
  let budget = fullBudget(instant(10_000));
  for (let taken = 0; taken < 10; taken++) budget = withdraw(budget, instant(10_000)) ?? budget;
  expect(withdraw(budget, instant(0))).toBeNull();
});

test('hedges are at most their share of the requests, and two saved up, however long nothing happened', () => {
  const rule = hedgeRule(0.05);
  let budget = fullBudget(instant(0), rule);
  let hedges = 0;
  for (let request = 1; request <= 10_000; request++) {
    const now = instant(request * 60_000);
    budget = deposit(budget, now, rule);
    const taken = withdraw(budget, now, rule);
    if (taken === null) continue;
    budget = taken;
    hedges++;
  }
  expect(hedges).toBeLessThanOrEqual(502);
  expect(hedges).toBeGreaterThan(490);
});
