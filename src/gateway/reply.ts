/** Response heads and error bodies: the contract's headers on every answer and every error, in the caller's dialect. */
import type { ConsentRefusal } from '../core/consent.ts';
import { errorCodes } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { IncidentId, Instant, RequestId } from '../core/ids.ts';
import type { Candidate } from '../core/record.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { hopBetween } from '../core/target.ts';
import type { Dialect, Target } from '../core/target.ts';
import type { CallerError, DialectCodec, JsonObject } from '../dialects/dialect.ts';
import type { Trouble } from '../core/caller-words.ts';
import type { Exchange } from './exchange.ts';
import { boundaryOf, fallbackReason, incidentsOf } from './story.ts';

/** An error on its way to a caller. */
export type ErrorReply = {
  readonly code: ErrorCode;
  /** Where it refines the table's status. */
  readonly status?: number;
  readonly message: string;
  /** Where it differs from the table: whether trying again at once can help. */
  readonly retryHelps?: boolean;
  readonly param?: string | null;
  readonly retryAfterMs?: number | null;
  readonly failures?: readonly Trouble[];
  readonly excluded?: readonly Candidate[];
  readonly offers?: readonly JsonObject[];
  readonly provider?: CallerError['provider'];
  /** Why a consent token was not taken. */
  readonly consent?: ConsentRefusal;
  readonly incident?: IncidentId | null;
};

/** Nobody knows the key, or there is none. */
export const unauthenticated: ErrorReply = {
  code: 'unauthenticated',
  message: 'The key is missing or not known here. Send a Breakwater key as the API key.',
};

/** What is said instead of an answer that could not be recorded, and instead of taking new work then. */
export const unrecordable: ErrorReply = {
  code: 'audit_unavailable',
  message:
    'This request cannot be recorded right now, and the policy allows no answer without a record. The fault is ours. Please try again in a moment.',
  retryAfterMs: 5_000,
};

/** Where each official SDK looks for the id of a request. */
function requestIdHeader(dialect: Dialect): string {
  switch (dialect) {
    case 'openai-chat':
    case 'openai-responses':
      return 'x-request-id';
    case 'gemini':
      return 'x-goog-request-id';
    case 'anthropic-messages':
      return 'request-id';
  }
}

/** Headers of an answer until it is sent: a plain object costs half of `Headers`. Names in lower case. */
export type ReplyHeaders = Record<string, string>;

export function baseHeaders(dialect: Dialect, id: RequestId): ReplyHeaders {
  return {
    'x-breakwater-request-id': id,
    [requestIdHeader(dialect)]: id,
    'cache-control': 'no-store',
  };
}

/** Header values are Latin-1 without line ends; what does not fit becomes `?`. */
function headerText(text: string): string {
  const fits = text.length <= headerLengthMax && !/[^\u0020-\u007E]/.test(text);
  return fits ? text : text.replaceAll(/[^\u0020-\u007E]/g, '?').slice(0, headerLengthMax);
}

const headerLengthMax = 2_000;

/** The feature that a request means before it has a place, as far as can be told. */
export function earlyFeature(snapshot: Snapshot, headers: Headers, requested: string | null): string {
  const named = [headers.get('x-breakwater-feature'), requested];
  return named.find((name) => name !== null && snapshot.features.has(name)) ?? snapshot.defaults.name;
}

/** What can be told of a request that was refused before it had a place: `requested` null when it could not be read. */
export function earlyHeaders(
  headers: ReplyHeaders,
  snapshot: Snapshot,
  asked: Headers,
  requested: string | null,
): void {
  headers['x-breakwater-feature'] = earlyFeature(snapshot, asked, requested);
  if (requested !== null) headers['x-breakwater-requested'] = headerText(requested);
  headers['x-breakwater-policy'] = snapshot.hash;
}

/** The headers that tell what happened; `served` null when nobody answered. */
export function storyHeaders(headers: ReplyHeaders, exchange: Exchange, served: Target | null): void {
  headers['x-breakwater-feature'] = headerText(exchange.feature.name);
  headers['x-breakwater-requested'] = headerText(exchange.facts.model);
  headers['x-breakwater-attempts'] = String(exchange.traces.length);
  headers['x-breakwater-policy'] = exchange.snapshot.hash;
  const crossed = boundaryOf(exchange);
  headers['x-breakwater-boundary'] = crossed.length === 0 ? 'none' : crossed.join(',');
  if (served !== null) {
    headers['x-breakwater-target'] = headerText(served.name);
    const hop = hopBetween(exchange.preferred, served);
    if (hop !== null) headers['x-breakwater-hop'] = hop;
  }
  const reason = fallbackReason(exchange, served);
  if (reason !== null) headers['x-breakwater-fallback'] = reason;
  const [incident] = incidentsOf(exchange);
  if (incident !== undefined) headers['x-breakwater-incident'] = incident;
  if (exchange.warnings.length > 0)
    headers['x-breakwater-warnings'] = headerText(exchange.warnings.join(', '));
}

const passedOnHeader =
  /^(?:anthropic-ratelimit-|x-ratelimit-|openai-processing-ms$|openai-version$|anthropic-fast-|retry-after)/;

/** A provider's own headers that a caller of the same dialect may use. */
export function passOnHeaders(headers: ReplyHeaders, upstream: Headers): void {
  upstream.forEach((value, name) => {
    if (passedOnHeader.test(name)) headers[name] = value;
  });
}

/** The wire form of the `breakwater` object of an error. */
function breakwaterObject(reply: ErrorReply, id: RequestId): JsonObject {
  return {
    code: reply.code,
    request_id: id,
    incident: reply.incident ?? null,
    retry_after_ms: reply.retryAfterMs ?? null,
    failures: (reply.failures ?? []).map(({ target, failure }) => ({ target, failure })),
    excluded: (reply.excluded ?? [])
      .filter(({ eligible }) => !eligible)
      .map(({ target, reason, rule }) => ({ target, reason, rule })),
    ...(reply.offers === undefined ? {} : { offers: reply.offers }),
    ...(reply.consent === undefined ? {} : { consent: reply.consent }),
  };
}

export function callerError(reply: ErrorReply, id: RequestId): CallerError {
  return {
    code: reply.code,
    status: reply.status ?? errorCodes[reply.code].status,
    message: reply.message,
    param: reply.param ?? null,
    provider: reply.provider ?? null,
    requestId: id,
    breakwater: breakwaterObject(reply, id),
  };
}

/** What is told where no provider was called. */
export const nobodyAsked: ReplyHeaders = { 'x-breakwater-attempts': '0', 'x-breakwater-boundary': 'none' };

/** The whole error answer. */
export function errorResponse(
  codec: DialectCodec,
  reply: ErrorReply,
  id: RequestId,
  headers: ReplyHeaders,
): Response {
  const error = callerError(reply, id);
  for (const [name, value] of Object.entries(nobodyAsked)) headers[name] ??= value;
  headers['content-type'] = 'application/json';
  headers['x-should-retry'] = String(reply.retryHelps ?? errorCodes[reply.code].retryHelps);
  const { retryAfterMs } = reply;
  if (retryAfterMs !== undefined && retryAfterMs !== null)
    headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  return new Response(JSON.stringify(codec.errorBody(error)), { status: error.status, headers });
}

/** An answer that must have a record waits for it; one that has none in the end is not given. */
export function whenKept(
  kept: Promise<boolean> | null,
  response: Response,
  {
    exchange,
    headers,
  }: { readonly exchange: Pick<Exchange, 'codec' | 'id'>; readonly headers: ReplyHeaders },
): Response | Promise<Response> {
  if (kept === null) return response;
  return kept.then((isKept) =>
    isKept ? response : errorResponse(exchange.codec, unrecordable, exchange.id, headers),
  );
}

/** How long until a moment, for `retry_after_ms`. */
export function untilMs(at: Instant | null, now: Instant): number | null {
  return at === null ? null : Math.max(0, at - now);
}
