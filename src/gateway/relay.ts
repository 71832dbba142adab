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
import { moveDeadline, stoppedResult } from './attempt.ts';
import type { Piece } from './answer-source.ts';
import type { Committed, Patience } from './attempt.ts';
import type { Exchange } from './exchange.ts';
import type { Settlement } from './ticket.ts';
import type { Watch } from './watchdog.ts';

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

export type Interruption = Failure | 'switched_off' | 'unrecorded';

/** Resolves when the record of an answer is on disk, with false when it will not be. Null: nobody waits for it. */
export type Kept = Promise<boolean> | null;

function settleTicket({ exchange, execution }: Delivery, outcome: Settlement['outcome'], silentMs = 0): void {
  const { trace, source } = execution.answer;
  exchange.board.settle(trace.ticket, {
    outcome,
    firstTokenMs: trace.firstTokenAt === null ? null : trace.firstTokenAt - trace.startedAt,
    silentMs,
    answer: outcome === 'good' ? answerRead(source.facts()) : null,
  });
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
        settleTicket(delivery, ending.failure);
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

/** A streamed answer, pulled as fast as the caller reads. */
class Relay {
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
  async next(): Promise<Uint8Array | null> {
    if (this.#ended) return null;
    let bytes: Uint8Array | null = this.#sentHead ? nothing : this.#head();
    while (bytes !== null && bytes.length === 0 && !this.#ended) {
      const piece = await this.#answer.source.next();
      const taken = this.#ended ? null : this.#take(piece);
      bytes = taken instanceof Promise ? await taken : taken;
    }
    if (this.#kept === null || bytes === null || (await this.#kept)) return bytes;
    return encoder.encode(this.#delivery.errorEvent('unrecorded'));
  }

  #head(): Uint8Array {
    this.#sentHead = true;
    const { head, ended } = this.#answer;
    this.#delivery.output.update(head);
    moveDeadline(this.#patience, true, this.#delivery.exchange.clock.now());
    if (ended) this.#end({ kind: 'complete' });
    return head;
  }

  #take(piece: Piece): Uint8Array | null | Promise<Uint8Array | null> {
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

  #break(failure: Failure): Uint8Array | null | Promise<Uint8Array | null> {
    const stopped = stoppedResult(this.#answer.stopper);
    if (stopped?.kind === 'stopped' && stopped.by === 'caller') {
      this.#end(this.#left());
      return null;
    }
    const cause = stopped?.kind === 'failed' ? stopped.failure : failure;
    const ending: Ending =
      stopped?.kind === 'stopped' ? { kind: 'switched_off' } : { kind: 'partial', failure: cause };
    const told = (): Uint8Array =>
      encoder.encode(this.#delivery.errorEvent(ending.kind === 'switched_off' ? 'switched_off' : cause));
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
  async #resume(resume: NonNullable<Delivery['resume']>): Promise<Uint8Array | null> {
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

export type RelayStream = { readonly stream: ReadableStream<Uint8Array>; readonly leave: () => void };

/**
 * Where a streamed answer's relay comes from: it is there already, or, when headers had to be sent before the commit
 * point, it will be; `refused` then ends the stream with an error event.
 */
export type Opening =
  | { readonly kind: 'relay'; readonly delivery: Delivery }
  | { readonly kind: 'refused'; readonly bytes: Uint8Array };

export type RelayOptions = {
  readonly exchange: Exchange;
  readonly keepAlive: string;
  readonly onLeave: () => void;
  readonly onBug: (error: unknown) => void;
};

/**
 * The caller's stream. Pulling reads upstream, so a slow caller slows the provider and nothing piles up; the only
 * thing sent unasked is a keep-alive, and only when the caller has taken everything before it.
 */
export function relayStream(opening: Delivery | Promise<Opening>, options: RelayOptions): RelayStream {
  const caller = new CallerStream(opening, options);
  const stream = new ReadableStream<Uint8Array>(
    {
      start: (controller) => caller.start(controller),
      pull: (controller) => caller.pull(controller),
      cancel: () => caller.leave(),
    },
    { highWaterMark: 0 },
  );
  return { stream, leave: () => caller.leave() };
}

class CallerStream {
  readonly #opening: Delivery | Promise<Opening>;
  readonly #options: RelayOptions;
  readonly #alive: Uint8Array;
  readonly #silence: Watch;
  #relay: Relay | null = null;
  #left = false;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;

  constructor(opening: Delivery | Promise<Opening>, options: RelayOptions) {
    this.#opening = opening;
    this.#options = options;
    this.#alive = encoder.encode(options.keepAlive);
    if (!(opening instanceof Promise)) this.#relay = new Relay(opening);
    this.#silence = { dueAt: this.#nextKeepAlive(), expire: () => this.#keepAlive() };
  }

  #nextKeepAlive(): number {
    const { exchange } = this.#options;
    return exchange.clock.now() + exchange.snapshot.limits.keepAliveMs;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    this.#options.exchange.watchdog.add(this.#silence);
  }

  #keepAlive(): void {
    if (this.#left || this.#controller === null) return;
    if ((this.#controller.desiredSize ?? 0) >= 0) this.#controller.enqueue(this.#alive);
    this.#silence.dueAt = this.#nextKeepAlive();
    this.#options.exchange.watchdog.add(this.#silence);
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const refused = this.#relay === null ? await this.#open() : null;
      const bytes = this.#relay === null ? refused : await this.#relay.next();
      if (this.#left) return;
      if (bytes !== null && bytes.length > 0) {
        this.#silence.dueAt = this.#nextKeepAlive();
        controller.enqueue(bytes);
      }
      if (this.#relay === null || this.#relay.ended || bytes === null) this.#close(controller);
    } catch (error) {
      this.#options.onBug(error);
      if (!this.#left && this.#relay !== null) controller.enqueue(this.#relay.fail());
      this.#close(controller);
    }
  }

  /** Waits for the relay when headers were sent early; the error event's bytes when there will be none. */
  async #open(): Promise<Uint8Array | null> {
    const opened = await (this.#opening as Promise<Opening>);
    if (opened.kind === 'refused') return opened.bytes;
    this.#relay = new Relay(opened.delivery);
    if (this.#left) this.#relay.leave();
    return null;
  }

  #close(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#options.exchange.watchdog.remove(this.#silence);
    if (this.#left) return;
    this.#left = true;
    controller.close();
  }

  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#options.exchange.watchdog.remove(this.#silence);
    if (this.#relay === null) this.#options.onLeave();
    else this.#relay.leave();
  }
}
