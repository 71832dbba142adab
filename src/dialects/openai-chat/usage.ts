/** Usage and finish reasons of chat completions. */
import type { FinishReason, Usage } from '../conversation.ts';
import type { JsonObject } from '../dialect.ts';
import { countOf, objectOf } from '../json-value.ts';

export function readUsage(value: unknown): Usage | null {
  const usage = objectOf(value);
  if (usage === null) return null;
  if (typeof usage['prompt_tokens'] !== 'number' && typeof usage['completion_tokens'] !== 'number')
    return null;
  const input = objectOf(usage['prompt_tokens_details']);
  const output = objectOf(usage['completion_tokens_details']);
  return {
    inputTokens: countOf(usage['prompt_tokens']),
    outputTokens: countOf(usage['completion_tokens']),
    cachedTokens: countOf(input?.['cached_tokens'] ?? usage['prompt_cache_hit_tokens']),
    cacheWriteTokens: countOf(input?.['cache_write_tokens']),
    reasoningTokens: countOf(output?.['reasoning_tokens']),
  };
}

export function writeUsage(usage: Usage): JsonObject {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens, cache_write_tokens: usage.cacheWriteTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

const finishReasons: ReadonlyMap<string, FinishReason> = new Map([
  ['stop', 'stop'],
  ['length', 'length'],
  ['tool_calls', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['content_filter', 'refusal'],
]);

/** Several servers say `stop` although they called tools; a refusal comes with `stop` by the book. */
export function readFinish(
  raw: string | null,
  saw: { readonly toolCall: boolean; readonly refusal: boolean },
): FinishReason | null {
  if (raw === null) return null;
  const reason = finishReasons.get(raw) ?? 'other';
  if (reason !== 'stop') return reason;
  if (saw.refusal) return 'refusal';
  return saw.toolCall ? 'tool_calls' : 'stop';
}

export function writeFinish(reason: FinishReason): string {
  switch (reason) {
    case 'stop':
    case 'stop_sequence':
    case 'pause':
    case 'other':
      return 'stop';
    case 'length':
      return 'length';
    case 'tool_calls':
      return 'tool_calls';
    case 'refusal':
      return 'content_filter';
  }
}
