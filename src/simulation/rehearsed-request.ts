/** One request of a rehearsal, from its decision to its answer: what `next` commands is done in virtual time. */
import { arrange } from '../core/arrangement.ts';
import { next, startFailover } from '../core/failover.ts';
import type { Command, FailoverEvent, FailoverState } from '../core/failover.ts';
import type { Failure } from '../core/failure.ts';
import { hedgeAfterMs, takesHedge } from '../core/hedging.ts';
import type { RoutingDecision, Standing } from '../core/routing.ts';
import type { RoutingRequest } from '../core/rules.ts';
import type { Feature } from '../core/snapshot.ts';
import { offBy, speaking } from '../core/switches.ts';
import type { Switch } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import type { HealthBoard } from '../gateway/board.ts';
import type { Capacity, Claim, Place } from '../gateway/capacity.ts';
import type { HedgeBudgets } from '../gateway/hedge.ts';
import type { Arrival } from './arena.ts';
import { RehearsedCall } from './rehearsed-call.ts';
import type { Caller, Owner } from './rehearsed-call.ts';

/** What is the same for all requests of a feature. */
export type FeatureFacts = {
  readonly request: RoutingRequest;
  readonly claim: Claim;
  /** The switches that the rest was made under. */
  switches: readonly Switch[];
  readonly remembered: Map<number, RoutingDecision>;
  readonly off: Map<Target, boolean>;
  /** A switch sheds a share: then chance has a part in each decision. */
  sheds: boolean;
  /** Where its targets stood when it was last asked. */
  readonly standings: Standing[];
};

/** The gateway that requests pass through; a restart replaces board and capacity. */
export type Gateway = Caller & {
  readonly board: HealthBoard;
  readonly capacity: Capacity;
  readonly hedges: HedgeBudgets;
  requests: number;
  /** How full a target is. */
  readonly used: (target: Target) => number;
};

type Failed = { readonly call: RehearsedCall; readonly failure: Failure };

/** A second call, sent because the first stayed silent. */
type Hedge = {
  readonly call: RehearsedCall;
  hasFailed: boolean;
  /** The first call has failed meanwhile: the second one is all there is. */
  firstFailed: Failed | null;
};

const begin: FailoverEvent = { kind: 'begin' };
const skipped: FailoverEvent = { kind: 'skipped' };
const full: FailoverEvent = { kind: 'full' };
const notTried: ReadonlySet<string> = new Set();
/** Of requests: different for all that are under way at once. */
const names = Array.from({ length: 65_536 }, (_, index) => String(index));

/** One request: does what `next` commands, and tells it what came of it. Plain fields: there are millions of these. */
export class RehearsedRequest implements Owner {
  readonly client: Gateway;
  readonly board: HealthBoard;
  readonly capacity: Capacity;
  readonly arrival: Arrival;
  readonly facts: FeatureFacts;
  readonly decision: Extract<RoutingDecision, { kind: 'route' }>;
  readonly id: string;
  state: FailoverState;
  target: Target | null;
  tried: ReadonlySet<string>;
  place: Place | null;
  /** The call that failover commanded, while it is under way. */
  call: RehearsedCall | null;
  hedge: Hedge | null;

  constructor(
    client: Gateway,
    arrival: Arrival,
    facts: FeatureFacts,
    decision: Extract<RoutingDecision, { kind: 'route' }>,
  ) {
    const { arena } = client;
    this.client = client;
    this.board = client.board;
    this.capacity = client.capacity;
    this.arrival = arrival;
    this.facts = facts;
    this.decision = decision;
    this.id = names[client.requests++ % names.length] ?? '';
    this.target = null;
    this.tried = notTried;
    this.place = null;
    this.call = null;
    this.hedge = null;
    const { plan } = arrange(decision.plan, arrival.course.feature, client.used, arena.random());
    this.state = startFailover(plan, arrival.deadline, arena.rehearsal.snapshot.limits);
  }

  begin(): void {
    this.step(begin);
  }

  step(event: FailoverEvent): void {
    const { arena } = this.client;
    const { state, command } = next(this.state, event, arena.clock, arena.random());
    this.state = state;
    switch (command.kind) {
      case 'attempt':
        this.#attemptAfter(command);
        return;
      case 'wait':
        this.capacity.wait(command.targets, this.facts.claim, this.arrival.deadline, (place) => {
          this.place = place;
          this.step({ kind: 'waited', target: place?.target ?? null });
        });
        return;
      case 'finish':
        this.#finish(command.because);
    }
  }

  #attemptAfter({ target, waitMs, why }: Extract<Command, { kind: 'attempt' }>): void {
    if (why === 'same_target_retry' || why === 'same_target_waited') this.board.takeRetry(target);
    if (waitMs > 0) this.client.arena.after(waitMs, () => this.#attempt(target));
    else this.#attempt(target);
  }

  #attempt(target: Target): void {
    if (this.target !== target) this.tried = notTried;
    this.target = target;
    const granted = this.place;
    this.place = null;
    const { hedge } = this;
    if ((hedge !== null && hedge.hasFailed && hedge.call.target === target) || this.#switchedOff(target)) {
      if (granted !== null) this.capacity.leave(granted);
      this.step(skipped);
      return;
    }
    const call = this.#admitted(target, granted, this.tried);
    if (typeof call === 'string') {
      this.step(call === 'full' ? full : skipped);
      return;
    }
    this.call = call;
    call.begin(this.arrival);
    const { feature } = this.arrival.course;
    if (feature.hedge !== null) this.#hedgeLater(feature, call);
  }

  #admitted(
    target: Target,
    granted: Place | null,
    triedKeys: ReadonlySet<string>,
  ): RehearsedCall | 'full' | 'skipped' {
    const { client, board, capacity } = this;
    const place = granted ?? capacity.enter(target, this.facts.claim);
    if ('kind' in place) return 'full';
    const ticket = board.admit(target, {
      triedKeys,
      panic: this.decision.panic,
      key: this.arrival.caller,
      user: null,
      request: this.id,
      feature: this.arrival.course.feature.name,
      stream: true,
    });
    if ('kind' in ticket) {
      capacity.leave(place);
      return 'skipped';
    }
    return new RehearsedCall(client, this, ticket, place);
  }

  #hedgeLater(feature: Feature, first: RehearsedCall): void {
    const { client, state } = this;
    const following = state.plan[state.index + 1];
    const afterMs = hedgeAfterMs(feature, {
      stream: true,
      panic: this.decision.panic,
      calls: state.attempts,
      attemptsMax: state.limits.attemptsMax,
      moreToTry: following !== undefined,
    });
    if (afterMs === null || following === undefined) return;
    client.hedges.earn(feature);
    client.arena.after(afterMs, () => {
      if (this.call === first && first.heardAt === null) this.#hedgeOn(following, feature);
    });
  }

  /** A second call, by the same rules as any. */
  #hedgeOn(target: Target, feature: Feature): void {
    const { client, capacity, arrival } = this;
    if (!client.hedges.take(feature)) return;
    if (!takesHedge(capacity.used(target)) || this.#switchedOff(target)) return;
    const call = this.#admitted(target, null, notTried);
    if (typeof call === 'string') return;
    this.hedge = { call, hasFailed: false, firstFailed: null };
    this.state = { ...this.state, attempts: this.state.attempts + 1 };
    arrival.course.tally.hedges++;
    call.begin(arrival);
  }

  #switchedOff(target: Target): boolean {
    const { arena } = this.client;
    const { switches } = arena;
    if (switches.length === 0) return false;
    const { off, request } = this.facts;
    let known = off.get(target);
    if (known === undefined) {
      const { feature, demand } = request;
      const asker = { feature: feature.name, dataClass: demand.name, tenant: null, key: null, keyName: null };
      known = offBy(speaking(switches, target, asker, arena.clock)) !== null;
      off.set(target, known);
    }
    return known;
  }

  /** Of two calls under way the other one is not wanted any more. */
  heard(call: RehearsedCall): void {
    const { hedge } = this;
    if (hedge === null) return;
    if (call === hedge.call) {
      this.arrival.course.tally.hedgesWon++;
      if (hedge.firstFailed === null) this.call?.outrun();
    } else if (!hedge.hasFailed) hedge.call.outrun();
  }

  over({ target, heardAt }: RehearsedCall, failure: Failure | null): void {
    const { arena } = this.client;
    const outcome = failure === null ? arena.answeredBy(this.arrival, target) : 'cut';
    arena.close(this.arrival, outcome, heardAt ?? arena.now);
  }

  /** While the other call is under way it may still answer; when both have failed, failover goes on from the first. */
  failed(call: RehearsedCall, failure: Failure): void {
    const { hedge } = this;
    if (call === hedge?.call) {
      hedge.hasFailed = true;
      if (hedge.firstFailed !== null) this.#goOnFrom(hedge.firstFailed);
      return;
    }
    this.call = null;
    if (hedge !== null && !hedge.hasFailed) hedge.firstFailed = { call, failure };
    else this.#goOnFrom({ call, failure });
  }

  #goOnFrom({ call: { target, ticket }, failure }: Failed): void {
    const { board } = this;
    if (ticket.key !== null) this.tried = new Set([...this.tried, ticket.key.name]);
    this.step({
      kind: 'failed',
      failure,
      otherKey: board.hasOtherKey(target, this.tried),
      budget: board.hasRetry(target),
    });
  }

  #finish(because: Extract<Command, { kind: 'finish' }>['because']): void {
    const { arena } = this.client;
    const { last } = this.state;
    if (this.decision.offers.length > 0) arena.ask(this.arrival, this.decision.offers);
    else if (because === 'no_room' && last === null) arena.close(this.arrival, 'busy', arena.now);
    else {
      const refused = last?.class === 'request_rejected';
      arena.close(this.arrival, refused ? 'refused' : 'failed', arena.now);
    }
  }
}
