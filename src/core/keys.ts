/** Callers' keys as the data plane knows them: hashes only. A key is found by the hash of its whole text. */
import type { KeyId } from './ids.ts';
import type { RoutingRequest } from './rules.ts';
import type { Snapshot } from './snapshot.ts';

export type ApiKey = {
  readonly id: KeyId;
  readonly name: string;
  /** SHA-256 of the key's text, hex. */
  readonly hash: string;
  /** Features it may use; null for all. */
  readonly features: ReadonlySet<string> | null;
  readonly tenant: string | null;
  readonly dataClassMax: string | null;
  /** Requests a minute; null for no limit. */
  readonly rpm: number | null;
  readonly budget: string | null;
  readonly createdAt: number;
  readonly revokedAt: number | null;
};

/** What a key limits, as routing reads it; nothing without a key. */
export function keyLimits(
  key: ApiKey | null,
  snapshot: Pick<Snapshot, 'dataClasses'>,
): Pick<RoutingRequest, 'tenant' | 'key' | 'keyName' | 'keyFeatures' | 'keyClassMax'> {
  if (key === null) return { tenant: null, key: null, keyName: null, keyFeatures: null, keyClassMax: null };
  const { tenant, id, name, features, dataClassMax } = key;
  return {
    tenant,
    key: id,
    keyName: name,
    keyFeatures: features,
    keyClassMax: dataClassMax === null ? null : (snapshot.dataClasses.get(dataClassMax) ?? 'undefined_class'),
  };
}

/** Usable keys by hash. `everCreated`: once any key was made, a key is required. */
export type KeyTable = { readonly byHash: ReadonlyMap<string, ApiKey>; readonly everCreated: boolean };

export function keyTable(keys: readonly ApiKey[]): KeyTable {
  const usable = keys.filter((key) => key.revokedAt === null);
  return { byHash: new Map(usable.map((key) => [key.hash, key])), everCreated: keys.length > 0 };
}
