/** Incidents, their timelines and their requests ↔ rows, by hand, like `rows.ts`. */
import type { HitCount } from '../core/incident-impact.ts';
import { hitOf } from '../core/incident-hits.ts';
import type { Hit, HitKind } from '../core/incident-hits.ts';
import type {
  Incident,
  IncidentFeature,
  IncidentTarget,
  MovedTarget,
  TimelineEntry,
} from '../core/incident.ts';
import { incidentId, instant, requestId } from '../core/ids.ts';
import type { TargetName } from '../core/ids.ts';
import type { RequestRecord } from '../core/record.ts';
import { parsed, rowForm } from './rows.ts';

const storedTarget = (each: IncidentTarget) => ({
  target: each.target,
  model: each.model,
  vendor: each.vendor,
  provider: each.provider,
  detected: each.detected,
  from: each.from,
  until: each.until,
  gate: each.gate,
});

const storedMoved = ({ target, from, until }: MovedTarget) => ({ target, from, until });

const storedFeature = (each: IncidentFeature) => ({
  feature: each.feature,
  title: each.title,
  status: each.status,
  worst: each.worst,
  backup: each.backup,
  normalAt: each.normalAt,
});

const storedIncident = (incident: Incident) => ({
  form: rowForm,
  id: incident.id,
  rev: incident.rev,
  title: incident.title,
  titleBy: incident.titleBy,
  state: incident.state,
  stateBy: incident.stateBy,
  stateAt: incident.stateAt,
  severity: incident.severity,
  severityBy: incident.severityBy,
  failureClass: incident.failureClass,
  classBy: incident.classBy,
  reasoning: incident.reasoning,
  openedAt: incident.openedAt,
  openedBy: incident.openedBy,
  source: incident.source,
  failedAt: incident.failedAt,
  times: {
    detected: incident.times.detected,
    switched: incident.times.switched,
    providerDeclared: incident.times.providerDeclared,
    providerResolved: incident.times.providerResolved,
    normalRoutingResumed: incident.times.normalRoutingResumed,
  },
  targets: incident.targets.map(storedTarget),
  moved: incident.moved.map(storedMoved),
  features: incident.features.map(storedFeature),
  switches: incident.switches,
  roles: { lead: incident.roles.lead, comms: incident.roles.comms, ops: incident.roles.ops },
  nextUpdateAt: incident.nextUpdateAt,
  announcements: incident.announcements.map((each) => ({
    provider: each.provider,
    id: each.id,
    title: each.title,
    url: each.url,
    declaredAt: each.declaredAt,
    resolvedAt: each.resolvedAt,
  })),
  mergedInto: incident.mergedInto,
  splitFrom: incident.splitFrom,
  frozen:
    incident.frozen === null
      ? null
      : { hash: incident.frozen.hash, count: incident.frozen.count, at: incident.frozen.at },
  entries: incident.entries,
});

type Stored = ReturnType<typeof storedIncident>;

export const incidentBody = (incident: Incident): string => JSON.stringify(storedIncident(incident));

export function incidentFromBody(body: string): Incident {
  // Incidents from before it was kept have none.
  const stored = parsed(body) as Omit<Stored, 'moved'> & Partial<Pick<Stored, 'moved'>>;
  const { form: _form, ...incident } = stored;
  return {
    ...incident,
    targets: stored.targets.map(storedTarget),
    moved: (stored.moved ?? []).map(storedMoved),
    features: stored.features.map(storedFeature),
  };
}

const storedEntry = (entry: TimelineEntry) => ({
  form: rowForm,
  n: entry.n,
  at: entry.at,
  notedAt: entry.notedAt,
  source: entry.source,
  by: entry.by,
  audience: entry.audience,
  text: entry.text,
  state: entry.state,
});

export const entryBody = (entry: TimelineEntry): string => JSON.stringify(storedEntry(entry));

export function entryFromBody(body: string): TimelineEntry {
  const { form: _form, ...entry } = parsed(body) as ReturnType<typeof storedEntry>;
  return entry;
}

/** The columns of `incident_hits`, in the order of the statement that inserts them. */
export type HitRow = readonly [string, string, number, string, string, string, string | null, string];

export const hitRow = (hit: Hit): HitRow => [
  hit.incident,
  hit.request,
  hit.at,
  hit.feature,
  hit.preferred,
  hit.how,
  hit.served,
  hit.leftTo.join('|'),
];

/** The hits that a record carries with it. Most carry none. */
export const hitRowsOf = (record: RequestRecord): readonly HitRow[] =>
  record.incidents.flatMap((incident) => {
    const hit = hitOf(record, incident);
    return hit === null ? [] : [hitRow(hit)];
  });

const listOf = (text: string): readonly string[] => (text === '' ? [] : text.split('|'));

export function hitFromRow(row: HitRow): Hit {
  const [incident, request, at, feature, preferred, how, served, leftTo] = row;
  return {
    incident: incidentId(incident),
    request: requestId(request),
    at: instant(at),
    feature,
    preferred: preferred as TargetName,
    how: how as HitKind,
    served: served as TargetName | null,
    leftTo: listOf(leftTo),
  };
}

export type HitCountRow = {
  readonly feature: string;
  readonly how: string;
  readonly served: string | null;
  readonly left_to: string;
  readonly count: number;
  readonly first: number;
  readonly last: number;
};

export const hitCountFromRow = (row: HitCountRow): HitCount => ({
  feature: row.feature,
  how: row.how as HitKind,
  served: row.served,
  leftTo: listOf(row.left_to),
  count: row.count,
  first: instant(row.first),
  last: instant(row.last),
});
