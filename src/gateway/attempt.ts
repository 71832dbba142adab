/**
 * One attempt: sends the call and reads the answer up to the commit point. What comes back is either an answer that
 * is now this target's, or a failure that no caller has seen.
 */
import { failureOf, providerRequestId } from '../core/failure.ts';
import type { Failure, FailureClass } from '../core/failure.ts';
import type { Instant } from '../core/ids.ts';
import type { AttemptRecord, WhyNext } from '../core/record.ts';
import type { Timeouts } from '../core/snapshot.ts';
import type { Dialect } from '../core/target.ts';
import { codecFor } from '../dialects/registry.ts';
import type { ErrorWords } from '../dialects/dialect.ts';
import type { BodyReader, HttpCall } from '../providers/provider.ts';
import { adapterFor } from '../providers/registry.ts';
import { streamSource } from './answer-source.ts';
import type { AnswerSource, SourceOptions } from './answer-source.ts';
import type { Place } from './capacity.ts';
import type { Clock } from './clock.ts';
import type { Scene } from './exchange.ts';
import type { Ticket } from './ticket.ts';
import type { Stopper } from './stopper.ts';
import { send } from './upstream.ts';
import type { Sent } from './upstream.ts';
import type { Watch } from './watchdog.ts';
import { wholeSource } from './whole-source.ts';

/** What is written down about an attempt while it runs. */
export type Trace = {
  readonly ticket: Ticket;
  readonly place: Place;
  readonly startedAt: Instant;
  /** How long this process had been away by then, in sum. */
  readonly absentBeforeMs: number;
  firstByteAt: Instant | null;
  firstTokenAt: Instant | null;
  endedAt: Instant | null;
  status: number | null;
  providerRequestId: string | null;
  payloadSent: AttemptRecord['payloadSent'];
  outcome: AttemptRecord['outcome'] | null;
  failure: Failure | null;
  whyNext: WhyNext;
  adapted: AttemptRecord['adapted'];
  source: AnswerSource | null;
};

/** What the provider itself said when it refused, to be passed on if the refusal is the caller's to see. */
export type ProviderRefusal = {
  readonly status: number;
  readonly body: unknown;
  readonly words: ErrorWords | null;
};

/** An answer that is this target's: some bytes are here, more may come. */
export type Committed = {
  readonly trace: Trace;
  readonly source: AnswerSource;
  readonly stopper: Stopper;
  readonly watch: Watch;
  readonly dialect: Dialect;
  readonly headers: Headers;
  readonly contentType: string;
  /** Held until now. */
  readonly head: Uint8Array;
  /** The answer is complete with `head`. */
  readonly ended: boolean;
};

export type AttemptResult =
  | {
      readonly kind: 'committed';
      readonly answer: Committed;
      /** Complete, but of a kind that may be asked again. */ readonly soft: FailureClass | null;
    }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly refusal: ProviderRefusal | null }
  | { readonly kind: 'stopped'; readonly by: 'caller' | 'switch' };

export type AttemptPlan = {
  readonly ticket: Ticket;
  readonly call: HttpCall;
  readonly dialect: Dialect;
  readonly timeouts: Timeouts;
  /** Epoch ms by which the whole attempt must have ended. */
  readonly dueAt: Instant;
  /** Another target could still be asked: a whole answer may then use only part of the time left. */
  readonly moreToTry: boolean;
};

/** Signs of life without content stretch a limit at most this far. */
export const livenessFactor = 4;
/** Requests that make a model think first get at least this long for the first token. */
export const thinkingFirstTokenMs = 60_000;
/** Most of an error body that is read. */
const errorBodyBytesMax = 65_536;
const bodyStartLength = 2_000;

export function newTrace(
  ticket: Ticket,
  place: Place,
  { clock, watchdog }: Pick<Scene, 'clock' | 'watchdog'>,
): Trace {
  return {
    ticket,
    place,
    startedAt: clock.now(),
    absentBeforeMs: watchdog.absentMs(),
    firstByteAt: null,
    firstTokenAt: null,
    endedAt: null,
    status: null,
    providerRequestId: null,
    payloadSent: 'none',
    outcome: null,
    failure: null,
    whyNext: null,
    adapted: 'no',
    source: null,
  };
}

/** How long silence may last before the first content. */
function firstContentMs(exchange: Scene, plan: AttemptPlan, clock: Clock): number {
  const left = plan.dueAt - clock.now();
  if (!exchange.facts.stream)
    return plan.moreToTry ? Math.max(left / 2, Math.min(left, plan.timeouts.firstTokenMs)) : left;
  const { needs, mayThink } = exchange.facts;
  const limit =
    needs.has('thinking') || mayThink === true
      ? Math.max(plan.timeouts.firstTokenMs, thinkingFirstTokenMs)
      : plan.timeouts.firstTokenMs;
  return Math.min(limit, left);
}

async function readErrorBody(body: BodyReader | null): Promise<string> {
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    while (size < errorBodyBytesMax) {
      const { done, value } = await body.read();
      if (done) break;
      size += value.length;
      chunks.push(value);
    }
    if (size >= errorBodyBytesMax) await body.cancel();
  } catch {
    // What arrived before the break is enough to classify.
  }
  return Buffer.concat(chunks).subarray(0, errorBodyBytesMax).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Answered = Extract<Sent, { kind: 'answered' }>;

async function refused(plan: AttemptPlan, answered: Answered, now: Instant): Promise<AttemptResult> {
  const text = await readErrorBody(answered.body);
  const body = parsed(text);
  const { status, headers } = answered;
  const adapter = adapterFor(plan.ticket.target.provider.api);
  const words =
    adapter.readError?.(body, headers) ??
    (body === undefined ? null : codecFor(plan.dialect).readError(body));
  const failure = adapter.classify(
    { status, headers, words, bodyStart: text.slice(0, bodyStartLength) },
    now,
  );
  return { kind: 'failed', failure, refusal: { status, body, words } };
}

function wantsUsage(exchange: Scene): boolean {
  const { conversation } = exchange;
  return conversation !== null && 'includeUsage' in conversation && conversation.includeUsage;
}

function openSource(
  exchange: Scene,
  plan: AttemptPlan,
  answered: Answered,
  clock: Clock,
): AnswerSource | Failure {
  const { stream } = exchange.facts;
  const contentType = (answered.headers.get('content-type') ?? '').toLowerCase();
  if (answered.body === null) return failureOf('empty_completion');
  const { target } = plan.ticket;
  const unframed =
    adapterFor(target.provider.api).unframed?.(answered.headers, answered.body, target) ?? null;
  // Who does not say what it sends is taken to send what was asked for.
  const saysStream = contentType === '' ? stream : contentType.includes('text/event-stream');
  const isStream = unframed?.isStream ?? saysStream;
  // A whole body may be an error that came with a 200; it is read to see.
  if (isStream !== stream && !(stream && contentType.includes('json')))
    return failureOf('malformed_response', 'content_type');
  const options: SourceOptions = {
    body: unframed?.body ?? answered.body,
    target: plan.dialect === exchange.codec.name ? exchange.codec : codecFor(plan.dialect),
    caller: exchange.codec,
    request: exchange.facts,
    requestBody: exchange.body,
    includeUsage: wantsUsage(exchange),
    onEvents: exchange.carrier?.listen(),
    limits: exchange.snapshot.limits,
    classify: (words) =>
      adapterFor(plan.ticket.target.provider.api).classify(
        { status: 200, headers: answered.headers, words, bodyStart: '' },
        clock.now(),
      ),
    now: clock.now,
  };
  return isStream ? streamSource(options) : wholeSource(options, { streamWanted: stream });
}

/** The failure a stop means, or who stopped it. */
export function stoppedResult(stopper: Stopper): AttemptResult | null {
  const { cause } = stopper;
  if (cause === null) return null;
  switch (cause.kind) {
    case 'timeout':
      return { kind: 'failed', failure: failureOf(cause.failure), refusal: null };
    case 'caller_left':
      return { kind: 'stopped', by: 'caller' };
    case 'outrun':
    case 'switched_off':
      return { kind: 'stopped', by: 'switch' };
  }
}

/** What silence is measured against. */
export type Patience = {
  readonly watch: Watch;
  readonly limitMs: number;
  readonly dueAt: number;
  progressAt: number;
};

/** Moves a deadline after a piece arrived: progress moves it fully, a mere sign of life only so far. */
export function moveDeadline(patience: Patience, progress: boolean, now: number): void {
  if (progress) patience.progressAt = now;
  patience.watch.dueAt = Math.min(
    now + patience.limitMs,
    patience.progressAt + patience.limitMs * livenessFactor,
    patience.dueAt,
  );
}

async function readToCommit(
  exchange: Scene,
  plan: AttemptPlan,
  trace: Trace,
  opened: { source: AnswerSource; stopper: Stopper; watch: Watch; headers: Headers },
): Promise<AttemptResult> {
  const { clock } = exchange;
  const { source, stopper, watch } = opened;
  const held: Uint8Array[] = [];
  let heldBytes = 0;
  const patience: Patience = {
    watch,
    limitMs: firstContentMs(exchange, plan, clock),
    dueAt: plan.dueAt,
    progressAt: trace.startedAt,
  };
  const committed = (ended: boolean): Committed => {
    trace.firstTokenAt = clock.now();
    exchange.board.began(plan.ticket);
    return {
      trace,
      source,
      stopper,
      watch,
      dialect: plan.dialect,
      headers: opened.headers,
      contentType: exchange.facts.stream ? 'text/event-stream; charset=utf-8' : 'application/json',
      head: held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held),
      ended,
    };
  };
  for (;;) {
    const piece = await source.next();
    trace.firstByteAt ??= clock.now();
    switch (piece.kind) {
      case 'failed':
        source.release();
        return (
          stoppedResult(stopper) ?? {
            kind: 'failed',
            failure: piece.failure,
            refusal: piece.words === null ? null : { status: 200, body: undefined, words: piece.words },
          }
        );
      case 'end':
        held.push(piece.bytes);
        return {
          kind: 'committed',
          answer: committed(true),
          soft: exchange.facts.stream ? null : piece.soft,
        };
      case 'data':
        if (piece.bytes.length > 0) held.push(piece.bytes);
        heldBytes += piece.bytes.length;
        if (piece.content) return { kind: 'committed', answer: committed(false), soft: null };
        if (heldBytes > exchange.snapshot.limits.eventBytesMax) {
          source.release();
          return {
            kind: 'failed',
            failure: failureOf('malformed_response', 'preamble_too_large'),
            refusal: null,
          };
        }
        moveDeadline(patience, piece.progress, clock.now());
    }
  }
}

/** Judges a call that is still silent after the connect limit: unreachable, or only slow? */
function watchConnection(
  exchange: Scene,
  plan: AttemptPlan,
  stopper: Stopper,
  answered: () => boolean,
): Watch {
  const half = plan.timeouts.connectMs / 2;
  const watch: Watch = {
    dueAt: exchange.clock.now() + half,
    expire: () => {
      void exchange.reachability.check(plan.call.url, half).then((reachable) => {
        if (!reachable && !answered()) stopper.stop({ kind: 'timeout', failure: 'connect_failed' });
      });
    },
  };
  exchange.watchdog.add(watch);
  return watch;
}

/** Makes one attempt. The stopper is registered by the caller of this function, which also settles the ticket. */
export async function attempt(
  exchange: Scene,
  plan: AttemptPlan,
  trace: Trace,
  stopper: Stopper,
): Promise<AttemptResult> {
  const { clock, watchdog } = exchange;
  const adapter = adapterFor(plan.ticket.target.provider.api);
  let answered: Sent | null = null;
  const silence = (): FailureClass => {
    const isAnswering = trace.firstTokenAt !== null;
    const isOver = clock.now() >= exchange.deadline;
    if (isOver && (isAnswering || exchange.deadlineByCaller)) return 'deadline_exceeded';
    if (answered === null) return 'headers_timeout';
    return isAnswering ? 'stream_stalled' : 'first_token_timeout';
  };
  const watch: Watch = {
    dueAt: clock.now() + firstContentMs(exchange, plan, clock),
    expire: () => stopper.stop({ kind: 'timeout', failure: silence() }),
  };
  watchdog.add(watch);
  const connection = watchConnection(exchange, plan, stopper, () => answered !== null);
  // Until it is known to have gone nowhere, whoever writes things down meanwhile must count it as received.
  trace.payloadSent = 'full';
  answered = await send(plan.call, stopper.signal);
  watchdog.remove(connection);
  if (answered.kind === 'failed') {
    watchdog.remove(watch);
    const unreachable = stopper.cause?.kind === 'timeout' && stopper.cause.failure === 'connect_failed';
    trace.payloadSent = unreachable ? 'none' : stopper.cause === null ? answered.payloadSent : 'full';
    return stoppedResult(stopper) ?? { kind: 'failed', failure: answered.failure, refusal: null };
  }
  exchange.reachability.heardFrom(plan.call.url);
  trace.payloadSent = 'full';
  trace.status = answered.status;
  trace.firstByteAt = clock.now();
  trace.providerRequestId = providerRequestId(adapter.requestId(answered.headers));
  const result = await readAnswered(exchange, plan, trace, { answered, stopper, watch });
  if (result.kind !== 'committed') watchdog.remove(watch);
  return result;
}

function readAnswered(
  exchange: Scene,
  plan: AttemptPlan,
  trace: Trace,
  opened: { answered: Answered; stopper: Stopper; watch: Watch },
): AttemptResult | Promise<AttemptResult> {
  const { answered, stopper, watch } = opened;
  if (answered.status < 200 || answered.status > 299)
    return refused(plan, answered, exchange.clock.now()).then((result) => stoppedResult(stopper) ?? result);
  const source = openSource(exchange, plan, answered, exchange.clock);
  if ('class' in source) {
    void answered.body?.cancel().catch(() => {});
    return { kind: 'failed', failure: source, refusal: null };
  }
  trace.source = source;
  return readToCommit(exchange, plan, trace, { source, stopper, watch, headers: answered.headers });
}
