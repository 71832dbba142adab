/**
 * What a provider's adapter does: make the call, and say what a bad answer means. Adapters open no sockets; the
 * gateway sends what they prepare and hands them what came back.
 */
import type { Failure } from '../core/failure.ts';
import type { Secret } from '../core/secret.ts';
import type { Dialect, Target } from '../core/target.ts';
import type { Operation } from '../core/record.ts';
import type { ErrorWords } from '../dialects/dialect.ts';

/** A call ready to send. */
export type HttpCall = {
  readonly url: string;
  readonly headers: Headers;
  readonly body: string | Uint8Array;
};

export type Preparation = {
  readonly target: Target;
  readonly dialect: Dialect;
  readonly operation: Operation;
  readonly stream: boolean;
  /** Null where the provider needs no credential. */
  readonly secret: Secret | null;
  /** The caller's headers when caller and target speak the same dialect, so that versions and betas go through; else null. */
  readonly callerHeaders: Headers | null;
  /** The caller's query in the same case; else empty. */
  readonly callerQuery: string;
  readonly traceparent: string | null;
  readonly body: string | Uint8Array;
};

/** What is known about a bad answer: an HTTP error status, or an error event inside a 200. */
export type Evidence = {
  /** HTTP status of the answer (200 for an error event in a stream). */
  readonly status: number;
  readonly headers: Headers;
  readonly words: ErrorWords | null;
  /** The start of an unreadable body (≤ 2,000 characters), to tell an edge's HTML page from the provider. */
  readonly bodyStart: string;
};

/** The part of a body's reader that answers are read with. */
export type BodyReader = { read(): Promise<PieceRead>; cancel(): Promise<void> };
export type PieceRead =
  | { readonly done: false; readonly value: Uint8Array }
  | { readonly done: true; readonly value?: Uint8Array | undefined };

/** An answer out of the host's own form: events of the dialect, or a whole answer of it. */
export type Unframed = { readonly body: BodyReader; readonly isStream: boolean };

export type ProviderAdapter = {
  /** Calls beside the answer that this API has in a dialect. */
  offers(operation: Operation, dialect: Dialect): boolean;
  /** What a body needs that this API has no place for; null when all of it can be asked. */
  readonly lacks?: (target: Target, body: string) => string | null;
  /** At once where everything is at hand; a promise only while a token or signature has to be waited for. */
  prepare(preparation: Preparation): HttpCall | Promise<HttpCall | Failure>;
  /** Total: what is not known is `unclassified`. `now` (epoch ms) turns dates into waits. */
  classify(evidence: Evidence, now: number): Failure;
  /** Errors in the host's own form, where that is not the dialect's; null leaves them to the dialect. */
  readonly readError?: (body: unknown, headers: Headers) => ErrorWords | null;
  /** An answer in the host's own form as one of the dialect; null when it is the dialect's already. */
  readonly unframed?: (headers: Headers, body: BodyReader, target: Target) => Unframed | null;
  /** The provider's id of the request, from its answer's headers. */
  requestId(headers: Headers): string | null;
};
