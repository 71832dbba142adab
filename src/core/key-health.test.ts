import { expect, test } from 'bun:test';

import { aProvider } from '../../test/core-fixture.ts';
import { replacedKeys } from './key-health.ts';
import { Secret } from './secret.ts';
import type { Provider } from './target.ts';

const providers = (...texts: readonly string[]): ReadonlyMap<string, Provider> =>
  new Map([
    [
      'one',
      aProvider('one', {
        keys: texts.map((text, at) => ({ name: `one#${at + 1}`, secret: new Secret(text) })),
      }),
    ],
  ]);

test('a key is replaced when its place has another text', () => {
  expect(replacedKeys(providers('a', 'b'), providers('a', 'c'))).toEqual(['one#2']);
  expect(replacedKeys(providers('a', 'b'), providers('b', 'a', 'c'))).toEqual(['one#1', 'one#2']);
  expect(replacedKeys(providers('a'), providers('a', 'b'))).toEqual([]);
  expect(replacedKeys(new Map(), providers('a'))).toEqual([]);
});
