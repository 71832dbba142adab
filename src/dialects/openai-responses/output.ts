/** Output items as callers get them, the same whether the answer is whole or streamed. */
import type { Opaque, Usage } from '../conversation.ts';
import type { JsonObject } from '../dialect.ts';
import { foreignThinkingMark } from '../foreign-thinking.ts';
import { objectOf, textOf } from '../json-value.ts';
import { customInput, itemName } from '../custom-tools.ts';
import type { Ended } from './usage.ts';
import { writeUsage } from './usage.ts';

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

export const textPart = (text: string): JsonObject => ({
  type: 'output_text',
  text,
  annotations: [],
  logprobs: [],
});
export const refusalPart = (refusal: string): JsonObject => ({ type: 'refusal', refusal });
export const summaryPart = (text: string): JsonObject => ({ type: 'summary_text', text });

export function messageItem(id: string, status: ItemStatus, content: readonly JsonObject[]): JsonObject {
  return { id, type: 'message', status, role: 'assistant', content };
}

/**
 * A thought as the caller will send it back: with what its issuer encrypted, or marked as not this provider's, so that
 * it can be taken out again.
 */
export function reasoningItem(id: string, text: string, opaque: Opaque | null): JsonObject {
  const own = opaque?.issuer === 'openai-responses' ? objectOf(opaque.value) : null;
  return {
    id: textOf(own?.['id']) ?? id,
    type: 'reasoning',
    summary: text === '' ? [] : [summaryPart(text)],
    encrypted_content: textOf(own?.['encrypted']) ?? foreignThinkingMark,
  };
}

/** A call under the caller's own kind and name of tool. */
export function callItem(
  id: string,
  status: ItemStatus,
  call: { readonly id: string; readonly name: string; readonly arguments: string },
): JsonObject {
  const { kind, namespace, name } = itemName(call.name);
  const common = { id, status, call_id: call.id, name, ...(namespace === null ? {} : { namespace }) };
  return kind === 'custom'
    ? { ...common, type: 'custom_tool_call', input: call.arguments === '' ? '' : customInput(call.arguments) }
    : { ...common, type: 'function_call', arguments: call.arguments };
}

/** Prefixes that clients expect of items. */
export const itemPrefix = { message: 'msg_', reasoning: 'rs_', call: 'fc_', custom: 'ctc_' } as const;

export type ResponseHead = {
  readonly id: string;
  readonly model: string;
  readonly createdSeconds: number;
};

/** An answer that was cut was cut in its last item. */
function asEnded(output: readonly JsonObject[], ended: Ended | null): readonly JsonObject[] {
  const last = output.at(-1);
  return ended?.status === 'incomplete' && last?.['status'] === 'completed'
    ? [...output.slice(0, -1), { ...last, status: 'incomplete' satisfies ItemStatus }]
    : output;
}

/** The response around the items. Settings that the caller asked for are not repeated: they are not known here. */
export function responseOf(
  head: ResponseHead,
  ended: Ended | null,
  output: readonly JsonObject[],
  usage: Usage | null,
): JsonObject {
  return {
    id: head.id,
    object: 'response',
    created_at: head.createdSeconds,
    status: ended?.status ?? 'in_progress',
    background: false,
    error: null,
    incomplete_details: ended === null || ended.reason === null ? null : { reason: ended.reason },
    instructions: null,
    max_output_tokens: null,
    metadata: {},
    model: head.model,
    output: asEnded(output, ended),
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: false,
    temperature: null,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: null,
    truncation: 'disabled',
    usage: writeUsage(usage),
  };
}
