/** Callers' keys as verbs. The secret is shown once, when it is made; only its hash is kept. */
import { z } from 'zod';

import { keyId } from '../core/ids.ts';
import type { ApiKey } from '../core/keys.ts';
import { newToken, tokenHash } from './secrets.ts';
import { controlError, done, newChange, parseInput, recordRejection, withStore } from './verb.ts';
import type { ControlDependencies, Result } from './verb.ts';

export type KeyDependencies = ControlDependencies & {
  /** Names of the features that exist, `default` included. */
  readonly features: () => readonly string[];
  /** Puts the keys in force on this replica, at once. */
  readonly publish: (keys: readonly ApiKey[]) => void;
};

const label = z
  .string()
  .regex(/^[\w .@:/-]{1,64}$/, 'must be 1 to 64 letters, digits, spaces or . _ @ : / -');

export const keyInput = z.strictObject({
  name: label,
  features: z.array(z.string()).min(1).nullable().optional(),
  tenant: label.nullable().optional(),
  data_class_max: label.nullable().optional(),
  rpm: z.int().positive().max(10_000_000).nullable().optional(),
  budget: z
    .string()
    .regex(/^\d+(?:\.\d+)?usd\/(?:day|month)$/, 'must be an amount such as 50usd/day')
    .nullable()
    .optional(),
});

export type KeyCreated = {
  readonly key: ApiKey;
  readonly secret: string;
  readonly warnings: readonly string[];
};

/** What is stored with the key and not yet enforced. */
function inert(key: ApiKey): readonly string[] {
  const names = [key.dataClassMax === null ? null : 'data_class_max', key.budget === null ? null : 'budget'];
  return names.flatMap((name) => (name === null ? [] : [`${name} is kept but not yet in force`]));
}

export async function createKey(
  input: unknown,
  actor: string,
  dependencies: KeyDependencies,
): Promise<Result<KeyCreated>> {
  const parsed = parseInput(keyInput, input);
  if (parsed.kind === 'error') return recordRejection(parsed, { actor, subject: 'key' }, dependencies);
  const {
    name,
    features = null,
    tenant = null,
    data_class_max: dataClassMax = null,
    rpm = null,
    budget = null,
  } = parsed.value;
  const known = dependencies.features();
  const unknown = features?.find((feature) => !known.includes(feature));
  if (unknown !== undefined) {
    return recordRejection(
      controlError(
        'invalid',
        `There is no feature ${unknown}.`,
        `Features are ${known.join(', ')}.`,
        'features',
      ),
      { actor, subject: 'key' },
      dependencies,
    );
  }
  const secret = newToken('bw');
  const now = dependencies.now();
  const key: ApiKey = {
    id: keyId(dependencies.newId('key')),
    name,
    hash: tokenHash(secret),
    features: features === null ? null : new Set(features),
    tenant,
    dataClassMax,
    rpm,
    budget,
    createdAt: now,
    revokedAt: null,
  };
  return withStore(async () => {
    const change = newChange(
      {
        kind: 'key.created',
        actor,
        subject: key.id,
        reason: null,
        before: null,
        after: { name, features, tenant, dataClassMax, rpm, budget },
      },
      dependencies,
    );
    await dependencies.store.insertKey(key, change);
    dependencies.publish(await dependencies.store.loadKeys());
    return done({ key, secret, warnings: inert(key) });
  });
}

export async function revokeKey(
  id: string,
  actor: string,
  dependencies: KeyDependencies,
): Promise<Result<{ readonly id: string }>> {
  return withStore<{ readonly id: string }>(async () => {
    const change = newChange(
      { kind: 'key.revoked', actor, subject: id, reason: null, before: null, after: null },
      dependencies,
    );
    const revoked = await dependencies.store.revokeKey(keyId(id), dependencies.now(), change);
    if (!revoked)
      return recordRejection(
        controlError('not_found', `There is no usable key ${id}.`, 'List them with: breakwater keys list'),
        { actor, subject: id },
        dependencies,
      );
    dependencies.publish(await dependencies.store.loadKeys());
    return done({ id });
  });
}
