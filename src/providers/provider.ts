/**
 * What a provider's adapter does: make the call, and say what a bad answer means. Adapters open no sockets; the
 * gateway sends what they prepare and hands them what came back.
 */
import type { Failure } from '../core/failure.ts';
import type { Secret } from '../core/secret.ts';
import type { Dialect, Target } from '../core/target.ts';
import type { ErrorWords, Operation } from '../dialects/dialect.ts';

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

export type ProviderAdapter = {
  /** Calls beside the answer that this API has in a dialect. */
  offers(operation: Operation, dialect: Dialect): boolean;
  prepare(preparation: Preparation): HttpCall;
  /** Total: what is not known is `unclassified`. `now` (epoch ms) turns dates into waits. */
  classify(evidence: Evidence, now: number): Failure;
  /** The provider's id of the request, from its answer's headers. */
  requestId(headers: Headers): string | null;
};
