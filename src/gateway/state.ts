/**
 * What the data plane reads: the current snapshot, switches and keys. Each is replaced whole, so a request sees one
 * consistent value and never waits for a lock, a database or another replica.
 */
import type { KeyTable } from '../core/keys.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Switch } from '../core/switches.ts';

export type GatewayState = {
  snapshot: Snapshot;
  switches: readonly Switch[];
  keys: KeyTable;
};
