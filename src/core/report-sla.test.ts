import { describe, expect, test } from 'bun:test';

import { anSlaInput, monthStart, someTally, someWindows } from '../../test/report-fixture.ts';
import { bothDown, coherence } from './coherence.ts';
import { instant } from './ids.ts';
import { monthBounds, slaReport, tallyByFeature } from './report-sla.ts';
import { countInto, emptyTally } from './statistics.ts';
import { correlation, sharedWindowsMin, targetOutcomes } from './target-outcomes.ts';

const minute = 60_000;
const oneAnswer = {
  outcome: 'answered',
  hasHop: false,
  durationMs: 0,
  firstTokenMs: null,
  inputTokens: null,
  outputTokens: null,
  costMicroUsd: null,
} as const;

describe('what a request says of the targets it tried', () => {
  test.each([
    ['answered at once', ['a/x'], 'a/x', [], 'answered', { 'a/x': true }],
    ['rescued', ['a/x', 'b/y'], 'b/y', ['server_error'], 'answered', { 'a/x': false, 'b/y': true }],
    ['retried and answered', ['a/x'], 'a/x', ['server_error'], 'answered', { 'a/x': true }],
    ['cut', ['a/x'], 'a/x', ['stream_truncated'], 'partial', { 'a/x': false }],
    ['failed everywhere', ['a/x', 'b/y'], null, ['overloaded'], 'failed', { 'a/x': false, 'b/y': false }],
    ["the caller's mistake", ['a/x'], null, ['request_rejected'], 'failed', {}],
    ['a used-up credential', ['a/x', 'b/y'], 'b/y', ['rate_limited'], 'answered', { 'b/y': true }],
    ['given up by the caller', ['a/x'], 'a/x', [], 'cancelled', {}],
  ] as const)('%s', (_name, attempted, served, failures, outcome, expected) =>
    expect(
      Object.fromEntries(
        targetOutcomes({ attempted, served, failures, outcome }).map(({ target, isOk }) => [target, isOk]),
      ),
    ).toEqual(expected),
  );
});

describe('how far failures go together', () => {
  const [one, other] = [...someWindows(30).values()];
  test('always', () => expect(correlation(one ?? new Map(), other ?? new Map()).value).toBeCloseTo(1));
  test('never seen to fail is not measured', () => {
    const [a, b] = [...someWindows(0).values()];
    expect(correlation(a ?? new Map(), b ?? new Map())).toEqual({ value: null, windows: 288 });
  });
  test('too few windows say nothing', () => {
    const few = new Map([...(one ?? new Map())].slice(0, sharedWindowsMin - 1));
    expect(correlation(few, other ?? new Map()).value).toBeNull();
  });
});

describe('what can be promised', () => {
  const route = [
    { target: 'a/x', provider: 'a', sla: 0.99 },
    { target: 'b/y', provider: 'b', sla: 0.99 },
  ];
  const judge = (promise: number | null, value: number | null, on = route) =>
    coherence(promise, on, () => ({ value, windows: 100 }));

  test('independent, together, and nothing in between what is possible', () => {
    expect(bothDown(0.01, 0.01, 0)).toBeCloseTo(0.0001);
    expect(bothDown(0.01, 0.01, 1)).toBeCloseTo(0.01);
    expect(bothDown(0.01, 0.2, 1)).toBe(0.01);
    expect(bothDown(0.01, 0.01, -1)).toBe(0);
  });
  test.each([
    [0.9999, 0, 'holds'],
    [0.9999, 0.5, 'does_not_hold'],
    [0.9999, null, 'holds_if_independent'],
    [0.99, null, 'holds'],
    [0.999_999, null, 'does_not_hold'],
    [null, 0, 'unknown'],
  ] as const)('a promise of %p at a correlation of %p: %s', (promise, value, verdict) =>
    expect(judge(promise, value).verdict).toBe(verdict),
  );
  test('failures that exclude each other are not counted on', () =>
    expect(judge(0.9999, -0.5).careful).toBeCloseTo(0.9999));
  test('two models of one provider are no backup', () => {
    const same = route.map((each) => ({ ...each, provider: 'a' }));
    expect(judge(0.999, 0, same)).toMatchObject({ verdict: 'does_not_hold', careful: 0.99, pairs: [] });
  });
  test('nobody promises anything', () =>
    expect(
      judge(
        0.9,
        0,
        route.map((each) => ({ ...each, sla: null as unknown as number })),
      ).verdict,
    ).toBe('unknown'));
});

describe('the report of a month', () => {
  test('error budget: half of it is left', () => {
    const [notes] = slaReport(anSlaInput()).features;
    expect(notes).toMatchObject({ requests: 10_000, failed: 5, availability: 0.9995, objective: 0.999 });
    expect(notes?.budgetLeft).toBeCloseTo(0.5);
  });
  test('an overdrawn budget is below nothing', () => {
    const byFeature = new Map([['notes', someTally(980, 20)]]);
    expect(slaReport(anSlaInput({ byFeature })).features[0]?.budgetLeft).toBeCloseTo(-19);
  });
  test('what a provider refused as invalid is a request of its feature, and no failure of it', () => {
    const byFeature = tallyByFeature([
      { values: ['notes', '(none)'], tally: someTally(90, 0) },
      { values: ['notes', 'request_rejected'], tally: someTally(0, 7) },
      { values: ['notes', 'unknown_model'], tally: someTally(0, 2) },
      { values: ['notes', 'upstream_failed'], tally: someTally(0, 1) },
      { values: ['other', 'upstream_failed'], tally: someTally(0, 5) },
    ]);
    expect(slaReport(anSlaInput({ byFeature })).features[0]).toMatchObject({ requests: 100, failed: 3 });
  });
  test('a feature that is not configured any more is in it, and a count of tokens is not', () => {
    const byFeature = tallyByFeature([
      { values: ['notes', '(none)', 'answer'], tally: someTally(3, 0) },
      { values: ['notes', '(none)', 'count_tokens'], tally: someTally(50, 0) },
      { values: ['gone', 'upstream_failed', 'answer'], tally: someTally(3, 1) },
    ]);
    const { features } = slaReport(anSlaInput({ byFeature }));
    expect(features.map(({ feature, requests, failed }) => [feature, requests, failed])).toEqual([
      ['notes', 3, 0],
      ['gone', 4, 1],
    ]);
    expect(features[1]?.coherence.words).toBe(
      'It is not in the configuration in force, so nothing can be said.',
    );
  });
  test('how long one waits is read from whole answers, of a feature and of a target', () => {
    const timed = (ms: number) => {
      const tally = emptyTally();
      countInto(tally, { ...oneAnswer, durationMs: ms });
      return tally;
    };
    const byFeature = new Map([['notes', timed(1)]]);
    const answers = [
      { values: ['notes', 'anthropic/claude-opus-4-8'], tally: timed(100) },
      { values: ['other', 'anthropic/claude-opus-4-8'], tally: timed(2_000) },
    ];
    const { features, providers } = slaReport(anSlaInput({ byFeature, answers }));
    const ofTarget = providers.find(({ provider }) => provider === 'anthropic');
    expect(features[0]?.p99Ms).toBeWithin(95, 105);
    expect(ofTarget?.p50Ms).toBeWithin(95, 105);
    expect(ofTarget?.p99Ms).toBeWithin(1_900, 2_100);
  });
  test('without requests there is neither availability nor budget', () =>
    expect(slaReport(anSlaInput({ byFeature: new Map(), answers: [] })).features[0]).toMatchObject({
      availability: null,
      budgetLeft: null,
      p50Ms: null,
    }));
  test('minutes are those of the month, and what nobody watched is said', () => {
    const at = (minutes: number) => instant(monthStart + minutes * minute);
    const intervals = [
      { feature: 'notes', status: 'normal', since: at(-60), until: at(30) },
      { feature: 'notes', status: 'backup', since: at(30), until: at(42) },
      { feature: 'other', status: 'backup', since: at(0), until: at(99) },
    ] as const;
    expect(slaReport(anSlaInput({ intervals })).features[0]?.minutes).toMatchObject({
      normal: 30,
      backup: 12,
      unwatched: 30 * 24 * 60 - 42,
    });
  });
  test('a provider is all of its models, held against its promise', () => {
    const { providers, models } = slaReport(anSlaInput({ windows: someWindows(29) }));
    expect(providers[0]).toMatchObject({ provider: 'anthropic', model: null, tries: 1_152, failed: 58 });
    expect(providers.map(({ keepsPromise }) => keepsPromise)).toEqual([false, null]);
    expect(models.map(({ model }) => model)).toEqual(['claude-opus-4-8', 'gpt-5.2']);
  });
  test('failures seen together break the promise that independence would keep', () => {
    expect(slaReport(anSlaInput()).features[0]?.coherence.verdict).toBe('holds_if_independent');
    const together = slaReport(anSlaInput({ windows: someWindows(29) })).features[0]?.coherence;
    expect(together?.verdict).toBe('does_not_hold');
  });
});

test('months end where the next begins', () => {
  expect(monthBounds('2026-12')).toEqual({ from: Date.UTC(2026, 11, 1), until: Date.UTC(2027, 0, 1) });
  expect(monthBounds('2026-13')).toBeNull();
});
