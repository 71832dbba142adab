import { describe, expect, test } from 'bun:test';

import {
  addGroups,
  countInto,
  emptyTally,
  groupKey,
  groupsMax,
  otherGroup,
  percentileMs,
  statisticsOf,
  tallyOf,
} from './statistics.ts';
import type { Counted, Groups } from './statistics.ts';

const one: Counted = {
  outcome: 'answered',
  hasHop: false,
  durationMs: 100,
  firstTokenMs: 10,
  inputTokens: 1,
  outputTokens: 2,
  costMicroUsd: 3,
};

describe('percentiles', () => {
  test('are within 2 % of what was counted', () => {
    const tally = emptyTally();
    for (let ms = 1; ms <= 10_000; ms++) countInto(tally, { ...one, durationMs: ms });
    for (const share of [0.5, 0.9, 0.99]) {
      const found = percentileMs(tally.duration, share) ?? 0;
      expect(Math.abs(found / (share * 10_000) - 1)).toBeLessThan(0.021);
    }
  });
  test('of nothing are none', () => expect(percentileMs(new Map(), 0.5)).toBeNull());
  test('of what took no time are 0', () => {
    const tally = emptyTally();
    countInto(tally, { ...one, durationMs: 0 });
    expect(percentileMs(tally.duration, 0.99)).toBe(0);
  });
});

test('parts make the whole, in whichever order they come', () => {
  const all: Counted[] = Array.from({ length: 100 }, (_, index) => ({
    ...one,
    outcome: index % 3 === 0 ? 'failed' : 'answered',
    hasHop: index % 2 === 0,
    durationMs: index * 7,
    costMicroUsd: index % 5 === 0 ? null : index,
  }));
  const whole = emptyTally();
  for (const counted of all) countInto(whole, counted);
  const parts = [all.slice(0, 30), all.slice(30)].map((some): Groups => {
    const groups: Groups = new Map();
    for (const counted of some) countInto(tallyOf(groups, groupKey(['notes'])), counted);
    return groups;
  });
  for (const order of [parts, [...parts].reverse()]) {
    const groups: Groups = new Map();
    for (const part of order) addGroups(groups, part);
    expect(statisticsOf(groups)).toEqual([{ values: ['notes'], tally: whole }]);
  }
});

test('what a failed request was tried with is no rescue', () => {
  const tally = emptyTally();
  countInto(tally, { ...one, outcome: 'failed', hasHop: true });
  countInto(tally, { ...one, hasHop: true });
  expect([tally.rescued, tally.outcomes.failed, tally.requests]).toEqual([1, 1, 2]);
});

test('more groups than can be shown are put together, and nothing is lost', () => {
  const part: Groups = new Map();
  for (let index = 0; index < groupsMax + 50; index++)
    countInto(tallyOf(part, groupKey([`tenant ${index}`, 'x'])), one);
  const groups: Groups = new Map();
  addGroups(groups, part);
  const found = statisticsOf(groups);
  expect(found).toHaveLength(groupsMax + 1);
  expect(found[0]).toMatchObject({ values: [otherGroup, otherGroup], tally: { requests: 50 } });
});
