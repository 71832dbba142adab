/**
 * The stream a caller reads: pulls the relay of its answer, and says that it lives while nothing comes.
 */
import type { Exchange } from './exchange.ts';
import { Relay } from './relay.ts';
import type { Delivery, Handed } from './relay.ts';
import type { Watch } from './watchdog.ts';

const encoder = new TextEncoder();

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
      pull: () => caller.pull(),
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

  /** Reads one piece. Most of a stream's cost is here, so one promise serves for it where it can. */
  pull(): void | Promise<void> {
    try {
      if (this.#relay === null) return this.#open().then(this.#give, this.#broken);
      const bytes = this.#relay.next();
      return bytes instanceof Promise ? bytes.then(this.#give, this.#broken) : this.#give(bytes);
    } catch (error) {
      this.#broken(error);
    }
  }

  readonly #give = (bytes: Handed): void => {
    if (this.#left) return;
    try {
      if (bytes !== null && bytes.length > 0) {
        this.#silence.dueAt = this.#nextKeepAlive();
        this.#controller?.enqueue(bytes);
      }
      if (this.#relay === null || this.#relay.ended || bytes === null) this.#close();
    } catch (error) {
      this.#broken(error);
    }
  };

  readonly #broken = (error: unknown): void => {
    this.#options.onBug(error);
    if (!this.#left && this.#relay !== null) this.#controller?.enqueue(this.#relay.fail());
    this.#close();
  };

  /** Waits for the relay when headers were sent early; the error event's bytes when there will be none. */
  async #open(): Promise<Handed> {
    const opened = await (this.#opening as Promise<Opening>);
    if (opened.kind === 'refused') return opened.bytes;
    this.#relay = new Relay(opened.delivery);
    if (this.#left) this.#relay.leave();
    return this.#relay.next();
  }

  #close(): void {
    this.#options.exchange.watchdog.remove(this.#silence);
    if (this.#left) return;
    this.#left = true;
    this.#controller?.close();
  }

  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#options.exchange.watchdog.remove(this.#silence);
    if (this.#relay === null) this.#options.onLeave();
    else this.#relay.leave();
  }
}
