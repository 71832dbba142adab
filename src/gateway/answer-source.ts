/**
 * An answer as it arrives, whole or streamed, same dialect or translated: pieces of bytes for the caller, then an end
 * or a failure. Both kinds go through this one shape, so that failover, relay and health have one path.
 */
import { failureOf } from '../core/failure.ts';
import type { Failure, FailureClass } from '../core/failure.ts';
import type { AnswerEvent } from '../dialects/conversation.ts';
import type {
  AnswerFacts,
  DialectCodec,
  ErrorWords,
  EventMeaning,
  JsonObject,
  RequestFacts,
  StreamReader,
} from '../dialects/dialect.ts';
import { createSseParser } from '../dialects/sse.ts';
import type { SseEvent } from '../dialects/sse.ts';
import type { BodyReader, PieceRead } from '../providers/provider.ts';
import { networkFailure } from './upstream.ts';
import type { UpstreamBody } from './upstream.ts';

export type Piece =
  /** Bytes to hand on. `content`: the answer itself has begun. `progress`: more than a sign of life arrived. */
  | {
      readonly kind: 'data';
      readonly bytes: Uint8Array;
      readonly content: boolean;
      readonly progress: boolean;
    }
  /** The answer is complete. `soft`: complete, but of a kind that may be asked again while nothing was sent. */
  | { readonly kind: 'end'; readonly bytes: Uint8Array; readonly soft: FailureClass | null }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly words: ErrorWords | null };

/** Of no use, although it arrived whole. */
export type BrokenForm = Extract<FailureClass, 'tool_call_invalid' | 'structured_output_invalid'>;

export type AnswerSource = {
  next(): Promise<Piece>;
  facts(): AnswerFacts | null;
  malformedEvents(): number;
  /** Lets go of the upstream body; safe to call at any time. */
  release(): void;
};

export type SourceOptions = {
  readonly body: BodyReader | UpstreamBody;
  readonly target: DialectCodec;
  readonly caller: DialectCodec;
  readonly request: Pick<RequestFacts, 'structuredOutput' | 'toolNames'>;
  readonly requestBody: JsonObject;
  readonly includeUsage: boolean;
  /** Told of the events of a streamed answer in their neutral form, before the bytes go out. */
  readonly onEvents?: ((events: readonly AnswerEvent[]) => void) | undefined;
  readonly limits: { readonly answerBytesMax: number; readonly eventBytesMax: number };
  /** Turns the provider's words inside a 200 into a failure. */
  readonly classify: (words: ErrorWords) => Failure;
  readonly now: () => number;
};

const encoder = new TextEncoder();
const nothing = new Uint8Array(0);
/** Ends the last event of a stream that ended without it: readers pass over an event that is not ended. */
const blankLine = encoder.encode('\n\n');

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 0) return nothing;
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}

/** An answer with nothing in it is a failure, unless its finish says why it is empty. */
export function isEmptyFailure(facts: AnswerFacts): boolean {
  return facts.empty && facts.finish !== 'length' && facts.finish !== 'refusal' && facts.finish !== 'pause';
}

/** What is broken in a complete answer, or does not fit the schema that was asked for. */
export function brokenForm(facts: AnswerFacts): BrokenForm | null {
  if (facts.toolCallInvalid || facts.misfit === 'tool_call') return 'tool_call_invalid';
  return facts.structuredOutputInvalid || facts.misfit === 'structured_output'
    ? 'structured_output_invalid'
    : null;
}

/** What the events of one chunk amount to. */
type Batch = {
  readonly parts: Uint8Array[];
  dropped: boolean;
  content: boolean;
  progress: boolean;
  end: 'terminal' | 'truncated' | 'failed' | null;
  words: ErrorWords | null;
};

class StreamSource implements AnswerSource {
  readonly #options: SourceOptions;
  readonly #parser;
  readonly #reader: StreamReader;
  readonly #writer;
  #malformed = 0;
  #ended = false;
  /** Bytes of an event that has begun and not yet ended. */
  #unfinished = 0;
  #contentGiven = false;
  /** A failure that was read together with content: told after the content. */
  #failure: Piece | null = null;

  constructor(options: SourceOptions) {
    this.#options = options;
    const followed = options.onEvents !== undefined;
    const across = options.target !== options.caller || (followed && options.caller.namesItems === true);
    const translate = across || followed;
    this.#parser = createSseParser({ eventBytesMax: options.limits.eventBytesMax });
    this.#reader = options.target.streamReader({ translate, request: options.request });
    this.#writer = across
      ? options.caller.streamWriter({
          includeUsage: options.includeUsage,
          createdSeconds: Math.floor(options.now() / 1000),
        })
      : null;
  }

  facts(): AnswerFacts {
    return this.#reader.facts();
  }

  malformedEvents(): number {
    return this.#malformed;
  }

  release(): void {
    if (!this.#ended) void this.#options.body.cancel().catch(() => {});
    this.#ended = true;
  }

  next(): Promise<Piece> {
    if (this.#failure !== null) return Promise.resolve(this.#failure);
    return this.#options.body.read().then(this.#received, this.#lost);
  }

  readonly #received = (read: PieceRead): Piece => {
    if (!read.done) return this.#take(this.#parser.push(read.value), read.value);
    this.#ended = true;
    return this.#cleanEnd();
  };

  readonly #lost = (error: unknown): Piece => {
    this.#ended = true;
    return this.#broken(networkFailure(error).failure.code);
  };

  #take(events: readonly SseEvent[], chunk: Uint8Array | null): Piece {
    const batch: Batch = {
      parts: [],
      dropped: false,
      content: false,
      progress: false,
      end: null,
      words: null,
    };
    let size = 0;
    for (const event of events) {
      size += event.raw.length;
      this.#read(event, batch);
      if (batch.end !== null) break;
    }
    const isWhole = chunk !== null && this.#unfinished === 0 && size === chunk.length;
    this.#unfinished += (chunk?.length ?? 0) - size;
    const untouched = isWhole && this.#writer === null && !batch.dropped && batch.end === null;
    const bytes = untouched ? chunk : joined(batch.parts);
    if (batch.end === 'failed') return this.#after(batch, bytes, this.#failedByEvent(batch.words));
    if (batch.end === 'truncated') return this.#after(batch, bytes, this.#truncated(null));
    if (batch.end === 'terminal') return this.#complete(bytes);
    this.#contentGiven ||= batch.content;
    return { kind: 'data', bytes, content: batch.content, progress: batch.progress };
  }

  /**
   * Content that came before a failure goes out first, also when both were read at once: where the commit point lies
   * must not hang on how the network cut the bytes.
   */
  #after(batch: Batch, bytes: Uint8Array, failure: Piece): Piece {
    if (!(this.#contentGiven || batch.content) || bytes.length === 0) return failure;
    this.#failure = failure;
    return { kind: 'data', bytes, content: batch.content, progress: batch.progress };
  }

  #read(event: SseEvent, batch: Batch): void {
    if (event.oversized) {
      this.#malformed++;
      batch.dropped = true;
      return;
    }
    if (event.data === null) {
      if (this.#writer === null) batch.parts.push(event.raw);
      return;
    }
    const { meaning, events } = this.#reader.read(event.event, event.data);
    if (!this.#note(meaning, batch)) return;
    if (this.#writer === null) batch.parts.push(event.raw);
    this.#write(events, batch);
  }

  /** Notes what an event means; false when it must not be handed on. */
  #note(meaning: EventMeaning, batch: Batch): boolean {
    switch (meaning.kind) {
      case 'content':
        batch.content = true;
        batch.progress = true;
        return true;
      case 'preamble':
      case 'progress':
      case 'unknown':
        batch.progress = true;
        return true;
      case 'liveness':
        return true;
      case 'terminal':
        batch.end = 'terminal';
        return true;
      case 'truncated':
        batch.end = 'truncated';
        return false;
      case 'error':
        batch.end = 'failed';
        batch.words = meaning.words;
        return false;
      case 'malformed':
        this.#malformed++;
        batch.dropped = true;
        return false;
    }
  }

  #write(events: readonly AnswerEvent[], batch: Batch): void {
    if (events.length === 0) return;
    this.#options.onEvents?.(events);
    if (this.#writer === null) return;
    let text = '';
    for (const event of events) text += this.#writer.write(event);
    if (text !== '') batch.parts.push(encoder.encode(text));
  }

  #complete(bytes: Uint8Array): Piece {
    const facts = this.#reader.facts();
    if (isEmptyFailure(facts)) return { kind: 'failed', failure: failureOf('empty_completion'), words: null };
    this.#drain();
    const closing = this.#closing();
    return {
      kind: 'end',
      bytes: closing.length === 0 ? bytes : joined([bytes, closing]),
      soft: brokenForm(facts),
    };
  }

  #closing(): Uint8Array {
    if (this.#writer === null && this.#options.onEvents === undefined) return nothing;
    const batch: Batch = {
      parts: [],
      dropped: false,
      content: false,
      progress: false,
      end: null,
      words: null,
    };
    this.#write(this.#reader.closing(), batch);
    return joined(batch.parts);
  }

  /** Reads what follows the terminal event, so that the connection can be used again. */
  #drain(): void {
    if (this.#ended) return;
    const { body } = this.#options;
    const readOn = async (): Promise<void> => {
      for (let reads = 0; reads < drainReadsMax; reads++) {
        if ((await body.read()).done) {
          this.#ended = true;
          return;
        }
      }
      await body.cancel();
    };
    readOn().catch(() => {});
  }

  #failedByEvent(words: ErrorWords | null): Piece {
    const failure = words === null ? failureOf('stream_error_event') : this.#options.classify(words);
    return { kind: 'failed', failure, words };
  }

  #broken(code: string | null): Piece {
    if (this.#reader.end() === 'complete') return this.#finishedWithoutSignal();
    return this.#truncated(code);
  }

  /** Without its malformed events the answer might have been whole, so they are what is wrong with it. */
  #truncated(code: string | null): Piece {
    const failureClass = this.#malformed > 0 ? 'malformed_response' : 'stream_truncated';
    return { kind: 'failed', failure: failureOf(failureClass, code), words: null };
  }

  #cleanEnd(): Piece {
    const last = this.#parser.end();
    if (last === null) return this.#broken(null);
    const malformed = this.#malformed;
    const piece = this.#take([last], null);
    // What the end cut in two is no malformed event: it shows that the answer was cut.
    this.#malformed = malformed;
    const end = piece.kind === 'data' ? this.#broken(null) : piece;
    if (end.kind !== 'end') return end;
    const ended = this.#writer === null ? blankLine : nothing;
    const parts = piece.kind === 'data' ? [piece.bytes, ended, end.bytes] : [end.bytes, ended];
    return { ...end, bytes: joined(parts) };
  }

  /** Every part has its finish reason: only the end signal is missing, so it is added. */
  #finishedWithoutSignal(): Piece {
    const facts = this.#reader.facts();
    if (isEmptyFailure(facts)) return { kind: 'failed', failure: failureOf('empty_completion'), words: null };
    const closing = this.#closing();
    const bytes = this.#writer === null ? encoder.encode(this.#reader.missingTerminal()) : closing;
    return { kind: 'end', bytes, soft: brokenForm(facts) };
  }
}

/** Chunks read after the terminal event before the connection is given up. */
const drainReadsMax = 4;

export function streamSource(options: SourceOptions): AnswerSource {
  return new StreamSource(options);
}
