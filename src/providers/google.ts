/** Google's Gemini API. The model and whether to stream are in the address. */
import type { Failure } from '../core/failure.ts';
import type { Operation } from '../core/record.ts';
import { callHeaders } from './call-headers.ts';
import { withCallerQuery } from './call-query.ts';
import { classify } from './classify.ts';
import type { Evidence, ProviderAdapter } from './provider.ts';
import { goDurationMs } from './retry-after.ts';

function methodOf(operation: Operation, stream: boolean): string {
  if (operation === 'count_tokens') return 'countTokens';
  return stream ? 'streamGenerateContent?alt=sse' : 'generateContent';
}

/** The wait that Google puts into the body of an error rather than into a header. */
export function retryDelayMs(bodyStart: string): number | null {
  const delay = /"retryDelay"\s*:\s*"([^"]{1,32})"/.exec(bodyStart)?.[1];
  return delay === undefined ? null : goDurationMs(delay);
}

/** A key that is not known is said to be an invalid argument. */
function isRejectedKey({ words }: Evidence): boolean {
  return words?.code === 'API_KEY_INVALID' || /api key (?:not valid|expired)/i.test(words?.message ?? '');
}

/** A quota of the day, with no wait named, is used up; one of the minute is a rate. */
function isQuotaUsedUp({ status, bodyStart }: Evidence): boolean {
  return status === 429 && /"quotaId"\s*:\s*"[^"]*PerDay/.test(bodyStart);
}

function classifyGoogle(evidence: Evidence, now: number): Failure {
  const failure = classify(evidence, now);
  const retryAfterMs = failure.retryAfterMs ?? retryDelayMs(evidence.bodyStart);
  if (isRejectedKey(evidence)) return { ...failure, class: 'credential_rejected', retryAfterMs };
  if (isQuotaUsedUp(evidence)) return { ...failure, class: 'quota_exhausted', retryAfterMs };
  return { ...failure, retryAfterMs };
}

export const google: ProviderAdapter = {
  offers: (operation) => operation !== 'embeddings',
  prepare({ target, operation, stream, secret, callerHeaders, callerQuery, traceparent, body }) {
    const headers = callHeaders(callerHeaders, traceparent);
    if (secret !== null) headers.set('x-goog-api-key', secret.reveal());
    const base = target.provider.baseUrl.replace(/\/v1beta$/, '');
    const model = encodeURIComponent(target.upstream.replace(/^models\//, ''));
    const url = `${base}/v1beta/models/${model}:${methodOf(operation, stream)}`;
    return { url: withCallerQuery(url, callerQuery), headers, body };
  },
  classify: classifyGoogle,
  requestId: (headers) => headers.get('x-goog-request-id'),
};
