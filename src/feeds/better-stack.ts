/** Better Stack's `index.json`: one status page in JSON:API, with reports of what is going on beside it. */
import type { Instant } from '../core/ids.ts';
import type { FeedIncident, FeedReading, ProviderStatus } from '../core/provider-word.ts';
import { fieldsOf, gravest, listOf, reading, statusOf, textOf, timeOf, unknown } from './fields.ts';
import type { Fields } from './fields.ts';

const states: Readonly<Record<string, ProviderStatus>> = {
  operational: 'operational',
  resolved: 'operational',
  degraded: 'degraded',
  downtime: 'major_outage',
  maintenance: 'maintenance',
};

function reportOf(fields: Fields, now: Instant): FeedIncident | null {
  const id = textOf(fields['id']);
  const facts = fieldsOf(fields['attributes']);
  const title = textOf(facts?.['title']);
  if (id === null || facts === null || title === null) return null;
  const declaredAt = timeOf(facts['created_at'], now) ?? timeOf(facts['starts_at'], now) ?? now;
  const endsAt = timeOf(facts['ends_at'], now);
  const isOver = facts['aggregate_state'] === 'resolved' || (endsAt !== null && endsAt <= now);
  const isMaintenance = facts['report_type'] === 'maintenance';
  return {
    id,
    title,
    url: null,
    status: isMaintenance ? 'maintenance' : statusOf(facts['aggregate_state'], states),
    declaredAt,
    resolvedAt: isOver ? (endsAt ?? now) : null,
  };
}

export function isBetterStack(document: Fields): boolean {
  return fieldsOf(fieldsOf(document['data'])?.['attributes'])?.['aggregate_state'] !== undefined;
}

export function readBetterStack(document: Fields, now: Instant): FeedReading {
  const facts = fieldsOf(fieldsOf(document['data'])?.['attributes']);
  const included = listOf(document['included'] ?? []);
  if (included === null) return unknown('Its lists are of a form that is not known.');
  const listed = included.filter((each) => each['type'] === 'status_report');
  const incidents = listed.flatMap((each) => reportOf(each, now) ?? []);
  if (incidents.length < listed.length) return unknown('It lists reports in a form that is not known.');
  const own = statusOf(facts?.['aggregate_state'], states);
  // A maintenance that is announced has not begun.
  const open = incidents.filter(({ resolvedAt, declaredAt }) => resolvedAt === null && declaredAt <= now);
  return reading(
    gravest([own, ...open.map(({ status }) => status)]),
    textOf(facts?.['aggregate_state']),
    incidents,
  );
}
