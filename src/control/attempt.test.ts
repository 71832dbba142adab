import { expect, test } from 'bun:test';

import { attempting, attemptOf, keptFields } from './attempt.ts';

const attempt = {
  actor: 'ada',
  call: 'POST /admin/v1/keys',
  kind: 'key',
  id: null,
  role: 'admin',
  body: { name: 'a' },
} as const;

test('an attempt speaks for who made the call, as long as the call lasts', async () => {
  const { actor: _, ...told } = attempt;
  await attempting(attempt, async () => {
    await Promise.resolve();
    expect(attemptOf('ada')).toEqual(told);
    expect(attemptOf('playbook back')).toBeNull();
  });
  expect(attemptOf('ada')).toBeNull();
});

test('only fields that the call takes are kept, and none that never is', () => {
  const body = { name: 'a', prompt: 'a secret', user: 'u1', scope: { provider: 'anthropic' } };
  expect(keptFields(body, ['name', 'user', 'scope'], ['user'])).toEqual({
    name: 'a',
    scope: { provider: 'anthropic' },
  });
  for (const none of [null, 'text', 7]) expect(keptFields(none, ['name'], [])).toBeNull();
});

test('what is kept has an end in every direction', () => {
  const long = 'x'.repeat(10_000);
  const deep = { a: { b: { c: { d: { e: long } } } } };
  const wide = Array.from({ length: 1_000 }, () => 1);
  expect(keptFields({ long, deep, wide }, ['long', 'deep', 'wide'], [])).toEqual({
    long: `${'x'.repeat(200)}…`,
    deep: { a: { b: { c: '…' } } },
    wide: wide.slice(0, 20),
  });
  const everywhere = Object.fromEntries(wide.map((_, at) => [`n${at}`, [long, long, long]]));
  const kept = keptFields({ everywhere }, ['everywhere'], []);
  expect(kept).toEqual({ fields: ['everywhere'] });
});
