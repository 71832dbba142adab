/**
 * Models on Amazon Bedrock, signed: Claude by InvokeModel, every other by Converse, with their answers unwrapped from
 * AWS's event-stream framing.
 */
import { providerCode } from '../core/failure.ts';
import type { Failure, FailureClass } from '../core/failure.ts';
import type { ErrorWords } from '../dialects/dialect.ts';
import type { Target } from '../core/target.ts';
import { parseExact } from '../dialects/exact-json.ts';
import { objectOf, textOf } from '../dialects/json-value.ts';
import { authenticated } from './aws.ts';
import { callHeaders } from './call-headers.ts';
import { classify } from './classify.ts';
import { converseRequest, messageOf } from './converse.ts';
import type { Conversed } from './converse.ts';
import { unframedEvents } from './event-stream.ts';
import { hostBetas, hostBody } from './host-body.ts';
import type { BodyReader, Evidence, Preparation, ProviderAdapter } from './provider.ts';

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

/** Most of a whole Converse answer that is taken apart. */
const answerBytesMax = 64 * 1024 * 1024;

/** A whole Converse answer, read to its end and given on as a message. */
function unconversed(body: BodyReader, model: string): BodyReader {
  let isRead = false;
  return {
    async read() {
      if (isRead) return { done: true, value: undefined };
      isRead = true;
      const chunks: Uint8Array[] = [];
      let size = 0;
      for (;;) {
        const { done, value } = await body.read();
        if (done || value === undefined) break;
        size += value.length;
        chunks.push(value);
        if (size > answerBytesMax) break;
      }
      const bytes = Buffer.concat(chunks);
      const message = messageOf(parseExact(bytes.toString('utf8')), model);
      return { done: false, value: message === null ? bytes : Buffer.from(JSON.stringify(message)) };
    },
    cancel: () => body.cancel(),
  };
}

type Invocation = { readonly path: string; readonly body: string };

function claudeInvocation({ stream, callerHeaders, body }: Preparation): Invocation {
  return {
    path: stream ? 'invoke-with-response-stream' : 'invoke',
    body: hostBody(body, {
      version,
      betas: hostBetas(callerHeaders?.get('anthropic-beta') ?? null),
      drop: ['model', 'stream'],
    }),
  };
}

const conversed = (body: string): Conversed => converseRequest(objectOf(parseExact(body)) ?? {});

function converseInvocation({ stream, body }: Preparation): Invocation {
  const asked = conversed(typeof body === 'string' ? body : new TextDecoder().decode(body));
  if (asked.kind === 'unsayable') throw new Error(`${asked.what} was to be found before a call is made`);
  return { path: stream ? 'converse-stream' : 'converse', body: JSON.stringify(asked.body) };
}

const isClaude = (target: Target): boolean => target.model.vendor === 'anthropic';

export const bedrock: ProviderAdapter = {
  offers: (operation) => operation === 'answer',
  lacks(target, body) {
    if (isClaude(target)) return null;
    const asked = conversed(body);
    return asked.kind === 'unsayable' ? asked.what : null;
  },
  prepare(preparation) {
    const { target, stream, secret, traceparent } = preparation;
    const { cloud, baseUrl } = target.provider;
    const headers = callHeaders(null, traceparent);
    headers.set('accept', stream ? 'application/vnd.amazon.eventstream' : 'application/json');
    const invocation = isClaude(target) ? claudeInvocation(preparation) : converseInvocation(preparation);
    const call = {
      url: `${baseUrl}/model/${encodeURIComponent(target.upstream)}/${invocation.path}`,
      headers,
      body: invocation.body,
    };
    if (secret === null || cloud === null) return call;
    return authenticated(call, secret, cloud);
  },
  readError,
  classify: classifyBedrock,
  unframed(headers, body, target) {
    if (headers.get('content-type')?.includes('application/vnd.amazon.eventstream') === true)
      return { body: unframedEvents(body, target.upstream), isStream: true };
    return isClaude(target) ? null : { body: unconversed(body, target.upstream), isStream: false };
  },
  requestId: (headers) => headers.get('x-amzn-requestid'),
};
