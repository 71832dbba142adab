import { describe, expect, test } from 'bun:test';

import { aModel, aProvider, aTarget, llamaAtLocal } from '../../test/core-fixture.ts';
import type { Failure, FailureClass } from '../core/failure.ts';
import { instant } from '../core/ids.ts';
import { Secret } from '../core/secret.ts';
import type { ProviderKey, Target } from '../core/target.ts';
import { KeyRing } from './key-ring.ts';

const first: ProviderKey = { name: 'anthropic#1', secret: new Secret('1') };
const second: ProviderKey = { name: 'anthropic#2', secret: new Secret('2') };
const provider = aProvider('anthropic', { keys: [first, second] });
const opus = aTarget(provider, aModel('claude-opus-4-8'));
const sonnet = aTarget(provider, aModel('claude-sonnet-4-5'));

const failure = (
  failureClass: FailureClass,
  status: number,
  retryAfterMs: number | null = null,
): Failure => ({
  class: failureClass,
  status,
  retryAfterMs,
  code: null,
});
const rejected = failure('credential_rejected', 401);
const forbidden = failure('credential_rejected', 403);

function ringAt(): { ring: KeyRing; wait: (seconds: number) => void } {
  let now = 1_780_000_000_000;
  return {
    ring: new KeyRing(
      () => instant(now),
      () => 0.5,
    ),
    wait: (seconds) => void (now += seconds * 1_000),
  };
}

const names = (ring: KeyRing, target: Target): (string | undefined)[] => {
  const tried = new Set<string>();
  const found: (string | undefined)[] = [];
  for (;;) {
    const key = ring.usable(target, tried);
    if (key === undefined || key === null) return found;
    found.push(key.name);
    tried.add(key.name);
  }
};

describe('keys', () => {
  test('a revoked key beside a good one is set aside alone, and comes back to be asked', () => {
    const { ring, wait } = ringAt();
    ring.good(opus, first);
    ring.good(opus, second);
    for (let n = 0; n < 6; n++) {
      expect(ring.failed(opus, first, rejected)).toBe(n < 1 ? 'undecided' : 'key');
      ring.good(opus, second);
    }
    expect(names(ring, opus)).toEqual(['anthropic#2']);
    wait(400);
    expect(names(ring, opus)).toEqual(['anthropic#1', 'anthropic#2']);
  });

  test('a storm of rejections on keys that worked sets none aside', () => {
    const { ring, wait } = ringAt();
    ring.good(opus, first);
    ring.good(sonnet, second);
    wait(60);
    const blames = [first, second, first, second, first].map((key) => ring.failed(opus, key, rejected));
    expect(blames).toEqual(['undecided', 'undecided', 'disbelieved', 'disbelieved', 'disbelieved']);
    expect(names(ring, opus)).toHaveLength(2);
    expect(names(ring, sonnet)).toHaveLength(2);
  });

  test('a key that may not use one model goes on with the others', () => {
    const { ring } = ringAt();
    ring.good(sonnet, first);
    expect(ring.failed(opus, first, forbidden)).toBe('key');
    expect(names(ring, opus)).toEqual(['anthropic#2']);
    expect(names(ring, sonnet)).toHaveLength(2);
    ring.good(sonnet, first);
    expect(names(ring, opus)).toEqual(['anthropic#2']);
  });

  test('a rate limit is one of the family, and its wait is obeyed', () => {
    const { ring, wait } = ringAt();
    ring.failed(opus, first, failure('rate_limited', 429, 20_000));
    ring.failed(opus, second, failure('rate_limited', 429, 30_000));
    expect(names(ring, opus)).toEqual([]);
    expect(ring.trouble(opus)).toMatchObject({ reason: 'rate_limited' });
    expect(names(ring, sonnet)).toHaveLength(2);
    wait(21);
    expect(names(ring, opus)).toEqual(['anthropic#1']);
  });

  test('the wait that a provider names is capped at an hour', () => {
    const { ring, wait } = ringAt();
    ring.failed(opus, first, failure('rate_limited', 429, 86_400_000));
    wait(3_601);
    expect(names(ring, opus)).toContain('anthropic#1');
  });

  test('of a key that was replaced nothing is known any more, of the others everything', () => {
    const { ring } = ringAt();
    const exhausted = failure('quota_exhausted', 402, 3_000_000);
    for (const key of [first, second]) expect(ring.failed(opus, key, exhausted)).toBe('key');
    ring.failed(sonnet, second, failure('rate_limited', 429, 60_000));
    expect(names(ring, opus)).toEqual([]);
    ring.forget(second.name);
    expect(names(ring, opus)).toEqual(['anthropic#2']);
    expect(names(ring, sonnet)).toEqual(['anthropic#2']);
  });

  test('what is no matter of keys is left to the gate', () => {
    const { ring } = ringAt();
    expect(ring.failed(opus, first, failure('server_error', 500))).toBe('elsewhere');
    expect(ring.usable(llamaAtLocal, new Set())).toBeNull();
  });
});
