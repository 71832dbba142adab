/**
 * One attempt: sends the call and reads the answer up to the commit point. What comes back is either an answer that
 * is now this target's, or a failure that no caller has seen.
 */
import { failureOf, providerRequestId } from '../core/failure.ts';
import type { Failure, FailureClass } from '../core/failure.ts';
import type { Dialect } from '../core/target.ts';
import type { HttpCall } from '../providers/provider.ts';
import { adapterFor } from '../providers/registry.ts';
import type { AnswerSource } from './answer-source.ts';
import { openSource, refused } from './answered.ts';
import type { Answered, Addressee, ProviderRefusal } from './answered.ts';
import type { Scene } from './exchange.ts';
import { firstContentMs, moveDeadline } from './patience.ts';
import type { Given, Patience } from './patience.ts';
import type { Stopper } from './stopper.ts';
import type { Trace } from './trace.ts';
import { send } from './upstream.ts';
import type { Sent } from './upstream.ts';
import type { Watch } from './watchdog.ts';

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

/** Whom to ask, what, and how long to wait. */
export type AttemptPlan = Addressee & Given & { readonly call: HttpCall };

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
    case 'stopping':
    case 'switched_off':
      return { kind: 'stopped', by: 'switch' };
  }
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
    limitMs: firstContentMs(exchange.facts, plan, clock.now()),
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
    dueAt: clock.now() + firstContentMs(exchange.facts, plan, clock.now()),
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

/** What a status says is known without its body: that is not waited for longer than this. */
const errorBodyMsMax = 2_000;

function readRefusal(
  { clock, watchdog }: Scene,
  plan: AttemptPlan,
  answered: Answered,
): ReturnType<typeof refused> {
  const now = clock.now();
  const watch: Watch = {
    dueAt: now + errorBodyMsMax,
    expire: () => void answered.body?.cancel().catch(() => {}),
  };
  watchdog.add(watch);
  return refused(plan, answered, now).finally(() => watchdog.remove(watch));
}

function readAnswered(
  exchange: Scene,
  plan: AttemptPlan,
  trace: Trace,
  opened: { answered: Answered; stopper: Stopper; watch: Watch },
): AttemptResult | Promise<AttemptResult> {
  const { answered, stopper, watch } = opened;
  if (answered.status < 200 || answered.status > 299)
    return readRefusal(exchange, plan, answered).then(
      (read) => stoppedResult(stopper) ?? { kind: 'failed', ...read },
    );
  const source = openSource(exchange, plan, answered);
  if ('class' in source) {
    void answered.body?.cancel().catch(() => {});
    return { kind: 'failed', failure: source, refusal: null };
  }
  trace.source = source;
  return readToCommit(exchange, plan, trace, { source, stopper, watch, headers: answered.headers });
}
