/**
 * From what a provider answered to one of our failure classes. Its own code is believed before its type, its type
 * before the status; a message is read only where nothing else tells, from one short list. What is in no table is
 * judged by the status's family, and what is in no family is `unclassified`, which alarms.
 */
import { providerCode } from '../core/failure.ts';
import type { Failure, FailureClass } from '../core/failure.ts';
import { isWithinLimits } from './rate-limits.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Evidence } from './provider.ts';

/** Words that mean the same wherever they appear: an error's code or its type. */
const byWord: Readonly<Record<string, FailureClass>> = {
  // Anthropic
  authentication_error: 'credential_rejected',
  permission_error: 'credential_rejected',
  billing_error: 'quota_exhausted',
  enforced_spend_limit_reached: 'quota_exhausted',
  rate_limit_error: 'rate_limited',
  overloaded_error: 'overloaded',
  request_too_large: 'request_rejected',
  timeout_error: 'server_error',
  api_error: 'server_error',
  conflict_error: 'server_error',
  // OpenAI and those that speak like it
  invalid_api_key: 'credential_rejected',
  insufficient_quota: 'quota_exhausted',
  credit_balance_exhausted: 'quota_exhausted',
  billing_hard_limit_reached: 'quota_exhausted',
  billing_not_active: 'quota_exhausted',
  organization_spend_limit_exceeded: 'quota_exhausted',
  project_spend_limit_exceeded: 'quota_exhausted',
  organization_usage_limit_exceeded: 'quota_exhausted',
  rate_limit_exceeded: 'rate_limited',
  slow_down: 'overloaded',
  server_is_overloaded: 'overloaded',
  unavailable_error: 'overloaded',
  server_error: 'server_error',
  internal_server_error: 'server_error',
  model_not_found: 'model_not_found',
  context_length_exceeded: 'context_exceeded',
  exceed_context_size_error: 'context_exceeded',
  content_filter: 'content_refused',
  content_policy_violation: 'content_refused',
  invalid_prompt: 'content_refused',
  // Google
  API_KEY_INVALID: 'credential_rejected',
  UNAUTHENTICATED: 'credential_rejected',
  PERMISSION_DENIED: 'credential_rejected',
  FAILED_PRECONDITION: 'credential_rejected',
  RESOURCE_EXHAUSTED: 'rate_limited',
  UNAVAILABLE: 'overloaded',
  INTERNAL: 'server_error',
  DEADLINE_EXCEEDED: 'server_error',
  NOT_FOUND: 'model_not_found',
  BILLING_DISABLED: 'quota_exhausted',
};

/** Last resort: sentences that providers have used for years where no code tells. */
const byMessage: readonly (readonly [RegExp, FailureClass])[] = [
  [
    /prompt is too long|input token count .{0,40}exceeds|maximum context length|context window|exceeds? the (?:available )?context/i,
    'context_exceeded',
  ],
  [/blocked due to (?:PROHIBITED_CONTENT|SAFETY)/, 'content_refused'],
  [/blocked by content filtering policy|your input was flagged/i, 'content_refused'],
  [/reached your specified api usage limits|credit balance is too low/i, 'quota_exhausted'],
];

const byStatus: Readonly<Record<number, FailureClass>> = {
  400: 'request_rejected',
  401: 'credential_rejected',
  402: 'quota_exhausted',
  403: 'credential_rejected',
  404: 'model_not_found',
  408: 'server_error',
  405: 'request_rejected',
  406: 'request_rejected',
  409: 'server_error',
  410: 'model_not_found',
  411: 'request_rejected',
  412: 'request_rejected',
  413: 'request_rejected',
  414: 'request_rejected',
  415: 'request_rejected',
  417: 'request_rejected',
  422: 'request_rejected',
  424: 'server_error',
  425: 'server_error',
  428: 'request_rejected',
  429: 'rate_limited',
  431: 'request_rejected',
  451: 'request_rejected',
  499: 'server_error',
  503: 'overloaded',
  529: 'overloaded',
};

/** Types that say less than the status or a message does. */
const vagueWords: ReadonlySet<string> = new Set([
  'invalid_request_error',
  'INVALID_ARGUMENT',
  'not_found_error',
  'requests',
  'tokens',
]);

function wordClass(word: string | null): FailureClass | null {
  return word === null || vagueWords.has(word) || !Object.hasOwn(byWord, word)
    ? null
    : (byWord[word] ?? null);
}

function messageClass(message: string): FailureClass | null {
  return byMessage.find(([pattern]) => pattern.test(message))?.[1] ?? null;
}

function statusClass(status: number): FailureClass {
  return byStatus[status] ?? (status >= 500 ? 'server_error' : 'unclassified');
}

/** Words for "the request is wrong", which say whose fault an unknown status is. */
function saysCallersFault(words: Evidence['words']): boolean {
  return words !== null && ['invalid_request_error', 'INVALID_ARGUMENT'].includes(words.type ?? '');
}

/** An edge in front of the provider answered, not the provider: an HTML page, or Cloudflare's own statuses. */
function isEdge(evidence: Evidence): boolean {
  return (
    evidence.words === null &&
    evidence.status >= 500 &&
    (/^\s*</.test(evidence.bodyStart) ||
      (evidence.status >= 520 && evidence.status <= 530 && evidence.status !== 529))
  );
}

/** Statuses so vague that the message is read. */
const messageStatuses: ReadonlySet<number> = new Set([400, 403, 413, 422]);

/** Classes that only an error status can mean: inside a 200 the stream's own class says more. */
function insideAnswer(evidence: Evidence): FailureClass {
  const { words } = evidence;
  if (words === null) return 'stream_error_event';
  const found = wordClass(words.code) ?? wordClass(words.type) ?? messageClass(words.message);
  return found === null || found === 'server_error' ? 'stream_error_event' : found;
}

function classOf(evidence: Evidence): FailureClass {
  if (evidence.status === 200) return insideAnswer(evidence);
  if (isEdge(evidence)) return 'server_error';
  const { words } = evidence;
  if (words === null) return statusClass(evidence.status);
  const word = wordClass(words.code) ?? wordClass(words.type);
  // A message decides only where the word is silent or as vague as "invalid request".
  if (word !== null && !(evidence.status < 500 && word === 'server_error')) return word;
  const said = messageStatuses.has(evidence.status) ? messageClass(words.message) : null;
  const judged = said ?? statusClass(evidence.status);
  return judged === 'unclassified' && saysCallersFault(words) ? 'request_rejected' : judged;
}

/** A code that only repeats the status says less than the type beside it. */
function wordOf(words: Evidence['words']): string | null {
  if (words === null) return null;
  return words.code !== null && !/^\d+$/.test(words.code) ? words.code : (words.type ?? words.code);
}

/** Total: any evidence gives a failure. `now` is epoch ms. */
export function classify(evidence: Evidence, now: number): Failure {
  const { words, status } = evidence;
  const said = classOf(evidence);
  // Codes lie in outages: a limit that is nowhere near used up is the provider's trouble, whatever it calls it.
  const failureClass = said === 'rate_limited' && isWithinLimits(evidence.headers) ? 'overloaded' : said;
  const code = isEdge(evidence) ? `edge_${status}` : providerCode(wordOf(words));
  return { class: failureClass, status, retryAfterMs: retryAfterMs(evidence.headers, now), code };
}
