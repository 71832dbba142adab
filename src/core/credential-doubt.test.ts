import { describe, expect, test } from 'bun:test';

import { afterRejection, afterSuccess, blameRejection, freshTrail } from './credential-doubt.ts';
import type { KeyTrail } from './credential-doubt.ts';
import { instant } from './ids.ts';

const t0 = 1_780_000_000_000;
const at = (seconds: number): ReturnType<typeof instant> => instant(t0 + seconds * 1_000);

/** `+` a success, `-` a rejection, one each second from `from`. */
const trail = (marks: string, from = 0): KeyTrail =>
  [...marks].reduce(
    (so, mark, index) =>
      mark === '+' ? afterSuccess(so, at(from + index)) : afterRejection(so, at(from + index)),
    freshTrail,
  );

describe('who is blamed for a rejected credential', () => {
  test('a key that never worked is wrong', () => {
    expect(blameRejection(trail('----------'), [], at(11))).toBe('key');
    expect(blameRejection(trail('---'), [trail('---')], at(4))).toBe('key');
  });

  test('one revoked key beside one that works: the key, however often it is tried', () => {
    for (let tries = 1; tries < 20; tries++)
      expect(blameRejection(trail(`+${'-'.repeat(tries)}`), [trail('+')], at(tries + 1))).toBe(
        tries < 2 ? 'nobody_yet' : 'key',
      );
  });

  test('every key that worked is rejected: the provider', () => {
    expect(blameRejection(trail('+--'), [trail('+-')], at(4))).toBe('provider');
    expect(blameRejection(trail('+-'), [trail('+-'), trail('+-')], at(4))).toBe('provider');
  });

  test('a wrong key beside them changes nothing', () => {
    expect(blameRejection(trail('+--'), [trail('+-'), trail('----')], at(4))).toBe('provider');
  });

  test('the only key, which worked: the provider, from the third rejection in a row', () => {
    expect(['+-', '+--', '+---'].map((marks) => blameRejection(trail(marks), [], at(5)))).toEqual([
      'nobody_yet',
      'nobody_yet',
      'provider',
    ]);
  });

  test('a rejection that was not true makes the next ones doubtful, for a while', () => {
    const own = trail('+-+-');
    expect(blameRejection(own, [trail('+')], at(4))).toBe('provider');
    const revoked = trail(`+-+${'-'.repeat(12)}`);
    expect(blameRejection(revoked, [trail('+', 14)], at(16))).toBe('key');
    expect(blameRejection(trail('+-+---'), [trail('+')], at(700))).toBe('key');
  });

  test('a rejection long ago is no part of a storm, and an old success speaks for nobody', () => {
    expect(blameRejection(trail('+---', 600), [trail('+-')], at(604))).toBe('key');
    expect(blameRejection(trail('+-'), [], at(90_000))).toBe('key');
  });

  test('a success makes no new value within the same second', () => {
    const once = afterSuccess(freshTrail, at(0));
    expect(afterSuccess(once, at(0.5))).toBe(once);
    expect(afterSuccess(once, at(2)).goodAt).toBe(at(2));
  });
});
