import { describe, expect, test } from 'bun:test';

import { isLate, nothingSeen, sawFirstToken } from './first-token.ts';
import { hear, unheard } from './identity.ts';
import { isSlow, sawPace, tokensPerSecond } from './pace.ts';

describe('pace', () => {
  const usual = Array.from({ length: 100 }, (_, n) => 60 + (n % 20)).reduce(sawPace, nothingSeen);

  test('short answers are not judged', () => {
    expect(tokensPerSecond(null, 10_000)).toBeNull();
    expect(tokensPerSecond(31, 10_000)).toBeNull();
    expect(tokensPerSecond(100, 400)).toBeNull();
    expect(tokensPerSecond(100, 2_000)).toBe(50);
  });

  test('a third of the usual is slow, and is not learned', () => {
    expect([70, 40, 25, 20].map((perSecond) => isSlow(usual, perSecond))).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect(sawPace(usual, 10)).toBe(usual);
    expect(isSlow(nothingSeen, 1)).toBe(false);
  });
});

describe('late first tokens', () => {
  const usual = (ms: number) =>
    Array.from({ length: 100 }, (_, n) => ms * (0.8 + (n % 5) / 10)).reduce(sawFirstToken, nothingSeen);

  test('twice as late is late, where anybody would notice', () => {
    expect([900, 1_500, 2_500].map((ms) => isLate(usual(1_000), ms))).toEqual([false, false, true]);
    expect(isLate(usual(2), 200)).toBe(false);
    expect(isLate(nothingSeen, 60_000)).toBe(false);
  });
});

describe('identity', () => {
  test('the first name is no news, another is, once', () => {
    let said = hear(unheard, 'opus-4-8-20260601', null);
    expect(said.news).toBeNull();
    said = hear(said.identity, 'opus-4-8-20260701', 'fp_1');
    expect(said.news).toEqual({
      what: 'model',
      value: 'opus-4-8-20260701',
      before: 'opus-4-8-20260601',
    });
    const again = hear(said.identity, 'opus-4-8-20260701', 'fp_1');
    expect(again).toEqual({ identity: said.identity, news: null });
    expect(again.identity).toBe(said.identity);
    expect(hear(said.identity, null, 'fp_2').news).toEqual({
      what: 'fingerprint',
      value: 'fp_2',
      before: 'fp_1',
    });
  });

  test('what is remembered is bounded', () => {
    let { identity } = hear(unheard, 'm', 'fp');
    for (let n = 0; n < 50; n++) ({ identity } = hear(identity, 'm', `fp_${n}`));
    expect(identity.fingerprints).toHaveLength(8);
  });
});
