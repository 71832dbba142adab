import { describe, expect, test } from 'bun:test';

import { aFeature, aProvider, aTarget, gptAtOpenai, opus, opusAtAnthropic } from '../../test/core-fixture.ts';
import { compile } from '../core/policy.ts';
import type { Feature, Snapshot } from '../core/snapshot.ts';
import type { Rehearsal } from './arena.ts';
import { rehearse } from './rehearse.ts';
import type { StrategyName } from './rehearse.ts';
import { readScenario } from './scenario.ts';

type Json = Readonly<Record<string, unknown>>;

const empty = compile({}, { hash: 'none', secrets: () => ({ why: 'none', severity: 'error' }) });
if (!empty.ok) throw new Error('an empty configuration compiles');
const { snapshot: nothing } = empty;

/** In minutes 3 to 8, everything at one provider, unless said otherwise. */
const trouble = (effect: Json, changes: Json = {}): Json => ({
  at: '3m',
  for: '5m',
  scope: { provider: 'anthropic' },
  effect,
  ...changes,
});
const down = trouble({ kind: 'fail', class: 'server_error' });

function rehearsal(feature: Feature, faults: readonly Json[], changes: Json = {}): Rehearsal {
  const read = readScenario({
    name: 'test',
    duration: '12m',
    traffic: { '*': { rate: 5 } },
    usual: { failures: '0%' },
    callersRetry: 0,
    faults,
    ...changes,
  });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const snapshot: Snapshot = {
    ...nothing,
    features: new Map([[feature.name, feature]]),
    targets: new Map(feature.route.map((target) => [target.name, target])),
  };
  return { snapshot, scenario: read.scenario, seed: 1 };
}

const notes = aFeature([opusAtAnthropic, gptAtOpenai]);
const shares = (given: Rehearsal, strategy: StrategyName = 'breakwater') =>
  rehearse(given, strategy).feature('notes').outcomes(3, 8);

test('an outage is served by the backup, and the preferred model comes back', () => {
  const run = rehearse(rehearsal(notes, [down], { duration: '20m' }), 'breakwater');
  const during = run.feature('notes').outcomes(4, 8);
  expect(during.backup).toBeGreaterThan(1_000);
  expect(during.failed).toBe(0);
  expect(run.feature('notes').outcomes(18, 20)).toMatchObject({ backup: 0, failed: 0 });
  expect(run.violationCount).toBe(0);
  const states = run.transitions.map(({ to }) => to);
  expect(states).toContain('ejected');
  expect(states.at(-1)).toBe('healthy');
});

test('simple strategies meet the same outage in their own ways', () => {
  const given = rehearsal(notes, [down]);
  expect(shares(given, 'no_gateway')).toMatchObject({ answered: 0, backup: 0 });
  const retried = shares(given, 'retry_only');
  expect(retried.backup).toBe(0);
  expect(retried.answered).toBeLessThan(retried.failed / 10);
  expect(shares(given, 'naive_fallback').backup).toBeGreaterThan(1_000);
  expect(shares(given, 'common_breaker').backup).toBeGreaterThan(1_000);
});

test('naive fallback goes where policy forbids, and is seen to; the core asks instead', () => {
  const asking = aFeature([opusAtAnthropic, gptAtOpenai], {
    fallback: { same_model: 'auto', same_vendor: 'ask', other_vendor: 'ask', local: 'ask' },
  });
  const given = rehearsal(asking, [down]);
  expect(rehearse(given, 'naive_fallback').violationCount).toBeGreaterThan(1_000);
  const run = rehearse(given, 'breakwater');
  expect(run.violationCount).toBe(0);
  const { asked, agreed } = run.feature('notes').outcomes(4, 8);
  expect(asked + agreed).toBeGreaterThan(1_000);
});

test('an operator switches off what nobody else noticed, and takes it back by a ramp', () => {
  const operator = [{ at: '3m', for: '5m', off: { vendor: 'anthropic' } }];
  const run = rehearse(rehearsal(notes, [], { duration: '20m', operator }), 'breakwater');
  expect(run.feature('notes').outcomes(3, 8)).toMatchObject({ answered: 0, failed: 0 });
  expect(run.transitions[0]).toMatchObject({ to: 'ramping', atMs: 480_000 });
  expect(run.feature('notes').outcomes(15, 20).backup).toBe(0);
});

test.each<[string, Json, 'cut' | 'backup']>([
  ['silence', { kind: 'hang' }, 'backup'],
  ['answers that break off', { kind: 'cut' }, 'cut'],
  ['answers that stop', { kind: 'stall' }, 'cut'],
  ['very late first tokens', { kind: 'slow', factor: 60 }, 'backup'],
])('%s', (_name, effect, seen) => {
  const outcomes = shares(rehearsal(notes, [trouble(effect)]));
  expect(outcomes[seen]).toBeGreaterThan(0);
  expect(outcomes.failed).toBe(0);
});

test('a short Retry-After is waited for', () => {
  const solo = aFeature([opusAtAnthropic]);
  const limited = trouble(
    { kind: 'fail', class: 'overloaded', status: 529, retryAfter: '1s' },
    { share: '5%' },
  );
  const { failed, answered } = shares(rehearsal(solo, [limited]));
  expect(failed).toBeLessThan(answered * 0.02);
});

test('trouble that comes and goes, and fades away', () => {
  const flapping = trouble({ kind: 'hang' }, { flapping: { bad: '1m', good: '1m' } });
  const counts = (given: Json): readonly number[] => {
    const run = rehearse(rehearsal(notes, [given]), 'no_gateway');
    return Array.from(
      { length: 12 },
      (_, minute) => run.feature('notes').outcomes(minute, minute + 1).failed,
    );
  };
  expect(counts(flapping).map((failed) => failed > 0)).toEqual(
    [0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0].map(Boolean),
  );
  const fading = counts({ ...down, for: '2m', fades: '5m' });
  expect(fading[4]).toBeGreaterThan(fading[7] ?? 0);
  expect(fading[8]).toBeGreaterThan(0);
  expect(fading[10]).toBe(0);
});

test('a target that shrinks is protected: less is served, nothing collapses', () => {
  const solo = aFeature([aTarget(aProvider('small'), opus)]);
  const given = rehearsal(solo, [trouble({ kind: 'shrink', to: '33%' }, { scope: { provider: 'small' } })], {
    traffic: { '*': { rate: 10 } },
    usual: { failures: '0%', firstToken: '600ms', answer: '1400ms' },
    targets: { 'small/claude-opus-4-8': { places: 36 } },
  });
  const { answered, cut, failed, busy } = shares(given);
  expect(answered).toBeGreaterThan((answered + cut + failed + busy) * 0.4);
  expect(busy).toBeGreaterThan((failed + cut) * 3);
});

test.each([
  ['0%', (agreed: number) => agreed === 0],
  ['60%', (agreed: number) => agreed > 0.5 && agreed < 0.7],
  ['100%', (agreed: number) => agreed === 1],
])('of users who are asked, %s agree, after a while, and get an answer', (agree, isRight) => {
  const asking = aFeature([opusAtAnthropic, gptAtOpenai], {
    fallback: { same_model: 'auto', same_vendor: 'auto', other_vendor: 'ask', local: 'never' },
  });
  const given = rehearsal(asking, [down], { traffic: { '*': { rate: 5, agree, agreeAfter: '20s' } } });
  const run = rehearse(given, 'breakwater');
  const { agreed, asked } = run.feature('notes').outcomes(4, 7);
  expect(agreed + asked).toBeGreaterThan(500);
  expect(isRight(agreed / (agreed + asked))).toBe(true);
  expect(run.violationCount).toBe(0);
  const slowest = run.feature('notes').waitMs(0.99, 4, 7) ?? 0;
  expect(slowest > 20_000).toBe(agreed > 0);
});

describe('a first call that stays silent', () => {
  /** A fifth of the calls to the preferred target are slow by far, too few to take it out. */
  const dragging = trouble({ kind: 'slow', factor: 8 }, { share: '20%' });
  const hedging = (budget: number): Feature =>
    aFeature([opusAtAnthropic, gptAtOpenai], {
      hedge: { afterMs: 2_500, budget },
      timeouts: { ...notes.timeouts, firstTokenMs: 60_000 },
    });
  const watchedOnly = (given: Rehearsal): Rehearsal => ({
    ...given,
    snapshot: {
      ...given.snapshot,
      gates: given.snapshot.gates.map((gate) => ({ ...gate, mode: 'observe' })),
    },
  });
  const run = (feature: Feature, changes: Json = {}) =>
    rehearse(watchedOnly(rehearsal(feature, [dragging], changes)), 'breakwater');

  test('is asked of the next target too, and people wait less', () => {
    const [plain, hedged] = [run(notes), run(hedging(0.3))];
    const [before, after] = [plain, hedged].map((each) => each.feature('notes').waitMs(0.95, 3, 8) ?? 0);
    expect(after).toBeLessThan((before ?? 0) * 0.8);
    const seen = hedged.feature('notes');
    expect(seen.hedgesWon).toBeGreaterThan(100);
    expect(seen.hedgesWon).toBeLessThanOrEqual(seen.hedges);
    expect(seen.outcomes().backup).toBe(seen.hedgesWon);
    expect(hedged.violationCount).toBe(0);
    const requests = Object.values(seen.outcomes()).reduce((sum, each) => sum + each, 0);
    expect(seen.attempts).toBe(requests + seen.hedges);
    expect([...hedged.targets.values()].map(({ open }) => open)).toEqual([0, 0]);
  });

  test('is asked again for no more than the budget', () => {
    const { hedges, attempts } = run(hedging(0.02)).feature('notes');
    expect(hedges).toBeGreaterThan(20);
    expect(hedges).toBeLessThanOrEqual(attempts * 0.02 + 2);
  });

  test('is not asked of a target that somebody switched off', () => {
    const operator = [{ at: '0s', for: '12m', off: { provider: 'openai' } }];
    const off = run(hedging(0.3), { operator });
    expect(off.feature('notes').hedges).toBe(0);
    expect(off.violationCount).toBe(0);
  });

  test('and fails on both sides is a failure once', () => {
    const both = [
      trouble({ kind: 'hang' }),
      trouble({ kind: 'fail', class: 'server_error' }, { scope: { provider: 'openai' } }),
    ];
    const seen = rehearse(watchedOnly(rehearsal(hedging(1), both)), 'breakwater').feature('notes');
    const { failed, answered, backup } = seen.outcomes(3, 8);
    expect(failed).toBeGreaterThan(1_000);
    expect(answered + backup).toBeLessThan(failed * 0.02);
    expect(seen.attempts).toBeLessThan((failed + 8 * 60 * 5) * 4);
  });
});
