/**
 * The neutral conversation: what a request and an answer mean, apart from any wire format. Used only when caller and
 * target speak different dialects; the same dialect goes through as bytes.
 */
import type { Dialect } from '../core/target.ts';

export type Media =
  | { readonly kind: 'data'; readonly mediaType: string; readonly base64: string }
  | { readonly kind: 'url'; readonly url: string };

/** Opaque state signed by a provider: goes back only to a target of the dialect that issued it. */
export type Opaque = { readonly issuer: Dialect; readonly value: unknown };

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'image'; readonly media: Media }
  | { readonly kind: 'document'; readonly media: Media; readonly title: string | null }
  | { readonly kind: 'thinking'; readonly text: string; readonly opaque: Opaque | null }
  | {
      readonly kind: 'tool_call';
      readonly id: string;
      readonly name: string;
      /** JSON text, as received */ readonly arguments: string;
    }
  | {
      readonly kind: 'tool_result';
      readonly id: string;
      readonly parts: readonly Part[];
      readonly isError: boolean;
    }
  | { readonly kind: 'refusal'; readonly text: string };

export type Message = { readonly role: 'system' | 'user' | 'assistant'; readonly parts: readonly Part[] };

export type Tool = {
  readonly name: string;
  readonly description: string | null;
  /** JSON Schema, kept as received. */
  readonly schema: unknown;
  readonly strict: boolean | null;
};

export type ToolChoice =
  | { readonly kind: 'auto' | 'none' | 'required' }
  | { readonly kind: 'named'; readonly name: string };

export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';

export type Conversation = {
  /** In order; a leading system message is the system prompt, later ones are mid-conversation. */
  readonly messages: readonly Message[];
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | null;
  /** False: at most one tool call a turn. */
  readonly parallelToolCalls: boolean | null;
  readonly outputTokensMax: number | null;
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly stop: readonly string[];
  readonly format:
    | { readonly kind: 'json' }
    | {
        readonly kind: 'schema';
        readonly name: string | null;
        readonly schema: unknown;
        readonly strict: boolean | null;
      }
    | null;
  readonly effort: Effort | null;
  readonly thinkingBudgetTokens: number | null;
  readonly user: string | null;
  /** The caller asked that its prompt be cached; a format that caches only on request is told. */
  readonly cache: boolean;
  readonly stream: boolean;
  /** The caller wants usage in a streamed answer. */
  readonly includeUsage: boolean;
  /** What the source format said that the neutral form cannot hold; each becomes a warning or a lack. */
  readonly leftOver: readonly { readonly what: string; readonly matters: boolean }[];
};

export type FinishReason = 'stop' | 'stop_sequence' | 'length' | 'tool_calls' | 'refusal' | 'pause' | 'other';

/** Input counts everything read, cached or not; output counts reasoning. */
export type Usage = {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number;
  readonly reasoningTokens: number;
};

export type Answer = {
  readonly id: string;
  readonly model: string;
  readonly parts: readonly Part[];
  readonly finish: FinishReason;
  readonly stopSequence: string | null;
  readonly usage: Usage | null;
};

/** A streamed answer. Parts come one after another; `part_start` opens one, `part_end` closes it. Parallel tool calls of other dialects are put in order by the reader. */
export type AnswerEvent =
  | { readonly kind: 'start'; readonly id: string; readonly model: string; readonly usage: Usage | null }
  | { readonly kind: 'text_start' }
  | { readonly kind: 'text_delta'; readonly text: string }
  | { readonly kind: 'thinking_start' }
  | { readonly kind: 'thinking_delta'; readonly text: string }
  | { readonly kind: 'refusal_start' }
  | { readonly kind: 'refusal_delta'; readonly text: string }
  | { readonly kind: 'tool_start'; readonly id: string; readonly name: string }
  | { readonly kind: 'tool_delta'; readonly json: string }
  /** Closes the open part; `opaque` carries what the provider signed about it. */
  | { readonly kind: 'part_end'; readonly opaque: Opaque | null }
  | {
      readonly kind: 'finish';
      readonly reason: FinishReason;
      readonly stopSequence: string | null;
      readonly usage: Usage | null;
    };
