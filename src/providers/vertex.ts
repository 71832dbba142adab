/** Models on Google Vertex AI: each publisher's own format, with the model in the address and a Google token. */
import { failureOf, providerCode } from '../core/failure.ts';
import type { Failure, FailureClass } from '../core/failure.ts';
import type { Target } from '../core/target.ts';
import type { ErrorWords } from '../dialects/dialect.ts';
import { numberOf, objectOf, objectsOf, textOf } from '../dialects/json-value.ts';
import { callHeaders } from './call-headers.ts';
import { withCallerQuery } from './call-query.ts';
import { classify } from './classify.ts';
import { googleToken } from './google-auth.ts';
import { hostBetas, hostBody } from './host-body.ts';
import type { Evidence, HttpCall, Preparation, ProviderAdapter } from './provider.ts';

const version = 'vertex-2023-10-16';

const byRpcStatus: Readonly<Record<string, FailureClass>> = {
  UNAUTHENTICATED: 'credential_rejected',
  PERMISSION_DENIED: 'credential_rejected',
  NOT_FOUND: 'model_not_found',
  RESOURCE_EXHAUSTED: 'rate_limited',
  FAILED_PRECONDITION: 'request_rejected',
  INVALID_ARGUMENT: 'request_rejected',
  OUT_OF_RANGE: 'request_rejected',
  INTERNAL: 'server_error',
  UNKNOWN: 'server_error',
  ABORTED: 'server_error',
  DEADLINE_EXCEEDED: 'server_error',
  UNAVAILABLE: 'overloaded',
};

/** Google's form of an error, alone or as the only item of a list; the models' own form is the dialect's. */
function readError(body: unknown): ErrorWords | null {
  const error = objectOf(objectOf(Array.isArray(body) ? body[0] : body)?.['error']);
  const status = textOf(error?.['status']);
  if (error === null || (status === null && numberOf(error['code']) === null)) return null;
  const reason = objectsOf(error['details'])
    .map((detail) => textOf(detail['reason']))
    .find((each) => each !== null);
  return { type: status, code: reason ?? null, message: textOf(error['message']) ?? status ?? '' };
}

function classOf({ words, status }: Evidence, otherwise: FailureClass): FailureClass {
  // Inside an answer, an internal error is an error event like any other.
  if (status === 200 && otherwise === 'stream_error_event') return otherwise;
  const word = words?.type ?? '';
  const known = Object.hasOwn(byRpcStatus, word) ? byRpcStatus[word] : undefined;
  if (known === undefined || otherwise === 'context_exceeded' || otherwise === 'quota_exhausted')
    return otherwise;
  // "Resource exhausted" without a quota's name is the shared capacity, not our limit.
  if (known === 'rate_limited' && !/quota/i.test(words?.message ?? '')) return 'overloaded';
  return known;
}

function classifyVertex(evidence: Evidence, now: number): Failure {
  const failure = classify(evidence, now);
  return {
    ...failure,
    class: classOf(evidence, failure.class),
    code: providerCode(evidence.words?.type ?? null) ?? failure.code,
  };
}

/** Where a publisher's model is asked. */
function addressOf(target: Target, publisher: 'anthropic' | 'google', method: string): string {
  const { baseUrl, cloud } = target.provider;
  const place = `projects/${cloud?.project ?? ''}/locations/${cloud?.region ?? ''}`;
  const model = encodeURIComponent(target.upstream).replaceAll('%40', '@');
  return `${baseUrl}/v1/${place}/publishers/${publisher}/models/${model}:${method}`;
}

function geminiCall({
  target,
  stream,
  callerHeaders,
  callerQuery,
  traceparent,
  body,
}: Preparation): HttpCall {
  const method = stream ? 'streamGenerateContent?alt=sse' : 'generateContent';
  return {
    url: withCallerQuery(addressOf(target, 'google', method), callerQuery),
    headers: callHeaders(callerHeaders, traceparent),
    body,
  };
}

function claudeCall({ target, stream, callerHeaders, traceparent, body }: Preparation): HttpCall {
  const betas = hostBetas(callerHeaders?.get('anthropic-beta') ?? null);
  const headers = callHeaders(null, traceparent);
  if (betas.length > 0) headers.set('anthropic-beta', betas.join(','));
  return {
    url: addressOf(target, 'anthropic', stream ? 'streamRawPredict' : 'rawPredict'),
    headers,
    body: hostBody(body, { version, betas: [], drop: ['model'] }),
  };
}

export const vertex: ProviderAdapter = {
  offers: (operation) => operation === 'answer',
  prepare(preparation) {
    const { secret } = preparation;
    const { cloud } = preparation.target.provider;
    const call = preparation.dialect === 'gemini' ? geminiCall(preparation) : claudeCall(preparation);
    if (secret === null || cloud === null) return call;
    const withToken = (token: string): HttpCall => {
      call.headers.set('authorization', `Bearer ${token}`);
      return call;
    };
    const token = googleToken(secret, cloud);
    return typeof token === 'string'
      ? withToken(token)
      : token.then(withToken).catch(() => failureOf('credential_rejected', 'credential_source'));
  },
  readError,
  classify: classifyVertex,
  requestId: (headers) => headers.get('request-id') ?? headers.get('x-goog-request-id'),
};
