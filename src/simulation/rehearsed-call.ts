/** One admitted call of a rehearsed request, from its ticket to its settlement. */
import type { Failure } from '../core/failure.ts';
import type { Target } from '../core/target.ts';
import type { HealthBoard } from '../gateway/board.ts';
import { loadSign } from '../gateway/capacity.ts';
import type { Capacity, Place } from '../gateway/capacity.ts';
import type { AnswerRead, Settlement, Ticket } from '../gateway/ticket.ts';
import type { Arena, Arrival } from './arena.ts';
import type { Call, Listener } from './served-target.ts';

/** What calls need of the gateway that makes them. */
export type Caller = {
  readonly arena: Arena;
  /** Calls and probes under way, and those of them that wait for their first token. */
  open: number;
  unheard: number;
};

/** The request that a call is made for. */
export type Owner = {
  /** As they were when it arrived: a restart replaces them. */
  readonly board: HealthBoard;
  readonly capacity: Capacity;
  heard(call: RehearsedCall): void;
  /** It was heard, and is over; null: the answer is complete. */
  over(call: RehearsedCall, failure: Failure | null): void;
  /** It failed before it was heard. */
  failed(call: RehearsedCall, failure: Failure): void;
};

export function settlementOf(
  failure: Failure | null,
  firstTokenMs: number | null,
  answer: AnswerRead | null,
): Settlement {
  return { outcome: failure ?? 'good', firstTokenMs, silentMs: 0, answer };
}

/** Plain fields: there are millions of these. */
export class RehearsedCall implements Listener {
  readonly caller: Caller;
  readonly board: HealthBoard;
  readonly capacity: Capacity;
  readonly owner: Owner;
  readonly target: Target;
  readonly ticket: Ticket;
  readonly place: Place;
  readonly startedAt: number;
  heardAt: number | null;
  call: Call | null;

  constructor(caller: Caller, owner: Owner, ticket: Ticket, place: Place) {
    this.caller = caller;
    this.board = owner.board;
    this.capacity = owner.capacity;
    this.owner = owner;
    this.target = ticket.target;
    this.ticket = ticket;
    this.place = place;
    this.startedAt = caller.arena.now;
    this.heardAt = null;
    this.call = null;
  }

  begin(arrival: Arrival): void {
    const { caller, target, ticket } = this;
    caller.open++;
    caller.unheard++;
    this.call = caller.arena.call(arrival, target, ticket.key?.name ?? null, this);
  }

  firstToken(): void {
    const { now } = this.caller.arena;
    this.heardAt = now;
    this.caller.unheard--;
    this.board.began(this.ticket);
    this.capacity.seen(this.place, now - this.startedAt);
    this.owner.heard(this);
  }

  ended(failure: Failure | null, answer: AnswerRead | null): void {
    const { caller, board, capacity, ticket, place, heardAt, startedAt } = this;
    const { now } = caller.arena;
    caller.open--;
    if (heardAt === null) caller.unheard--;
    if (heardAt === null && failure !== null)
      capacity.seen(place, loadSign(failure.class, now - startedAt, 0));
    board.settle(ticket, settlementOf(failure, heardAt === null ? null : heardAt - startedAt, answer));
    capacity.leave(place);
    if (failure !== null && heardAt === null) this.owner.failed(this, failure);
    else this.owner.over(this, failure);
  }

  /** Another call of its request answered first. */
  outrun(): void {
    const { caller, board, capacity, ticket, place, call } = this;
    call?.leave();
    caller.open--;
    caller.unheard--;
    board.settle(ticket, { outcome: 'nobody', firstTokenMs: null, silentMs: 0, answer: null });
    capacity.leave(place);
  }
}
