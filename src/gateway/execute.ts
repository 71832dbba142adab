/**
 * Runs failover: asks `core/failover.ts` what to do, does it, and tells it what came of it, until an answer is
 * committed or nothing is left. Every attempt's ticket is settled exactly once: here when it failed, by the relay when
 * it was committed, because success is counted at the end of an answer.
 */
import { failureOf } from '../core/failure.ts';
import type { Failure, FailureClass } from '../core/failure.ts';
import { next, startFailover } from '../core/failover.ts';
import type { Command, FailoverEvent, FailoverState } from '../core/failover.ts';
import type { NonEmpty } from '../core/ids.ts';
import type { Candidate, ExclusionReason } from '../core/record.ts';
import { offBy, speaking } from '../core/switches.ts';
import type { Asker, Switch } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import type { InvalidRequest } from '../dialects/dialect.ts';
import { adapterFor } from '../providers/registry.ts';
import { attempt, newTrace } from './attempt.ts';
import type { AttemptResult, Committed, ProviderRefusal, Trace } from './attempt.ts';
import { loadSign } from './capacity.ts';
import type { Place } from './capacity.ts';
import type { Exchange } from './exchange.ts';
import type { Flight } from './flights.ts';
import { payloadFor } from './payload.ts';
import type { Payload } from './payload.ts';
import type { Ticket } from './ticket.ts';
import { Stopper } from './stopper.ts';

export type Execution =
  | {
      readonly kind: 'committed';
      readonly answer: Committed;
      readonly flight: Flight;
      readonly soft: FailureClass | null;
    }
  | {
      readonly kind: 'failed';
      readonly because: Extract<Command, { kind: 'finish' }>['because'];
      readonly failure: Failure | null;
      readonly refusal: ProviderRefusal | null;
      readonly failedOn: Target | null;
    }
  | { readonly kind: 'caller_left' }
  | { readonly kind: 'invalid'; readonly problem: InvalidRequest };

/** Marks a target that turned out not to be a candidate after all. */
function exclude(exchange: Exchange, target: Target, reason: ExclusionReason, rule: string): void {
  exchange.candidates = exchange.candidates.map((candidate): Candidate =>
    candidate.target === target.name ? { target: target.name, eligible: false, reason, rule } : candidate,
  );
}

/** An answer that is a target's, on its way to the caller. */
export type CommittedExecution = Extract<Execution, { kind: 'committed' }>;

export type ExecuteOptions = {
  /** Attempts that are left; the configured limit where it is not said. */
  readonly attemptsMax?: number;
  readonly plan: NonEmpty<Target>;
  readonly panic: boolean;
  readonly asker: Asker;
  /** The switches as they are at the moment of asking. */
  readonly switches: () => readonly Switch[];
};

type Sent = {
  readonly result: AttemptResult;
  readonly flight: Flight;
  readonly ticket: Ticket;
  readonly place: Place;
};
type NotSent = 'skipped' | 'full' | InvalidRequest;
type Tried = Sent | NotSent;

/** All that a call needs. */
type Admitted = {
  readonly ticket: Ticket;
  readonly place: Place;
  readonly payload: Extract<Payload, { kind: 'ready' }>;
};

class Run {
  readonly #exchange: Exchange;
  readonly #options: ExecuteOptions;
  #triedKeys = new Set<string>();
  #triedTarget: Target | null = null;

  constructor(exchange: Exchange, options: ExecuteOptions) {
    this.#exchange = exchange;
    this.#options = options;
  }

  /** Switches are looked at again right before sending: what was switched off since the decision gets nothing. */
  #switchedOff(target: Target): boolean {
    const { asker, switches } = this.#options;
    const off = offBy(speaking(switches(), target, asker, this.#exchange.clock.now()));
    if (off === null) return false;
    exclude(this.#exchange, target, 'switched_off', off.id);
    return true;
  }

  /** `granted`: a place that was waited for. */
  async try(target: Target, moreToTry: boolean, granted: Place | null): Promise<Tried> {
    const exchange = this.#exchange;
    if (this.#triedTarget !== target) this.#triedKeys = new Set();
    this.#triedTarget = target;
    const made = this.#switchedOff(target) ? null : payloadFor(exchange, target);
    const payload = made instanceof Promise ? await made : made;
    // Fetching takes its time: a switch may have spoken meanwhile.
    const off = payload === null || (made instanceof Promise && this.#switchedOff(target));
    const admitted = off ? 'skipped' : this.#admit(target, payload, granted);
    if (typeof admitted === 'string' || !('ticket' in admitted)) {
      if (granted !== null) exchange.capacity.leave(granted);
      return admitted;
    }
    return await this.#send(admitted, moreToTry);
  }

  /** A place, a ticket and a key for a call of this payload, or why there will be none. */
  #admit(target: Target, payload: Payload, granted: Place | null): Admitted | NotSent {
    const exchange = this.#exchange;
    if (payload.kind === 'invalid') return payload.problem;
    if (payload.kind === 'unfit') {
      exclude(exchange, target, payload.reason, payload.rule);
      return 'skipped';
    }
    const place = granted ?? exchange.capacity.enter(target, exchange.claim);
    if ('kind' in place) {
      exclude(exchange, target, 'at_capacity', place.words);
      return 'full';
    }
    const admitted = exchange.board.admit(target, {
      triedKeys: this.#triedKeys,
      panic: this.#options.panic,
      key: exchange.key?.id ?? null,
      user: exchange.wishes.user,
      request: exchange.id,
      stream: exchange.facts.stream,
    });
    if ('kind' in admitted) {
      if (granted === null) exchange.capacity.leave(place);
      exclude(exchange, target, admitted.reason, admitted.words);
      return 'skipped';
    }
    if (admitted.key !== null) this.#triedKeys.add(admitted.key.name);
    exchange.warnings.splice(0, exchange.warnings.length, ...payload.warnings);
    return { ticket: admitted, place, payload };
  }

  async #send({ ticket, place, payload }: Admitted, moreToTry: boolean): Promise<Sent> {
    const exchange = this.#exchange;
    const { target } = ticket;
    const same = payload.dialect === exchange.codec.name;
    const prepared = adapterFor(target.provider.api).prepare({
      target,
      dialect: payload.dialect,
      operation: exchange.codec.operation,
      stream: exchange.facts.stream,
      secret: ticket.key?.secret ?? null,
      callerHeaders: same ? exchange.headers : null,
      traceparent: exchange.wishes.traceparent,
      body: payload.body,
    });
    const stopper = new Stopper();
    const trace = newTrace(ticket, place, exchange.clock.now());
    trace.adapted = payload.adapted;
    const flight: Flight = { target, asker: this.#options.asker, stopper, committed: false };
    exchange.traces.push(trace);
    exchange.flights.begin(flight);
    exchange.stopCurrent = () => stopper.stop({ kind: 'caller_left' });
    if (exchange.callerLeft) stopper.stop({ kind: 'caller_left' });
    // Waited for inside the flight, so that a switch or a caller who leaves meanwhile is heeded.
    const call = prepared instanceof Promise ? await prepared : prepared;
    // Without a credential nothing is sent: that is the credential's failure, not the model's.
    if ('class' in call)
      return { result: { kind: 'failed', failure: call, refusal: null }, flight, ticket, place };
    const result = await attempt(
      exchange,
      {
        ticket,
        call,
        dialect: payload.dialect,
        timeouts: exchange.feature.timeouts,
        dueAt: exchange.deadline,
        moreToTry,
      },
      trace,
      stopper,
    );
    showLoad(exchange, place, result, trace);
    return { result, flight, ticket, place };
  }

  hasOtherKey(target: Target): boolean {
    return this.#exchange.board.hasOtherKey(target, this.#triedKeys);
  }
}

/** What a call showed about how busy its target is. Models that think first keep no pace to compare with. */
function showLoad(exchange: Exchange, place: Place, result: AttemptResult, trace: Trace): void {
  const { facts, capacity, clock } = exchange;
  if (result.kind === 'failed')
    capacity.seen(place, loadSign(result.failure.class, clock.now() - trace.startedAt));
  if (result.kind !== 'committed') return;
  const paced = facts.stream && !facts.needs.has('thinking') && facts.mayThink !== true;
  const ms = (trace.firstTokenAt ?? clock.now()) - trace.startedAt;
  capacity.seen(place, paced ? ms : 'none');
}

/** Closes an attempt that did not commit: its trace, its flight and its ticket. */
function close(exchange: Exchange, tried: Sent, failure: Failure | 'nobody' | 'left'): void {
  const trace = exchange.traces.at(-1);
  exchange.flights.end(tried.flight);
  if (tried.result.kind === 'committed') exchange.watchdog.remove(tried.result.answer.watch);
  exchange.stopCurrent = null;
  const firstTokenAt = trace?.firstTokenAt ?? null;
  exchange.board.settle(tried.ticket, {
    outcome: failure,
    firstTokenMs: firstTokenAt === null ? null : firstTokenAt - tried.ticket.startedAt,
    silentMs: exchange.clock.now() - tried.ticket.startedAt,
    answer: null,
  });
  exchange.capacity.leave(tried.place);
  if (trace === undefined) return;
  trace.endedAt = exchange.clock.now();
  const isCancelled = failure === 'nobody' || failure === 'left';
  trace.outcome = isCancelled ? 'cancelled' : 'failed';
  trace.failure = isCancelled ? null : failure;
}

function wait(ms: number, exchange: Exchange): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  exchange.stopCurrent = () => {
    clearTimeout(timer);
    resolve();
  };
  return promise;
}

/** Waits for a place at one of these; null when there is none in time, or the caller leaves. */
function waitForPlace(exchange: Exchange, targets: NonEmpty<Target>): Promise<Place | null> {
  const { promise, resolve } = Promise.withResolvers<Place | null>();
  const { capacity, claim, deadline } = exchange;
  const giveUp = capacity.wait(targets, claim, deadline, (place) => {
    exchange.stopCurrent = null;
    // Who left while the place came free does not keep it.
    if (place !== null && exchange.callerLeft) capacity.leave(place);
    resolve(exchange.callerLeft ? null : place);
  });
  exchange.stopCurrent = () => {
    giveUp();
    resolve(null);
  };
  return promise;
}

function noteWhy(exchange: Exchange, command: Extract<Command, { kind: 'attempt' }>): void {
  const before = exchange.traces.at(-1);
  if (before !== undefined && command.why !== 'first') before.whyNext = command.why;
}

function begun({ deadline, snapshot }: Exchange, { plan, attemptsMax }: ExecuteOptions): FailoverState {
  const { limits } = snapshot;
  return startFailover(plan, deadline, { ...limits, attemptsMax: attemptsMax ?? limits.attemptsMax });
}

export async function execute(exchange: Exchange, options: ExecuteOptions): Promise<Execution> {
  const run = new Run(exchange, options);
  const { clock } = exchange;
  let { state, command } = next(begun(exchange, options), { kind: 'begin' }, clock.now(), clock.random());
  let refusal: ProviderRefusal | null = null;
  /** A complete answer of a kind that may be asked again, in case nothing better comes. */
  let kept: CommittedExecution | null = null;
  let granted: Place | null = null;
  for (;;) {
    if (command.kind === 'wait') {
      granted = await waitForPlace(exchange, command.targets);
      if (exchange.callerLeft) return { kind: 'caller_left' };
      const event: FailoverEvent = { kind: 'waited', target: granted?.target ?? null };
      ({ state, command } = next(state, event, clock.now(), clock.random()));
      continue;
    }
    if (command.kind === 'finish') {
      if (kept !== null) return kept;
      return {
        kind: 'failed',
        because: command.because,
        failure: state.last,
        refusal,
        failedOn: state.last === null ? null : (state.plan[state.index] ?? null),
      };
    }
    noteWhy(exchange, command);
    if (command.why === 'same_target_retry' || command.why === 'same_target_waited')
      exchange.board.takeRetry(command.target);
    if (command.waitMs > 0) await wait(command.waitMs, exchange);
    if (exchange.callerLeft) return { kind: 'caller_left' };
    const { target } = command;
    const tried: Tried = await run.try(target, state.index + 1 < state.plan.length, granted);
    granted = null;
    let event: FailoverEvent;
    if (tried === 'skipped' || tried === 'full') event = { kind: tried };
    else if ('message' in tried) return { kind: 'invalid', problem: tried };
    else {
      const { result } = tried;
      if (result.kind === 'committed' && result.soft === null) {
        tried.flight.committed = true;
        return { kind: 'committed', answer: result.answer, flight: tried.flight, soft: null };
      }
      if (result.kind === 'stopped') {
        close(exchange, tried, result.by === 'caller' ? 'left' : 'nobody');
        if (result.by === 'caller') return { kind: 'caller_left' };
        event = { kind: 'skipped' };
      } else {
        const failure = result.kind === 'failed' ? result.failure : failureOf(result.soft ?? 'unclassified');
        if (result.kind === 'committed')
          kept = { kind: 'committed', answer: result.answer, flight: tried.flight, soft: result.soft };
        else refusal = result.refusal;
        close(exchange, tried, failure);
        event = {
          kind: 'failed',
          failure,
          otherKey: run.hasOtherKey(target),
          budget: exchange.board.hasRetry(target),
        };
      }
    }
    ({ state, command } = next(state, event, clock.now(), clock.random()));
  }
}
