/**
 * What a dialect can do: read a request's facts, read an answer as it arrives, and carry both to and from the
 * neutral conversation. Codecs are pure: bytes and values in, values out, no sockets, no clock.
 */
import type { Operation } from '../core/record.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Capability, Dialect } from '../core/target.ts';
import type { RequestPlaces } from './adapt-request.ts';
import type { Answer, AnswerEvent, Conversation, FinishReason, Usage } from './conversation.ts';

export type JsonObject = { readonly [key: string]: unknown };

/** What routing needs to know about a request, read without translating it. */
export type RequestFacts = {
  readonly model: string;
  readonly stream: boolean;
  readonly needs: ReadonlySet<Capability>;
  /** The model is left free to think first: the answer may begin late, but a model that cannot think may answer too. */
  readonly mayThink?: boolean;
  /** The field that leans on state kept at one provider: only the preferred target's provider may answer. */
  readonly pinnedBy?: string | null;
  /** Rough; input text length / 4 plus a share per image. */
  readonly inputTokensEstimate: number;
  readonly outputTokensMax: number | null;
  /** Names of tools the caller declared: to check tool calls in the answer. */
  readonly toolNames: ReadonlySet<string>;
  /** True when the caller asked for JSON output (any kind), so that the answer text must parse. */
  readonly structuredOutput: boolean;
  /** Schemas of declared tools by name, and of the output: read only when there is something to hold against them. */
  readonly toolSchemas?: () => ReadonlyMap<string, unknown>;
  readonly outputSchema?: () => unknown;
};

/** Bad input: names the place and the remedy. */
export type InvalidRequest = {
  readonly kind: 'invalid';
  readonly param: string | null;
  readonly message: string;
};

/** What a codec read from a whole answer or, at the end, from a streamed one. */
export type AnswerFacts = {
  /** The model the provider says answered; null when it reports none. */
  readonly model: string | null;
  readonly fingerprint: string | null;
  readonly finish: FinishReason | null;
  /** The provider's own word for it, ≤ 64 characters. */
  readonly finishRaw: string | null;
  readonly usage: Usage | null;
  /** How long the answer is so far, in a format that counts tokens only on request, where nobody counted them. */
  readonly characters?: number;
  /** No text, no tool call, no refusal, no thinking; never when the caller's own token limit cut the answer. */
  readonly empty: boolean;
  /** A tool call's arguments are not a JSON object, or it names a tool that was not declared (not judged when cut by the token limit). */
  readonly toolCallInvalid: boolean;
  /** Structured output was asked for and the text does not parse as JSON (not judged when cut by the token limit or refused). */
  readonly structuredOutputInvalid: boolean;
  /** It parses, and does not fit the schema that was asked for. */
  readonly misfit?: 'tool_call' | 'structured_output';
};

/** What an error inside an answer says: the provider's own type/code words, uncapped. The message stays out of records. */
export type ErrorWords = {
  readonly type: string | null;
  readonly code: string | null;
  readonly message: string;
};

/** What one event of a stream means. */
export type EventMeaning =
  | { readonly kind: 'preamble' } // says who answers; commits nothing
  | { readonly kind: 'liveness' } // ping: the connection lives, the answer does not progress
  | { readonly kind: 'content' } // the first of these is the commit point
  | { readonly kind: 'progress' } // structure or usage
  | { readonly kind: 'terminal' } // the dialect's own end signal, after a whole answer
  | { readonly kind: 'truncated' } // the end signal, but the answer before it is not whole
  | { readonly kind: 'error'; readonly words: ErrorWords }
  | { readonly kind: 'malformed' } // does not parse or does not fit the grammar so far
  | { readonly kind: 'unknown' }; // parses, not known: passed on to a caller of the same dialect

export type ReadEvent = {
  readonly meaning: EventMeaning;
  /** Neutral events; always empty when the reader was made with `translate: false`. */
  readonly events: readonly AnswerEvent[];
};

export type StreamReader = {
  /** Reads one server-sent event. `data` is the joined data lines. Never throws. */
  read(event: string | null, data: string): ReadEvent;
  /**
   * Called when the stream has ended cleanly without a terminal event. `complete`: the answer is provably whole
   * (every choice has its finish reason), so only the end signal is missing.
   */
  end(): 'complete' | 'truncated';
  facts(): AnswerFacts;
  /** Neutral events that close the answer (finish); for use after `end()` said complete or a terminal was read. */
  closing(): readonly AnswerEvent[];
  /** Text that gives a same-dialect caller the missing end signal when `end()` said `complete`. */
  missingTerminal(): string;
};

export type StreamWriter = {
  /** Server-sent event text for one neutral event, possibly empty. */
  write(event: AnswerEvent): string;
};

/** An error as any dialect can show it. */
export type CallerError = {
  readonly code: ErrorCode;
  /** The status sent, which may refine the table's. */
  readonly status: number;
  /** A sentence a user can read. */
  readonly message: string;
  readonly param: string | null;
  /** The provider's own type and code where one answered, to keep SDK handling intact. */
  readonly provider: { readonly type: string | null; readonly code: string | null } | null;
  readonly requestId: string;
  /** Already in wire form (snake_case), see the appendix "Error". */
  readonly breakwater: JsonObject;
};

export type Encoded =
  | {
      readonly kind: 'encoded';
      readonly body: JsonObject;
      /** what was dropped, as short words for `x-breakwater-warnings` */ readonly warnings: readonly string[];
    }
  | { readonly kind: 'lacks'; readonly capability: string };

/** What a request encoder must know about the model it writes for. */
export type ModelTraits = {
  readonly upstream: string;
  readonly vendor: string;
  readonly family: string;
  readonly outputTokens: number;
  /** OpenAI-compatible servers want `max_tokens`; OpenAI wants `max_completion_tokens`. */
  readonly compatible: boolean;
  /** The model can think; where it cannot, a wish for effort is dropped and named. */
  readonly thinking: boolean;
};

/** What an answer needs that only the outside knows. */
export type AnswerOptions = { readonly createdSeconds: number };

export type DialectCodec = {
  readonly name: Dialect;
  /** The model and whether to stream are in the address, not in the body. */
  readonly addressed?: true;
  /** The body with the target's name for the model, where it names the model beside the address; null where it does not. */
  readdress?(body: JsonObject, upstream: string): JsonObject | null;
  /** Events name items by ids that one writer gave: an answer that may have to be carried on is written anew from its start. */
  readonly namesItems?: true;
  /** Pictures and documents must be in the request: an address is not taken. */
  readonly inlineMedia?: true;
  /** An answer, or a call beside it (`side-calls.ts`). */
  readonly operation: Operation;
  /**
   * For a request that stays in its dialect: its body without what an earlier answer of ours put in and no provider
   * accepts (thinking of another provider). Null when there is nothing to remove: then the original bytes are sent, and
   * the body is not read again.
   */
  scrub(text: string, read: () => JsonObject): JsonObject | null;
  readFacts(body: JsonObject): RequestFacts | InvalidRequest;
  decodeRequest(body: JsonObject): Conversation | InvalidRequest;
  encodeRequest(conversation: Conversation, traits: ModelTraits): Encoded;

  /** Facts of a whole answer; null when it is not an answer of this dialect at all. */
  readAnswer(
    body: unknown,
    request: Pick<RequestFacts, 'structuredOutput' | 'toolNames'>,
  ): AnswerFacts | null;
  decodeAnswer(body: JsonObject, request: Pick<RequestFacts, 'toolNames'>): Answer;
  encodeAnswer(answer: Answer, options: AnswerOptions): JsonObject;

  streamReader(options: {
    readonly translate: boolean;
    readonly request: Pick<RequestFacts, 'structuredOutput' | 'toolNames'>;
  }): StreamReader;
  streamWriter(options: AnswerOptions & { readonly includeUsage: boolean }): StreamWriter;

  /** Reads the provider's words from an error body; null when it does not look like one. */
  readError(body: unknown): ErrorWords | null;
  errorBody(error: CallerError): JsonObject;
  /** The dialect's own error event, as server-sent event text: the only way a broken stream may end. */
  errorEvent(error: CallerError): string;
  /** The whole answer as this request asked for it, where a provider gave another form; null: as it came. */
  adapt?(answer: JsonObject, request: JsonObject): JsonObject | null;
  /** What stands in, marked as an estimate, when no target could answer; absent where nothing can. */
  substitute?(facts: RequestFacts): JsonObject;
  /** Where things stand in a request, for the changes a configuration wants in it. */
  readonly places: RequestPlaces<JsonObject>;
  /** A notice between two events of a stream, in a form that clients which do not know it pass over. */
  noticeEvent(notice: JsonObject): string;
  /** Keeps a waiting client alive without progress. */
  readonly keepAlive: string;
};
