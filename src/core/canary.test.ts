import { describe, expect, test } from 'bun:test';

import { seededRandom } from '../simulator/random.ts';
import {
  afterRound,
  canaryFromJson,
  canaryQuestions,
  freshCanary,
  levelFor,
  referenceRounds,
} from './canary.ts';
import type { Canary, CanaryMove, Round } from './canary.ts';
import { traitsOf } from './canary-traits.ts';
import { instant } from './ids.ts';
import { chanceOfSame } from './two-sample.ts';

const words =
  'the sky light train harbour winter meeting report code number one two remote work please send'.split(' ');

/** A model: for each question a favourite choice of words, said in another order and length each time. */
function answer(question: number, model: { lengths: number; accent: number }, random: () => number): string {
  const length = Math.round((8 + 4 * question) * model.lengths * (0.7 + 0.6 * random()));
  return Array.from({ length }, () => {
    const at = Math.floor(random() ** 2 * 6) + question + (random() < model.accent ? 7 : 0);
    return words[at % words.length];
  }).join(' ');
}

const same = { lengths: 1, accent: 0 };
const round = (model: typeof same, random: () => number): Round =>
  canaryQuestions.map((_, question) => traitsOf(answer(question, model, random), false));

/** So many rounds; the first finding, and after how many. */
function run(
  start: Canary,
  rounds: number,
  model: typeof same,
  level: number,
  random: () => number,
): { canary: Canary; move: CanaryMove | null; after: number } {
  let canary = start;
  for (let n = 1; n <= rounds; n++) {
    const next = afterRound(canary, round(model, random), { at: instant(n * 1_000), level, random });
    canary = next.canary;
    if (next.move !== null) return { canary, move: next.move, after: n };
  }
  return { canary, move: null, after: rounds };
}

describe('a model under its name', () => {
  test.each([
    ['shorter by a third', { lengths: 0.66, accent: 0 }],
    ['with other words', { lengths: 1, accent: 0.4 }],
  ])('%s is found in the next sample', (_name, other) => {
    const random = seededRandom(7);
    const known = run(freshCanary, referenceRounds, same, 0.001, random);
    const found = run(known.canary, 4, other, 0.001, random);
    expect(found.move?.to).toBe('warned');
    expect(found.move?.words).toMatch(
      /^32 answers to 8 fixed questions are not like the 96 before since 1970-01-01: .*by chance once in [\d,]+ comparisons \(agreed: once in 1,000\)$/,
    );
    expect(found.canary.finding).not.toBeNull();
    // What is there now is the reference; when it is learned, the warning is over.
    const settled = run(found.canary, 20, other, 0.001, random);
    expect(settled).toMatchObject({ move: { to: 'cleared' }, after: 8 });
    expect(run(settled.canary, 8, same, 0.001, random).move?.to).toBe('warned');
  });

  test('that says the same word for word is the same', () => {
    const fixed = canaryQuestions.map((question) => traitsOf(question, false));
    let canary = freshCanary;
    for (let n = 0; n < 60; n++) {
      const next = afterRound(canary, fixed, { at: instant(n), level: 0.05, random: seededRandom(n) });
      expect(next.move).toBeNull();
      canary = next.canary;
    }
  });

  test('is called changed when it is not as rarely as agreed', () => {
    const level = 0.05;
    let found = 0;
    const samples = 400;
    const random = seededRandom(11);
    for (let n = 0; n < samples; n++) {
      const known = run(freshCanary, referenceRounds, same, level, random);
      if (run(known.canary, 4, same, level, random).move !== null) found++;
    }
    // Twenty are expected; more than 35 would come up once in a thousand runs.
    expect(found).toBeGreaterThan(5);
    expect(found).toBeLessThanOrEqual(35);
  }, 60_000);

  test('that answers too little of a round is not judged by it', () => {
    const half = canaryQuestions.map((question, index) => (index < 3 ? traitsOf(question, false) : null));
    const asked = { at: instant(1), level: 0.01, random: seededRandom(1) };
    expect(afterRound(freshCanary, half, asked)).toEqual({ canary: freshCanary, move: null });
  });
});

test('the level follows from how often it is asked and how rare errors are to be', () => {
  const day = 86_400_000;
  expect(levelFor(day / 4, 365 * day)).toBeCloseTo(1 / 365, 6);
  expect(levelFor(60_000, 3_650 * day)).toBe(1e-4);
});

test('nothing to compare is no change', () => {
  expect(chanceOfSame([{ before: [], after: [] }], 0.01, seededRandom(1))).toBe(1);
});

test('what was kept is read again, and what cannot be understood begins afresh', () => {
  const { canary } = run(freshCanary, 3, same, 0.01, seededRandom(3));
  expect(canaryFromJson(JSON.parse(JSON.stringify(canary)))).toEqual(canary);
  for (const wrong of [
    null,
    1,
    {},
    { ...canary, edition: 0 },
    { ...canary, recent: [[1]] },
    { ...canary, finding: 3 },
  ])
    expect(canaryFromJson(wrong)).toEqual(freshCanary);
});
