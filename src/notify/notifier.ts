/**
 * Tells the channels. What is to be told is noted in the outbox in the transaction that wrote it down; from there it
 * becomes one delivery per channel that wants it, and each delivery is tried until it is over. Every step is in the
 * store before the next begins, so that a killed process loses nothing and repeats at most an attempt, with the same
 * message id. One channel that is slow or dead keeps no other waiting.
 */
import type { ChangeFacts } from '../control/verb.ts';
import type { Channel } from '../core/configure-channels.ts';
import { afterAttempt, newDelivery, saysGone } from '../core/delivery.ts';
import type { Delivery, DeliveryAnswer } from '../core/delivery.ts';
import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import { isWanted } from '../core/bulletin.ts';
import { channelOf } from '../core/playbook-bulletin.ts';
import type { Bulletin } from '../core/bulletin.ts';
import type { Change } from '../core/record.ts';
import type { Store } from '../store/store.ts';

export type NotifierDependencies = {
  readonly store: Store;
  readonly now: () => Instant;
  readonly random: () => number;
  readonly newId: (prefix: string) => string;
  readonly change: (facts: ChangeFacts) => Change;
  readonly channels: () => ReadonlyMap<string, Channel>;
  /** What is to be told of a change; null when nothing is. */
  readonly bulletinOf: (change: Change) => Promise<Bulletin | null>;
  readonly send: (bulletin: Bulletin, channel: Channel) => Promise<DeliveryAnswer>;
  readonly onDelivery: (delivery: Delivery) => void;
  /** A channel has said that it wants nothing any more. */
  readonly onGone: (channel: string) => void;
};

export type Notifier = {
  /** Plans, and tries what is due of every channel that is not busy; resolves when those are worked off. */
  readonly round: () => Promise<void>;
  /** Tries one delivery now, whatever its time; `once` means that a failure is its end. */
  readonly attempt: (delivery: Delivery, once?: 'once') => Promise<Delivery>;
  /** Since when a channel has said that it wants nothing any more; null while it has not. */
  readonly goneAt: (channel: string) => Promise<Instant | null>;
};

/** Taken from the outbox, and from what is due, at a time. */
const batchMax = 100;
const keptMs = 90 * 86_400_000;
const pruneEveryMs = 3_600_000;

class Rounds implements Notifier {
  readonly #with: NotifierDependencies;
  readonly #inFlight = new Set<string>();
  /** Channels that a list is being worked off for. */
  readonly #busy = new Set<string>();
  /** What is known of it; a channel comes back by a delivery that it takes, such as a test. */
  readonly #gone = new Map<string, Instant | null>();
  #planning: Promise<void> | null = null;
  #prunedAt = 0;

  constructor(dependencies: NotifierDependencies) {
    this.#with = dependencies;
  }

  readonly round = async (): Promise<void> => {
    const { store, now } = this.#with;
    this.#planning ??= this.#plan().finally(() => {
      this.#planning = null;
    });
    await this.#planning;
    const due = await store.loadDueChannels(now());
    await Promise.all(due.map((channel) => this.#workOff(channel)));
  };

  async #workOff(channel: string): Promise<void> {
    if (this.#busy.has(channel)) return;
    this.#busy.add(channel);
    try {
      for (const delivery of await this.#with.store.loadDueDeliveries(channel, this.#with.now(), batchMax)) {
        const tried = await this.attempt(delivery);
        // The channel has just said that it cannot: the rest of its list waits for the next round.
        if (tried.state === 'pending') return;
      }
    } finally {
      this.#busy.delete(channel);
    }
  }

  readonly goneAt = async (channel: string): Promise<Instant | null> => {
    const known = this.#gone.get(channel);
    if (known !== undefined) return known;
    const { store } = this.#with;
    const ended = await Promise.all(
      (['delivered', 'dead'] as const).map((state) => store.listDeliveries({ channel, state, limit: 1 })),
    );
    const last = ended
      .flatMap(({ items }) => items)
      .reduce<Delivery | null>(
        (latest, each) => ((each.lastAt ?? 0) >= (latest?.lastAt ?? 0) ? each : latest),
        null,
      );
    const at = last !== null && saysGone(last) ? last.lastAt : null;
    this.#gone.set(channel, at);
    return at;
  };

  /** Deliveries to whoever wants a bulletin and has not said that it wants nothing any more. */
  async #deliveriesOf(bulletin: Bulletin, only: string | null): Promise<readonly Delivery[]> {
    const { channels, newId, now } = this.#with;
    const planned: Delivery[] = [];
    for (const channel of channels().values()) {
      const isMeant = only === null ? isWanted(bulletin, channel.wants) : channel.name === only;
      if (isMeant && (await this.goneAt(channel.name)) === null)
        planned.push(newDelivery(newId('dlv'), channel.name, bulletin, now()));
    }
    return planned;
  }

  async #plan(): Promise<void> {
    const { store, channels, bulletinOf, now } = this.#with;
    if (now() - this.#prunedAt >= pruneEveryMs) {
      this.#prunedAt = now();
      await store.pruneDeliveries(instant(now() - keptMs));
    }
    const changes = await store.loadOutbox(batchMax);
    if (changes.length === 0) return;
    const planned: Delivery[] = [];
    for (const change of changes) {
      const bulletin = channels().size === 0 ? null : await bulletinOf(change);
      if (bulletin === null) continue;
      planned.push(...(await this.#deliveriesOf(bulletin, channelOf(change))));
    }
    await store.planDeliveries(
      changes.map(({ id }) => id),
      planned,
    );
  }

  async #noteGone(tried: Delivery, before: Instant | null): Promise<void> {
    if (tried.state === 'delivered') this.#gone.set(tried.channel, null);
    if (!saysGone(tried)) return;
    this.#gone.set(tried.channel, before ?? tried.lastAt);
    if (before !== null) return;
    const { store, change, onGone } = this.#with;
    const reason = 'It answered 410: it wants nothing any more.';
    const after = { channel: tried.channel, delivery: tried.id };
    await store.appendChange(
      change({ kind: 'channel.gone', actor: 'system', subject: tried.channel, reason, before: null, after }),
    );
    onGone(tried.channel);
  }

  readonly attempt = async (delivery: Delivery, once?: 'once'): Promise<Delivery> => {
    if (this.#inFlight.has(delivery.id)) return delivery;
    this.#inFlight.add(delivery.id);
    try {
      const tried = await this.#try(delivery, once);
      this.#with.onDelivery(tried);
      return tried;
    } finally {
      this.#inFlight.delete(delivery.id);
    }
  };

  async #try(delivery: Delivery, once: 'once' | undefined): Promise<Delivery> {
    const { store, now, random, channels, send, change } = this.#with;
    const channel = channels().get(delivery.channel);
    const before = await this.goneAt(delivery.channel);
    const answer: DeliveryAnswer =
      channel === undefined
        ? {
            kind: 'failed',
            status: null,
            words: 'the channel is no longer configured',
            retryAfterMs: null,
            permanent: true,
          }
        : await send(delivery.bulletin, channel);
    const last = once !== undefined && answer.kind === 'failed' ? { ...answer, permanent: true } : answer;
    const tried = afterAttempt(delivery, last, now(), random());
    await store.saveDelivery(
      tried,
      tried.state === 'pending'
        ? null
        : change({
            kind: tried.state === 'delivered' ? 'delivery.delivered' : 'delivery.dead',
            actor: 'system',
            subject: tried.id,
            reason: tried.words,
            before: null,
            after: { channel: tried.channel, message: tried.bulletin.id, attempts: tried.attempts },
          }),
    );
    await this.#noteGone(tried, before);
    return tried;
  }
}

export const createNotifier = (dependencies: NotifierDependencies): Notifier => new Rounds(dependencies);
