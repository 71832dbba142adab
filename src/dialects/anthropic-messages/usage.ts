/** Usage and stop reasons of messages. Its input tokens are what was read afresh; cache reads and writes come beside. */
import type { FinishReason, Usage } from '../conversation.ts';
import type { JsonObject } from '../dialect.ts';
import { countOf, objectOf } from '../json-value.ts';

export function readUsage(value: unknown): Usage | null {
  const usage = objectOf(value);
  if (usage === null) return null;
  if (typeof usage['input_tokens'] !== 'number' && typeof usage['output_tokens'] !== 'number') return null;
  const cachedTokens = countOf(usage['cache_read_input_tokens']);
  const cacheWriteTokens = countOf(usage['cache_creation_input_tokens']);
  return {
    inputTokens: countOf(usage['input_tokens']) + cachedTokens + cacheWriteTokens,
    outputTokens: countOf(usage['output_tokens']),
    cachedTokens,
    cacheWriteTokens,
    reasoningTokens: countOf(objectOf(usage['output_tokens_details'])?.['thinking_tokens']),
  };
}

/** Usage of a stream is cumulative, and its last event may leave out what its first one said. */
export function mergedUsage(first: JsonObject | null, later: unknown): JsonObject | null {
  const latest = objectOf(later);
  if (latest === null) return first;
  const merged: { [key: string]: unknown } = { ...first };
  for (const [key, value] of Object.entries(latest)) {
    if (value !== null) merged[key] = value;
  }
  return merged;
}

export function writeUsage(usage: Usage | null): JsonObject {
  const cached = usage?.cachedTokens ?? 0;
  const written = usage?.cacheWriteTokens ?? 0;
  const fields: { [key: string]: unknown } = {
    input_tokens: Math.max(0, (usage?.inputTokens ?? 0) - cached - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    output_tokens: usage?.outputTokens ?? 0,
  };
  if (usage !== null && usage.reasoningTokens > 0)
    fields['output_tokens_details'] = { thinking_tokens: usage.reasoningTokens };
  return fields;
}

const finishReasons: ReadonlyMap<string, FinishReason> = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop_sequence'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['pause_turn', 'pause'],
  ['refusal', 'refusal'],
]);

export function readFinish(raw: string | null): FinishReason | null {
  return raw === null ? null : (finishReasons.get(raw) ?? 'other');
}

export function writeFinish(reason: FinishReason): string {
  switch (reason) {
    case 'stop':
    case 'other':
      return 'end_turn';
    case 'stop_sequence':
      return 'stop_sequence';
    case 'length':
      return 'max_tokens';
    case 'tool_calls':
      return 'tool_use';
    case 'pause':
      return 'pause_turn';
    case 'refusal':
      return 'refusal';
  }
}
