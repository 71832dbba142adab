/**
 * The strategy that is rehearsed: the product's own core. `decide` chooses, `next` fails over, the health board gates,
 * capacity protects; only the calls are simulated. Nothing is decided here.
 */
import { arrange } from '../core/arrangement.ts';
import { next, startFailover } from '../core/failover.ts';
import type { Command, FailoverEvent, FailoverState } from '../core/failover.ts';
import { failureOf } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { decide } from '../core/routing.ts';
import type { RoutingDecision, Standing } from '../core/routing.ts';
import { plainRequest } from '../core/rules.ts';
import type { RoutingRequest } from '../core/rules.ts';
import type { Feature } from '../core/snapshot.ts';
import { offBy, speaking } from '../core/switches.ts';
import type { Scope, Switch } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import { createCapacity, loadSign, waitingTickMs } from '../gateway/capacity.ts';
import type { Capacity, CapacityOptions, Claim, Place } from '../gateway/capacity.ts';
import { createHealthBoard } from '../gateway/health-board.ts';
import type { HealthBoard } from '../gateway/board.ts';
import type { Settlement, Ticket } from '../gateway/ticket.ts';
import type { Listener, ServedCall } from './served-target.ts';
import type { Arena, Arrival, Client } from './arena.ts';

/** What is the same for all requests of a feature. */
type FeatureFacts = {
  readonly request: RoutingRequest;
  readonly claim: Claim;
  /** The switches that the rest was made under. */
  switches: readonly Switch[];
  readonly remembered: Map<number, RoutingDecision>;
  readonly off: Map<Target, boolean>;
  /** A switch sheds a share: then chance has a part in each decision. */
  sheds: boolean;
};

export class BreakwaterClient implements Client {
  readonly arena: Arena;
  readonly board: HealthBoard;
  readonly capacity: Capacity;
  /** Every error of ours says `x-should-retry: false`. */
  readonly stopsRetries: boolean;
  requests = 0;
  readonly #facts = new Map<Feature, FeatureFacts>();

  /** `unprotected`: routing and gates alone, to show what protecting is for. */
  constructor(arena: Arena, unprotected: { readonly stopsRetries: boolean } | null = null) {
    this.arena = arena;
    this.stopsRetries = unprotected?.stopsRetries ?? true;
    const { snapshot, scenario } = arena.rehearsal;
    const clock = { now: () => arena.clock, random: arena.random };
    this.board = createHealthBoard({
      ...clock,
      gates: () => snapshot.gates,
      onTransition: (target, { at, from, to, words }) =>
        void arena.tally.transitions.push({
          target: target.name,
          atMs: at - scenario.start,
          from,
          to,
          words,
        }),
      keysKnown: () => 2,
      stallMs: () => snapshot.defaults.timeouts.stallMs,
      onSoft: () => {},
      onNews: () => {},
      onDisbelieved: () => {},
    });
    const options: CapacityOptions = {
      ...clock,
      features: () => snapshot.features,
      onWaiting: () => this.#tickWhileWaiting(),
    };
    this.capacity = unprotected === null ? createCapacity(options) : createBoundlessCapacity(options);
  }

  #tickWhileWaiting(): void {
    this.arena.after(waitingTickMs, () => {
      this.capacity.tick();
      if (this.capacity.waiting > 0) this.#tickWhileWaiting();
    });
  }

  tick(): void {
    this.board.tick();
    for (const target of this.board.wantingProbes()) {
      const ticket = this.board.admitProbe(target);
      if (ticket !== null) this.#probe(target, ticket);
    }
    this.capacity.tick();
  }

  /** A small question of the gateway's own, as production sends it. */
  #probe(target: Target, ticket: Ticket): void {
    const { arena, board } = this;
    const startedAt = arena.now;
    let firstTokenMs: number | null = null;
    arena.probe(target, {
      firstToken: () => {
        firstTokenMs = arena.now - startedAt;
        board.began(ticket);
      },
      ended: (failure) => board.settle(ticket, settlementOf(failure, firstTokenMs)),
    });
  }

  released(scope: Scope): void {
    for (const target of this.arena.covered(scope)) this.board.ramp(target, 'the switch is over');
  }

  factsOf(arrival: Arrival): FeatureFacts {
    const { feature } = arrival;
    let facts = this.#facts.get(feature);
    if (facts === undefined) {
      const { inputTokens } = this.arena.profileOf(feature);
      facts = {
        request: plainRequest(feature, { demand: arrival.demand, inputTokensEstimate: inputTokens }),
        claim: { priority: feature.priority, tenant: null, inputTokens },
        switches: [],
        remembered: new Map(),
        off: new Map(),
        sheds: false,
      };
      this.#facts.set(feature, facts);
    }
    return facts;
  }

  arrive(arrival: Arrival): void {
    const facts = this.factsOf(arrival);
    const { switches } = this.arena;
    if (facts.switches !== switches) {
      facts.switches = switches;
      facts.sheds = switches.some(({ effect }) => effect.kind === 'shed');
      facts.remembered.clear();
      facts.off.clear();
    }
    const decision = this.#decide(facts);
    switch (decision.kind) {
      case 'ask':
        this.arena.close(arrival, 'asked', this.arena.now);
        return;
      case 'refuse':
        this.arena.close(
          arrival,
          decision.code === 'no_eligible_target' ? 'failed' : 'refused',
          this.arena.now,
        );
        return;
      case 'route':
        new Request(this, arrival, facts, decision).begin();
    }
  }

  /** `decide` is pure: with the same switches and the same targets open it decides the same, so it is asked once. */
  #decide(facts: FeatureFacts): RoutingDecision {
    const { board, arena } = this;
    const { request } = facts;
    const standings: Standing[] = [];
    let standing = 0;
    request.route.forEach((target) => {
      const found = board.standing(target);
      standings.push(found);
      standing = standing * 3 + standingDigits[found.kind];
    });
    const known = facts.sheds ? undefined : facts.remembered.get(standing);
    if (known !== undefined) return known;
    const decision = decide(request, {
      switches: arena.switches,
      standing: (target) => standings[request.route.indexOf(target)] ?? { kind: 'open' },
      now: arena.clock,
      random: arena.random(),
    });
    // Which of several closed gates is the least bad changes by itself: a decision made in panic is not kept.
    if (!facts.sheds && (decision.kind !== 'route' || !decision.panic))
      facts.remembered.set(standing, decision);
    return decision;
  }
}

/** Places without end. */
function createBoundlessCapacity(options: CapacityOptions): Capacity {
  const never: Pick<Capacity, 'wait'> = {
    wait: () => {
      throw new Error('nobody waits where there is room for all');
    },
  };
  return {
    ...never,
    waiting: 0,
    enter: (target, claim) => ({ target, claim, startedAt: options.now(), openAtStart: 0 }),
    seen: () => {},
    leave: () => {},
    retryAfterMs: () => 0,
    used: () => 0,
    view: () => ({ open: 0, waiting: 0, limit: Number.POSITIVE_INFINITY, learnt: false }),
    tick: () => {},
  };
}

function settlementOf(failure: Failure | null, firstTokenMs: number | null): Settlement {
  return { outcome: failure ?? 'good', firstTokenMs, silentMs: 0, answer: null };
}

const standingDigits = { open: 0, probe: 1, out: 2 } as const;
const notTried: ReadonlySet<string> = new Set();

/** One request: does what `next` commands, and tells it what came of it. */
class Request implements Listener {
  readonly #client: BreakwaterClient;
  readonly #arena: Arena;
  readonly #arrival: Arrival;
  readonly #facts: FeatureFacts;
  readonly #panic: boolean;
  readonly #offers: boolean;
  #state: FailoverState;
  readonly #id: string;
  #target: Target | null = null;
  #tried: ReadonlySet<string> = notTried;
  #ticket: Ticket | null = null;
  #place: Place | null = null;
  #call: ServedCall | null = null;
  #startedAt: number;
  #heardAt: number | null = null;

  constructor(
    client: BreakwaterClient,
    arrival: Arrival,
    facts: FeatureFacts,
    decision: Extract<RoutingDecision, { kind: 'route' }>,
  ) {
    this.#client = client;
    this.#arena = client.arena;
    this.#arrival = arrival;
    this.#facts = facts;
    this.#panic = decision.panic;
    this.#offers = decision.offers.length > 0;
    this.#startedAt = arrival.at;
    this.#id = String(client.requests++);
    const { limits } = client.arena.rehearsal.snapshot;
    const { plan } = arrange(
      decision.plan,
      arrival.feature,
      (target) => client.capacity.used(target),
      client.arena.random(),
    );
    this.#state = startFailover(plan, arrival.deadline, limits);
  }

  begin(): void {
    this.#step({ kind: 'begin' });
  }

  #step(event: FailoverEvent): void {
    const arena = this.#arena;
    const { state, command } = next(this.#state, event, arena.clock, arena.random());
    this.#state = state;
    switch (command.kind) {
      case 'attempt':
        this.#attemptAfter(command);
        return;
      case 'wait':
        this.#client.capacity.wait(command.targets, this.#facts.claim, this.#arrival.deadline, (place) => {
          this.#place = place;
          this.#step({ kind: 'waited', target: place?.target ?? null });
        });
        return;
      case 'finish':
        this.#finish(command.because);
    }
  }

  #attemptAfter(command: Extract<Command, { kind: 'attempt' }>): void {
    const { target, waitMs, why } = command;
    if (why === 'same_target_retry' || why === 'same_target_waited') this.#client.board.takeRetry(target);
    if (waitMs > 0) this.#arena.after(waitMs, () => this.#attempt(target));
    else this.#attempt(target);
  }

  #attempt(target: Target): void {
    const { board, capacity } = this.#client;
    const arena = this.#arena;
    if (this.#target !== target) this.#tried = notTried;
    this.#target = target;
    const granted = this.#place;
    this.#place = null;
    if (this.#switchedOff(target)) {
      if (granted !== null) capacity.leave(granted);
      this.#step({ kind: 'skipped' });
      return;
    }
    const place = granted ?? capacity.enter(target, this.#facts.claim);
    if ('kind' in place) {
      this.#step({ kind: 'full' });
      return;
    }
    const admitted = board.admit(target, {
      triedKeys: this.#tried,
      panic: this.#panic,
      key: this.#arrival.caller,
      user: null,
      request: this.#id,
      stream: true,
    });
    if ('kind' in admitted) {
      capacity.leave(place);
      this.#step({ kind: 'skipped' });
      return;
    }
    if (admitted.key !== null) this.#tried = new Set([...this.#tried, admitted.key.name]);
    this.#ticket = admitted;
    this.#place = place;
    this.#startedAt = arena.now;
    this.#call = arena.call(this.#arrival, target, this);
  }

  #switchedOff(target: Target): boolean {
    const { switches } = this.#arena;
    if (switches.length === 0) return false;
    const { off, request } = this.#facts;
    let known = off.get(target);
    if (known === undefined) {
      const { feature, demand } = request;
      const asker = { feature: feature.name, dataClass: demand.name, tenant: null, key: null };
      known = offBy(speaking(switches, target, asker, this.#arena.clock)) !== null;
      off.set(target, known);
    }
    return known;
  }

  firstToken(): void {
    this.#heardAt = this.#arena.now;
    if (this.#ticket !== null) this.#client.board.began(this.#ticket);
    if (this.#place !== null) this.#client.capacity.seen(this.#place, this.#arena.now - this.#startedAt);
  }

  ended(failure: Failure | null): void {
    const { board, capacity } = this.#client;
    const arena = this.#arena;
    const [ticket, place, target] = [this.#ticket, this.#place, this.#target];
    if (ticket === null || place === null || target === null) throw new Error('ended before it began');
    this.#call?.hangUp();
    this.#place = null;
    if (this.#heardAt === null && failure !== null)
      capacity.seen(place, loadSign(failure.class, arena.now - this.#startedAt));
    const firstTokenMs = this.#heardAt === null ? null : this.#heardAt - this.#startedAt;
    board.settle(ticket, settlementOf(failure, firstTokenMs));
    capacity.leave(place);
    if (failure === null || this.#heardAt !== null) {
      const outcome = failure === null ? arena.answeredBy(this.#arrival.feature, target) : 'cut';
      arena.close(this.#arrival, outcome, this.#heardAt ?? arena.now);
      return;
    }
    this.#step({
      kind: 'failed',
      failure,
      otherKey: board.hasOtherKey(target, this.#tried),
      budget: board.hasRetry(target),
    });
  }

  #finish(because: Extract<Command, { kind: 'finish' }>['because']): void {
    const arena = this.#arena;
    const failed = this.#state.last ?? failureOf('unclassified');
    if (this.#offers) arena.close(this.#arrival, 'asked', arena.now);
    else if (because === 'no_room' && this.#state.last === null)
      arena.close(this.#arrival, 'busy', arena.now);
    else arena.close(this.#arrival, failed.class === 'request_rejected' ? 'refused' : 'failed', arena.now);
  }
}
