/**
 * What can go wrong with one attempt, as one closed table.
 *
 * Each class answers five questions once, here: whose fault it is, against whose health it counts, whether the same
 * target may be asked again, whether another target may be asked, and what status the caller sees when nothing is
 * left. Docs, metrics and tests are generated from this table, so adding a class is one row; the compiler then names
 * every place that must answer for it.
 *
 * It refuses to look at status codes or messages: providers' adapters turn those into a class, and keep the
 * provider's own word beside it (`Failure.code`), because codes lie in outages and messages may quote the prompt.
 */
export type Fault = 'caller' | 'credential' | 'model' | 'provider' | 'network' | 'gateway';
/** Whose health the failure is evidence against. */
export type CountsAgainst = 'none' | 'key' | 'target' | 'provider';
/**
 * `no`: never in this request. `once`: one quick retry. `hint`: only after the provider's own Retry-After, when it
 * is short. `other_key`: at once, with another key of the same provider.
 */
export type RetrySame = 'no' | 'once' | 'hint' | 'other_key';
/** `larger_window`: only a target with a larger context window. */
export type MoveOn = 'yes' | 'no' | 'larger_window';

type Row = {
  readonly fault: Fault;
  readonly counts: CountsAgainst;
  readonly retrySame: RetrySame;
  readonly moveOn: MoveOn;
  readonly status: 400 | 404 | 499 | 502 | 504;
  /** What happened, for a person: completes the sentence "anthropic/claude-opus-4-8 …". */
  readonly words: string;
};

// oxfmt-ignore
export const failures = {
  connect_failed:            { fault: 'network',    counts: 'provider', retrySame: 'no',        moveOn: 'yes',           status: 502, words: 'could not be reached' },
  dns_failed:                { fault: 'network',    counts: 'provider', retrySame: 'no',        moveOn: 'yes',           status: 502, words: 'has an address that could not be looked up' },
  tls_failed:                { fault: 'network',    counts: 'provider', retrySame: 'no',        moveOn: 'yes',           status: 502, words: 'could not prove its identity (TLS)' },
  connection_reset:          { fault: 'network',    counts: 'target',   retrySame: 'once',      moveOn: 'yes',           status: 502, words: 'dropped the connection' },
  headers_timeout:           { fault: 'provider',   counts: 'target',   retrySame: 'no',        moveOn: 'yes',           status: 504, words: 'did not begin to answer in time' },
  first_token_timeout:       { fault: 'model',      counts: 'target',   retrySame: 'no',        moveOn: 'yes',           status: 504, words: 'sent no content in time' },
  stream_stalled:            { fault: 'model',      counts: 'target',   retrySame: 'no',        moveOn: 'yes',           status: 504, words: 'stopped in the middle of its answer' },
  stream_truncated:          { fault: 'model',      counts: 'target',   retrySame: 'no',        moveOn: 'yes',           status: 502, words: 'ended its answer before it was complete' },
  stream_error_event:        { fault: 'model',      counts: 'target',   retrySame: 'no',        moveOn: 'yes',           status: 502, words: 'reported an error while answering' },
  malformed_response:        { fault: 'provider',   counts: 'target',   retrySame: 'no',        moveOn: 'yes',           status: 502, words: 'sent an answer that cannot be read' },
  empty_completion:          { fault: 'model',      counts: 'target',   retrySame: 'no',        moveOn: 'yes',           status: 502, words: 'sent an empty answer' },
  rate_limited:              { fault: 'credential', counts: 'key',      retrySame: 'hint',      moveOn: 'yes',           status: 502, words: 'refused because our rate limit there is used up' },
  quota_exhausted:           { fault: 'credential', counts: 'key',      retrySame: 'other_key', moveOn: 'yes',           status: 502, words: 'refused because our credit or quota there is used up' },
  credential_rejected:       { fault: 'credential', counts: 'key',      retrySame: 'other_key', moveOn: 'yes',           status: 502, words: 'rejected our credential' },
  overloaded:                { fault: 'model',      counts: 'target',   retrySame: 'hint',      moveOn: 'yes',           status: 502, words: 'said it is overloaded' },
  server_error:              { fault: 'provider',   counts: 'target',   retrySame: 'once',      moveOn: 'yes',           status: 502, words: 'failed with an internal error' },
  model_not_found:           { fault: 'model',      counts: 'none',     retrySame: 'no',        moveOn: 'yes',           status: 404, words: 'does not know this model' },
  request_rejected:          { fault: 'caller',     counts: 'none',     retrySame: 'no',        moveOn: 'no',            status: 400, words: 'rejected the request as invalid' },
  context_exceeded:          { fault: 'caller',     counts: 'none',     retrySame: 'no',        moveOn: 'larger_window', status: 400, words: 'said the request is too long for the model' },
  content_refused:           { fault: 'caller',     counts: 'none',     retrySame: 'no',        moveOn: 'no',            status: 400, words: 'declined to answer for content reasons' },
  tool_call_invalid:         { fault: 'model',      counts: 'none',     retrySame: 'once',      moveOn: 'yes',           status: 502, words: 'sent a tool call that cannot be read or does not fit its schema' },
  structured_output_invalid: { fault: 'model',      counts: 'none',     retrySame: 'once',      moveOn: 'yes',           status: 502, words: 'sent structured output that cannot be read or does not fit its schema' },
  cancelled_by_caller:       { fault: 'caller',     counts: 'none',     retrySame: 'no',        moveOn: 'no',            status: 499, words: 'was still answering when the caller left' },
  deadline_exceeded:         { fault: 'caller',     counts: 'none',     retrySame: 'no',        moveOn: 'no',            status: 504, words: 'was still answering when the time for the request ran out' },
  unclassified:              { fault: 'provider',   counts: 'target',   retrySame: 'no',        moveOn: 'yes',           status: 502, words: 'failed in a way not seen before' },
} as const satisfies Record<string, Row>;

export type FailureClass = keyof typeof failures;

export const failureClasses = Object.keys(failures) as FailureClass[];

/** The row of a class, widened so that callers can compare fields. */
export function failureRow(failureClass: FailureClass): Row {
  return failures[failureClass];
}

/** The longest provider code kept beside our class. */
export const providerCodeLengthMax = 64;

export type Failure = {
  readonly class: FailureClass;
  /** The provider's HTTP status, when it answered at all. */
  readonly status: number | null;
  /** How long the provider asked us to wait, already capped; null when it did not say. */
  readonly retryAfterMs: number | null;
  /** The provider's own error code or type, ≤ 64 characters of `[A-Za-z0-9._-]`; never its message. */
  readonly code: string | null;
};

/** A failure that no HTTP answer came with. */
export function failureOf(failureClass: FailureClass, code: string | null = null): Failure {
  return { class: failureClass, status: null, retryAfterMs: null, code };
}

const capped = (word: string, unsafe: RegExp, lengthMax: number): string | null =>
  word.replaceAll(unsafe, '_').slice(0, lengthMax) || null;

/** Keeps a provider's word safe for records and metrics: short, and of harmless characters. */
export function providerCode(word: unknown): string | null {
  if (typeof word !== 'string' && typeof word !== 'number') return null;
  return capped(String(word), /[^A-Za-z0-9._-]/g, providerCodeLengthMax);
}

const providerRequestIdLengthMax = 128;

/** A provider's id of a request, by which it is asked about later: as it is, but not without end. */
export const providerRequestId = (word: string | null): string | null =>
  word === null ? null : capped(word, /[^A-Za-z0-9._:/;=+-]/g, providerRequestIdLengthMax);
