import { expect, test } from 'bun:test';

import { createCredentialCache } from './credential-cache.ts';

function source() {
  let now = 0;
  let fetched = 0;
  let fails = false;
  const cache = createCredentialCache(
    () => {
      fetched++;
      return fails
        ? Promise.reject(new Error('no'))
        : Promise.resolve({ value: `token ${fetched}`, expiresAt: now + 3_600_000 });
    },
    () => now,
  );
  return {
    cache,
    at: (ms: number) => void (now = ms),
    break: () => void (fails = true),
    fetched: () => fetched,
  };
}

test('one fetch serves all who wait, and later ones do not wait', async () => {
  const { cache, fetched } = source();
  expect(await Promise.all([cache.get(), cache.get(), cache.get()])).toEqual([
    'token 1',
    'token 1',
    'token 1',
  ]);
  expect(cache.get()).toBe('token 1');
  expect(fetched()).toBe(1);
});

test('near its end it is renewed beside the request', async () => {
  const { cache, at } = source();
  await cache.get();
  at(3_400_000);
  expect(cache.get()).toBe('token 1');
  await Promise.resolve();
  await Bun.sleep(0);
  expect(cache.get()).toBe('token 2');
});

test('a renewal that fails costs nothing while the held one lasts; after its end the failure shows', async () => {
  const { cache, at, break: breakSource, fetched } = source();
  await cache.get();
  breakSource();
  at(3_400_000);
  expect(cache.get()).toBe('token 1');
  await Bun.sleep(0);
  expect(cache.get()).toBe('token 1');
  expect(fetched()).toBe(2);
  at(3_580_000);
  expect(Promise.resolve(cache.get())).rejects.toThrow('no');
});
