/** The verbs of keys and the admin token on a real store: what is shown once, kept, put in force, and written down. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';

import { ensureAdminToken } from '../src/control/admin-token.ts';
import { createKey, keysMax, revokeKey } from '../src/control/keys.ts';
import type { KeyDependencies } from '../src/control/keys.ts';
import { tokenHash } from '../src/control/secrets.ts';
import type { ApiKey } from '../src/core/keys.ts';
import type { Change } from '../src/core/record.ts';
import { Secret } from '../src/core/secret.ts';
import type { Store } from '../src/store/store.ts';
import { aKey, start } from './record-fixture.ts';
import { changesOf, errorOf, valueOf } from './control-fixture.ts';
import { controlOn, openInMemory } from './store-fixture.ts';

let store: Store;
let keys: readonly ApiKey[];
let dependencies: KeyDependencies;

beforeEach(async () => {
  store = await openInMemory();
  keys = [];
  dependencies = {
    ...controlOn(store, () => start),
    features: () => ['notes', 'chat', 'default'],
    dataClasses: () => ['internal', 'restricted'],
    publish: (list) => void (keys = list),
  };
});
afterEach(() => store.close());

const changes = (): Promise<readonly Change[]> => changesOf(store);

describe('keys', () => {
  const makeKey = (input: unknown) => createKey(input, 'ada', dependencies);

  test('the secret is shown once and kept nowhere', async () => {
    const { key, secret } = valueOf(
      await makeKey({ name: 'backend', features: ['notes'], tenant: 'acme', rpm: 60 }),
    );
    expect(secret).toMatch(/^bw_[0-9a-f]{8}_[\w-]{43}$/);
    expect(secret).toStartWith(`bw_${key.id.slice(-8)}_`);
    expect(key).toMatchObject({
      name: 'backend',
      hash: tokenHash(secret),
      tenant: 'acme',
      rpm: 60,
      revokedAt: null,
    });
    expect(key.features).toEqual(new Set(['notes']));
    expect(keys).toEqual([key]);
    expect(await store.loadKeys()).toEqual([key]);
    const written = JSON.stringify(await changes());
    expect(written).toContain('key.created');
    expect(written).not.toContain(secret);
    expect(written).not.toContain(key.hash);
  });

  test('no two are alike, and both are in force when made at once', async () => {
    const made = await Promise.all([makeKey({ name: 'a' }), makeKey({ name: 'b' })]);
    expect(new Set(made.map((result) => valueOf(result).secret)).size).toBe(2);
    expect(keys.map(({ name }) => name).toSorted()).toEqual(['a', 'b']);
  });

  test('says what a budget counts', async () => {
    const { warnings } = valueOf(
      await makeKey({ name: 'a', budget: '50usd/day', data_class_max: 'internal' }),
    );
    expect(warnings).toEqual([expect.stringContaining('list price')]);
  });

  test.each([
    ['no name', {}, 'name'],
    ['a strange name', { name: '<b>' }, 'name'],
    ['no feature at all', { name: 'a', features: [] }, 'features'],
    ['an unknown feature', { name: 'a', features: ['note'] }, 'features'],
    ['a misspelt field', { name: 'a', tennant: 'x' }, 'tennant'],
    ['an unknown data class', { name: 'a', data_class_max: 'restrictd' }, 'data_class_max'],
    ['a strange rate', { name: 'a', rpm: 0.5 }, 'rpm'],
    ['a strange budget', { name: 'a', budget: '50 dollars' }, 'budget'],
  ])('refuses and writes down: %s', async (_name, input, field) => {
    expect(errorOf(await makeKey(input))).toMatchObject({ code: 'invalid', field });
    expect(keys).toEqual([]);
    expect(await changes()).toMatchObject([{ kind: 'write.rejected', actor: 'ada', subject: 'key' }]);
  });

  test('more than agreed are refused; revoked ones do not count', async () => {
    const many = Array.from({ length: keysMax }, () => aKey());
    const loaded = { list: many };
    const full = { ...store, loadKeys: () => Promise.resolve(loaded.list) };
    dependencies = { ...dependencies, store: full };
    expect(errorOf(await makeKey({ name: 'a' })).code).toBe('conflict');
    loaded.list = many.with(0, aKey({ revokedAt: start }));
    expect((await makeKey({ name: 'a' })).kind).toBe('done');
  });

  test('a revoked one is out of force at once, and cannot be revoked again', async () => {
    const { key } = valueOf(await makeKey({ name: 'backend' }));
    const revoke = (id: string, input: unknown = {}, rev: number | null = null) =>
      revokeKey({ id, input, rev }, 'bob', dependencies);
    expect(errorOf(await revoke(key.id, {}, 9)).code).toBe('precondition_failed');
    expect(errorOf(await revoke(key.id, { why: 'leaked' })).field).toBe('why');
    expect(keys).toEqual([key]);
    expect(valueOf(await revoke(key.id, { reason: 'leaked' }, 1))).toEqual({ ...key, revokedAt: start });
    expect(keys).toEqual([{ ...key, revokedAt: start }]);
    expect(errorOf(await revoke(key.id)).code).toBe('conflict');
    expect(errorOf(await revoke('key_none')).code).toBe('not_found');
    const told = await changes();
    expect(told.map(({ kind }) => kind)).toEqual([
      'write.rejected',
      'write.rejected',
      'key.revoked',
      'write.rejected',
      'write.rejected',
      'key.created',
    ]);
    expect(told[2]).toMatchObject({
      reason: 'leaked',
      before: { name: 'backend', revokedAt: null },
      after: { name: 'backend', revokedAt: start },
    });
  });
});

describe('the admin token', () => {
  test('is made once, shown once, and known again by its hash', async () => {
    const made = await ensureAdminToken(null, true, dependencies);
    if (made?.origin.kind !== 'made') throw new Error('none was made');
    const { token } = made.origin;
    expect(token).toMatch(/^bwa_[\w-]{43}$/);
    expect(await store.adminTokenHash()).toBe(tokenHash(token));
    expect(JSON.stringify(await changes())).not.toContain(token);
    const again = await ensureAdminToken(null, true, dependencies);
    expect(again?.origin).toEqual({ kind: 'stored' });
    for (const each of [made, again]) {
      expect(each?.verify(token)).toBe(true);
      expect(each?.verify(`${token}x`)).toBe(false);
      expect(each?.verify('')).toBe(false);
    }
  });

  test('one from the environment wins, and is not stored', async () => {
    const first = await ensureAdminToken(null, true, dependencies);
    const token = await ensureAdminToken(new Secret('from outside'), true, dependencies);
    expect(token?.origin).toEqual({ kind: 'environment' });
    expect(token?.verify('from outside')).toBe(true);
    expect(token?.verify(first?.origin.kind === 'made' ? first.origin.token : '')).toBe(false);
    expect(await store.adminTokenHash()).not.toBe(tokenHash('from outside'));
  });

  test('none is made where none may be', async () => {
    expect(await ensureAdminToken(null, false, dependencies)).toBeNull();
    expect(await store.adminTokenHash()).toBeNull();
  });
});
