/** Claude on Amazon Bedrock: InvokeModel, signed, with its answers unwrapped from AWS's event-stream framing. */
import { providerCode } from '../core/failure.ts';
import type { Failure, FailureClass } from '../core/failure.ts';
import type { ErrorWords } from '../dialects/dialect.ts';
import { objectOf, textOf } from '../dialects/json-value.ts';
import { authenticated } from './aws.ts';
import { callHeaders } from './call-headers.ts';
import { classify } from './classify.ts';
import { unframedEvents } from './event-stream.ts';
import { hostBetas, hostBody } from './host-body.ts';
import type { Evidence, ProviderAdapter } from './provider.ts';

const version = 'bedrock-2023-05-31';

/** Exceptions by name, written as in a header; in a stream they begin with a small letter. */
const byException: Readonly<Record<string, FailureClass>> = {
  accessdeniedexception: 'credential_rejected',
  unrecognizedclientexception: 'credential_rejected',
  invalidsignatureexception: 'credential_rejected',
  incompletesignatureexception: 'credential_rejected',
  missingauthenticationtokenexception: 'credential_rejected',
  missingauthenticationtoken: 'credential_rejected',
  expiredtokenexception: 'credential_rejected',
  ftuformnotfilled: 'credential_rejected',
  servicequotaexceededexception: 'quota_exhausted',
  throttlingexception: 'rate_limited',
  toomanyrequestsexception: 'rate_limited',
  modelnotreadyexception: 'overloaded',
  serviceunavailableexception: 'overloaded',
  serviceunavailable: 'overloaded',
  internalserverexception: 'server_error',
  internalfailure: 'server_error',
  modeltimeoutexception: 'server_error',
  modelerrorexception: 'server_error',
  modelstreamerrorexception: 'stream_error_event',
  resourcenotfoundexception: 'model_not_found',
};

/** What only the sentence of a ValidationException tells. */
const byMessage: readonly (readonly [RegExp, FailureClass])[] = [
  [/model identifier is invalid|on-demand throughput isn.t supported/i, 'model_not_found'],
  [/input is too long|prompt is too long|exceeds? the maximum .*tokens/i, 'context_exceeded'],
  [/blocked by (?:content filtering|.*guardrail)/i, 'content_refused'],
];

function exceptionIn(body: unknown, headers: Headers): string | null {
  const named = headers.get('x-amzn-errortype') ?? textOf(objectOf(body)?.['__type']);
  // `ThrottlingException:http://internal.amazon.com/…` and `com.amazonaws…#ThrottlingException` mean the same.
  return named === null ? null : (named.split(':')[0]?.split('#').at(-1) ?? null);
}

function readError(body: unknown, headers: Headers): ErrorWords | null {
  const said = objectOf(body);
  const type = exceptionIn(body, headers);
  const message = textOf(said?.['message']) ?? textOf(said?.['Message']);
  if (type === null && message === null) return null;
  return { type, code: null, message: message ?? type ?? '' };
}

function classOf({ words, status }: Evidence): FailureClass | null {
  if (words === null) return null;
  const name = words.type?.toLowerCase() ?? '';
  const known = Object.hasOwn(byException, name) ? (byException[name] ?? null) : null;
  if (known !== null) return status === 200 && known === 'server_error' ? 'stream_error_event' : known;
  if (name !== 'validationexception' && name !== '') return null;
  return (
    byMessage.find(([pattern]) => pattern.test(words.message))?.[1] ??
    (name === 'validationexception' ? 'request_rejected' : null)
  );
}

/** Total: what Bedrock has no word for is judged like everyone's. */
function classifyBedrock(evidence: Evidence, now: number): Failure {
  const failure = classify(evidence, now);
  const found = classOf(evidence);
  return found === null
    ? failure
    : { ...failure, class: found, code: providerCode(evidence.words?.type ?? null) };
}

export const bedrock: ProviderAdapter = {
  offers: (operation) => operation === 'answer',
  prepare({ target, stream, secret, callerHeaders, traceparent, body }) {
    const { cloud, baseUrl } = target.provider;
    const headers = callHeaders(null, traceparent);
    headers.set('accept', stream ? 'application/vnd.amazon.eventstream' : 'application/json');
    const path = stream ? 'invoke-with-response-stream' : 'invoke';
    const call = {
      url: `${baseUrl}/model/${encodeURIComponent(target.upstream)}/${path}`,
      headers,
      body: hostBody(body, {
        version,
        betas: hostBetas(callerHeaders?.get('anthropic-beta') ?? null),
        drop: ['model', 'stream'],
      }),
    };
    if (secret === null || cloud === null) return call;
    return authenticated(call, secret, cloud);
  },
  readError,
  classify: classifyBedrock,
  unframed: (headers, body) =>
    headers.get('content-type')?.includes('application/vnd.amazon.eventstream') === true
      ? unframedEvents(body)
      : null,
  requestId: (headers) => headers.get('x-amzn-requestid'),
};
