/** The neutral conversation → a responses request. Nothing is kept at the provider: the caller's history is the state. */
import type { Conversation, Message, Tool, ToolChoice } from '../conversation.ts';
import type { Encoded, JsonObject, ModelTraits } from '../dialect.ts';
import { Encoding, outputTokensWithin } from '../encoding.ts';
import { present } from '../json-value.ts';
import { effortWord, temperatureOf, thinksFirst } from '../openai-chat/encode-request.ts';
import { isStrictReady } from '../openai-chat/schema.ts';
import { toolNameFor } from '../tool-names.ts';
import { encodeItems } from './encode-items.ts';
import { outputTokensMin, toolNameLengthMax, userLengthMax } from './limits.ts';

/** Said in so many words: a schema without `strict` would be taken as strict here. */
function strictness(schema: unknown, strict: boolean | null, encoding: Encoding): boolean {
  if (strict !== true) return false;
  if (isStrictReady(schema)) return true;
  encoding.warn('strict');
  return false;
}

function toolsOf(tools: readonly Tool[], encoding: Encoding): readonly JsonObject[] {
  return tools.map((tool) => ({
    type: 'function',
    name: toolNameFor(tool.name, toolNameLengthMax),
    ...(tool.description === null ? {} : { description: tool.description }),
    parameters: tool.schema,
    strict: strictness(tool.schema, tool.strict, encoding),
  }));
}

function toolChoiceOf(choice: ToolChoice | null): unknown {
  if (choice?.kind !== 'named') return choice?.kind ?? null;
  return { type: 'function', name: toolNameFor(choice.name, toolNameLengthMax) };
}

function textOf(format: Conversation['format'], encoding: Encoding): JsonObject | null {
  if (format === null) return null;
  if (format.kind === 'json') return { format: { type: 'json_object' } };
  const strict = strictness(format.schema, format.strict, encoding);
  return {
    format: { type: 'json_schema', name: format.name ?? 'answer', schema: format.schema, strict },
  };
}

function samplingOf(conversation: Conversation, traits: ModelTraits, encoding: Encoding): JsonObject {
  const { topK, stop } = conversation;
  if (topK !== null) encoding.warn('top_k');
  if (stop.length > 0) encoding.warn('stop');
  return temperatureOf(conversation, traits, encoding);
}

function outputTokensOf(conversation: Conversation, traits: ModelTraits, encoding: Encoding): number | null {
  const limit = outputTokensWithin(conversation.outputTokensMax, traits.outputTokens, encoding);
  if (limit === null || limit >= outputTokensMin) return limit;
  encoding.warn('max_tokens');
  return outputTokensMin;
}

/** The system prompt that leads the conversation, and the rest of it. */
function split(messages: readonly Message[]): {
  readonly system: readonly Message[];
  readonly rest: readonly Message[];
} {
  const first = messages.findIndex((message) => message.role !== 'system');
  const end = first < 0 ? messages.length : first;
  return { system: messages.slice(0, end), rest: messages.slice(end) };
}

export function encodeRequest(conversation: Conversation, traits: ModelTraits): Encoded {
  const encoding = new Encoding(conversation);
  const { tools, user } = conversation;
  const hasTools = tools.length > 0;
  const { system, rest } = split(conversation.messages);
  const instructions = system
    .flatMap((message) => message.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])))
    .join('\n\n');
  const input = encodeItems(rest, encoding);
  if (input.length === 0) encoding.lack('empty_messages');
  const effort = effortWord(conversation, traits, encoding);
  const body = present({
    model: traits.upstream,
    instructions: instructions === '' ? null : instructions,
    input,
    max_output_tokens: outputTokensOf(conversation, traits, encoding),
    ...samplingOf(conversation, traits, encoding),
    tools: hasTools ? toolsOf(tools, encoding) : null,
    tool_choice: hasTools ? toolChoiceOf(conversation.toolChoice) : null,
    parallel_tool_calls: hasTools ? conversation.parallelToolCalls : null,
    text: textOf(conversation.format, encoding),
    reasoning: effort === null ? null : { effort, summary: 'auto' },
    include: thinksFirst(traits) ? ['reasoning.encrypted_content'] : null,
    safety_identifier: user === null ? null : user.slice(0, userLengthMax),
    store: false,
    stream: conversation.stream ? true : null,
  });
  return encoding.result(body);
}
