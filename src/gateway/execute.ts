/**
 * Runs failover: asks `core/failover.ts` what to do, does it, and tells it what came of it, until an answer is
 * committed or nothing is left. Every attempt's ticket is settled exactly once: here when it failed, by the relay when
 * it was committed, because success is counted at the end of an answer.
 */
import { failureOf } from '../core/failure.ts';
import type { Failure, FailureClass } from '../core/failure.ts';
import { next, startFailover } from '../core/failover.ts';
import type { Command, FailoverEvent, FailoverState } from '../core/failover.ts';
import { hedgeAfterMs, takesHedge } from '../core/hedging.ts';
import type { NonEmpty } from '../core/ids.ts';
import type { Candidate, ExclusionReason } from '../core/record.ts';
import { dataPolicyObjection } from '../core/rules.ts';
import { offBy, speaking } from '../core/switches.ts';
import type { Asker, Switch } from '../core/switches.ts';
import type { Dialect, Target } from '../core/target.ts';
import type { InvalidRequest } from '../dialects/dialect.ts';
import type { HttpCall } from '../providers/provider.ts';
import { adapterFor } from '../providers/registry.ts';
import { attempt } from './attempt.ts';
import type { AttemptResult, Committed } from './attempt.ts';
import type { ProviderRefusal } from './answered.ts';
import { newTrace } from './trace.ts';
import type { Trace } from './trace.ts';
import type { Place } from './capacity.ts';
import { showLoad, wait, waitForPlace } from './places.ts';
import { isEvidence } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { hedged } from './hedge.ts';
import { cutBy } from './flights.ts';
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

function excludeCut(exchange: Exchange, flight: Flight): void {
  const cut = cutBy(flight);
  if (cut !== null) exclude(exchange, flight.target, 'switched_off', cut);
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

/** A call under way. */
type Begun = {
  readonly flight: Flight;
  readonly ticket: Ticket;
  readonly place: Place;
  readonly trace: Trace;
  readonly warnings: readonly string[];
};
export type Sending = Begun & { readonly stopper: Stopper; readonly sent: Promise<Sent> };
export type Sent = Begun & { readonly result: AttemptResult };
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
  #hedgedOn: Target | null = null;
  /** Second calls that the count of attempts does not know of yet. */
  #uncounted = 0;

  constructor(exchange: Exchange, options: ExecuteOptions) {
    this.#exchange = exchange;
    this.#options = options;
  }

  /**
   * What may have changed since the decision is looked at again right before sending: who was switched off gets nothing,
   * and neither does a provider whose terms have expired meanwhile.
   */
  #nowForbidden(target: Target): boolean {
    const { asker, switches } = this.#options;
    const now = this.#exchange.clock.now();
    const off = offBy(speaking(switches(), target, asker, now));
    if (off !== null) exclude(this.#exchange, target, 'switched_off', off.id);
    const { dataClass, name } = this.#exchange.demand;
    const objection = dataPolicyObjection(target, dataClass, now);
    if (objection !== null) exclude(this.#exchange, target, 'data_policy', `${name ?? ''}: ${objection}`);
    return off !== null || objection !== null;
  }

  /** `following`: the next of the plan; `granted`: a place that was waited for. */
  try(target: Target, following: Target | null, granted: Place | null): Tried | Promise<Tried> {
    const exchange = this.#exchange;
    if (this.#triedTarget !== target) this.#triedKeys = new Set();
    this.#triedTarget = target;
    if (target === this.#hedgedOn && hasFailed(exchange, target)) return 'skipped';
    const made = this.#nowForbidden(target) ? null : payloadFor(exchange, target);
    const ask = (payload: Payload | null): Tried | Promise<Tried> =>
      this.#ask(target, payload, following, granted);
    // Fetching takes its time: a switch may have spoken meanwhile, or the caller left.
    return made instanceof Promise
      ? made.then((payload) => ask(exchange.callerLeft || this.#nowForbidden(target) ? null : payload))
      : ask(made);
  }

  #ask(
    target: Target,
    payload: Payload | null,
    following: Target | null,
    granted: Place | null,
  ): Tried | Promise<Tried> {
    const exchange = this.#exchange;
    const admitted = payload === null ? 'skipped' : this.#admit(target, payload, granted);
    if (typeof admitted === 'string' || !('ticket' in admitted)) {
      if (granted !== null) exchange.capacity.leave(granted);
      return admitted;
    }
    const sending = this.#begin(admitted, following !== null);
    const { feature, facts, codec, traces, hedges } = exchange;
    const afterMs = hedgeAfterMs(feature, {
      stream: facts.stream && codec.operation === 'answer',
      panic: this.#options.panic,
      calls: traces.length,
      attemptsMax: this.attemptsMax,
      moreToTry: following !== null,
    });
    if (afterMs === null || following === null) return sending.sent;
    hedges.earn(feature);
    return hedged(exchange, sending, afterMs, () => this.#hedgeOn(following));
  }

  /** A second call, by the same rules as any: switches, payload, place, ticket. Never where it is already nearly full. */
  #hedgeOn(target: Target): Sending | null {
    const exchange = this.#exchange;
    if (!takesHedge(exchange.capacity.used(target)) || this.#nowForbidden(target)) return null;
    const payload = payloadFor(exchange, target);
    if (payload instanceof Promise) return null;
    const tried = this.#triedKeys;
    this.#triedKeys = new Set();
    const admitted = this.#admit(target, payload, null);
    this.#triedKeys = tried;
    if (typeof admitted === 'string' || !('ticket' in admitted)) return null;
    this.#hedgedOn = target;
    this.#uncounted++;
    return this.#begin(admitted, false);
  }

  get attemptsMax(): number {
    return this.#options.attemptsMax ?? this.#exchange.snapshot.limits.attemptsMax;
  }

  /** Calls made beside those that failover commanded, since this was last asked. */
  takeUncounted(): number {
    const count = this.#uncounted;
    this.#uncounted = 0;
    return count;
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
      feature: exchange.feature.name,
      stream: exchange.facts.stream,
    });
    if ('kind' in admitted) {
      if (granted === null) exchange.capacity.leave(place);
      exclude(exchange, target, admitted.reason, admitted.words);
      return 'skipped';
    }
    if (admitted.key !== null) this.#triedKeys.add(admitted.key.name);
    exchange.warnings.length = 0;
    const warnings = admitted.panic ? ['panic', ...payload.warnings] : payload.warnings;
    exchange.warnings.push(...warnings);
    return { ticket: admitted, place, payload: { ...payload, warnings } };
  }

  #begin({ ticket, place, payload }: Admitted, moreToTry: boolean): Sending {
    const exchange = this.#exchange;
    const stopper = new Stopper();
    const trace = newTrace(ticket, place, exchange);
    trace.adapted = payload.adapted;
    const flight: Flight = { target: ticket.target, asker: this.#options.asker, stopper, committed: false };
    exchange.traces.push(trace);
    exchange.flights.begin(flight);
    exchange.stopCurrent = () => stopper.stop({ kind: 'caller_left' });
    if (exchange.callerLeft) stopper.stop({ kind: 'caller_left' });
    const begun: Begun = { flight, ticket, place, trace, warnings: payload.warnings };
    return { ...begun, stopper, sent: this.#send(begun, payload, stopper, moreToTry) };
  }

  #send(begun: Begun, payload: Admitted['payload'], stopper: Stopper, moreToTry: boolean): Promise<Sent> {
    const exchange = this.#exchange;
    const { ticket } = begun;
    const { target } = ticket;
    const same = payload.dialect === exchange.codec.name;
    const prepared = adapterFor(target.provider.api).prepare({
      target,
      dialect: payload.dialect,
      operation: exchange.codec.operation,
      stream: exchange.facts.stream,
      secret: ticket.key?.secret ?? null,
      callerHeaders: same ? exchange.headers : null,
      callerQuery: same ? exchange.query : '',
      traceparent: exchange.wishes.traceparent,
      body: payload.body,
    });
    const send = (call: HttpCall | Failure): Promise<Sent> =>
      this.#attempt(begun, call, payload.dialect, stopper, moreToTry);
    // Waited for inside the flight, so that a switch or a caller who leaves meanwhile is heeded.
    return prepared instanceof Promise ? prepared.then(send) : send(prepared);
  }

  async #attempt(
    begun: Begun,
    call: HttpCall | Failure,
    dialect: Dialect,
    stopper: Stopper,
    moreToTry: boolean,
  ): Promise<Sent> {
    // Without a credential nothing is sent: that is the credential's failure, not the model's.
    if ('class' in call) return { ...begun, result: { kind: 'failed', failure: call, refusal: null } };
    const exchange = this.#exchange;
    const { ticket, trace, place, flight, warnings } = begun;
    const { timeouts } = exchange.feature;
    const plan = { ticket, call, dialect, timeouts, dueAt: exchange.deadline, moreToTry };
    const result = await attempt(exchange, plan, trace, stopper);
    showLoad(exchange, place, result, trace);
    return { flight, ticket, place, trace, warnings, result };
  }

  hasOtherKey(target: Target): boolean {
    return this.#exchange.board.hasOtherKey(target, this.#triedKeys);
  }
}

function hasFailed({ traces }: Exchange, target: Target): boolean {
  return traces.some((trace) => trace.ticket.target === target && trace.failure !== null);
}

/** Closes an attempt that did not commit: its trace, its flight and its ticket. */
function close(exchange: Exchange, tried: Sent, failure: Failure | 'nobody' | 'left'): void {
  const { trace } = tried;
  exchange.flights.end(tried.flight);
  if (tried.result.kind === 'committed') exchange.watchdog.remove(tried.result.answer.watch);
  exchange.stopCurrent = null;
  const { firstTokenAt } = trace;
  exchange.board.settle(tried.ticket, {
    outcome: isEvidence(exchange) ? failure : 'nobody',
    firstTokenMs: firstTokenAt === null ? null : firstTokenAt - tried.ticket.startedAt,
    silentMs: (trace.endedAt ?? exchange.clock.now()) - tried.ticket.startedAt,
    answer: null,
  });
  exchange.capacity.leave(tried.place);
  trace.endedAt ??= exchange.clock.now();
  const isCancelled = failure === 'nobody' || failure === 'left';
  trace.outcome = isCancelled ? 'cancelled' : 'failed';
  trace.failure = isCancelled ? null : failure;
}

function noteWhy(before: Trace | null, command: Extract<Command, { kind: 'attempt' }>): void {
  if (before !== null && command.why !== 'first') before.whyNext = command.why;
}

function begun({ deadline, snapshot }: Exchange, plan: ExecuteOptions['plan'], run: Run): FailoverState {
  return startFailover(plan, deadline, { ...snapshot.limits, attemptsMax: run.attemptsMax });
}

function nothingLeft(
  { plan, index, last }: FailoverState,
  because: Extract<Command, { kind: 'finish' }>['because'],
  refusal: ProviderRefusal | null,
): Execution {
  const failedOn = last === null ? null : (plan[index] ?? null);
  return { kind: 'failed', because, failure: last, refusal, failedOn };
}

const begin: FailoverEvent = { kind: 'begin' };

export async function execute(exchange: Exchange, options: ExecuteOptions): Promise<Execution> {
  const run = new Run(exchange, options);
  const { clock } = exchange;
  let { state, command } = next(begun(exchange, options.plan, run), begin, clock.now(), clock.random());
  let refusal: ProviderRefusal | null = null;
  /** A complete answer of a kind that may be asked again, in case nothing better comes. */
  let kept: CommittedExecution | null = null;
  let granted: Place | null = null;
  /** Of the call that failover goes on from: of two that were under way at once, not always the later one. */
  let before: Trace | null = null;
  for (;;) {
    if (exchange.callerLeft) return { kind: 'caller_left' };
    if (command.kind === 'wait') {
      granted = await waitForPlace(exchange, command.targets);
      const event: FailoverEvent = { kind: 'waited', target: granted?.target ?? null };
      ({ state, command } = next(state, event, clock.now(), clock.random()));
      continue;
    }
    if (command.kind === 'finish') {
      return kept ?? nothingLeft(state, command.because, refusal);
    }
    noteWhy(before, command);
    if (command.why === 'same_target_retry' || command.why === 'same_target_waited')
      exchange.board.takeRetry(command.target);
    if (command.waitMs > 0) await wait(command.waitMs, exchange);
    if (exchange.callerLeft) return { kind: 'caller_left' };
    const { target } = command;
    const tried: Tried = await run.try(target, state.plan[state.index + 1] ?? null, granted);
    granted = null;
    state = { ...state, attempts: state.attempts + run.takeUncounted() };
    let event: FailoverEvent;
    if (tried === 'skipped' || tried === 'full') event = { kind: tried };
    else if ('message' in tried) return { kind: 'invalid', problem: tried };
    else {
      const { result } = tried;
      before = tried.trace;
      if (result.kind === 'committed' && result.soft === null) {
        tried.flight.committed = true;
        return { kind: 'committed', answer: result.answer, flight: tried.flight, soft: null };
      }
      if (result.kind === 'stopped') {
        close(exchange, tried, result.by === 'caller' ? 'left' : 'nobody');
        if (result.by === 'caller') return { kind: 'caller_left' };
        excludeCut(exchange, tried.flight);
        // Nobody else is asked for an answer that Breakwater will not be here to hand on.
        if (tried.flight.stopper.cause?.kind === 'stopping') state = { ...state, deadline: clock.now() };
        event = { kind: 'stopped' };
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
