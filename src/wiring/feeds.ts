/** What providers say, live: feeds are asked, kept for whoever looks, written down when they change, tied to incidents. */
import { newChange } from '../control/verb.ts';
import { linkAnnouncements } from '../core/announcements.ts';
import type { Instant } from '../core/ids.ts';
import { providerSays, providerStatuses } from '../core/provider-word.ts';
import type { FeedIncident, FeedReading, ProviderFeed, ProviderSays } from '../core/provider-word.ts';
import type { Change } from '../core/record.ts';
import type { Target } from '../core/target.ts';
import type { Engine } from '../engine.ts';
import { createFeedPoller } from '../feeds/poller.ts';
import type { FeedAddress, FeedPoller } from '../feeds/poller.ts';
import { pageSizeMax, StoreUnavailable } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { IncidentDesk } from './incidents.ts';

export type FeedDesk = {
  /** What a target's provider says about it; null when it has no feed. */
  says(target: Target): ProviderSays | null;
  tick(): Promise<void>;
};

/** An announcement older than this was made before we listened, and is not told as news. */
const newsMs = 3_600_000;

type Sources = {
  readonly engine: Engine;
  readonly store: Store;
  readonly incidents: IncidentDesk;
  readonly log: Log;
};

const statusOf = (reading: FeedReading | undefined): string =>
  reading === undefined ? 'none' : reading.kind === 'read' ? reading.status : 'unknown';

const announcedId = (change: Change): unknown => (change.after as { readonly id?: unknown } | null)?.id;

class Desk implements FeedDesk {
  readonly #sources: Sources;
  readonly #feeds = new Map<string, ProviderFeed>();
  /** Announcements that are written down already. */
  readonly #noted = new Map<string, readonly FeedIncident[]>();
  readonly #poller: FeedPoller;

  constructor(sources: Sources) {
    this.#sources = sources;
    this.#poller = createFeedPoller({
      ...sources.engine.clock,
      feeds: () => this.#addresses(),
      isBusy: (url) => this.#isBusy(url),
      onReading: (url, reading, at) => {
        for (const { id } of this.#addresses().filter((each) => each.url === url))
          this.#take(id, url, reading, at).catch((error: unknown) => {
            // With a store that is away, it is done again at the next reading.
            if (!(error instanceof StoreUnavailable)) sources.engine.onBug(error);
          });
      },
    });
  }

  #addresses(): readonly (FeedAddress & { readonly id: string })[] {
    return [...this.#sources.engine.state.snapshot.providers.values()].flatMap(({ id, statusFeed }) =>
      statusFeed === null ? [] : [{ id, ...statusFeed }],
    );
  }

  #models(): readonly string[] {
    return [...new Set([...this.#sources.engine.state.snapshot.models.values()].map(({ name }) => name))];
  }

  #isBusy(url: string): boolean {
    const asked = new Set(this.#addresses().flatMap((each) => (each.url === url ? [each.id] : [])));
    const isTroubled = [...asked].some((id) => {
      const reading = this.#feeds.get(id)?.reading;
      return reading?.kind === 'read' && reading.status !== 'operational';
    });
    const open = this.#sources.incidents.open();
    return isTroubled || open.some(({ targets }) => targets.some(({ provider }) => asked.has(provider)));
  }

  /** Announcements and their ends, each written down once, whatever restarts in between. */
  async #note(
    provider: string,
    before: readonly FeedIncident[],
    after: readonly FeedIncident[],
    now: Instant,
  ): Promise<void> {
    const { store, engine } = this.#sources;
    const known = new Map(before.map((each) => [each.id, each]));
    const fresh = after.filter((each) => {
      const earlier = known.get(each.id);
      const isNew = earlier === undefined || (earlier.resolvedAt === null) !== (each.resolvedAt === null);
      return isNew && now - (each.resolvedAt ?? each.declaredAt) <= newsMs;
    });
    if (fresh.length === 0) return;
    const { items } = await store.listChanges(null, pageSizeMax);
    for (const each of fresh) {
      const kind = each.resolvedAt === null ? 'provider.announced' : 'provider.resolved';
      if (
        items.some(
          (change) => change.kind === kind && change.subject === provider && announcedId(change) === each.id,
        )
      )
        continue;
      const after = { id: each.id, title: each.title, url: each.url, status: each.status };
      const facts = {
        kind,
        actor: provider,
        subject: provider,
        reason: each.title,
        before: null,
        after,
      } as const;
      await store.appendChange(newChange(facts, engine.control(store)));
    }
  }

  async #take(provider: string, url: string, reading: FeedReading, at: Instant): Promise<void> {
    const { incidents, engine, log } = this.#sources;
    const before = this.#feeds.get(provider);
    const { metrics } = engine;
    metrics.count('breakwater_feed_readings_total', { provider, result: reading.kind });
    for (const status of providerStatuses)
      metrics.set('breakwater_feed_status', { provider, status }, status === statusOf(reading) ? 1 : 0);
    const isSame = before !== undefined && statusOf(before.reading) === statusOf(reading);
    this.#feeds.set(provider, { provider, url, reading, checkedAt: at, since: isSame ? before.since : at });
    if (!isSame) log('info', { event: 'feed', provider, status: statusOf(reading) });
    if (reading.kind === 'unknown') return;
    await this.#note(provider, this.#noted.get(provider) ?? [], reading.incidents, at);
    this.#noted.set(provider, reading.incidents);
    const known = this.#models();
    await incidents.step('the provider said something', (incident) =>
      linkAnnouncements(incident, provider, reading.incidents, known, engine.clock.now()),
    );
  }

  says(target: Target): ProviderSays | null {
    const { id, statusFeed } = target.provider;
    if (statusFeed === null) return null;
    const now = this.#sources.engine.clock.now();
    const feed = this.#feeds.get(id) ?? {
      provider: id,
      url: statusFeed.url,
      reading: { kind: 'unknown', why: 'It has not been read yet.' },
      checkedAt: now,
      since: now,
    };
    return providerSays(feed, target.model.name, this.#models(), now);
  }

  tick(): Promise<void> {
    return this.#poller.tick();
  }
}

export function createFeedDesk(sources: Sources): FeedDesk {
  return new Desk(sources);
}
