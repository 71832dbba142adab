/** An incident as it is read: with its timeline, and with what it did to requests, counted from its own set of them. */
import { impactOf } from '../core/incident-impact.ts';
import type { Impact } from '../core/incident-impact.ts';
import type { Incident, TimelineEntry } from '../core/incident.ts';
import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import type { Store } from '../store/store.ts';

export type IncidentRead = {
  readonly incident: Incident;
  readonly timeline: readonly TimelineEntry[];
  readonly impact: Impact;
  /** All requests of each affected feature while it was affected, hit or not. */
  readonly asked: ReadonlyMap<string, number>;
};

/** Since when requests of an incident count. */
export function beganAt({ targets, times, openedAt }: Incident): Instant {
  const begins = targets.map(({ from, detected }) => from ?? detected);
  return instant(Math.min(times.detected ?? openedAt, ...begins));
}

export async function readIncident(
  id: string,
  store: Pick<Store, 'findIncident' | 'timeline' | 'countHits' | 'countRecords'>,
  now: Instant,
): Promise<IncidentRead | null> {
  const incident = await store.findIncident(id);
  if (incident === null) return null;
  const [timeline, counts, asked] = await Promise.all([
    store.timeline(incident.id),
    store.countHits(incident.id),
    Promise.all(
      incident.features.map(async ({ feature, normalAt }): Promise<[string, number]> => [
        feature,
        await store.countRecords({
          feature,
          since: beganAt(incident),
          until: instant((normalAt ?? now) + 1),
        }),
      ]),
    ),
  ]);
  return { incident, timeline, impact: impactOf(counts), asked: new Map(asked) };
}
