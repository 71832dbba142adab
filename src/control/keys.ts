/** Callers' keys as verbs. The secret is shown once, when it is made; only its hash is kept. */
import { z } from 'zod';

import { keyId } from '../core/ids.ts';
import type { ApiKey } from '../core/keys.ts';
import { didYouMean } from '../core/nearest.ts';
import { reason } from './reason.ts';
import { newToken, tokenHash } from './secrets.ts';
import { carryOut, controlError, done, newChange, parseInput, staleProblem } from './verb.ts';
import type { ControlDependencies, ControlError, Result, Revising } from './verb.ts';

export type KeyDependencies = ControlDependencies & {
  /** Names of the features that exist, `default` included. */
  readonly features: () => readonly string[];
  /** Names of the data classes that are defined. */
  readonly dataClasses: () => readonly string[];
  /** Puts the keys in force on this replica, at once. */
  readonly publish: (keys: readonly ApiKey[]) => void;
};

/** Keys that may be usable at the same time; all of them are held in memory. */
export const keysMax = 10_000;

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

/** What whoever makes the key should know about its limits. */
function warningsOf(key: ApiKey): readonly string[] {
  return key.budget === null
    ? []
    : ['the budget counts calls at list price; calls whose price is not known cost nothing in it'];
}

/** What is wrong with a request for a key that its shape does not show. */
async function problemOf(
  features: readonly string[] | null,
  dataClassMax: string | null,
  dependencies: KeyDependencies,
): Promise<ControlError | null> {
  const classes = dependencies.dataClasses();
  if (dataClassMax !== null && !classes.includes(dataClassMax)) {
    const remedy =
      didYouMean(dataClassMax, classes) || `Data classes are ${classes.join(', ') || 'not defined'}.`;
    return controlError('invalid', `There is no data class ${dataClassMax}.`, remedy, 'data_class_max');
  }
  const known = dependencies.features();
  const unknown = features?.find((feature) => !known.includes(feature));
  if (unknown !== undefined) {
    const remedy = didYouMean(unknown, known) || `Features are ${known.join(', ')}.`;
    return controlError('invalid', `There is no feature ${unknown}.`, remedy, 'features');
  }
  const keys = await dependencies.store.loadKeys();
  return keys.filter((key) => key.revokedAt === null).length < keysMax
    ? null
    : controlError('conflict', `${keysMax} keys are in use.`, 'Revoke some first.');
}

export function createKey(
  input: unknown,
  actor: string,
  dependencies: KeyDependencies,
): Promise<Result<KeyCreated>> {
  return carryOut<KeyCreated>({ actor, subject: 'key' }, dependencies, async () => {
    const parsed = parseInput(keyInput, input);
    if (parsed.kind === 'error') return parsed;
    const {
      name,
      features = null,
      tenant = null,
      data_class_max: dataClassMax = null,
      rpm = null,
      budget = null,
    } = parsed.value;
    const problem = await problemOf(features, dataClassMax, dependencies);
    if (problem !== null) return problem;
    const id = keyId(dependencies.newId('key'));
    // The end of the id is in the secret, so that a leaked one can be told apart without its hash.
    const secret = newToken(`bw_${id.slice(-8)}`);
    const key: ApiKey = {
      id,
      name,
      hash: tokenHash(secret),
      features: features === null ? null : new Set(features),
      tenant,
      dataClassMax,
      rpm,
      budget,
      createdAt: dependencies.now(),
      revokedAt: null,
    };
    const change = newChange(
      { kind: 'key.created', actor, subject: id, reason: null, before: null, after: termsOf(key) },
      dependencies,
    );
    await dependencies.store.insertKey(key, change);
    dependencies.publish(await dependencies.store.loadKeys());
    return done({ key, secret, warnings: warningsOf(key) });
  });
}

export const revokeInput = z.strictObject({ reason: reason.optional() });

/** What a key is allowed, as a change tells it. */
const termsOf = ({ name, features, tenant, dataClassMax, rpm, budget, revokedAt }: ApiKey): unknown => ({
  name,
  features: features === null ? null : [...features],
  tenant,
  dataClassMax,
  rpm,
  budget,
  revokedAt,
});

/** A key is changed once, by being revoked. */
export const keyRevision = ({ revokedAt }: ApiKey): number => (revokedAt === null ? 1 : 2);

const revokedAlready = (id: string): ControlError =>
  controlError('conflict', `Key ${id} is revoked already.`, 'Nothing needs to be done.');

function revokeProblem(found: ApiKey, rev: number | null): ControlError | null {
  const stale = staleProblem(rev, keyRevision(found), `Key ${found.id} was changed by somebody else.`);
  return stale ?? (found.revokedAt === null ? null : revokedAlready(found.id));
}

export function revokeKey(
  { id, input, rev }: Revising,
  actor: string,
  dependencies: KeyDependencies,
): Promise<Result<ApiKey>> {
  return carryOut<ApiKey>({ actor, subject: id }, dependencies, async () => {
    const parsed = parseInput(revokeInput, input);
    if (parsed.kind === 'error') return parsed;
    const { store, now, publish } = dependencies;
    const found = (await store.loadKeys()).find((key) => key.id === id);
    if (found === undefined)
      return controlError('not_found', `There is no key ${id}.`, 'List them with: breakwater keys list');
    const problem = revokeProblem(found, rev);
    if (problem !== null) return problem;
    const at = now();
    const revoked: ApiKey = { ...found, revokedAt: at };
    const change = newChange(
      {
        kind: 'key.revoked',
        actor,
        subject: id,
        reason: parsed.value.reason ?? null,
        before: termsOf(found),
        after: termsOf(revoked),
      },
      dependencies,
    );
    // Of two at once one wins.
    if (!(await store.revokeKey(found.id, at, change))) return revokedAlready(id);
    publish(await store.loadKeys());
    return done(revoked);
  });
}
