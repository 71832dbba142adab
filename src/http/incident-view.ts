/** Incidents → the JSON of the admin API. */
import type { IncidentRead } from '../control/incident-queries.ts';
import { modelsOf, severityElsewhere, timesJson } from '../core/incident.ts';
import type { Announcement, Incident, TimelineEntry } from '../core/incident.ts';
import type { Hit } from '../core/incident-hits.ts';
import { impactOf, rescuedShare } from '../core/incident-impact.ts';
import type { Impact } from '../core/incident-impact.ts';
import type { RequestRecord } from '../core/record.ts';
import { timeText } from '../core/moment.ts';
import type { Json } from './wire.ts';

function entryToWire(entry: TimelineEntry): Json {
  return {
    n: entry.n,
    at: timeText(entry.at),
    noted_at: timeText(entry.notedAt),
    source: entry.source,
    by: entry.by,
    audience: entry.audience,
    text: entry.text,
    state: entry.state,
  };
}

function announcementToWire(each: Announcement): Json {
  return {
    provider: each.provider,
    id: each.id,
    title: each.title,
    url: each.url,
    declared_at: timeText(each.declaredAt),
    resolved_at: timeText(each.resolvedAt),
  };
}

/** How long we knew before the provider said so; negative when it was first. Null while it has not. */
function leadMs({ times }: Incident): number | null {
  return times.detected === null || times.providerDeclared === null
    ? null
    : times.providerDeclared - times.detected;
}

/** What is known without counting. */
export function incidentToWire(incident: Incident): Json {
  const { times } = incident;
  return {
    id: incident.id,
    title: incident.title,
    state: incident.state,
    severity: incident.severity,
    impact: severityElsewhere[incident.severity].impact,
    failure_class: incident.failureClass,
    class_by: incident.classBy,
    reasoning: incident.reasoning,
    opened_at: timeText(incident.openedAt),
    opened_by: incident.openedBy,
    source: incident.source,
    times: timesJson(times),
    lead_ms: leadMs(incident),
    targets: incident.targets.map(({ target }) => target),
    models: modelsOf(incident),
    scope: incident.targets.map((each) => ({
      target: each.target,
      gate: each.gate,
      since: timeText(each.from ?? each.detected),
      until: timeText(each.until),
    })),
    moved: incident.moved.map((each) => ({
      target: each.target,
      since: timeText(each.from),
      until: timeText(each.until),
    })),
    features: incident.features.map((each) => ({
      feature: each.feature,
      title: each.title,
      status: each.status,
      worst: each.worst,
      backup: each.backup,
      normal_at: timeText(each.normalAt),
    })),
    switches: incident.switches,
    roles: { lead: incident.roles.lead, comms: incident.roles.comms, ops: incident.roles.ops },
    next_update_at: timeText(incident.nextUpdateAt),
    announcements: incident.announcements.map(announcementToWire),
    merged_into: incident.mergedInto,
    split_from: incident.splitFrom,
    request_set:
      incident.frozen === null
        ? null
        : { hash: incident.frozen.hash, count: incident.frozen.count, at: timeText(incident.frozen.at) },
    rev: incident.rev,
  };
}

export function totalsToWire({ total, by }: Pick<Impact, 'total' | 'by'>): Json {
  return { total, ...by };
}

const noRequests = impactOf([]);

/** The whole of it, with what it did to requests. */
export function incidentReadToWire({ incident, timeline, impact, asked }: IncidentRead): Json {
  const brief = incidentToWire(incident);
  return {
    ...brief,
    features: (brief['features'] as readonly Json[]).map((each) => {
      const name = String(each['feature']);
      const felt = impact.features.get(name);
      return {
        ...each,
        share: rescuedShare(felt, asked.get(name) ?? 0),
        requests: totalsToWire(felt ?? noRequests),
      };
    }),
    requests: totalsToWire(impact),
    data_left_to: [...impact.leftTo.keys()],
    timeline: timeline.map(entryToWire),
  };
}

/** A request of an incident; `record` null when its record was deleted after its time. */
export function hitToWire(hit: Hit, record: RequestRecord | null): Json {
  return {
    id: hit.request,
    at: timeText(hit.at),
    how: hit.how,
    feature: hit.feature,
    preferred: hit.preferred,
    served: hit.served,
    hop: record?.hop ?? null,
    fallback: record?.fallback ?? null,
    outcome: record?.outcome ?? null,
    told: record?.told ?? null,
    boundary: record?.boundary ?? null,
    data_left_to: hit.leftTo,
    tenant: record?.tenant ?? null,
    user: record?.user ?? null,
    key: record?.key ?? null,
  };
}
