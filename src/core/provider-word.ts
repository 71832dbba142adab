/**
 * What a provider says about itself, read from its status feed: the third column of evidence, beside our traffic and our
 * probes, and never mixed with them. It corroborates and informs; it takes nothing out and brings nothing back.
 *
 * What cannot be read is `unknown`, and never "operational": a page that moved once made a false outage elsewhere, and
 * one that reads as calm would be worse. An announcement that names models speaks for these models only; one that names
 * none speaks for the provider.
 */
import type { Instant } from './ids.ts';
import { modelsNamed } from './model-names.ts';
import { durationWords, listWords } from './words.ts';

export const providerStatuses = [
  'operational',
  'maintenance',
  'degraded',
  'partial_outage',
  'major_outage',
  'unknown',
] as const;
export type ProviderStatus = (typeof providerStatuses)[number];

/** An incident as a provider announces it. */
export type FeedIncident = {
  readonly id: string;
  readonly title: string;
  readonly url: string | null;
  readonly status: ProviderStatus;
  /** When the provider said so first, which is not when it began. */
  readonly declaredAt: Instant;
  readonly resolvedAt: Instant | null;
};

/** A feed at one moment, or why it says nothing. */
export type FeedReading =
  | {
      readonly kind: 'read';
      readonly status: ProviderStatus;
      /** In the provider's own words; null where the feed has none. */
      readonly words: string | null;
      /** Going on, and those that ended not long ago. */
      readonly incidents: readonly FeedIncident[];
      /** When the feed says it was written; null when it does not. */
      readonly writtenAt: Instant | null;
    }
  | { readonly kind: 'unknown'; readonly why: string };

/** The latest reading of a provider's feed, and since when its status holds. */
export type ProviderFeed = {
  readonly provider: string;
  readonly url: string;
  readonly reading: FeedReading;
  readonly checkedAt: Instant;
  readonly since: Instant;
};

/** A reading older than this says nothing any more. */
export const staleMs = 15 * 60_000;

export type ProviderSays = {
  readonly status: ProviderStatus;
  readonly words: string;
  readonly since: Instant | null;
  readonly checkedAt: Instant | null;
  readonly incidents: readonly FeedIncident[];
};

const gravity: readonly ProviderStatus[] = providerStatuses.filter((status) => status !== 'unknown');
const worst = (statuses: readonly ProviderStatus[]): ProviderStatus =>
  statuses.reduce<ProviderStatus>(
    (one, other) => (gravity.indexOf(other) > gravity.indexOf(one) ? other : one),
    'operational',
  );

const unknownWord = (words: string, feed: ProviderFeed | null): ProviderSays => ({
  status: 'unknown',
  words,
  since: feed?.since ?? null,
  checkedAt: feed?.checkedAt ?? null,
  incidents: [],
});

const statusWords: Readonly<Record<ProviderStatus, string>> = {
  operational: 'says that all is well',
  maintenance: 'says that it is being maintained',
  degraded: 'says that something is wrong',
  partial_outage: 'says that a part is out',
  major_outage: 'says that it is out',
  unknown: 'says nothing that can be read',
};

/** The announcements that speak for a model: those that name it, and those that name none of the known. */
export function speakingFor(
  model: string,
  incidents: readonly FeedIncident[],
  known: readonly string[],
): readonly FeedIncident[] {
  return incidents.filter(({ title }) => {
    const named = modelsNamed(title, known);
    return named.length === 0 || named.includes(model);
  });
}

/** What a provider says about one of its models. Null when no feed is configured. */
export function providerSays(
  feed: ProviderFeed | null,
  model: string,
  known: readonly string[],
  now: Instant,
): ProviderSays | null {
  if (feed === null) return null;
  const { reading, checkedAt, since } = feed;
  if (reading.kind === 'unknown') return unknownWord(`Its feed says nothing: ${reading.why}`, feed);
  if (now - checkedAt > staleMs)
    return unknownWord(`Its feed was last read ${durationWords(now - checkedAt)} ago.`, feed);
  const open = reading.incidents.filter(({ resolvedAt }) => resolvedAt === null);
  const own = speakingFor(model, open, known);
  // Where every trouble is announced, and none of it is this model's, the model is well.
  const status =
    open.length === 0
      ? reading.status
      : own.length === 0
        ? 'operational'
        : worst(own.map((each) => each.status));
  const titles = own.map(({ title }) => `"${title}"`);
  const words = titles.length === 0 ? (reading.words ?? statusWords[status]) : listWords(titles);
  return { status, words, since, checkedAt, incidents: own };
}
