/** From a routing decision to the response: runs failover, delivers the answer or explains its absence, and records it. */
import { arrange } from '../core/arrangement.ts';
import { interruptedWords } from '../core/caller-words.ts';
import type { ErrorCode } from '../core/errors.ts';
import { failureRow } from '../core/failure.ts';
import type { SwitchId } from '../core/ids.ts';
import type { RequestOutcome, Told } from '../core/record.ts';
import { askerOf, decide } from '../core/routing.ts';
import type { RoutingDecision, RoutingRequest } from '../core/routing.ts';
import type { Target } from '../core/target.ts';
import { agreementUsed, consentRefusedReply } from './agreement.ts';
import type { Agreed } from './agreement.ts';
import { relayStream } from './caller-stream.ts';
import type { Opening } from './caller-stream.ts';
import { carryOn } from './carry-on.ts';
import type { Resumed } from './carry-on.ts';
import { dialectFor } from './exchange.ts';
import { cutBy } from './flights.ts';
import { execute } from './execute.ts';
import type { CommittedExecution, Execution } from './execute.ts';
import type { Exchange } from './exchange.ts';
import { chargedUsd } from './charge.ts';
import { captured } from './captured.ts';
import type { Capture } from './captured.ts';
import type { Fingerprint, GatewayDependencies } from './handle.ts';
import { withNotice } from './notices.ts';
import { buildRecord } from './record-builder.ts';
import { deliverWhole } from './relay.ts';
import type { Delivery, Ending, Interruption, Kept } from './relay.ts';
import { askReply, embeddingReply, failedReply, refusalReply } from './refusals.ts';
import type { Refused } from './refusals.ts';
import { callerError, errorResponse, passOnHeaders, storyHeaders, unrecordable, whenKept } from './reply.ts';
import type { ErrorReply, ReplyHeaders } from './reply.ts';
import { incidentsOf, switchesMet, troublesOf } from './story.ts';
import type { Trace } from './trace.ts';
import { leftStatus } from './turned-away.ts';

export type Decided = {
  readonly request: Request;
  readonly exchange: Exchange;
  readonly decision: RoutingDecision;
  readonly asked: RoutingRequest;
  readonly bytes: Uint8Array;
  readonly headers: ReplyHeaders;
  readonly agreed: Agreed;
};

type Run = Decided & {
  readonly dependencies: GatewayDependencies;
  readonly output: Fingerprint;
  readonly capture: Capture | null;
};

const refusals: ReadonlySet<ErrorCode> = new Set([
  'data_policy_denied',
  'fallback_not_allowed',
  'no_eligible_target',
  'forbidden',
  'context_exceeded',
]);

/** How an error counts: a refusal by policy is the policy at work, and a refusal of content is an answer. */
function outcomeOf({ code, consent }: ErrorReply): { readonly outcome: RequestOutcome; readonly told: Told } {
  if (consent !== undefined) return { outcome: 'refused', told: 'refused' };
  if (code === 'fallback_consent_required') return { outcome: 'refused', told: 'asked' };
  if (refusals.has(code)) return { outcome: 'refused', told: 'refused' };
  return { outcome: code === 'content_refused' ? 'answered' : 'failed', told: 'none' };
}

function writeRecord(
  run: Run,
  closing: {
    outcome: RequestOutcome;
    status: number;
    errorCode: ErrorCode | null;
    told: Told;
    served: Target | null;
    sent: boolean;
    /** The switch that cut the answer. */
    cutBy?: SwitchId | null;
  },
): Kept {
  const { exchange, dependencies, decision } = run;
  const input = dependencies.fingerprint();
  input.update(run.bytes);
  const { served } = closing;
  if (served === null) run.agreed.redeemed?.release();
  const record = buildRecord(exchange, {
    outcome: closing.outcome,
    status: closing.status,
    errorCode: closing.errorCode,
    told: closing.told,
    served,
    inputFingerprint: input.digest('hex'),
    outputFingerprint: closing.sent ? run.output.digest('hex') : null,
    switches: switchesMet(exchange, decision.switches, closing.cutBy ?? null),
    agreement: agreementUsed(run.agreed, exchange, served),
    captured: run.capture?.end() ?? 'none',
  });
  if (exchange.key !== null && exchange.key.budget !== null)
    dependencies.spending.spend(exchange.key, chargedUsd(exchange, record.attempts), exchange.clock.now());
  return dependencies.record(record);
}

/** Replies a caller must see even where an estimate could stand in: its own mistakes. */
const neverEstimated: ReadonlySet<ErrorCode> = new Set(['invalid_request', 'request_rejected', 'forbidden']);

/** An estimate in place of an error, where the call allows one and says so. */
function substituted(run: Run, reply: ErrorReply): Response | Promise<Response> | null {
  const { exchange, headers } = run;
  const body = exchange.codec.substitute?.(exchange.facts);
  if (body === undefined || neverEstimated.has(reply.code)) return null;
  exchange.warnings.push('estimated');
  storyHeaders(headers, exchange, null);
  const kept = writeRecord(run, {
    outcome: 'answered',
    status: 200,
    errorCode: null,
    told: 'header',
    served: null,
    sent: false,
  });
  const marked = { ...body, breakwater: { estimate: true, because: reply.code } };
  return whenKept(kept, Response.json(marked, { headers }), run);
}

/** Records and sends an error; `decided` refusals and failed executions alike. */
async function refuse(run: Run, given: ErrorReply): Promise<Response> {
  const { exchange, headers } = run;
  const estimate = substituted(run, given);
  if (estimate !== null) return estimate;
  const known = inIncident(given, exchange);
  const reply = exchange.codec.operation === 'embeddings' ? embeddingReply(known) : known;
  storyHeaders(headers, exchange, null);
  const response = errorResponse(exchange.codec, reply, exchange.id, headers);
  const kept = writeRecord(run, {
    ...outcomeOf(reply),
    status: response.status,
    errorCode: reply.code,
    served: null,
    sent: false,
  });
  return whenKept(kept, response, run);
}

const inIncident = (reply: ErrorReply, exchange: Exchange): ErrorReply => ({
  ...reply,
  incident: incidentsOf(exchange)[0] ?? null,
});

function refusedOf(run: Run): Refused {
  const { exchange, asked, agreed, dependencies } = run;
  return { exchange, asked, consentScope: agreed.scope, consents: dependencies.consents };
}

function executionReply(
  run: Run,
  execution: Exclude<Execution, { kind: 'committed' | 'caller_left' }>,
): ErrorReply {
  if (execution.kind === 'invalid')
    return { code: 'invalid_request', message: execution.problem.message, param: execution.problem.param };
  return failedReply(refusedOf(run), execution);
}

function endingOf(ending: Ending): {
  readonly outcome: RequestOutcome;
  readonly errorCode: ErrorCode | null;
} {
  switch (ending.kind) {
    case 'complete':
      return { outcome: 'answered', errorCode: null };
    case 'partial':
    case 'switched_off':
      return { outcome: 'partial', errorCode: 'upstream_failed' };
    case 'caller_left':
      return { outcome: 'cancelled', errorCode: null };
  }
}

function brokenEvent(run: Run, failure: Interruption): string {
  if (failure === 'unrecorded')
    return run.exchange.codec.errorEvent(callerError(unrecordable, run.exchange.id));
  const failureClass = typeof failure === 'string' ? failure : failure.class;
  const reply: ErrorReply = {
    code: 'upstream_failed',
    status: typeof failure === 'string' ? 502 : failureRow(failure.class).status,
    message: interruptedWords(failureClass),
    failures: troublesOf(run.exchange),
  };
  return run.exchange.codec.errorEvent(callerError(inIncident(reply, run.exchange), run.exchange.id));
}

/** Routing and failover again, for the rest of an answer that broke off. */
function resume(run: Run, broken: Trace): Promise<Resumed | null> {
  const { exchange, asked, dependencies } = run;
  const { clock, board, state } = dependencies;
  return carryOn({
    exchange,
    broken,
    decide: () =>
      decide(asked, {
        switches: state.switches,
        standing: (target) => board.standing(target),
        now: clock.now(),
        random: clock.random(),
      }),
    execute: (plan, attemptsMax) =>
      execute(exchange, {
        plan,
        attemptsMax,
        panic: false,
        asker: askerOf(asked),
        switches: () => state.switches,
      }),
  });
}

function deliveryOf(run: Run, execution: CommittedExecution, headersSent: boolean): Delivery {
  const { exchange } = run;
  const { target } = execution.answer.trace.ticket;
  run.agreed.redeemed?.use();
  if (execution.soft !== null) exchange.warnings.push(execution.soft);
  const noticed = withNotice(exchange, run.headers, execution, headersSent);
  return {
    exchange,
    execution: noticed.execution,
    output: captured(run.output, run.capture),
    errorEvent: (failure) => brokenEvent(run, failure),
    onEnd: (ending) =>
      writeRecord(run, {
        ...endingOf(ending),
        told: (exchange.carrier?.seam ?? null) === null ? noticed.told : 'notice',
        status: 200,
        served: exchange.carrier?.seam?.to ?? target,
        sent: true,
        cutBy: cutBy(execution.flight),
      }),
    resume: exchange.carrier === null ? null : () => resume(run, execution.answer.trace),
  };
}

/** Nobody reads this answer any more. */
async function closed(run: Run): Promise<Response> {
  storyHeaders(run.headers, run.exchange, null);
  await writeRecord(run, {
    outcome: 'cancelled',
    status: leftStatus,
    errorCode: null,
    told: 'none',
    served: null,
    sent: false,
  });
  return new Response(null, { status: leftStatus, headers: run.headers });
}

function respond(run: Run, execution: Execution): Response | Promise<Response> {
  const { exchange, headers } = run;
  switch (execution.kind) {
    case 'failed':
    case 'invalid':
      return refuse(run, executionReply(run, execution));
    case 'caller_left':
      return closed(run);
    case 'committed':
      break;
  }
  const { answer } = execution;
  const delivery = deliveryOf(run, execution, false);
  const { target } = answer.trace.ticket;
  if (dialectFor(target, exchange.codec.name) === exchange.codec.name) passOnHeaders(headers, answer.headers);
  storyHeaders(headers, exchange, target);
  headers['content-type'] = answer.contentType;
  if (exchange.facts.stream) return streamed(run, delivery);
  const { body, kept } = deliverWhole(delivery);
  return whenKept(kept, new Response(body, { headers }), run);
}

function streamed(run: Run, opening: Delivery | Promise<Opening>): Response {
  const { exchange, dependencies, request } = run;
  const { stream, leave } = relayStream(opening, {
    exchange,
    keepAlive: exchange.codec.keepAlive,
    onLeave: () => callerLeaves(exchange),
    onBug: dependencies.onBug,
  });
  request.signal.onabort = leave;
  return new Response(stream, { headers: run.headers });
}

function callerLeaves(exchange: Exchange): void {
  exchange.callerLeft = true;
  exchange.stopCurrent?.();
}

/** What to do in a stream whose headers went out before the commit point. */
async function openLate(run: Run, execution: Execution): Promise<Opening> {
  const { exchange } = run;
  switch (execution.kind) {
    case 'committed':
      return { kind: 'relay', delivery: deliveryOf(run, execution, true) };
    case 'caller_left':
      await writeRecord(run, {
        outcome: 'cancelled',
        status: 200,
        errorCode: null,
        told: 'none',
        served: null,
        sent: false,
      });
      return { kind: 'refused', bytes: new Uint8Array(0) };
    case 'failed':
    case 'invalid': {
      const reply = executionReply(run, execution);
      await writeRecord(run, {
        ...outcomeOf(reply),
        status: 200,
        errorCode: reply.code,
        served: null,
        sent: false,
      });
      return {
        kind: 'refused',
        bytes: new TextEncoder().encode(
          exchange.codec.errorEvent(callerError(inIncident(reply, exchange), exchange.id)),
        ),
      };
    }
  }
}

/**
 * Headers wait for the commit point, so that they are true; but not for ever: callers' own clients give up on silence.
 * A stream that is still uncommitted then begins with keep-alives, and its headers leave out what is not yet known.
 */
async function respondInTime(run: Run, execution: Promise<Execution>): Promise<Response> {
  const { exchange } = run;
  const { promise, resolve } = Promise.withResolvers<'held_too_long'>();
  const watch = {
    dueAt: exchange.clock.now() + exchange.snapshot.limits.holdHeadersMs,
    expire: () => resolve('held_too_long'),
  };
  exchange.watchdog.add(watch);
  const first = await Promise.race([execution, promise]);
  exchange.watchdog.remove(watch);
  if (first !== 'held_too_long') return respond(run, first);
  storyHeaders(run.headers, exchange, null);
  delete run.headers['x-breakwater-attempts'];
  delete run.headers['x-breakwater-fallback'];
  delete run.headers['x-breakwater-boundary'];
  run.headers['content-type'] = 'text/event-stream; charset=utf-8';
  return streamed(
    run,
    execution.then((settled) => openLate(run, settled)),
  );
}

export function answer(decided: Decided, dependencies: GatewayDependencies): Response | Promise<Response> {
  const { decision, exchange, asked } = decided;
  const run: Run = {
    ...decided,
    dependencies,
    output: dependencies.fingerprint(),
    capture: dependencies.capture(exchange, decided.bytes),
  };
  if (run.agreed.refusal !== null) return refuse(run, consentRefusedReply(run.agreed.refusal));
  switch (decision.kind) {
    case 'ask':
      return refuse(run, askReply(refusedOf(run)));
    case 'refuse':
      return refuse(run, refusalReply(refusedOf(run), decision));
    case 'route':
      break;
  }
  decided.request.signal.onabort = () => callerLeaves(exchange);
  const { plan, because } = arrange(
    decision.plan,
    exchange.feature,
    (target) => exchange.capacity.used(target),
    exchange.clock.random(),
  );
  exchange.arranged = because;
  const execution = execute(exchange, {
    plan,
    panic: decision.panic,
    asker: askerOf(asked),
    switches: () => dependencies.state.switches,
  });
  return exchange.facts.stream
    ? respondInTime(run, execution)
    : execution.then((settled) => respond(run, settled));
}
