/** Usage and finish reasons of generated content. */
import type { FinishReason, Usage } from '../conversation.ts';
import type { JsonObject } from '../dialect.ts';
import { countOf, objectOf } from '../json-value.ts';

/** Output counts thoughts, which this format counts beside it. */
export function readUsage(value: unknown): Usage | null {
  const usage = objectOf(value);
  if (usage === null || typeof usage['promptTokenCount'] !== 'number') return null;
  const reasoningTokens = countOf(usage['thoughtsTokenCount']);
  return {
    inputTokens: countOf(usage['promptTokenCount']) + countOf(usage['toolUsePromptTokenCount']),
    outputTokens: countOf(usage['candidatesTokenCount']) + reasoningTokens,
    cachedTokens: countOf(usage['cachedContentTokenCount']),
    cacheWriteTokens: 0,
    reasoningTokens,
  };
}

export function writeUsage(usage: Usage | null): JsonObject | null {
  if (usage === null) return null;
  return {
    promptTokenCount: usage.inputTokens,
    candidatesTokenCount: Math.max(0, usage.outputTokens - usage.reasoningTokens),
    totalTokenCount: usage.inputTokens + usage.outputTokens,
    ...(usage.cachedTokens > 0 ? { cachedContentTokenCount: usage.cachedTokens } : {}),
    ...(usage.reasoningTokens > 0 ? { thoughtsTokenCount: usage.reasoningTokens } : {}),
  };
}

const finishReasons: ReadonlyMap<string, FinishReason> = new Map([
  ['STOP', 'stop'],
  ['MAX_TOKENS', 'length'],
  ['SAFETY', 'refusal'],
  ['RECITATION', 'refusal'],
  ['BLOCKLIST', 'refusal'],
  ['PROHIBITED_CONTENT', 'refusal'],
  ['SPII', 'refusal'],
  ['IMAGE_SAFETY', 'refusal'],
  ['IMAGE_PROHIBITED_CONTENT', 'refusal'],
  ['IMAGE_RECITATION', 'refusal'],
  ['CONTINUATION', 'pause'],
]);

/** The model tried to call a tool and the call could not be read: there is nothing of it in the answer. */
export const brokenCallReasons: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
]);

/** `STOP` also ends an answer that calls functions. */
export function readFinish(raw: string | null, saw: { readonly toolCall: boolean }): FinishReason | null {
  if (raw === null || raw === 'FINISH_REASON_UNSPECIFIED') return null;
  const reason = finishReasons.get(raw) ?? 'other';
  return reason === 'stop' && saw.toolCall ? 'tool_calls' : reason;
}

export function writeFinish(reason: FinishReason): string {
  switch (reason) {
    case 'stop':
    case 'stop_sequence':
    case 'tool_calls':
    case 'pause':
      return 'STOP';
    case 'length':
      return 'MAX_TOKENS';
    case 'refusal':
      return 'SAFETY';
    case 'other':
      return 'OTHER';
  }
}
