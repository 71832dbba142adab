/** Google Cloud's `incidents.json`: a list of incidents, those of the past included. An empty one is no sign of calm. */
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

const updates: Readonly<Record<string, ProviderStatus>> = {
  available: 'operational',
  service_information: 'degraded',
  service_disruption: 'partial_outage',
  service_outage: 'major_outage',
};

function incidentOf(fields: Fields, now: Instant): FeedIncident | null {
  const id = textOf(fields['id']);
  const latest = fieldsOf(fields['most_recent_update']);
  const title = textOf(fields['external_desc']) ?? textOf(latest?.['text']) ?? textOf(fields['service_name']);
  if (id === null || title === null || latest === null) return null;
  const endedAt = timeOf(fields['end'], now);
  const status = statusOf(latest['status'], updates);
  const isOver = endedAt !== null || status === 'operational';
  const path = textOf(fields['uri']);
  return {
    id,
    title,
    url: path === null ? null : addressOf(`https://status.cloud.google.com/${path.replace(/^\/+/, '')}`),
    status,
    declaredAt: timeOf(fields['created'], now) ?? timeOf(fields['begin'], now) ?? now,
    resolvedAt: isOver ? (endedAt ?? timeOf(latest['when'], now) ?? now) : null,
  };
}

export function isGoogleCloud(document: unknown): boolean {
  return Array.isArray(document) && document.every((each) => fieldsOf(each)?.['begin'] !== undefined);
}

/** Products whose trouble concerns AI; the file has those of the whole cloud. */
const ours = /vertex|gemini|generative|ai platform|agent/i;

function concerns(fields: Fields): boolean {
  const products = listOf(fields['affected_products']);
  if (products === null || products.length === 0) return true;
  return products.some((product) => ours.test(textOf(product['title']) ?? ''));
}

export function readGoogleCloud(document: unknown, now: Instant): FeedReading {
  const listed = listOf(document) ?? [];
  if (listed.length === 0) return unknown('It lists nothing, not even the past.');
  const incidents = listed.filter(concerns).map((each) => incidentOf(each, now));
  const known = incidents.flatMap((each) => each ?? []);
  if (known.length < incidents.length) return unknown('It lists incidents in a form that is not known.');
  const open = known.filter(({ resolvedAt }) => resolvedAt === null);
  return reading(gravest(open.map(({ status }) => status)), null, known);
}
