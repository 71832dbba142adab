/** An incident as it is read: with its timeline, and with what it did to requests, counted from its own set of them. */
import { affectedFeatures, askedDuring, impactOf } from '../core/incident-impact.ts';
import type { Impact } from '../core/incident-impact.ts';
import { beganAt } from '../core/incident.ts';
import type { Incident, TimelineEntry } from '../core/incident.ts';
import type { Instant } from '../core/ids.ts';
import type { Store } from '../store/store.ts';

export type IncidentRead = {
  readonly incident: Incident;
  readonly timeline: readonly TimelineEntry[];
  readonly impact: Impact;
  /** All requests of each affected feature while it was affected, hit or not. */
  readonly asked: ReadonlyMap<string, number>;
};

export type ReadFrom = {
  readonly store: Pick<Store, 'findIncident' | 'timeline' | 'countHits' | 'countRecords'>;
  readonly now: Instant;
  /** What people call a feature. */
  readonly titleOf: (feature: string) => string;
};

/**
 * The parts are counted before the whole, so that while requests go on no part is ever more than it; records may have
 * been deleted since. Features that routing never moved, but whose requests met the incident, are among its features.
 */
export async function readIncident(
  id: string,
  { store, now, titleOf }: ReadFrom,
): Promise<IncidentRead | null> {
  const found = await store.findIncident(id);
  if (found === null) return null;
  const [timeline, counts] = await Promise.all([store.timeline(found.id), store.countHits(found.id)]);
  const impact = impactOf(counts);
  const incident = { ...found, features: affectedFeatures(found.features, impact, titleOf) };
  const began = beganAt(incident);
  const asked = await Promise.all(
    incident.features.map(async ({ feature, normalAt }): Promise<[string, number]> => {
      const felt = impact.features.get(feature);
      const records = await store.countRecords({ feature, ...askedDuring(felt, began, normalAt ?? now) });
      return [feature, Math.max(records, felt?.total ?? 0)];
    }),
  );
  return { incident, timeline, impact, asked: new Map(asked) };
}
