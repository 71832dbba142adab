/**
 * Asks the feeds, politely: each address once however many providers name it, with what was learnt the last time (ETag),
 * never in step with others (jitter), slower when it fails and more often while something is going on. Only addresses
 * of the configuration are asked; one that leads to another host has moved, and is not followed in what it says.
 */
import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import type { FeedReading } from '../core/provider-word.ts';
import { configuredOnly, guardedFetch, privateToo } from '../outbound/guarded-fetch.ts';
import type { Fetched, Outgoing } from '../outbound/guarded-fetch.ts';
import { parseFeed } from './parse.ts';

export type FeedAddress = { readonly url: string; readonly allowPrivate: boolean };

const calmMs = 30_000;
const busyMs = 10_000;
const longestMs = 15 * 60_000;
const limitMs = 10_000;
const bytesMax = 4 * 1_048_576;
const redirectsMax = 3;
/** Addresses that are remembered. */
const feedsMax = 1_000;

export type FeedPollerOptions = {
  readonly now: () => Instant;
  readonly random: () => number;
  readonly feeds: () => readonly FeedAddress[];
  /** Something is going on: ask more often. */
  readonly isBusy: (url: string) => boolean;
  readonly onReading: (url: string, reading: FeedReading, at: Instant) => void;
  readonly fetch?: (outgoing: Outgoing) => Promise<Fetched>;
};

type Kept = {
  nextAt: number;
  etag: string | null;
  modified: string | null;
  reading: FeedReading | null;
  failures: number;
  isAsking: boolean;
};

export type FeedPoller = {
  /** Begins what is due; call about once a second. Resolves when what it began has ended. */
  tick(): Promise<void>;
};

const hostOf = (url: string): string => new URL(url).host;

function conditions({ etag, modified }: Kept): Readonly<Record<string, string>> {
  return {
    accept: 'application/json, application/rss+xml, application/atom+xml, application/xml;q=0.9',
    'user-agent': 'breakwater',
    ...(etag === null ? {} : { 'if-none-match': etag }),
    ...(modified === null ? {} : { 'if-modified-since': modified }),
  };
}

/** How long the provider asks to be left alone; null when it does not. */
function retryAfterMs(fetched: Fetched): number | null {
  if (fetched.kind === 'failed') return null;
  const seconds = Number(fetched.headers['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1_000, longestMs) : null;
}

async function readingOf(fetched: Fetched, url: string, kept: Kept, now: Instant): Promise<FeedReading> {
  if (fetched.kind === 'failed') return { kind: 'unknown', why: `It ${fetched.words}.` };
  if (fetched.status === 304 && kept.reading !== null) return kept.reading;
  if (hostOf(fetched.url) !== hostOf(url))
    return { kind: 'unknown', why: `It has moved to ${hostOf(fetched.url)}. Look up its new address.` };
  if (fetched.status !== 200) return { kind: 'unknown', why: `It answered ${fetched.status}.` };
  return parseFeed(fetched.body, now);
}

export function createFeedPoller(options: FeedPollerOptions): FeedPoller {
  const fetchFeed = options.fetch ?? guardedFetch;
  const feeds = new Map<string, Kept>();

  const keptOf = (url: string): Kept => {
    const known = feeds.get(url);
    if (known !== undefined) return known;
    const fresh: Kept = {
      nextAt: 0,
      etag: null,
      modified: null,
      reading: null,
      failures: 0,
      isAsking: false,
    };
    if (feeds.size < feedsMax) feeds.set(url, fresh);
    return fresh;
  };

  const plan = (url: string, kept: Kept, fetched: Fetched, now: number): void => {
    const usualMs = options.isBusy(url) ? busyMs : calmMs;
    const backedOffMs =
      kept.failures === 0 ? usualMs : Math.min(longestMs, calmMs * 2 ** (kept.failures - 1));
    const waitMs = Math.max(backedOffMs, retryAfterMs(fetched) ?? 0);
    kept.nextAt = now + waitMs * (0.9 + 0.2 * options.random());
  };

  const ask = async ({ url, allowPrivate }: FeedAddress, kept: Kept): Promise<void> => {
    kept.isAsking = true;
    const fetched = await fetchFeed({
      url,
      guard: allowPrivate ? privateToo : configuredOnly(url, []),
      headers: conditions(kept),
      limitMs,
      bytesMax,
      redirectsMax,
    });
    const now = instant(options.now());
    const reading = await readingOf(fetched, url, kept, now);
    kept.failures = reading.kind === 'read' ? 0 : kept.failures + 1;
    if (fetched.kind === 'answered' && fetched.status === 200) {
      // What could not be read is asked for whole again.
      const isRead = reading.kind === 'read';
      kept.etag = isRead ? (fetched.headers['etag'] ?? null) : null;
      kept.modified = isRead ? (fetched.headers['last-modified'] ?? null) : null;
    }
    kept.reading = reading;
    plan(url, kept, fetched, now);
    kept.isAsking = false;
    options.onReading(url, reading, now);
  };

  return {
    async tick() {
      const configured = new Map(options.feeds().map((feed) => [feed.url, feed]));
      for (const url of feeds.keys()) if (!configured.has(url)) feeds.delete(url);
      const now = options.now();
      const due = [...configured.values()].filter((feed) => {
        const kept = keptOf(feed.url);
        return (
          !kept.isAsking &&
          (now >= kept.nextAt ||
            (options.isBusy(feed.url) && kept.failures === 0 && now >= kept.nextAt - (calmMs - busyMs)))
        );
      });
      await Promise.all(due.map((feed) => ask(feed, keptOf(feed.url))));
    },
  };
}
