/**
 * A world in virtual time: the real routing, failover and gates against providers that only exist in a scenario. A
 * compiled configuration says which features, routes and gates there are; a scenario says who asks and what breaks; a
 * seed decides everything left to chance, so that the same three give the same history, event for event.
 *
 * `createWorld` lets a test step through it and meddle (switches, restarts, clock jumps); `runWorld` runs it to its
 * end and gives the report. Nothing here sleeps, opens a socket or asks for the time.
 */
import { classDemand } from '../core/data-class.ts';
import { next, startFailover } from '../core/failover.ts';
import type { Command, FailoverEvent, FailoverState } from '../core/failover.ts';
import { failureOf } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import { decide } from '../core/routing.ts';
import type { RoutingRequest } from '../core/routing.ts';
import { plainRequest } from '../core/rules.ts';
import type { Feature, Snapshot } from '../core/snapshot.ts';
import { offBy, speaking } from '../core/switches.ts';
import type { Switch } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import { createHealthBoard } from '../gateway/health-board.ts';
import type { HealthBoard, HealthBoardOptions } from '../gateway/board.ts';
import type { Asking, Ticket } from '../gateway/ticket.ts';
import { seededRandom } from '../simulator/random.ts';
import { EventQueue } from './event-queue.ts';
import { createProviderModel } from './provider-model.ts';
import type { Fate, ProviderModel } from './provider-model.ts';
import { Recorder } from './report.ts';
import type { WorldReport } from './report.ts';
import type { Scenario } from './scenario.ts';
import { createArrivals } from './traffic.ts';
import type { Arrivals } from './traffic.ts';

/** One request on its way. */
type Journey = {
  readonly feature: Feature;
  readonly caller: string;
  readonly id: string;
  readonly poisonous: boolean;
  readonly startedAt: number;
  readonly minute: number;
  readonly panic: boolean;
  state: FailoverState;
  triedKeys: Set<string>;
  target: Target | null;
};

type Event =
  | { readonly kind: 'began'; readonly ticket: Ticket }
  | { readonly kind: 'ended'; readonly ticket: Ticket; readonly fate: Fate; readonly journey: Journey | null }
  | { readonly kind: 'waited'; readonly journey: Journey; readonly target: Target }
  | { readonly kind: 'tick' };

export type World = {
  /** Milliseconds since the start. */
  readonly now: () => number;
  readonly board: HealthBoard;
  /** In force from now on; replaces what was in force. */
  switches: readonly Switch[];
  /** Runs until this many milliseconds after the start; stops early when there is nothing left to do. */
  readonly runUntil: (ms: number) => void;
  /** Requests and probes under way. */
  readonly inFlight: () => number;
  /** The clock of the machine jumps; virtual time goes on as before. */
  readonly jumpClock: (byMs: number) => void;
  readonly report: () => WorldReport;
};

const tickMs = 250;
const noKeys: ReadonlySet<string> = new Set();

class VirtualWorld implements World {
  readonly board: HealthBoard;
  switches: readonly Switch[] = [];
  readonly #snapshot: Snapshot;
  readonly #scenario: Scenario;
  readonly #seed: number;
  readonly #random: () => number;
  readonly #provider: ProviderModel;
  readonly #recorder: Recorder;
  readonly #queue = new EventQueue<Event>();
  readonly #arrivals: Arrivals;
  readonly #requests: ReadonlyMap<string, RoutingRequest>;
  readonly #targets: readonly Target[];
  #now = 0;
  #clockOffset = 0;
  #count = 0;
  #open = 0;

  constructor(snapshot: Snapshot, scenario: Scenario, seed: number) {
    this.#snapshot = snapshot;
    this.#scenario = scenario;
    this.#seed = seed;
    this.#random = seededRandom(seed);
    this.#provider = createProviderModel(scenario, scenario.usual, this.#random);
    this.#recorder = new Recorder(Math.max(1, Math.ceil(scenario.durationMs / 60_000)));
    this.#arrivals = createArrivals([...snapshot.features.keys()], scenario, this.#random);
    this.#requests = new Map(
      [...snapshot.features.values()].map((feature) => [
        feature.name,
        plainRequest(feature, {
          demand: classDemand(snapshot, feature, null, { tenant: null, keyNames: [] }),
        }),
      ]),
    );
    this.#targets = [...new Set([...snapshot.features.values()].flatMap((feature) => feature.route))];
    this.board = createHealthBoard(this.#boardOptions());
    this.#queue.put(0, { kind: 'tick' });
  }

  #boardOptions(): HealthBoardOptions {
    return {
      now: () => this.#clock(),
      random: this.#random,
      gates: () => this.#snapshot.gates,
      keysKnown: () => 2,
      onTransition: (target, transition) =>
        void this.#recorder.moves.push({ target: target.name, transition }),
      stallMs: () => this.#snapshot.defaults.timeouts.stallMs,
      onSoft: () => undefined,
      onNews: () => undefined,
      onDisbelieved: () => undefined,
    };
  }

  #clock(): Instant {
    return instant(this.#scenario.start + this.#now + this.#clockOffset);
  }

  readonly now = (): number => this.#now;

  readonly inFlight = (): number => this.#open;

  readonly jumpClock = (byMs: number): void => {
    this.#clockOffset += byMs;
  };

  readonly report = (): WorldReport =>
    this.#recorder.report({
      scenario: this.#scenario.name,
      seed: this.#seed,
      start: this.#scenario.start,
    });

  readonly runUntil = (ms: number): void => {
    for (;;) {
      const event = this.#queue.earliest;
      const arrival = this.#arrivals.nextAt();
      const at = Math.min(event, arrival);
      if (at > ms) break;
      this.#now = at;
      if (arrival <= event) this.#arrive();
      else {
        const happening = this.#queue.take();
        if (happening !== undefined) this.#happen(happening);
      }
    }
    this.#now = Math.max(this.#now, ms);
  };

  #minute(): number {
    return Math.floor(this.#now / 60_000);
  }

  #happen(event: Event): void {
    switch (event.kind) {
      case 'tick':
        this.board.tick();
        for (const target of this.#targets) this.#probe(target);
        this.#queue.put(this.#now + tickMs, { kind: 'tick' });
        return;
      case 'began':
        this.board.began(event.ticket);
        return;
      case 'waited':
        this.#attempt(event.journey, event.target);
        return;
      case 'ended':
        this.#ended(event.ticket, event.fate, event.journey);
    }
  }

  #probe(target: Target): void {
    const ticket = this.board.admitProbe(target);
    if (ticket === null) return;
    this.#recorder.target(target.name).add('probes', this.#minute());
    this.#send(ticket, null);
  }

  #send(ticket: Ticket, journey: Journey | null): void {
    const timeouts = journey?.feature.timeouts;
    const fate = this.#provider(
      {
        target: ticket.target,
        key: ticket.key?.name ?? null,
        firstTokenMsMax: timeouts?.firstTokenMs ?? 10_000,
        stallMs: timeouts?.stallMs ?? 15_000,
        poisonous: journey?.poisonous ?? false,
      },
      this.#now,
    );
    this.#open++;
    if (fate.firstTokenMs !== null) this.#queue.put(this.#now + fate.firstTokenMs, { kind: 'began', ticket });
    this.#queue.put(this.#now + fate.durationMs, { kind: 'ended', ticket, fate, journey });
  }

  #arrive(): void {
    const { feature: name, caller, poisonous } = this.#arrivals.take();
    const asked = this.#requests.get(name);
    if (asked === undefined) return;
    const { feature } = asked;
    const minute = this.#minute();
    const counts = this.#recorder.feature(name);
    counts.add('requests', minute);
    const decision = decide(asked, {
      switches: this.switches,
      standing: (target) => this.board.standing(target),
      now: this.#clock(),
      random: this.#random(),
    });
    if (decision.kind !== 'route') {
      counts.add(decision.kind === 'ask' ? 'asked' : 'refused', minute);
      return;
    }
    const deadline = instant(this.#clock() + feature.timeouts.totalMs);
    const journey: Journey = {
      feature,
      caller,
      id: String(this.#count++),
      poisonous,
      startedAt: this.#now,
      minute,
      panic: decision.panic,
      state: startFailover(decision.plan, deadline, this.#snapshot.limits),
      triedKeys: new Set(),
      target: null,
    };
    this.#step(journey, { kind: 'begin' });
  }

  #step(journey: Journey, event: FailoverEvent): void {
    const { state, command } = next(journey.state, event, this.#clock(), this.#random());
    journey.state = state;
    this.#obey(journey, command);
  }

  #obey(journey: Journey, command: Command): void {
    // Places are not part of this world yet: no target is ever full, so nothing waits for one.
    if (command.kind !== 'attempt') {
      this.#recorder.feature(journey.feature.name).add('failed', journey.minute);
      return;
    }
    if (command.why === 'same_target_retry' || command.why === 'same_target_waited')
      this.board.takeRetry(command.target);
    if (command.waitMs > 0)
      this.#queue.put(this.#now + command.waitMs, { kind: 'waited', journey, target: command.target });
    else this.#attempt(journey, command.target);
  }

  #isOff(journey: Journey, target: Target): boolean {
    if (this.switches.length === 0) return false;
    const asker = { feature: journey.feature.name, dataClass: null, tenant: null, key: null };
    return offBy(speaking(this.switches, target, asker, this.#clock())) !== null;
  }

  #attempt(journey: Journey, target: Target): void {
    if (journey.target !== target) journey.triedKeys = new Set();
    journey.target = target;
    const asking: Asking = {
      triedKeys: journey.triedKeys.size === 0 ? noKeys : journey.triedKeys,
      panic: journey.panic,
      key: journey.caller,
      user: null,
      request: journey.id,
      stream: true,
    };
    const admitted = this.#isOff(journey, target) ? null : this.board.admit(target, asking);
    if (admitted === null || 'kind' in admitted) {
      this.#step(journey, { kind: 'skipped' });
      return;
    }
    if (admitted.key !== null) journey.triedKeys.add(admitted.key.name);
    this.#recorder.target(target.name).add('attempts', this.#minute());
    this.#send(admitted, journey);
  }

  #ended(ticket: Ticket, fate: Fate, journey: Journey | null): void {
    this.#open--;
    const { failure, soft, firstTokenMs } = fate;
    const { target } = ticket;
    this.board.settle(ticket, {
      outcome: failure ?? 'good',
      firstTokenMs,
      silentMs: 0,
      answer: failure === null ? { soft, model: null, fingerprint: null, outputTokens: null } : null,
    });
    if (failure !== null) this.#recorder.target(target.name).add('failed', this.#minute());
    if (journey === null) return;
    if (failure === null) this.#answered(journey, target, firstTokenMs ?? 0, fate.durationMs);
    else if (firstTokenMs !== null) this.#recorder.feature(journey.feature.name).add('cut', journey.minute);
    else this.#failed(journey, target, failure);
  }

  #failed(journey: Journey, target: Target, failure: Failure): void {
    const failed =
      journey.poisonous && failure.class === 'server_error' ? failureOf('request_rejected') : failure;
    this.#step(journey, {
      kind: 'failed',
      failure: failed,
      otherKey: this.board.hasOtherKey(target, journey.triedKeys),
      budget: this.board.hasRetry(target),
    });
  }

  #answered(journey: Journey, target: Target, firstTokenMs: number, durationMs: number): void {
    const counts = this.#recorder.feature(journey.feature.name);
    const { minute, state } = journey;
    counts.add('answered', minute);
    if (state.attempts > 1) counts.add('rescued', minute);
    if (target !== journey.feature.route[0]) counts.add('backup', minute);
    counts.served(target.name, minute);
    const waited = this.#now - journey.startedAt - (durationMs - firstTokenMs);
    counts.waitedMs[minute] = (counts.waitedMs[minute] ?? 0) + waited;
  }
}

export function createWorld(snapshot: Snapshot, scenario: Scenario, seed: number): World {
  return new VirtualWorld(snapshot, scenario, seed);
}

/** Runs a scenario against a configuration from its start to its end. The same arguments give the same report. */
export function runWorld(snapshot: Snapshot, scenario: Scenario, seed: number): WorldReport {
  const world = createWorld(snapshot, scenario, seed);
  world.runUntil(scenario.durationMs - 1);
  return world.report();
}
