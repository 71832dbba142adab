/** A whole answer: nothing is handed on until it is complete and readable. */
import { failureOf } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { AnswerFacts, ErrorWords, JsonObject } from '../dialects/dialect.ts';
import { exactly } from '../dialects/exact-json.ts';
import { parseJson } from '../dialects/json-value.ts';
import type { BodyReader } from '../providers/provider.ts';
import { isEmptyFailure, brokenForm } from './answer-source.ts';
import type { AnswerSource, Piece, SourceOptions } from './answer-source.ts';
import { networkFailure } from './upstream.ts';
import type { UpstreamBody } from './upstream.ts';

const encoder = new TextEncoder();

const tooLarge = (): Failure => failureOf('malformed_response', 'answer_too_large');

const cutShort = (error: unknown): Failure =>
  failureOf('stream_truncated', networkFailure(error).failure.code);

function readAll(body: BodyReader | UpstreamBody, bytesMax: number): Promise<Uint8Array | Failure> {
  if (!('whole' in body) || body.announced === null) return readPieces(body, bytesMax);
  if (body.announced > bytesMax) return Promise.resolve(tooLarge());
  return body.whole().then(undefined, cutShort);
}

async function readPieces(body: BodyReader, bytesMax: number): Promise<Uint8Array | Failure> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await body.read();
      if (done) return Buffer.concat(chunks);
      size += value.length;
      if (size > bytesMax) return tooLarge();
      chunks.push(value);
    }
  } catch (error) {
    const { failure } = networkFailure(error);
    return size === 0 ? failure : failureOf('stream_truncated', failure.code);
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function textIn(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

function failed(failure: Failure, words: ErrorWords | null = null): Piece {
  return { kind: 'failed', failure, words };
}

class WholeSource implements AnswerSource {
  readonly #options: SourceOptions;
  readonly #streamWanted: boolean;
  #facts: AnswerFacts | null = null;

  constructor(options: SourceOptions, streamWanted: boolean) {
    this.#options = options;
    this.#streamWanted = streamWanted;
  }

  next(): Promise<Piece> {
    const { body, limits } = this.#options;
    return readAll(body, limits.answerBytesMax).then((bytes) =>
      bytes instanceof Uint8Array ? this.#read(bytes) : failed(bytes),
    );
  }

  #read(bytes: Uint8Array): Piece {
    const { target, request, classify } = this.#options;
    const text = textIn(bytes);
    const body = text === null ? undefined : parseJson(text);
    if (text === null || body === undefined)
      return failed(failureOf(bytes.length === 0 ? 'empty_completion' : 'malformed_response'));
    const facts = target.readAnswer(body, request);
    this.#facts = facts;
    if (facts === null) {
      const words = target.readError(body);
      return words === null ? failed(failureOf('malformed_response')) : failed(classify(words), words);
    }
    if (isEmptyFailure(facts)) return failed(failureOf('empty_completion'));
    if (this.#streamWanted) return failed(failureOf('malformed_response', 'content_type'));
    return {
      kind: 'end',
      bytes: this.#asAsked(bytes, exactly(text, body as JsonObject)),
      soft: brokenForm(facts),
    };
  }

  /** The answer in the caller's dialect: the very bytes that came, where they are that already. */
  #asAsked(bytes: Uint8Array, body: JsonObject): Uint8Array {
    const { target, caller, request, requestBody, now } = this.#options;
    if (target === caller) {
      const adapted = caller.adapt?.(body, requestBody) ?? null;
      return adapted === null ? bytes : encoder.encode(JSON.stringify(adapted));
    }
    const translated = caller.encodeAnswer(target.decodeAnswer(body, request), {
      createdSeconds: Math.floor(now() / 1000),
    });
    return encoder.encode(JSON.stringify(translated));
  }

  facts(): AnswerFacts | null {
    return this.#facts;
  }

  malformedEvents(): number {
    return 0;
  }

  release(): void {
    void this.#options.body.cancel().catch(() => {});
  }
}

/** `streamWanted`: events were asked for, so that a whole body can only be a failure. */
export function wholeSource(
  options: SourceOptions,
  { streamWanted }: { readonly streamWanted: boolean },
): AnswerSource {
  return new WholeSource(options, streamWanted);
}
