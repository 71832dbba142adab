/** Instatus's `summary.json`: the page's status in one word, and what is going on. */
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

const states: Readonly<Record<string, ProviderStatus>> = {
  up: 'operational',
  hasissues: 'degraded',
  undermaintenance: 'maintenance',
  allundermaintenance: 'maintenance',
  somedown: 'partial_outage',
  alldown: 'major_outage',
};
const impacts: Readonly<Record<string, ProviderStatus>> = {
  operational: 'degraded',
  degradedperformance: 'degraded',
  minoroutage: 'degraded',
  partialoutage: 'partial_outage',
  majoroutage: 'major_outage',
};

function incidentOf(fields: Fields, now: Instant): FeedIncident | null {
  const title = textOf(fields['name']);
  if (title === null) return null;
  const url = addressOf(fields['url']);
  return {
    id: textOf(fields['id']) ?? url ?? title,
    title,
    url,
    status: statusOf(fields['impact'], impacts),
    declaredAt: timeOf(fields['started'], now) ?? now,
    resolvedAt: fields['status'] === 'RESOLVED' ? (timeOf(fields['updatedAt'], now) ?? now) : null,
  };
}

export function isInstatus(document: Fields): boolean {
  return typeof fieldsOf(document['page'])?.['status'] === 'string';
}

export function readInstatus(document: Fields, now: Instant): FeedReading {
  const word = fieldsOf(document['page'])?.['status'];
  const listed = listOf(document['activeIncidents'] ?? []);
  if (listed === null) return unknown('Its lists are of a form that is not known.');
  const incidents = listed.flatMap((each) => incidentOf(each, now) ?? []);
  if (incidents.length < listed.length) return unknown('It lists incidents in a form that is not known.');
  const open = incidents.filter(({ resolvedAt }) => resolvedAt === null);
  return reading(
    gravest([statusOf(word, states), ...open.map(({ status }) => status)]),
    textOf(word),
    incidents,
  );
}
