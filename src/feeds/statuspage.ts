/**
 * Statuspage v2 (`summary.json` and its parts), and what speaks it: incident.io's compatible files, Rootly, our own page.
 * A component's own status is trusted over the components that an incident names: some pages name them all.
 */
import type { Instant } from '../core/ids.ts';
import type { FeedIncident, FeedReading, ProviderStatus } from '../core/provider-word.ts';
import {
  addressOf,
  fieldsOf,
  gravest,
  listOf,
  reading,
  statusOf,
  textOf,
  timeOf,
  unknown,
} from './fields.ts';
import type { Fields } from './fields.ts';

const indicators: Readonly<Record<string, ProviderStatus>> = {
  none: 'operational',
  minor: 'degraded',
  major: 'partial_outage',
  critical: 'major_outage',
  maintenance: 'maintenance',
};
const components: Readonly<Record<string, ProviderStatus>> = {
  operational: 'operational',
  degraded_performance: 'degraded',
  partial_outage: 'partial_outage',
  major_outage: 'major_outage',
  full_outage: 'major_outage',
  under_maintenance: 'maintenance',
};
const impacts: Readonly<Record<string, ProviderStatus>> = {
  none: 'degraded',
  minor: 'degraded',
  major: 'partial_outage',
  critical: 'major_outage',
  maintenance: 'maintenance',
};
const ended: ReadonlySet<unknown> = new Set(['resolved', 'postmortem', 'completed']);

function incidentOf(fields: Fields, now: Instant): FeedIncident | null {
  const id = textOf(fields['id']);
  const title = textOf(fields['name']);
  if (id === null || title === null) return null;
  const updatedAt = timeOf(fields['updated_at'], now);
  const declaredAt =
    timeOf(fields['created_at'], now) ?? timeOf(fields['started_at'], now) ?? updatedAt ?? now;
  const isOver = ended.has(fields['status']);
  return {
    id,
    title,
    url: addressOf(fields['shortlink']),
    status: statusOf(fields['impact'], impacts),
    declaredAt,
    resolvedAt: isOver ? (timeOf(fields['resolved_at'], now) ?? updatedAt ?? now) : null,
  };
}

export function isStatuspage(document: Fields): boolean {
  const page = fieldsOf(document['page']);
  const parts = ['status', 'components', 'incidents'].filter((name) => typeof document[name] === 'object');
  return (
    page !== null &&
    !('activeIncidents' in document) &&
    typeof page['status'] !== 'string' &&
    parts.length > 0
  );
}

export function readStatuspage(document: Fields, now: Instant): FeedReading {
  const status = fieldsOf(document['status']);
  const parts = listOf(document['components'])?.filter((each) => each['group'] !== true) ?? [];
  const listed = listOf(document['incidents'] ?? []);
  if (listed === null || listOf(document['components'] ?? []) === null)
    return unknown('Its lists are of a form that is not known.');
  const incidents = listed.flatMap((each) => incidentOf(each, now) ?? []);
  if (incidents.length < listed.length) return unknown('It lists incidents in a form that is not known.');
  const open = incidents.filter(({ resolvedAt }) => resolvedAt === null);
  if (status === null && parts.length === 0 && open.length === 0)
    return unknown('It says neither how it is nor what its parts do.');
  const found = gravest([
    ...(status === null ? [] : [statusOf(status['indicator'], indicators)]),
    ...parts.map((each) => statusOf(each['status'], components)),
    ...open.map((each) => each.status),
  ]);
  const words = textOf(status?.['description']);
  return reading(found, words, incidents, timeOf(fieldsOf(document['page'])?.['updated_at'], now));
}
