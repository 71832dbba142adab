import { expect, test } from 'bun:test';

import { seededRandom } from '../simulator/random.ts';
import { forgetMs, isRoundOver, judgeRound, noLimit, timedSign } from './concurrency-limit.ts';
import type { CallSeen, ConcurrencyLimit, LoadSign } from './concurrency-limit.ts';
import { instant } from './ids.ts';

const start = instant(0);

/** A first-token time around `ms`, as scattered as real ones are. */
function around(ms: number, random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return ms * Math.exp(0.5 * normal);
}

type Given = { readonly open?: number; readonly everyMs?: number };

/** `count` calls, one after another; gives the limit and the time after them. */
function after(
  from: { readonly limit: ConcurrencyLimit; readonly at: number },
  count: number,
  sign: (index: number) => LoadSign,
  { open = 20, everyMs = 100 }: Given = {},
): { readonly limit: ConcurrencyLimit; readonly at: number } {
  let { limit, at } = from;
  let calls: CallSeen[] = [];
  for (let index = 0; index < count; index++) {
    at += everyMs;
    const now = instant(at);
    calls.push({ startedAt: now, seenAt: now, openAtStart: open, inputTokens: 500, sign: sign(index) });
    const judged = isRoundOver(calls) ? judgeRound(limit, calls, open, now) : null;
    if (judged === null) continue;
    limit = judged;
    calls = [];
  }
  return { limit, at };
}

const fresh = { limit: noLimit(start), at: 0 };

function learnt(ms = 400): typeof fresh {
  const random = seededRandom(1);
  return after(fresh, 200, () => around(ms, random));
}

test('ordinary scatter of first tokens shows no limit', () => {
  const random = seededRandom(2);
  const calls = after(fresh, 200_000, () => around(400, random));
  expect(calls.limit.most).toBeNull();
});

test('background overload answers show no limit', () => {
  const random = seededRandom(3);
  const calls = after(fresh, 50_000, () => (random() < 0.005 ? 'overloaded' : around(400, random)));
  expect(calls.limit.most).toBeNull();
});

test('whole answers, whose length says nothing, show no limit', () => {
  expect(after(fresh, 10_000, () => 'none').limit.most).toBeNull();
});

test('overload that is said shows a limit below what was open', () => {
  const { limit } = after(learnt(), 4, () => 'overloaded', { open: 40 });
  expect(limit.most).toBe(34);
});

test('late first tokens show a limit', () => {
  const random = seededRandom(4);
  const { limit } = after(learnt(), 16, () => around(1_600, random), { open: 60 });
  expect(limit.most).toBe(51);
});

test('late because this process was away itself shows no limit, and teaches nothing', () => {
  const random = seededRandom(3);
  const usual = after(fresh, 400, () => around(400, random));
  const away = after(usual, 200, () => timedSign(4_000, 3_500));
  expect(away.limit.most).toBeNull();
  expect(away.limit.typical).toEqual(usual.limit.typical);
  expect(after(usual, 32, () => timedSign(4_000, 100)).limit.most).not.toBeNull();
});

test('late by a time that nobody notices is not late', () => {
  const random = seededRandom(5);
  const { limit } = after(learnt(40), 160, () => around(120, random));
  expect(limit.most).toBeNull();
});

test('only calls begun under the limit in force speak about it', () => {
  const { limit, at } = after(learnt(), 4, () => 'overloaded', { open: 40 });
  const early: CallSeen = {
    startedAt: instant(at - 1),
    seenAt: instant(at + 1),
    openAtStart: 40,
    inputTokens: 500,
    sign: 'overloaded',
  };
  expect(
    judgeRound(
      limit,
      Array.from({ length: 50 }, () => early),
      34,
      instant(at + 1),
    ),
  ).toBeNull();
});

test('grows back carefully at first, then faster the longer nothing happens', () => {
  const random = seededRandom(6);
  const fine = (): LoadSign => around(400, random);
  const cut = after(learnt(), 4, () => 'overloaded', { open: 40 });
  const down = after(cut, 2, () => 'overloaded', { open: 20 });
  expect(down.limit.most).toBe(17);
  const soon = after(down, 80, fine, { open: 17 });
  expect(soon.limit.most).toBeGreaterThan(17);
  expect(soon.limit.most).toBeLessThan(20);
  const later = after(soon, 600, fine, { open: 60 });
  expect(later.limit.most).toBeGreaterThan(60);
});

test('a limit that is not used is forgotten after long quiet', () => {
  const random = seededRandom(7);
  const fine = (): LoadSign => around(400, random);
  const cut = after(learnt(), 4, () => 'overloaded', { open: 40 });
  const still = after(cut, forgetMs / 200, fine, { open: 5 });
  expect(still.limit.most).toBe(34);
  expect(after(still, forgetMs / 100 + 100, fine, { open: 5 }).limit.most).toBeNull();
});

test('a model that became slower is not taken for full: a limit that does not help is given up', () => {
  const random = seededRandom(8);
  let state = learnt();
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 40; round++) {
    const open = Math.min(40, Math.floor(state.limit.most ?? 40));
    state = after(state, 16, () => around(2_000, random), { open });
    least = Math.min(least, state.limit.most ?? least);
  }
  expect(least).toBeGreaterThan(10);
  expect(state.limit.most).toBeNull();
});

test('the first answers to come are the quickest of all that were asked for: no limit is learned from them', () => {
  const random = seededRandom(3);
  const calls = Array.from({ length: 3_000 }, (_, index) => {
    const startedAt = instant(index * 20);
    const ms =
      800 * Math.exp(0.5 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
    return { startedAt, seenAt: instant(startedAt + ms), openAtStart: 50, inputTokens: 500, sign: ms };
  }).toSorted((one, other) => one.seenAt - other.seenAt);
  let limit = noLimit(instant(0));
  for (let from = 0; from + 16 <= calls.length; from += 16) {
    const round = calls.slice(from, from + 16);
    limit = judgeRound(limit, round, 50, round.at(-1)?.seenAt ?? instant(0)) ?? limit;
    expect(limit.most).toBeNull();
  }
});
