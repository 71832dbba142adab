import { expect, test } from 'bun:test';

import fc from 'fast-check';

import { closeSeam, openSeam, overlapOf, pushSeam } from './seam.ts';

test.each([
  ['The quick brown', 'brown fox', ' fox'],
  ['alpha beta ga', 'gamma delta', 'mma delta'],
  ['alpha beta ', ' gamma', 'gamma'],
  ['The meeting ag', 'The meeting agreed to move.', 'reed to move.'],
  ['one two three', ' four', ' four'],
  ['one two three', 'four', 'four'],
  // The one letter in common is chance: the cut word goes on.
  ['hel', 'lo there', 'lo there'],
  ['It was agreed.', '. Next week', ' Next week'],
  // Writing without spaces: a long overlap is no chance.
  ['我们在会议上同意把预算审查推迟到下周进行', '同意把预算审查推迟到下周进行并通知大家', '并通知大家'],
  ['', 'Hello', 'Hello'],
])('%p + %p goes on with %p', (old, fresh, expected) => {
  expect(fresh.slice(overlapOf(old, fresh))).toBe(expected);
});

const words = fc.array(fc.constantFrom('the', ' ', 'plan', 'and', '.', 'é', '会', 'a', 'an'), {
  maxLength: 12,
});

test('however the new text is cut into pieces, the same goes out', () => {
  fc.assert(
    fc.property(words, words, fc.array(fc.nat(5), { maxLength: 30 }), (oldWords, freshWords, cuts) => {
      const [old, fresh] = [oldWords.join(''), freshWords.join('')];
      let seam = openSeam(old);
      let out = '';
      let rest = fresh;
      const take = (length: number): void => {
        const step = pushSeam(seam, rest.slice(0, length));
        rest = rest.slice(length);
        ({ seam } = step);
        out += step.text;
      };
      for (const cut of cuts) take(cut);
      take(rest.length);
      const last = closeSeam(seam);
      expect(out + last.text).toBe(fresh.slice(overlapOf(old, fresh)));
      expect(last.seam.overlap).toBe(overlapOf(old, fresh));
    }),
    { numRuns: 2_000 },
  );
});

test('a repetition of all that was said, and more, leaves only what is new', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 60 }), fc.string({ maxLength: 60 }), (old, more) => {
      expect(overlapOf(old, old + more)).toBeGreaterThanOrEqual(old.length);
    }),
  );
});

test('text is held back only while a longer overlap is possible', () => {
  const step = pushSeam(openSeam('one two three'), 'two');
  expect(step.text).toBe('');
  expect(pushSeam(step.seam, ' four').text).toBe('two four');
  expect(pushSeam(openSeam('one two three'), 'Nothing').text).toBe('Nothing');
});
