/** One request of a rehearsal, from its decision to its answer: what `next` commands is done in virtual time. */
import { arrange } from '../core/arrangement.ts';
import { next, startFailover } from '../core/failover.ts';
import type { Command, FailoverEvent, FailoverState } from '../core/failover.ts';
import type { Failure } from '../core/failure.ts';
import type { RoutingDecision, Standing } from '../core/routing.ts';
import type { RoutingRequest } from '../core/rules.ts';
import { offBy, speaking } from '../core/switches.ts';
import type { Switch } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import { loadSign } from '../gateway/capacity.ts';
import type { Capacity, Claim, Place } from '../gateway/capacity.ts';
import type { HealthBoard } from '../gateway/board.ts';
import type { AnswerRead, Settlement, Ticket } from '../gateway/ticket.ts';
import type { Arena, Arrival } from './arena.ts';
import type { Listener } from './served-target.ts';

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
export type Gateway = {
  readonly arena: Arena;
  readonly board: HealthBoard;
  readonly capacity: Capacity;
  requests: number;
  /** Calls and probes under way, and those of them that wait for their first token. */
  open: number;
  unheard: number;
  /** How full a target is. */
  readonly used: (target: Target) => number;
};

export function settlementOf(
  failure: Failure | null,
  firstTokenMs: number | null,
  answer: AnswerRead | null,
): Settlement {
  return { outcome: failure ?? 'good', firstTokenMs, silentMs: 0, answer };
}

const begin: FailoverEvent = { kind: 'begin' };
const skipped: FailoverEvent = { kind: 'skipped' };
const full: FailoverEvent = { kind: 'full' };
const notTried: ReadonlySet<string> = new Set();
/** Of requests: different for all that are under way at once. */
const names = Array.from({ length: 65_536 }, (_, index) => String(index));

/** One request: does what `next` commands, and tells it what came of it. Plain fields: there are millions of these. */
export class RehearsedRequest implements Listener {
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
  ticket: Ticket | null;
  place: Place | null;
  startedAt: number;
  heardAt: number | null;

  constructor(
    client: Gateway,
    arrival: Arrival,
    facts: FeatureFacts,
    decision: Extract<RoutingDecision, { kind: 'route' }>,
  ) {
    const { arena, capacity } = client;
    this.client = client;
    this.board = client.board;
    this.capacity = capacity;
    this.arrival = arrival;
    this.facts = facts;
    this.decision = decision;
    this.id = names[client.requests++ % names.length] ?? '';
    this.target = null;
    this.tried = notTried;
    this.ticket = null;
    this.place = null;
    this.startedAt = arrival.at;
    this.heardAt = null;
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
    const { client, board, capacity, arrival } = this;
    if (this.target !== target) this.tried = notTried;
    this.target = target;
    const granted = this.place;
    this.place = null;
    if (this.#switchedOff(target)) {
      if (granted !== null) capacity.leave(granted);
      this.step(skipped);
      return;
    }
    const place = granted ?? capacity.enter(target, this.facts.claim);
    if ('kind' in place) {
      this.step(full);
      return;
    }
    const admitted = board.admit(target, {
      triedKeys: this.tried,
      panic: this.decision.panic,
      key: arrival.caller,
      user: null,
      request: this.id,
      feature: arrival.course.feature.name,
      stream: true,
    });
    if ('kind' in admitted) {
      capacity.leave(place);
      this.step(skipped);
      return;
    }
    this.ticket = admitted;
    this.place = place;
    this.startedAt = client.arena.now;
    client.open++;
    client.unheard++;
    client.arena.call(arrival, target, admitted.key?.name ?? null, this);
  }

  #switchedOff(target: Target): boolean {
    const { arena } = this.client;
    const { switches } = arena;
    if (switches.length === 0) return false;
    const { off, request } = this.facts;
    let known = off.get(target);
    if (known === undefined) {
      const { feature, demand } = request;
      const asker = { feature: feature.name, dataClass: demand.name, tenant: null, key: null };
      known = offBy(speaking(switches, target, asker, arena.clock)) !== null;
      off.set(target, known);
    }
    return known;
  }

  firstToken(): void {
    const { now } = this.client.arena;
    this.heardAt = now;
    this.client.unheard--;
    if (this.ticket !== null) this.board.began(this.ticket);
    if (this.place !== null) this.capacity.seen(this.place, now - this.startedAt);
  }

  ended(failure: Failure | null, answer: AnswerRead | null): void {
    const { client, board, capacity, ticket, place, target, heardAt, arrival } = this;
    const { arena } = client;
    if (ticket === null || place === null || target === null) throw new Error('ended before it began');
    client.open--;
    if (heardAt === null) client.unheard--;
    this.place = null;
    if (heardAt === null && failure !== null)
      capacity.seen(place, loadSign(failure.class, arena.now - this.startedAt, 0));
    board.settle(ticket, settlementOf(failure, heardAt === null ? null : heardAt - this.startedAt, answer));
    capacity.leave(place);
    if (failure === null || heardAt !== null) {
      const outcome = failure === null ? arena.answeredBy(arrival, target) : 'cut';
      arena.close(arrival, outcome, heardAt ?? arena.now);
      return;
    }
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
