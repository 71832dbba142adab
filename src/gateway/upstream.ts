/**
 * The only place that opens connections to providers. Sends one call and reports what came back, or which class of
 * failure kept it from coming; never throws for what the network does.
 */
import { connect } from 'node:net';

import { failureOf } from '../core/failure.ts';
import type { Failure, FailureClass } from '../core/failure.ts';
import type { BodyReader, HttpCall, PieceRead } from '../providers/provider.ts';

/** An answer's body: piece by piece, or in one step, which costs least. */
export type UpstreamBody = BodyReader & {
  /** The length the provider announced; null when it did not, and the body can only be read in pieces. */
  readonly announced: number | null;
  whole(): Promise<Uint8Array>;
};

export type Sent =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Headers;
      readonly body: UpstreamBody | null;
    }
  /** `payloadSent`: how much of the request the provider may have received. */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly payloadSent: 'none' | 'partial' };

const classByCode: Readonly<
  Record<string, { readonly class: FailureClass; readonly payloadSent: 'none' | 'partial' }>
> = {
  ECONNREFUSED: { class: 'connect_failed', payloadSent: 'none' },
  ConnectionRefused: { class: 'connect_failed', payloadSent: 'none' },
  ETIMEDOUT: { class: 'connect_failed', payloadSent: 'none' },
  EHOSTUNREACH: { class: 'connect_failed', payloadSent: 'none' },
  ENETUNREACH: { class: 'connect_failed', payloadSent: 'none' },
  EADDRNOTAVAIL: { class: 'connect_failed', payloadSent: 'none' },
  FailedToOpenSocket: { class: 'connect_failed', payloadSent: 'none' },
  ENOTFOUND: { class: 'dns_failed', payloadSent: 'none' },
  EAI_AGAIN: { class: 'dns_failed', payloadSent: 'none' },
  ECONNRESET: { class: 'connection_reset', payloadSent: 'partial' },
  ECONNABORTED: { class: 'connection_reset', payloadSent: 'partial' },
  EPIPE: { class: 'connection_reset', payloadSent: 'partial' },
};

const tlsCode = /CERT|SSL|TLS|SIGNATURE|UNABLE_TO|SELF_SIGNED|ALTNAME/;

function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code;
  return error instanceof Error ? error.name : 'unknown';
}

/** The failure behind an error that `fetch` or a body reader threw. */
export function networkFailure(error: unknown): {
  readonly failure: Failure;
  readonly payloadSent: 'none' | 'partial';
} {
  const code = codeOf(error);
  const known = classByCode[code];
  if (known !== undefined) return { failure: failureOf(known.class, code), payloadSent: known.payloadSent };
  if (tlsCode.test(code)) return { failure: failureOf('tls_failed', code.slice(0, 64)), payloadSent: 'none' };
  return { failure: failureOf('connection_reset', code.slice(0, 64)), payloadSent: 'partial' };
}

/**
 * Sends a call. `signal` aborts it; the abort shows as a `failed` whose meaning the stopper's cause tells.
 * Redirects are not followed: a provider's address comes from configuration only.
 */
export function send(call: HttpCall, signal: AbortSignal): Promise<Sent> {
  const init: BunFetchRequestInit & { readonly timeout: false } = {
    method: 'POST',
    headers: call.headers,
    body: call.body as BodyInit,
    signal,
    redirect: 'manual',
    timeout: false,
  };
  return endOfTurn()
    .then(() => fetch(call.url, init))
    .then(answeredBy, failedBy);
}

let turn: Promise<void> | null = null;

/** Calls of one turn of the event loop leave together: the thread that sends them is woken once for all, not for each. */
function endOfTurn(): Promise<void> {
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = null;
      resolve();
    });
  });
  return turn;
}

const failedBy = (error: unknown): Sent => ({ kind: 'failed', ...networkFailure(error) });

function answeredBy(answer: Response): Sent {
  const { status, headers } = answer;
  return { kind: 'answered', status, headers, body: bodyOf(answer) };
}

class ResponseBody implements UpstreamBody {
  readonly #answer: Response;
  readonly announced: number | null;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #isTaken = false;

  constructor(answer: Response, announced: number | null) {
    this.#answer = answer;
    this.announced = announced;
  }

  #opened(): ReadableStreamDefaultReader<Uint8Array> {
    return (this.#reader ??= (this.#answer.body as ReadableStream<Uint8Array>).getReader());
  }

  read(): Promise<PieceRead> {
    return this.#opened().read();
  }

  /** What is being read whole is stopped by the signal of its call. */
  cancel(): Promise<void> {
    return this.#isTaken ? Promise.resolve() : this.#opened().cancel();
  }

  whole(): Promise<Uint8Array> {
    this.#isTaken = true;
    return this.#answer.bytes();
  }
}

function bodyOf(answer: Response): UpstreamBody | null {
  const length = Number(answer.headers.get('content-length') ?? Number.NaN);
  if (length > 0) return new ResponseBody(answer, length);
  return answer.body === null ? null : new ResponseBody(answer, null);
}

function canConnect(url: string, limitMs: number): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({
    host: hostname.replaceAll(/^\[|\]$/g, ''),
    port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
  });
  const settle = (reachable: boolean): void => {
    clearTimeout(timer);
    socket.destroy();
    resolve(reachable);
  };
  const timer = setTimeout(() => settle(false), limitMs);
  socket.once('connect', () => settle(true));
  socket.once('error', () => settle(false));
  return promise;
}

/**
 * Whether an origin can be connected to at all. `fetch` does not say when it has connected, so a call that stays
 * silent is judged by this: no connection is `connect_failed`, not a slow model. An origin known to be alive is not
 * asked again for a while, and one check serves all who wait for it.
 */
export type Reachability = {
  check(url: string, limitMs: number): Promise<boolean>;
  heardFrom(url: string): void;
};

const aliveMs = 10_000;
const originsMax = 1_000;

export function createReachability(now: () => number): Reachability {
  const aliveUntil = new Map<string, number>();
  const checks = new Map<string, Promise<boolean>>();
  const heardFrom = (url: string): void => {
    if (aliveUntil.size >= originsMax) aliveUntil.clear();
    aliveUntil.set(originOf(url), now() + aliveMs);
  };
  return {
    heardFrom,
    check(url, limitMs) {
      const origin = originOf(url);
      if ((aliveUntil.get(origin) ?? 0) > now()) return Promise.resolve(true);
      const running = checks.get(origin);
      if (running !== undefined) return running;
      const check = canConnect(url, limitMs).then((reachable) => {
        checks.delete(origin);
        if (reachable) heardFrom(url);
        return reachable;
      });
      checks.set(origin, check);
      return check;
    },
  };
}

/** Scheme, host and port, without the cost of parsing the whole address. */
function originOf(url: string): string {
  const slash = url.indexOf('/', url.indexOf('//') + 2);
  return slash < 0 ? url : url.slice(0, slash);
}
