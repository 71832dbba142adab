/** Reads single fields out of what strangers send: whatever is not as expected is null, and nothing throws. */
import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import type { FeedIncident, FeedReading, ProviderStatus } from '../core/provider-word.ts';

export type Fields = { readonly [name: string]: unknown };

const titleLengthMax = 300;
const addressLengthMax = 2_000;
/** Announcements of one feed that are kept, the newest first. */
const incidentsMax = 50;

export function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** Its elements; null when it is no list, or one of them is no object. */
export function listOf(value: unknown): readonly Fields[] | null {
  if (!Array.isArray(value)) return null;
  const fields = value.map(fieldsOf);
  return fields.every((each) => each !== null) ? fields : null;
}

/** One line of text without control characters, of bounded length. */
export function textOf(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const text = String(value)
    .slice(0, titleLengthMax * 4)
    .replaceAll(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]+/g, ' ')
    .trim()
    .slice(0, titleLengthMax);
  return text === '' ? null : text;
}

/** A moment that can be: not before 2000, and not in the future beyond what clocks may differ. */
export function timeOf(value: unknown, now: Instant): Instant | null {
  const at =
    typeof value === 'string' && value.length <= 64
      ? Date.parse(value)
      : typeof value === 'number'
        ? value
        : Number.NaN;
  return Number.isFinite(at) && at >= 946_684_800_000 && at <= now + 300_000 ? instant(at) : null;
}

export function addressOf(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > addressLengthMax || !URL.canParse(value)) return null;
  const { protocol, href } = new URL(value);
  return protocol === 'https:' || protocol === 'http:' ? href : null;
}

/** A word of a closed list; what is not on it is `unknown`, never calm. */
export function statusOf(word: unknown, known: Readonly<Record<string, ProviderStatus>>): ProviderStatus {
  const name = typeof word === 'string' ? word.toLowerCase() : '';
  return Object.hasOwn(known, name) ? (known[name] ?? 'unknown') : 'unknown';
}

const gravity: readonly ProviderStatus[] = [
  'operational',
  'maintenance',
  'degraded',
  'partial_outage',
  'major_outage',
];

/** The gravest; `unknown` beats calm and maintenance, because it may hide worse, and nothing else. */
export function gravest(statuses: readonly ProviderStatus[]): ProviderStatus {
  const known = statuses.filter((status) => status !== 'unknown');
  const worst = known.reduce<ProviderStatus>(
    (one, other) => (gravity.indexOf(other) > gravity.indexOf(one) ? other : one),
    'operational',
  );
  return known.length < statuses.length && (worst === 'operational' || worst === 'maintenance')
    ? 'unknown'
    : worst;
}

export const unknown = (why: string): FeedReading => ({ kind: 'unknown', why });

export function reading(
  status: ProviderStatus,
  words: string | null,
  incidents: readonly FeedIncident[],
  writtenAt: Instant | null = null,
): FeedReading {
  if (status === 'unknown' && incidents.every(({ resolvedAt }) => resolvedAt !== null))
    return unknown(
      `It uses a word for its status that is not known${words === null ? '' : ` ("${words}")`}.`,
    );
  const newest = [...incidents]
    .sort((one, other) => other.declaredAt - one.declaredAt)
    .slice(0, incidentsMax);
  return { kind: 'read', status, words, incidents: newest, writtenAt };
}
