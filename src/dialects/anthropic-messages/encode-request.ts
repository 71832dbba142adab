/** The neutral conversation → a messages request. */
import type { Conversation, Tool } from '../conversation.ts';
import type { Encoded, JsonObject, ModelTraits } from '../dialect.ts';
import { Encoding, outputTokensWithin } from '../encoding.ts';
import { isJsonObject, present } from '../json-value.ts';
import { toolNameFor } from '../tool-names.ts';
import { claudeRules, type ClaudeRules } from './claude.ts';
import { encodeMessages, type EncodedMessages } from './encode-message.ts';
import { thinkingOf, thinkingShareTokens, type Thinking } from './encode-thinking.ts';
import { toolNameLengthMax, userLengthMax } from './limits.ts';
import { sanitisedSchema } from './schema.ts';

/** The answer's length when the caller named no limit: the format demands one. */
const outputTokensDefault = 16_384;
/** Newest models take these values of sampling parameters, which change nothing. */
const temperatureIdle = 1;
const topPIdleMin = 0.99;
const jsonInstruction = 'Answer with one JSON object and nothing else.';

function outputTokensFor(conversation: Conversation, traits: ModelTraits, encoding: Encoding): number {
  const wanted = outputTokensDefault + thinkingShareTokens(conversation);
  const modelMax = traits.outputTokens > 0 ? traits.outputTokens : wanted;
  const given = outputTokensWithin(conversation.outputTokensMax, traits.outputTokens, encoding);
  return given ?? Math.min(wanted, modelMax);
}

/** The schema of a tool's input must be an object's. */
function inputSchema(tool: Tool): JsonObject {
  const schema = tool.strict === true ? sanitisedSchema(tool.schema) : tool.schema;
  return isJsonObject(schema) ? { ...schema, type: 'object' } : { type: 'object', properties: {} };
}

function toolsOf(tools: readonly Tool[]): readonly JsonObject[] {
  return tools.map((tool) =>
    present({
      name: toolNameFor(tool.name, toolNameLengthMax),
      description: tool.description,
      input_schema: inputSchema(tool),
      strict: tool.strict === true ? true : null,
    }),
  );
}

function toolChoiceOf(conversation: Conversation, rules: ClaudeRules, encoding: Encoding): JsonObject | null {
  const single = conversation.parallelToolCalls === false ? { disable_parallel_tool_use: true } : null;
  const choice = conversation.toolChoice;
  if (choice === null) return single === null ? null : { type: 'auto', ...single };
  if (choice.kind === 'none') return { type: 'none' };
  if (choice.kind === 'auto') return { type: 'auto', ...single };
  if (!rules.forcedTool) {
    encoding.warn('tool_choice');
    return { type: 'auto', ...single };
  }
  if (choice.kind === 'named')
    return { type: 'tool', name: toolNameFor(choice.name, toolNameLengthMax), ...single };
  return { type: 'any', ...single };
}

/** Sampling where the model takes it; thinking excludes it, and of temperature and `top_p` only one is taken. */
function samplingOf(
  conversation: Conversation,
  rules: ClaudeRules,
  thinking: Thinking,
  encoding: Encoding,
): JsonObject {
  const { temperature, topP, topK } = conversation;
  const isTaken = rules.sampling && thinking.thinking === null;
  if (topK !== null && !isTaken) encoding.warn('top_k');
  if (!isTaken) {
    if (temperature !== null && temperature !== temperatureIdle) encoding.warn('temperature');
    if (topP !== null && topP < topPIdleMin) encoding.warn('top_p');
    return {};
  }
  if (temperature === null) return present({ top_p: topP, top_k: topK });
  if (temperature < 0 || temperature > 1) encoding.warn('temperature');
  if (topP !== null && topP < topPIdleMin) encoding.warn('top_p');
  return present({ temperature: Math.min(1, Math.max(0, temperature)), top_k: topK });
}

function outputConfig(conversation: Conversation, thinking: Thinking, encoding: Encoding): JsonObject | null {
  const { format } = conversation;
  if (format?.kind === 'json') encoding.warn('response_format');
  const written =
    format?.kind === 'schema' ? { type: 'json_schema', schema: sanitisedSchema(format.schema) } : null;
  if (written === null && thinking.effort === null) return null;
  return present({ effort: thinking.effort, format: written });
}

function systemOf(
  system: readonly JsonObject[],
  conversation: Conversation,
): string | readonly JsonObject[] | null {
  const blocks =
    conversation.format?.kind === 'json' ? [...system, { type: 'text', text: jsonInstruction }] : system;
  const [first] = blocks;
  if (first === undefined) return null;
  return blocks.length === 1 ? String(first['text']) : blocks;
}

function checkEnd({ turns }: EncodedMessages, rules: ClaudeRules, encoding: Encoding): void {
  const last = turns.at(-1);
  if (last?.role === 'assistant' && !rules.prefill) encoding.lack('prefill');
  if (last?.content.length === 0) encoding.lack('empty_messages');
}

/** Marks the end of the prompt: what stands before it is read from the cache the next time. */
function withCacheMark(turns: EncodedMessages['turns']): EncodedMessages['turns'] {
  const last = turns.at(-1);
  const block = last?.content.at(-1);
  if (last === undefined || block === undefined || last.role !== 'user') return turns;
  const marked = { ...block, cache_control: { type: 'ephemeral' } };
  return [...turns.slice(0, -1), { ...last, content: [...last.content.slice(0, -1), marked] }];
}

/** The service refuses stop sequences of nothing but space. */
function stopsOf(stop: readonly string[], encoding: Encoding): readonly string[] | null {
  const filled = stop.filter((sequence) => sequence.trim() !== '');
  if (filled.length < stop.length) encoding.warn('stop');
  return filled.length === 0 ? null : filled;
}

export function encodeRequest(conversation: Conversation, traits: ModelTraits): Encoded {
  const encoding = new Encoding(conversation);
  const rules = claudeRules(traits);
  const messages = encodeMessages(conversation.messages, rules, encoding);
  checkEnd(messages, rules, encoding);
  const outputTokensMax = outputTokensFor(conversation, traits, encoding);
  const thinking = thinkingOf(conversation, traits, rules, outputTokensMax, encoding);
  const { tools, user } = conversation;
  const body = present({
    model: traits.upstream,
    max_tokens: outputTokensMax,
    system: systemOf(messages.system, conversation),
    messages: conversation.cache ? withCacheMark(messages.turns) : messages.turns,
    tools: tools.length === 0 ? null : toolsOf(tools),
    tool_choice: tools.length === 0 ? null : toolChoiceOf(conversation, rules, encoding),
    ...samplingOf(conversation, rules, thinking, encoding),
    stop_sequences: stopsOf(conversation.stop, encoding),
    thinking: thinking.thinking,
    output_config: outputConfig(conversation, thinking, encoding),
    metadata: user === null ? null : { user_id: user.slice(0, userLengthMax) },
    stream: conversation.stream ? true : null,
  });
  return encoding.result(body);
}
