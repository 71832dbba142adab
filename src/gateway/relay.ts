/**
 * Hands a committed answer to the caller: with backpressure, with keep-alives through silence, and with an honest end.
 * A failure after the commit point ends the stream with the dialect's own error event, never with a clean end.
 *
 * The outcome of the attempt is settled here, once, when the answer has ended: success counts at the end.
 */
import { failureOf } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { answerRead } from './answer-read.ts';
import { refusedToCarryOn } from './carry-on.ts';
import type { Carrier, Resumed } from './carry-on.ts';
import type { CommittedExecution } from './execute.ts';
import { stoppedResult } from './attempt.ts';
import type { Piece } from './answer-source.ts';
import type { Committed } from './attempt.ts';
import { moveDeadline } from './patience.ts';
import type { Patience } from './patience.ts';
import { isEvidence } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { Settlement } from './ticket.ts';

/** How the answer ended, for the record. */
export type Ending =
  | { readonly kind: 'complete' }
  | { readonly kind: 'partial'; readonly failure: Failure }
  /** `silentMs`: how long nothing had come. */
  | { readonly kind: 'caller_left'; readonly silentMs: number }
  | { readonly kind: 'switched_off' };

export type Delivery = {
  readonly exchange: Exchange;
  readonly execution: CommittedExecution;
  /** Takes every byte that goes to the caller, in order. */
  readonly output: { update(bytes: Uint8Array): unknown };
  /** The error event that ends a broken stream. */
  readonly errorEvent: (failure: Interruption) => string;
  readonly onEnd: (ending: Ending) => Kept;
  /** Asks another target to go on with an answer that broke off; null where none may. */
  readonly resume: (() => Promise<Resumed | null>) | null;
};

export type Interruption = Failure | 'switched_off' | 'stopping' | 'unrecorded';

/** Resolves when the record of an answer is on disk, with false when it will not be. Null: nobody waits for it. */
export type Kept = Promise<boolean> | null;

function settleTicket({ exchange, execution }: Delivery, outcome: Settlement['outcome'], silentMs = 0): void {
  const { trace, source } = execution.answer;
  exchange.board.settle(trace.ticket, {
    outcome: isEvidence(exchange) ? outcome : 'nobody',
    firstTokenMs: trace.firstTokenAt === null ? null : trace.firstTokenAt - trace.startedAt,
    silentMs,
    answer: outcome === 'good' ? answerRead(source.facts(), exchange.facts) : null,
  });
}

/** An answer that outlasts the time we give it is too slow, unless the caller made that time short. */
function countedAs({ deadlineByCaller }: Exchange, failure: Failure): Failure {
  return failure.class === 'deadline_exceeded' && !deadlineByCaller ? failureOf('stream_stalled') : failure;
}

/** Closes the committed attempt: trace, flight, watch and ticket. */
function closeAttempt(delivery: Delivery, ending: Ending): void {
  const { exchange, execution } = delivery;
  const { answer } = execution;
  exchange.watchdog.remove(answer.watch);
  exchange.flights.end(execution.flight);
  exchange.stopCurrent = null;
  answer.source.release();
  const { trace } = answer;
  if (execution.soft === null) {
    trace.endedAt = exchange.clock.now();
    exchange.capacity.leave(trace.place);
    switch (ending.kind) {
      case 'complete':
        trace.outcome = 'ok';
        settleTicket(delivery, 'good');
        break;
      case 'partial':
        trace.outcome = 'failed';
        trace.failure = ending.failure;
        settleTicket(delivery, countedAs(exchange, ending.failure));
        break;
      case 'caller_left':
        trace.outcome = 'cancelled';
        settleTicket(delivery, 'left', ending.silentMs);
        break;
      case 'switched_off':
        trace.outcome = 'cancelled';
        settleTicket(delivery, 'nobody');
        break;
    }
  }
}

function settle(delivery: Delivery, ending: Ending): Kept {
  closeAttempt(delivery, ending);
  return delivery.onEnd(ending);
}

/** A whole answer: it is complete already. */
export function deliverWhole(delivery: Delivery): {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly kept: Kept;
} {
  const { head } = delivery.execution.answer;
  delivery.output.update(head);
  // Bytes that were read are never shared memory.
  return { body: head as Uint8Array<ArrayBuffer>, kept: settle(delivery, { kind: 'complete' }) };
}

const encoder = new TextEncoder();
const nothing = new Uint8Array(0);

/** Bytes for the caller; null at the end. */
export type Handed = Uint8Array | null;

/** A streamed answer, pulled as fast as the caller reads. */
export class Relay {
  #delivery: Delivery;
  #answer: Committed;
  #patience: Patience;
  /** Writes the rest of the answer when another target goes on with it. */
  #carrier: Carrier | null = null;
  /** The first attempt is closed, and another target is being asked. */
  #resuming = false;
  #ended = false;
  #kept: Kept = null;
  #sentHead = false;

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
    this.#answer = delivery.execution.answer;
    this.#patience = this.#newPatience();
  }

  #newPatience(): Patience {
    const { exchange } = this.#delivery;
    return {
      watch: this.#answer.watch,
      limitMs: exchange.feature.timeouts.stallMs,
      dueAt: exchange.deadline,
      progressAt: exchange.clock.now(),
    };
  }

  /** What to send next; the last of it not before its record is kept. Null: the stream has ended. */
  next(): Handed | Promise<Handed> {
    if (this.#ended) return null;
    const bytes = this.#sentHead ? nothing : this.#head();
    return bytes.length > 0 || this.#ended
      ? this.#onceKept(bytes)
      : this.#answer.source.next().then(this.#taken);
  }

  readonly #taken = (piece: Piece): Handed | Promise<Handed> => {
    const taken = this.#ended ? null : this.#take(piece);
    return taken instanceof Promise || taken?.length === 0 ? this.#readOn(taken) : this.#onceKept(taken);
  };

  /** Reads on where a piece had nothing to send, or took a while. */
  async #readOn(first: Handed | Promise<Handed>): Promise<Handed> {
    let bytes = await first;
    while (bytes !== null && bytes.length === 0 && !this.#ended) {
      const piece = await this.#answer.source.next();
      bytes = this.#ended ? null : await this.#take(piece);
    }
    return this.#onceKept(bytes);
  }

  #onceKept(bytes: Handed): Handed | Promise<Handed> {
    if (this.#kept === null || bytes === null) return bytes;
    return this.#kept.then((isKept) =>
      isKept ? bytes : encoder.encode(this.#delivery.errorEvent('unrecorded')),
    );
  }

  #head(): Uint8Array {
    this.#sentHead = true;
    const { head, ended } = this.#answer;
    this.#delivery.output.update(head);
    moveDeadline(this.#patience, true, this.#delivery.exchange.clock.now());
    if (ended) this.#end({ kind: 'complete' });
    return head;
  }

  #take(piece: Piece): Handed | Promise<Handed> {
    switch (piece.kind) {
      case 'data':
        moveDeadline(this.#patience, piece.progress, this.#delivery.exchange.clock.now());
        return this.#hand(piece.bytes);
      case 'end': {
        if (this.#carrier?.refused === true) return this.#break(refusedToCarryOn);
        const bytes = this.#hand(piece.bytes);
        this.#end({ kind: 'complete' });
        return bytes;
      }
      case 'failed':
        return this.#break(piece.failure);
    }
  }

  /** The target's bytes as they came, or what joins its words to those of the one before. */
  #hand(bytes: Uint8Array): Uint8Array {
    const handed = this.#carrier === null ? bytes : this.#carrier.drain();
    this.#delivery.output.update(handed);
    return handed;
  }

  #break(failure: Failure): Handed | Promise<Handed> {
    const stopped = stoppedResult(this.#answer.stopper);
    if (stopped?.kind === 'stopped' && stopped.by === 'caller') {
      this.#end(this.#left());
      return null;
    }
    const cause = stopped?.kind === 'failed' ? stopped.failure : failure;
    const ending: Ending =
      stopped?.kind === 'stopped' ? { kind: 'switched_off' } : { kind: 'partial', failure: cause };
    const by = this.#answer.stopper.cause?.kind === 'stopping' ? 'stopping' : 'switched_off';
    const told = (): Uint8Array =>
      encoder.encode(this.#delivery.errorEvent(ending.kind === 'switched_off' ? by : cause));
    const { resume } = this.#delivery;
    if (resume === null) {
      this.#end(ending);
      return told();
    }
    closeAttempt(this.#delivery, ending);
    return this.#resume(resume).then((resumed) => {
      if (resumed !== null || this.#ended) return resumed;
      this.#ended = true;
      this.#kept = this.#delivery.onEnd(ending);
      return told();
    });
  }

  /** Goes on with another target's answer; null when there is none. */
  async #resume(resume: NonNullable<Delivery['resume']>): Promise<Handed> {
    this.#delivery = { ...this.#delivery, resume: null };
    this.#resuming = true;
    const resumed = await resume();
    this.#resuming = false;
    if (resumed === null) return null;
    const { execution, announcement } = resumed;
    this.#delivery = { ...this.#delivery, execution };
    this.#answer = execution.answer;
    if (this.#ended) {
      this.#answer.stopper.stop({ kind: 'caller_left' });
      closeAttempt(this.#delivery, this.#left());
      return null;
    }
    this.#patience = this.#newPatience();
    moveDeadline(this.#patience, true, this.#delivery.exchange.clock.now());
    this.#carrier = this.#delivery.exchange.carrier;
    this.#delivery.output.update(announcement);
    const bytes = this.#hand(announcement);
    if (this.#answer.ended) this.#end({ kind: 'complete' });
    return Buffer.concat([announcement, bytes]);
  }

  #end(ending: Ending): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#kept = settle(this.#delivery, ending);
  }

  #left(): Ending {
    const silentMs = this.#delivery.exchange.clock.now() - this.#patience.progressAt;
    return { kind: 'caller_left', silentMs };
  }

  /** The caller went away: the upstream call is cancelled at once. */
  leave(): void {
    if (this.#resuming) {
      const { exchange, onEnd } = this.#delivery;
      this.#ended = true;
      exchange.callerLeft = true;
      exchange.stopCurrent?.();
      this.#kept = onEnd(this.#left());
      return;
    }
    this.#answer.stopper.stop({ kind: 'caller_left' });
    this.#end(this.#left());
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** A bug of ours in the middle of a stream still ends it honestly. */
  fail(): Uint8Array {
    const failure = failureOf('unclassified', 'internal');
    if (!this.#ended) this.leave();
    return encoder.encode(this.#delivery.errorEvent(failure));
  }
}
