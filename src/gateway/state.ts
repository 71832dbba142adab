/**
 * What the data plane reads: the current snapshot, switches, keys and incidents. Each is replaced whole, so a request sees one
 * consistent value and never waits for a lock, a database or another replica.
 */
import type { IncidentScope } from '../core/incident-hits.ts';
import type { KeyTable } from '../core/keys.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Switch } from '../core/switches.ts';

export type GatewayState = {
  snapshot: Snapshot;
  switches: readonly Switch[];
  keys: KeyTable;
  /** Incidents whose requests are being marked. */
  incidents: readonly IncidentScope[];
};
