/** The neutral conversation → a chat completions request. */
import type { Conversation, Tool, ToolChoice } from '../conversation.ts';
import type { Encoded, JsonObject, ModelTraits } from '../dialect.ts';
import { Encoding, outputTokensWithin } from '../encoding.ts';
import { present } from '../json-value.ts';
import { toolNameFor } from '../tool-names.ts';
import { encodeMessages } from './encode-message.ts';
import { stopSequencesMax, toolNameLengthMax, userLengthMax } from './limits.ts';
import { isStrictReady } from './schema.ts';

/** Budgets of thinking tokens up to these count as this effort. */
const budgetLowTokens = 4_096;
const budgetMediumTokens = 16_384;

/** Models that think before they answer refuse stop sequences, and sampling while they think. */
export function thinksFirst(traits: ModelTraits): boolean {
  return !traits.compatible && /^(?:gpt-[5-9](?!.*chat)|o\d)/.test(traits.upstream);
}

/** Of those, the ones that think only when asked: unless asked, they take sampling. */
const thinksWhenAsked = /^gpt-5\.[1-4](?:-(?:mini|nano))?(?:-\d{4}-\d{2}-\d{2})?$/;

/** `asked`: how much thinking a request asks for, as effort or tokens. */
export function takesSampling(traits: ModelTraits, asked: unknown): boolean {
  const isAsked = asked !== null && asked !== undefined && asked !== 'none';
  return !thinksFirst(traits) || (thinksWhenAsked.test(traits.upstream) && !isAsked);
}

/** Strict where the schema allows it: a strict one that does not is refused as a whole. */
function strictness(schema: unknown, strict: boolean | null, encoding: Encoding): boolean | null {
  if (strict !== true || isStrictReady(schema)) return strict;
  encoding.warn('strict');
  return false;
}

function toolsOf(tools: readonly Tool[], encoding: Encoding): readonly JsonObject[] {
  return tools.map((tool) => ({
    type: 'function',
    function: present({
      name: toolNameFor(tool.name, toolNameLengthMax),
      description: tool.description,
      parameters: tool.schema,
      strict: strictness(tool.schema, tool.strict, encoding),
    }),
  }));
}

function toolChoiceOf(choice: ToolChoice | null): unknown {
  if (choice?.kind !== 'named') return choice?.kind ?? null;
  return { type: 'function', function: { name: toolNameFor(choice.name, toolNameLengthMax) } };
}

function responseFormat(format: Conversation['format'], encoding: Encoding): unknown {
  if (format === null) return null;
  if (format.kind === 'json') return { type: 'json_object' };
  const { schema } = format;
  const strict = strictness(schema, format.strict, encoding);
  return { type: 'json_schema', json_schema: present({ name: format.name ?? 'answer', schema, strict }) };
}

/** Effort in words that every thinking model knows; a budget of tokens as the nearest one. */
export function effortWord(
  conversation: Conversation,
  traits: ModelTraits,
  encoding: Encoding,
): string | null {
  const { effort, thinkingBudgetTokens } = conversation;
  if (effort === 'none' || (effort === null && thinkingBudgetTokens === null)) return null;
  if (!traits.thinking) {
    encoding.warn('thinking');
    return null;
  }
  if (effort === null) {
    const tokens = thinkingBudgetTokens ?? 0;
    if (tokens <= budgetLowTokens) return 'low';
    return tokens <= budgetMediumTokens ? 'medium' : 'high';
  }
  if (effort !== 'xhigh' && effort !== 'max') return effort;
  encoding.warn('effort');
  return 'high';
}

function samplingOf(conversation: Conversation, traits: ModelTraits, encoding: Encoding): JsonObject {
  const { topK, stop } = conversation;
  if (topK !== null) encoding.warn('top_k');
  const sampling = temperatureOf(conversation, traits, encoding);
  const stopsMax = thinksFirst(traits) ? 0 : stopSequencesMax;
  if (stop.length > stopsMax) encoding.warn('stop');
  const kept = stop.slice(0, stopsMax);
  return present({ ...sampling, stop: kept.length === 0 ? null : kept });
}

export function temperatureOf(
  { temperature, topP, effort, thinkingBudgetTokens }: Conversation,
  traits: ModelTraits,
  encoding: Encoding,
): JsonObject {
  if (takesSampling(traits, effort ?? thinkingBudgetTokens)) return present({ temperature, top_p: topP });
  if (temperature !== null && temperature !== 1) encoding.warn('temperature');
  if (topP !== null && topP !== 1) encoding.warn('top_p');
  return {};
}

export function encodeRequest(conversation: Conversation, traits: ModelTraits): Encoded {
  const encoding = new Encoding(conversation);
  const { tools, stream, user } = conversation;
  const hasTools = tools.length > 0;
  const messageTraits = { thoughts: traits.compatible, joinTexts: traits.compatible };
  const outputTokensMax = outputTokensWithin(conversation.outputTokensMax, traits.outputTokens, encoding);
  const messages = encodeMessages(conversation.messages, messageTraits, encoding);
  if (messages.length === 0) encoding.lack('empty_messages');
  const body = present({
    model: traits.upstream,
    messages,
    [traits.compatible ? 'max_tokens' : 'max_completion_tokens']: outputTokensMax,
    ...samplingOf(conversation, traits, encoding),
    tools: hasTools ? toolsOf(tools, encoding) : null,
    tool_choice: hasTools ? toolChoiceOf(conversation.toolChoice) : null,
    parallel_tool_calls: hasTools ? conversation.parallelToolCalls : null,
    response_format: responseFormat(conversation.format, encoding),
    reasoning_effort: effortWord(conversation, traits, encoding),
    user: user === null ? null : user.slice(0, userLengthMax),
    stream: stream ? true : null,
    // Whether the caller sees usage or not: the gateway counts it.
    stream_options: stream ? { include_usage: true } : null,
  });
  return encoding.result(body);
}
