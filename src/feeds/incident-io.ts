/** incident.io's own form: the widget (`/api/widget`, `/api/v1/summary`) with what is going on, and nothing else. */
import type { Instant } from '../core/ids.ts';
import type { FeedIncident, FeedReading, ProviderStatus } from '../core/provider-word.ts';
import { addressOf, gravest, listOf, reading, statusOf, textOf, timeOf, unknown } from './fields.ts';
import type { Fields } from './fields.ts';

const impacts: Readonly<Record<string, ProviderStatus>> = {
  operational: 'degraded',
  degraded_performance: 'degraded',
  partial_outage: 'partial_outage',
  full_outage: 'major_outage',
  major_outage: 'major_outage',
  under_maintenance: 'maintenance',
};

function incidentOf(fields: Fields, now: Instant, otherwise: ProviderStatus): FeedIncident | null {
  const id = textOf(fields['id']);
  const title = textOf(fields['name']);
  if (id === null || title === null) return null;
  const impact = fields['current_worst_impact'];
  const isOver = fields['status'] === 'resolved' || fields['status'] === 'maintenance_complete';
  const updatedAt = timeOf(fields['last_update_at'], now) ?? now;
  return {
    id,
    title,
    url: addressOf(fields['url']),
    status: impact === undefined ? otherwise : statusOf(impact, impacts),
    declaredAt: timeOf(fields['created_at'], now) ?? timeOf(fields['started_at'], now) ?? updatedAt,
    resolvedAt: isOver ? updatedAt : null,
  };
}

export function isIncidentIo(document: Fields): boolean {
  return Array.isArray(document['ongoing_incidents']);
}

export function readIncidentIo(document: Fields, now: Instant): FeedReading {
  const ongoing = listOf(document['ongoing_incidents']);
  const maintained = listOf(document['in_progress_maintenances']);
  if (ongoing === null || maintained === null) return unknown('Its lists are of a form that is not known.');
  const incidents = [
    ...ongoing.map((each) => incidentOf(each, now, 'degraded')),
    ...maintained.map((each) => incidentOf(each, now, 'maintenance')),
  ].flatMap((each) => each ?? []);
  if (incidents.length < ongoing.length + maintained.length)
    return unknown('It lists incidents in a form that is not known.');
  const open = incidents.filter(({ resolvedAt }) => resolvedAt === null);
  return reading(gravest(open.map(({ status }) => status)), null, incidents);
}
