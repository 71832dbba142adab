/** Usage and ends of responses. */
import type { FinishReason, Usage } from '../conversation.ts';
import type { JsonObject } from '../dialect.ts';
import { countOf, objectOf, textOf } from '../json-value.ts';

export function readUsage(value: unknown): Usage | null {
  const usage = objectOf(value);
  if (usage === null || typeof usage['input_tokens'] !== 'number') return null;
  const input = objectOf(usage['input_tokens_details']);
  const output = objectOf(usage['output_tokens_details']);
  return {
    inputTokens: countOf(usage['input_tokens']),
    outputTokens: countOf(usage['output_tokens']),
    cachedTokens: countOf(input?.['cached_tokens']),
    cacheWriteTokens: countOf(input?.['cache_write_tokens']),
    reasoningTokens: countOf(output?.['reasoning_tokens']),
  };
}

export function writeUsage(usage: Usage | null): JsonObject | null {
  if (usage === null) return null;
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: usage.cachedTokens, cache_write_tokens: usage.cacheWriteTokens },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.inputTokens + usage.outputTokens,
  };
}

const incompleteReasons: ReadonlyMap<string, FinishReason> = new Map([
  ['max_output_tokens', 'length'],
  ['content_filter', 'refusal'],
]);

/** The provider's own word for how a response ended. */
export function rawFinish(response: JsonObject): string | null {
  const status = textOf(response['status']);
  return textOf(objectOf(response['incomplete_details'])?.['reason']) ?? status;
}

/** Null while it has not ended: a response in the background is an answer all the same. */
export function readFinish(
  response: JsonObject,
  saw: { readonly toolCall: boolean; readonly refusal: boolean },
): FinishReason | null {
  const status = textOf(response['status']);
  if (status === 'queued' || status === 'in_progress') return null;
  if (status === 'incomplete') return incompleteReasons.get(rawFinish(response) ?? '') ?? 'other';
  if (status !== 'completed') return 'other';
  if (saw.toolCall) return 'tool_calls';
  return saw.refusal ? 'refusal' : 'stop';
}

export type Ended = { readonly status: 'completed' | 'incomplete'; readonly reason: string | null };

/** A refusal in words is a complete answer; one without words is a filtered one. */
export function writeFinish(reason: FinishReason, saw: { readonly refusal: boolean }): Ended {
  switch (reason) {
    case 'length':
      return { status: 'incomplete', reason: 'max_output_tokens' };
    case 'refusal':
      return saw.refusal
        ? { status: 'completed', reason: null }
        : { status: 'incomplete', reason: 'content_filter' };
    case 'stop':
    case 'stop_sequence':
    case 'tool_calls':
    case 'pause':
    case 'other':
      return { status: 'completed', reason: null };
  }
}
