import { describe, expect, test } from 'bun:test';

import { afterAttempt, attemptsMax, newDelivery, replayed } from './delivery.ts';
import type { Delivery, DeliveryAnswer } from './delivery.ts';
import { instant } from './ids.ts';
import { bounded, isWanted, shortened, textLengthMax } from './bulletin.ts';
import type { Bulletin } from './bulletin.ts';

const now = instant(Date.UTC(2026, 5, 7, 9));
const bulletin: Bulletin = {
  id: 'msg_1',
  type: 'incident.opened',
  at: now,
  subject: 'inc_1',
  stage: 'begins',
  severity: 'error',
  title: 'title',
  text: 'text',
  facts: [],
  page: null,
};
const failed = (changes: Partial<Extract<DeliveryAnswer, { kind: 'failed' }>> = {}): DeliveryAnswer => ({
  kind: 'failed',
  status: 503,
  words: 'answered 503',
  retryAfterMs: null,
  permanent: false,
  ...changes,
});
const fresh = newDelivery('dlv_1', 'ops', bulletin, now);
const waitOf = (delivery: Delivery): number => (delivery.nextAt ?? 0) - now;

describe('a delivery', () => {
  test('that is taken is over', () => {
    expect(afterAttempt(fresh, { kind: 'delivered', status: 200 }, now, 0)).toMatchObject({
      state: 'delivered',
      attempts: 1,
      nextAt: null,
      lastStatus: 200,
    });
  });

  test('that fails is tried later and later, and is dead in the end', () => {
    const waits: number[] = [];
    let delivery = fresh;
    while (delivery.state === 'pending') {
      delivery = afterAttempt(delivery, failed(), now, 0);
      if (delivery.state === 'pending') waits.push(waitOf(delivery) / 1_000);
    }
    expect(waits).toEqual([5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
    expect(delivery).toMatchObject({ state: 'dead', attempts: attemptsMax, words: 'answered 503' });
  });

  test('waits a little longer by chance, and as long as it was asked to', () => {
    expect(waitOf(afterAttempt(fresh, failed(), now, 1))).toBe(6_000);
    expect(waitOf(afterAttempt(fresh, failed({ retryAfterMs: 90_000 }), now, 0))).toBe(90_000);
    expect(waitOf(afterAttempt(fresh, failed({ retryAfterMs: 1 }), now, 0))).toBe(5_000);
    expect(waitOf(afterAttempt(fresh, failed({ retryAfterMs: 1e12 }), now, 0))).toBe(86_400_000);
  });

  test('that cannot succeed is dead at once, and a person can send it again as the same message', () => {
    const dead = afterAttempt(fresh, failed({ status: 410, permanent: true }), now, 0);
    expect(dead).toMatchObject({ state: 'dead', attempts: 1, nextAt: null });
    expect(replayed(dead, now)).toMatchObject({ state: 'pending', attempts: 0, nextAt: now, bulletin });
  });
});

describe('a bulletin', () => {
  // oxfmt-ignore
  test.each([
    [['incident.*'], 'info', true],
    [['incident.opened'], 'error', true],
    [['incident.opened'], 'critical', false],
    [['incident.resolved'], 'info', false],
    [['incident'], 'info', false],
    [['*'], 'info', true],
    [[], 'info', false],
  ] as const)('for %p from %p on: %p', (on, atLeast, wanted) => {
    expect(isWanted(bulletin, { on, atLeast })).toBe(wanted);
  });

  test('has room everywhere', () => {
    const long = bounded({
      ...bulletin,
      text: 'word '.repeat(9_000),
      facts: Array.from({ length: 99 }, () => ({ name: 'n', value: 'v'.repeat(999) })),
    });
    expect(long.text.length).toBeLessThanOrEqual(textLengthMax);
    expect(JSON.stringify(long).length).toBeLessThan(8_000);
    expect(shortened('a few words here', 12)).toBe('a few words…');
    expect(shortened('abcdefgh', 5)).toBe('abcd…');
  });
});
