/**
 * Incidents, live: gates open them, routing is followed once a second and after every change, and the records are
 * looked through for where the evidence begins and which requests were hit before anybody knew.
 */
import { isLive, saveSteps, writeOf } from '../control/incident-verb.ts';
import type { IncidentDependencies } from '../control/incident-verb.ts';
import type { Transition } from '../core/gate-moves.ts';
import { staleWords } from '../core/agreement.ts';
import { classify } from '../core/incident-class.ts';
import type { IncidentScope } from '../core/incident-hits.ts';
import { isOpen } from '../core/incident.ts';
import type { Incident, IncidentStep } from '../core/incident.ts';
import { follow, isGoingOn } from '../core/incident-follow.ts';
import { isAkin, onGate, relatedTo, said, stepOf } from '../core/incident-steps.ts';
import type { GateEvent } from '../core/incident-steps.ts';
import { incidentTitle } from '../core/incident-words.ts';
import { incidentId } from '../core/ids.ts';
import type { IncidentId, Instant, TargetName } from '../core/ids.ts';
import type { Target } from '../core/target.ts';
import type { Engine } from '../engine.ts';
import { pageSizeMax, StoreUnavailable } from '../store/store.ts';
import type { HitLines, Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import { examine } from './incident-evidence.ts';
import { failedTarget, routedTargets, worldOf } from './incident-world.ts';

export type IncidentDesk = {
  readonly dependencies: IncidentDependencies;
  /** Brings every open incident up to how routing stands; call about once a second, and after a switch. */
  readonly look: () => Promise<void>;
  /** Those going on. */
  readonly open: () => readonly Incident[];
  /** Takes a step of every incident that can still change, where there is one to take. */
  readonly step: (reason: string, next: (incident: Incident) => IncidentStep | null) => Promise<void>;
};

/** Gate events that wait for a store that is away. */
const waitingMax = 1_000;
const latelyMs = 24 * 3_600_000;
const latelyMax = 50;
/** When the records are looked through, after a target was taken out: at once, and when slow answers have ended. */
const examineAfterMs = [0, 5_000, 30_000, 120_000] as const;

const scopeOf = ({ id, state, targets, moved }: Incident): IncidentScope => ({
  id,
  isOpen: isOpen(state),
  targets: new Map([...moved, ...targets].map(({ target, until }) => [target, until])),
});

function createOrder(): IncidentDependencies['inOrder'] {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => null);
    return mine;
  };
}

/** The set of an incident's requests as one hash: whoever has the list can make it again (`id how`, a line each, by id). */
export async function freeze(
  store: Pick<Store, 'hitLines'>,
  id: IncidentId,
): Promise<{ readonly hash: string; readonly count: number }> {
  const hasher = new Bun.CryptoHasher('sha256');
  let count = 0;
  let after: string | null = null;
  do {
    const lines: HitLines = await store.hitLines(id, after);
    hasher.update(lines.text);
    count += lines.count;
    after = lines.last;
  } while (after !== null);
  return { hash: hasher.digest('hex'), count };
}

type Waiting = { readonly event: GateEvent; readonly id: IncidentId; readonly isNew: boolean };

class Desk implements IncidentDesk {
  readonly #engine: Engine;
  readonly #store: Store;
  readonly #log: Log;
  readonly #inOrder = createOrder();
  readonly dependencies: IncidentDependencies;
  #live: readonly Incident[];
  /** Gate events not yet written down; from the first moment on, requests are marked with the incident they will be. */
  #waiting: Waiting[] = [];
  /** Since when targets that are not back yet have been avoided. */
  readonly #shedSince = new Map<TargetName, Instant>();
  /** When the records of an incident are looked through next. */
  readonly #due = new Map<IncidentId, { readonly since: Instant; readonly round: number }>();

  constructor(engine: Engine, store: Store, log: Log, live: readonly Incident[]) {
    this.#engine = engine;
    this.#store = store;
    this.#log = log;
    this.#live = live;
    this.dependencies = {
      ...engine.control(store),
      current: () => this.#live,
      publish: (incidents) => this.#publish(incidents),
      inOrder: this.#inOrder,
      targetsNamed: (name) =>
        [...routedTargets(engine).values()]
          .filter(
            (target) =>
              target.name === name || target.model.name === name || target.model.aliases.includes(name),
          )
          .map(failedTarget),
      featureTitle: (name) => engine.state.snapshot.features.get(name)?.title ?? null,
      freeze: async (id) => {
        await engine.records.flush();
        return freeze(store, id);
      },
    };
    this.#publish(live);
  }

  #publish(incidents: readonly Incident[]): void {
    for (const { id, rev, source } of incidents)
      if (rev === 1 && !this.#live.some((known) => known.id === id))
        this.#engine.metrics.count('breakwater_incidents_opened_total', { source });
    this.#live = incidents;
    this.#mark();
  }

  #mark(): void {
    const coming = this.#waiting.map(({ id, event }): IncidentScope => ({
      id,
      isOpen: true,
      targets: new Map([[event.target.target, null]]),
    }));
    this.#engine.replaceIncidents([...this.#live.map(scopeOf), ...coming]);
  }

  /** The incident that an event joins or opens. */
  #placeOf(event: GateEvent): Omit<Waiting, 'event'> {
    const known =
      relatedTo(this.#live, event)?.id ??
      this.#waiting.find((each) => isAkin(each.event.target, event.target))?.id;
    if (known !== undefined) return { id: known, isNew: false };
    return { id: incidentId(this.dependencies.newId('inc')), isNew: true };
  }

  onGate(target: Target, transition: Transition): void {
    const { at, from, to, words, cause } = transition;
    if (to === 'shedding') this.#shedSince.set(target.name, at);
    if (to === 'healthy') this.#shedSince.delete(target.name);
    const noticedAt = this.#shedSince.get(target.name) ?? at;
    // What a person holds out is a decision, as a switch is.
    const isFailure = to === 'ejected' && from !== 'probing' && cause !== 'person';
    if (isFailure && this.#waiting.length < waitingMax) {
      const enforced = this.#engine.board.view(target).mode === 'enforce';
      const { agreed } = this.#engine.board.agreement(target);
      const stale = staleWords(`the gate of ${target.name}`, agreed, at);
      const failed = failedTarget(target);
      const event: GateEvent = { at, noticedAt, from, to, words, target: failed, stale, enforced };
      this.#waiting.push({ event, ...this.#placeOf(event) });
      this.#mark();
    }
    this.look().catch(this.#engine.onBug);
  }

  look(): Promise<void> {
    return this.#inOrder(async () => {
      try {
        await this.#takeEvents();
        await this.#followAll();
        await this.#examineDue();
      } catch (error) {
        // What could not be kept is done again at the next look.
        if (!(error instanceof StoreUnavailable)) throw error;
      }
    });
  }

  open(): readonly Incident[] {
    return this.#live.filter(({ state }) => isOpen(state));
  }

  step(reason: string, next: (incident: Incident) => IncidentStep | null): Promise<void> {
    return this.#inOrder(async () => {
      for (const incident of await this.#lately()) {
        const step = next(incident);
        if (step !== null)
          await saveSteps(
            [writeOf(step)],
            { kind: 'incident.updated', actor: 'system', reason, before: incident },
            this.dependencies,
          );
      }
    });
  }

  /** Open ones, and those of the last day, about which somebody may still say something. */
  async #lately(): Promise<readonly Incident[]> {
    const since = this.#engine.clock.now() - latelyMs;
    const { items } = await this.#store.listIncidents(['resolved', 'reviewed'], null, latelyMax);
    const ended = items.filter(
      (incident) => incident.stateAt >= since && !this.#live.some(({ id }) => id === incident.id),
    );
    return [...this.#live, ...ended];
  }

  async #takeEvents(): Promise<void> {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const { event, id, isNew } = first;
      const { newId } = this.dependencies;
      const step = onGate(this.#live, event, () => (isNew ? id : incidentId(newId('inc'))));
      if (step !== null) {
        const before = this.#live.find(({ id }) => id === step.incident.id) ?? null;
        const kind = before === null ? 'incident.opened' : 'incident.updated';
        await saveSteps(
          [writeOf(step)],
          { kind, actor: 'system', reason: event.words, before },
          this.dependencies,
        );
        this.#due.set(step.incident.id, { since: event.at, round: 0 });
        this.#log('warn', {
          event: 'incident',
          action: before === null ? 'opened' : 'joined',
          id: step.incident.id,
        });
      }
      this.#waiting.shift();
      this.#mark();
    }
  }

  async #followAll(): Promise<void> {
    const moving = this.#live.filter(isGoingOn);
    const now = this.#engine.clock.now();
    if (moving.length < this.#live.length)
      this.#publish(this.#live.filter((incident) => isLive(incident, now)));
    if (moving.length === 0) return;
    const world = worldOf(this.#engine, moving);
    for (const incident of moving) {
      const step = follow(incident, world);
      if (step === null) continue;
      const reason = step.entries.map(({ text }) => text).join(' ') || null;
      await saveSteps(
        [writeOf(step)],
        { kind: 'incident.updated', actor: 'system', reason, before: incident },
        this.dependencies,
      );
      // From the switch until now nobody knew that these requests belong to it.
      if (step.incident.moved.length > incident.moved.length)
        this.#due.set(incident.id, { since: now, round: 0 });
      if (step.incident.state !== incident.state)
        this.#log('warn', { event: 'incident', action: step.incident.state, id: incident.id });
    }
  }

  async #examineDue(): Promise<void> {
    const now = this.#engine.clock.now();
    // What a playbook or a person named has not been looked through yet.
    for (const { id, targets } of this.#live)
      if (!this.#due.has(id) && targets.some(({ from }) => from === null))
        this.#due.set(id, { since: now, round: 0 });
    for (const [id, { since, round }] of this.#due) {
      const incident = this.#live.find((each) => each.id === id);
      const afterMs = examineAfterMs[round];
      if (incident === undefined || afterMs === undefined) this.#due.delete(id);
      else if (now - since >= afterMs) {
        this.#due.set(id, { since, round: round + 1 });
        await this.#examine(incident);
      }
    }
  }

  /** Finds where the evidence begins, who was hit before anybody knew, and what kind of failure it is. */
  async #examine(incident: Incident): Promise<void> {
    const { targets, hits, evidence } = await examine(incident, this.#engine, this.#store);
    await this.#store.addHits(hits);
    const classified = evidence === null || incident.classBy === 'person' ? null : classify(evidence);
    const failureClass = classified?.failureClass ?? incident.failureClass;
    const isNew =
      classified !== null && JSON.stringify(classified.reasoning) !== JSON.stringify(incident.reasoning);
    const isMoved = targets.some(({ from }, index) => from !== incident.targets[index]?.from);
    if (!isNew && !isMoved) return;
    const changes: Partial<Incident> = {
      targets,
      ...(classified === null ? {} : { failureClass, reasoning: classified.reasoning }),
      ...(incident.titleBy === 'system' && targets.length > 0
        ? { title: incidentTitle(targets, failureClass) }
        : {}),
    };
    const now = this.#engine.clock.now();
    const isTold = failureClass !== incident.failureClass || incident.reasoning.length <= 1;
    const lines =
      isNew && isTold ? [said(now, `Class ${failureClass}. ${classified.reasoning.join(' ')}`)] : [];
    await saveSteps(
      [writeOf(stepOf(incident, changes, lines, now))],
      {
        kind: 'incident.updated',
        actor: 'system',
        reason: 'the records were looked through',
        before: incident,
      },
      this.dependencies,
    );
  }
}

/** Loads what is open and begins to listen to the gates. */
export async function createIncidentDesk(engine: Engine, store: Store, log: Log): Promise<IncidentDesk> {
  const now = engine.clock.now();
  const { items } = await store.listIncidents(
    ['suspected', 'active', 'mitigated', 'restoring', 'resolved'],
    null,
    pageSizeMax,
  );
  const desk = new Desk(
    engine,
    store,
    log,
    items.filter((incident) => isLive(incident, now)),
  );
  engine.watchGates((target, transition) => desk.onGate(target, transition));
  return desk;
}
