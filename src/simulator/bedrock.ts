/** A simulated Amazon Bedrock: Claude behind InvokeModel, signatures checked, answers in event-stream frames. */
import { crc32 } from 'node:zlib';

import { anthropicSpeech } from './anthropic.ts';
import type { Preset } from './faults.ts';
import { converseSpeech } from './converse.ts';
import { changedBody, withHeaders } from './host.ts';
import type { Host } from './host.ts';
import { checkSignature } from './sigv4.ts';
import { isObject, textOf } from './speech.ts';
import type { ReadRequest, Refusal, Speech } from './speech.ts';
import type { WireReply } from './wire-server.ts';

function bedrockError(status: number, exception: string, message: string): Refusal {
  return {
    status,
    body: { message },
    headers: { 'x-amzn-errortype': `${exception}:http://internal.amazon.com/coral/com.amazon.bedrock/` },
  };
}

const validation = (message: string): Refusal => bedrockError(400, 'ValidationException', message);

function bedrockPreset(preset: Preset, _model: string): Refusal {
  switch (preset) {
    case 'overloaded':
      return bedrockError(503, 'ServiceUnavailableException', 'Bedrock is unable to process your request.');
    case 'server_error':
      return bedrockError(
        500,
        'InternalServerException',
        'The system encountered an unexpected error during processing. Try your request again.',
      );
    case 'rate_limited':
      return bedrockError(429, 'ThrottlingException', 'Too many requests, please wait before trying again.');
    case 'quota_exhausted':
      return bedrockError(400, 'ServiceQuotaExceededException', 'Your request exceeds the service quota.');
    case 'credential_rejected':
      return bedrockError(
        403,
        'UnrecognizedClientException',
        'The security token included in the request is invalid.',
      );
    case 'model_not_found':
      return validation('The provided model identifier is invalid.');
    case 'context_exceeded':
      return validation('Input is too long for requested model.');
    case 'request_rejected':
      return validation('Malformed input request: #: subject must not be valid, please reformat your input.');
    case 'content_refused':
      return validation('Output blocked by content filtering policy');
    case 'edge_page':
      return {
        status: 502,
        body: '<html><body><h1>502 Bad Gateway</h1></body></html>',
        headers: { 'content-type': 'text/html' },
      };
  }
}

/** What Claude says of a request, in Bedrock's words. */
function readInBedrock(read: ReadRequest): ReadRequest {
  if (read.kind === 'asked') return read;
  const { status, body } = read.refusal;
  if (status === 404)
    return { kind: 'refused', refusal: validation('The provided model identifier is invalid.') };
  const error = isObject(body) && isObject(body['error']) ? body['error'] : {};
  return { kind: 'refused', refusal: validation(textOf(error['message'])) };
}

const bedrockSpeech: Speech = {
  ...anthropicSpeech,
  sidePath: null,
  read: (body, headers, models) => readInBedrock(anthropicSpeech.read(body, headers, models)),
  refuse: bedrockPreset,
  notFound: () => bedrockError(404, 'UnknownOperationException', 'Unknown operation'),
  unreadable: () => validation('Malformed input request, please reformat your input and try again.'),
  stamped: (body) => body,
  headers: (requestId) => ({ 'x-amzn-requestid': requestId }),
};

const converseInBedrock: Speech = {
  ...bedrockSpeech,
  answerPath: converseSpeech.answerPath,
  whole: (answer, model, form) => converseSpeech.whole(answer, model, form),
  events: (answer, model, form) => converseSpeech.events(answer, model, form),
  read: (body, headers, models) => readInBedrock(converseSpeech.read(body, headers, models)),
};

/** The exception that stands for an error event of the model's own format. */
const exceptions: Readonly<Record<string, string>> = {
  overloaded_error: 'serviceUnavailableException',
  rate_limit_error: 'throttlingException',
  timeout_error: 'modelTimeoutException',
  api_error: 'internalServerException',
};

/** One frame, put together by hand, so that the gateway's library is checked against something else than itself. */
function frame(headers: Readonly<Record<string, string>>, payload: string): Uint8Array {
  const stringType = 7;
  const heads = Object.entries(headers).map(([name, value]) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(Buffer.byteLength(value));
    return Buffer.concat([
      Buffer.from([Buffer.byteLength(name)]),
      Buffer.from(name),
      Buffer.from([stringType]),
      length,
      Buffer.from(value),
    ]);
  });
  const head = Buffer.concat(heads);
  const body = Buffer.from(payload);
  const bytes = Buffer.alloc(12 + head.length + body.length + 4);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(head.length, 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
  head.copy(bytes, 12);
  body.copy(bytes, 12 + head.length);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, bytes.length - 4)), bytes.length - 4);
  return bytes;
}

/** An event of Converse's own, named by its frame. */
function eventFrame(type: string, data: string): Uint8Array {
  return frame({ ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' }, data);
}

function chunkFrame(data: string): Uint8Array {
  return frame(
    { ':event-type': 'chunk', ':content-type': 'application/json', ':message-type': 'event' },
    JSON.stringify({ bytes: Buffer.from(data).toString('base64'), p: 'abcdefghijk' }),
  );
}

function exceptionFrame(type: string, message: string): Uint8Array {
  return frame(
    { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' },
    JSON.stringify({ message }),
  );
}

function frameOf(block: string): Uint8Array {
  const data = /^data: (.*)$/m.exec(block)?.[1] ?? '';
  const converse = /^event: converse:(\w+)$/m.exec(block)?.[1];
  if (converse !== undefined) return eventFrame(converse, data);
  if (!/^event: error$/m.test(block)) return chunkFrame(data);
  const said = JSON.parse(data) as { readonly error: { readonly type: string; readonly message: string } };
  return exceptionFrame(exceptions[said.error.type] ?? 'modelStreamErrorException', said.error.message);
}

/** Takes event text and writes frames. What breaks the text in the middle of an event breaks the frame in its middle. */
function framed(reply: WireReply): WireReply {
  let held = '';
  let isStream = false;
  const decoder = new TextDecoder();
  const half = (): Promise<void> => {
    const whole = held === '' || !isStream ? new Uint8Array(0) : chunkFrame(held);
    return reply.write(whole.subarray(0, Math.floor(whole.length / 2)));
  };
  return {
    gone: () => reply.gone(),
    onGone: (callback) => reply.onGone(callback),
    head(status, headers) {
      isStream = headers['content-type']?.includes('text/event-stream') === true;
      reply.head(
        status,
        isStream ? { ...headers, 'content-type': 'application/vnd.amazon.eventstream' } : headers,
      );
    },
    async write(bytes) {
      if (!isStream) return reply.write(bytes);
      held += decoder.decode(bytes, { stream: true });
      for (let end = held.indexOf('\n\n'); end >= 0; end = held.indexOf('\n\n')) {
        const bytesOut = frameOf(held.slice(0, end));
        held = held.slice(end + 2);
        // Text that came in single bytes leaves in single bytes.
        const step = bytes.length === 1 ? 1 : bytesOut.length;
        for (let at = 0; at < bytesOut.length; at += step)
          await reply.write(bytesOut.subarray(at, at + step));
      }
    },
    end() {
      if (isStream && held !== '') void reply.write(new TextEncoder().encode(held));
      reply.end();
    },
    reset() {
      void half();
      reply.reset();
    },
    fin() {
      void half();
      reply.fin();
    },
  };
}

const invokePath = /^\/model\/([^/]+)\/invoke(-with-response-stream)?$/;
const conversePath = /^\/model\/([^/]+)\/converse(-stream)?$/;
/** Features of Anthropic's own API. */
const betasRefused = /"(?:oauth|claude-code|prompt-caching-scope|files-api|mcp-client|skills|fast-mode)-/;
const bodyKeysRefused = ['model', 'stream', 'service_tier', 'container', 'mcp_servers'] as const;

export const bedrockHost: Host = {
  speeches: [bedrockSpeech, converseInBedrock],
  enter(request, reply, keys) {
    const conversing = conversePath.exec(request.path);
    const match = invokePath.exec(request.path) ?? conversing;
    if (request.method !== 'POST' || match === null)
      return bedrockSpeech.notFound(request.method, request.path);
    const bearer = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1] ?? null;
    const signature =
      bearer === null
        ? checkSignature(request, keys, Date.now())
        : ({ kind: 'signed', key: bearer, token: null } as const);
    if (signature.kind === 'refused') return bedrockError(403, signature.exception, signature.words);
    let extra: string | null = null;
    let isBetaInvalid = false;
    const body = changedBody(request, (given) => {
      if (conversing !== null)
        return { ...given, model: decodeURIComponent(match[1] ?? ''), stream: match[2] !== undefined };
      extra = bodyKeysRefused.find((key) => key in given) ?? null;
      if (given['anthropic_version'] !== 'bedrock-2023-05-31') extra = 'anthropic_version';
      const { anthropic_version: _version, anthropic_beta: betas, ...rest } = given;
      if (JSON.stringify(betas ?? '').match(betasRefused) !== null) isBetaInvalid = true;
      return { ...rest, model: decodeURIComponent(match[1] ?? ''), stream: match[2] !== undefined };
    });
    if (extra !== null) return validation(`Malformed input request: #: extraneous key [${extra as string}]`);
    if (isBetaInvalid) return validation('invalid beta flag');
    return {
      request: {
        ...request,
        path: conversing === null ? '/v1/messages' : converseSpeech.answerPath,
        headers: withHeaders(request.headers, {
          'anthropic-version': '2023-06-01',
          'x-api-key': signature.key,
        }),
        body: body ?? request.body,
      },
      reply: framed(reply),
    };
  },
};
