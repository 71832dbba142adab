/**
 * What is told of incidents: keeps the stories of the status site fresh, and says what is due when nobody else does.
 * Stories are read from the store when something moved, and every few seconds while one is open, never per visitor.
 */
import { titleOf } from '../core/feature-words.ts';
import { readIncident } from '../control/incident-queries.ts';
import type { IncidentRead } from '../control/incident-queries.ts';
import { messageStageOf, previewMessage, publishMessage, suppressMessage } from '../control/messages.ts';
import type { MessageDependencies } from '../control/messages.ts';
import type { Incident } from '../core/incident.ts';
import { storyOf } from '../core/incident-story.ts';
import type { Tongue } from '../core/incident-story.ts';
import type { IncidentId, Instant } from '../core/ids.ts';
import { dueStage, saidLately } from '../core/message.ts';
import type { Message } from '../core/message.ts';
import type { MessageStage } from '../core/message-texts.ts';
import type { Story } from '../core/status-story.ts';
import type { Engine } from '../engine.ts';
import type { AdminDependencies } from '../http/admin-dependencies.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import type { IncidentDesk } from './incidents.ts';

export type MessageDesk = {
  /** Grows when stories have changed. */
  readonly rev: () => number;
  readonly stories: (tongue: Tongue) => readonly Story[];
  /** What was last said of each open incident. */
  readonly said: () => ReadonlyMap<string, Message>;
  /** Call about once a second. */
  readonly look: () => Promise<void>;
  readonly admin: AdminDependencies['messages'];
};

/** Incidents the site tells of. */
const storiesMax = 50;
const refreshMs = 5_000;

type Kept = {
  readonly rev: number;
  readonly messages: readonly Message[];
  readonly read: IncidentRead | null;
  readonly isOpen: boolean;
};

class Desk implements MessageDesk {
  readonly #engine: Engine;
  readonly #store: Store;
  readonly #incidents: IncidentDesk;
  readonly #dependencies: MessageDependencies;
  readonly admin: AdminDependencies['messages'];
  #kept = new Map<IncidentId, Kept>();
  #rev = 0;
  #isStale = true;
  #seen: readonly Incident[] = [];
  #refreshedAt = 0;
  #looking: Promise<void> | null = null;
  /** Since when an incident has been at its stage. */
  readonly #stages = new Map<IncidentId, { readonly stage: MessageStage; readonly since: Instant }>();

  constructor(engine: Engine, store: Store, incidents: IncidentDesk) {
    this.#engine = engine;
    this.#store = store;
    this.#incidents = incidents;
    this.#dependencies = {
      ...engine.control(store),
      settings: () => engine.state.snapshot.messages,
      titleOf: (feature) => titleOf(engine.state.snapshot, feature),
      said: ({ state, stage, automatic }) => {
        this.#isStale = true;
        const by = automatic ? 'automatic' : 'person';
        if (state === 'published') engine.metrics.count('breakwater_messages_total', { stage, by });
      },
    };
    this.admin = {
      list: (id) => store.loadMessages(id),
      preview: (id, input) => previewMessage(id, input, this.#dependencies),
      publish: async (id, input, actor) => {
        const result = await publishMessage({ id, input, automatic: null }, actor, this.#dependencies);
        await this.#refresh();
        return result;
      },
      suppress: async (id, input, actor) => {
        const result = await suppressMessage(id, input, actor, this.#dependencies);
        await this.#refresh();
        return result;
      },
    };
  }

  readonly rev = (): number => this.#rev;
  readonly stories = (tongue: Tongue): readonly Story[] =>
    [...this.#kept.values()].flatMap(({ read, messages }) =>
      read === null ? [] : (storyOf({ ...read, messages }, tongue) ?? []),
    );

  readonly said = (): ReadonlyMap<string, Message> =>
    new Map(
      [...this.#kept].flatMap(([id, { isOpen, messages }]): readonly (readonly [string, Message])[] => {
        const last = messages.findLast(({ state }) => state === 'published');
        return isOpen && last !== undefined ? [[id, last]] : [];
      }),
    );

  readonly look = (): Promise<void> => {
    this.#looking ??= this.#look()
      .catch((error: unknown) => {
        // A store in trouble says so elsewhere; what is shown stays as it was.
        if (!(error instanceof StoreUnavailable)) throw error;
      })
      .finally(() => {
        this.#looking = null;
      });
    return this.#looking;
  };

  async #look(): Promise<void> {
    const now = this.#engine.clock.now();
    const live = this.#incidents.dependencies.current();
    const isMoved = live !== this.#seen;
    const hasOpen = [...this.#kept.values()].some(({ isOpen }) => isOpen);
    if (this.#isStale || isMoved || (hasOpen && now - this.#refreshedAt >= refreshMs)) await this.#refresh();
    for (const incident of live) await this.#sayWhatIsDue(incident, now);
    for (const id of this.#stages.keys()) if (!live.some((each) => each.id === id)) this.#stages.delete(id);
  }

  async #refresh(): Promise<void> {
    this.#seen = this.#incidents.dependencies.current();
    this.#isStale = false;
    const now = this.#engine.clock.now();
    this.#refreshedAt = now;
    try {
      const { items } = await this.#store.listIncidents(null, null, storiesMax);
      const kept = new Map<IncidentId, Kept>();
      for (const incident of items) kept.set(incident.id, await this.#read(incident, now));
      this.#kept = kept;
      this.#rev++;
    } catch (error) {
      this.#isStale = true;
      throw error;
    }
  }

  async #read(incident: Incident, now: Instant): Promise<Kept> {
    const messages = await this.#store.loadMessages(incident.id);
    const known = this.#kept.get(incident.id);
    const isSame = known?.rev === incident.rev && known.messages.length === messages.length;
    if (known !== undefined && isSame && !known.isOpen) return known;
    const read = await readIncident(incident.id, {
      store: this.#store,
      now,
      titleOf: this.#dependencies.titleOf,
    });
    const story = read === null ? null : storyOf({ ...read, messages });
    return { rev: incident.rev, messages, read, isOpen: story?.isOpen === true };
  }

  async #sayWhatIsDue(incident: Incident, now: Instant): Promise<void> {
    const stage = messageStageOf(incident);
    const known = this.#stages.get(incident.id);
    // After a start it is not known since when: not before the incident came to its state.
    const since = known === undefined ? incident.stateAt : known.stage === stage ? known.since : now;
    if (known?.stage !== stage) this.#stages.set(incident.id, { stage, since });
    const messages = this.#kept.get(incident.id)?.messages ?? [];
    const facts = {
      state: incident.state,
      features: incident.features,
      detectedAt: incident.times.detected ?? incident.openedAt,
      stage,
      stageSince: since,
      messages,
    };
    const due = dueStage(facts, this.#dependencies.settings(), now);
    if (due === null) return;
    const automatic = { before: due.again ? saidLately(messages, due.stage) : 0 };
    const publishing = { id: incident.id, input: { stage: due.stage }, automatic };
    await publishMessage(publishing, 'system', this.#dependencies);
    await this.#refresh();
  }
}

export async function createMessageDesk(
  engine: Engine,
  store: Store,
  incidents: IncidentDesk,
): Promise<MessageDesk> {
  const desk = new Desk(engine, store, incidents);
  await desk.look();
  return desk;
}
