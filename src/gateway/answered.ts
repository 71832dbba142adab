/** What a provider answered: a source of pieces where it is an answer, or the failure that it is. */
import { failureOf } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { Instant } from '../core/ids.ts';
import type { Dialect } from '../core/target.ts';
import { codecFor } from '../dialects/registry.ts';
import type { ErrorWords } from '../dialects/dialect.ts';
import type { BodyReader } from '../providers/provider.ts';
import { adapterFor } from '../providers/registry.ts';
import { streamSource } from './answer-source.ts';
import type { AnswerSource, SourceOptions } from './answer-source.ts';
import type { Scene } from './exchange.ts';
import type { Ticket } from './ticket.ts';
import type { Sent } from './upstream.ts';
import { unlabelledSource } from './unlabelled.ts';
import { wholeSource } from './whole-source.ts';

/** What the provider itself said when it refused, to be passed on if the refusal is the caller's to see. */
export type ProviderRefusal = {
  readonly status: number;
  readonly body: unknown;
  readonly words: ErrorWords | null;
};

export type Answered = Extract<Sent, { kind: 'answered' }>;

/** Whom was asked, and in which format. */
export type Addressee = { readonly ticket: Ticket; readonly dialect: Dialect };

/** Most of an error body that is read. */
const errorBodyBytesMax = 65_536;
const bodyStartLength = 2_000;

async function readErrorBody(body: BodyReader | null): Promise<string> {
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    while (size < errorBodyBytesMax) {
      const { done, value } = await body.read();
      if (done) break;
      size += value.length;
      chunks.push(value);
    }
    if (size >= errorBodyBytesMax) await body.cancel();
  } catch {
    // What arrived before the break is enough to classify.
  }
  return Buffer.concat(chunks).subarray(0, errorBodyBytesMax).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads an answer that is none. */
export async function refused(
  { ticket, dialect }: Addressee,
  answered: Answered,
  now: Instant,
): Promise<{ readonly failure: Failure; readonly refusal: ProviderRefusal }> {
  const text = await readErrorBody(answered.body);
  const body = parsed(text);
  const { status, headers } = answered;
  const adapter = adapterFor(ticket.target.provider.api);
  const words =
    adapter.readError?.(body, headers) ?? (body === undefined ? null : codecFor(dialect).readError(body));
  const failure = adapter.classify(
    { status, headers, words, bodyStart: text.slice(0, bodyStartLength) },
    now,
  );
  return { failure, refusal: { status, body, words } };
}

function wantsUsage(exchange: Scene): boolean {
  const { conversation } = exchange;
  return conversation !== null && 'includeUsage' in conversation && conversation.includeUsage;
}

/** Opens an answer for reading; a failure where it cannot be what was asked for. */
export function openSource(
  exchange: Scene,
  { ticket, dialect }: Addressee,
  answered: Answered,
): AnswerSource | Failure {
  const { stream } = exchange.facts;
  const contentType = (answered.headers.get('content-type') ?? '').toLowerCase();
  if (answered.body === null) return failureOf('empty_completion');
  const { target } = ticket;
  const adapter = adapterFor(target.provider.api);
  const unframed = adapter.unframed?.(answered.headers, answered.body, target) ?? null;
  // Who does not say what it sends is taken to send what was asked for.
  const saysStream = contentType === '' ? stream : contentType.includes('text/event-stream');
  const isStream = unframed?.isStream ?? saysStream;
  if (isStream && !stream) return failureOf('malformed_response', 'content_type');
  const options: SourceOptions = {
    body: unframed?.body ?? answered.body,
    target: dialect === exchange.codec.name ? exchange.codec : codecFor(dialect),
    caller: exchange.codec,
    request: exchange.facts,
    requestBody: exchange.body,
    includeUsage: wantsUsage(exchange),
    onEvents: exchange.carrier?.listen(),
    limits: exchange.snapshot.limits,
    classify: (words) =>
      adapter.classify(
        { status: 200, headers: answered.headers, words, bodyStart: '' },
        exchange.clock.now(),
      ),
    now: exchange.clock.now,
  };
  if (isStream) return streamSource(options);
  if (!stream) return wholeSource(options, { streamWanted: false });
  return unlabelledSource(options.body, {
    events: (body) => streamSource({ ...options, body }),
    whole: (body) => wholeSource({ ...options, body }, { streamWanted: true }),
  });
}
