/** The neutral conversation → a request to generate content. */
import type { Conversation, Effort, Message, Tool } from '../conversation.ts';
import type { Encoded, JsonObject, ModelTraits } from '../dialect.ts';
import { Encoding, outputTokensWithin } from '../encoding.ts';
import { present } from '../json-value.ts';
import { toolNameFor } from '../tool-names.ts';
import { encodeContents } from './encode-contents.ts';
import { stopSequencesMax, toolNameLengthMax } from './limits.ts';
import { acceptedSchema, parametersOf } from './schema.ts';

/** Models from the third generation on take levels of thinking, earlier ones a budget. */
const takesLevels = (traits: ModelTraits): boolean => /gemini-(?:[3-9]|\d{2})/.test(traits.upstream);

type ActiveEffort = Exclude<Effort, 'none'>;
const levelOf: Readonly<Record<ActiveEffort, string>> = {
  minimal: 'MINIMAL',
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  xhigh: 'HIGH',
  max: 'HIGH',
};
const budgetOf: Readonly<Record<ActiveEffort, number>> = {
  minimal: 512,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
};
const lowBudgetTokens = 4_096;
const mediumBudgetTokens = 16_384;

function effortOf({ effort, thinkingBudgetTokens }: Conversation): ActiveEffort | 'none' | null {
  if (effort !== null || thinkingBudgetTokens === null) return effort;
  if (thinkingBudgetTokens <= lowBudgetTokens) return 'low';
  return thinkingBudgetTokens <= mediumBudgetTokens ? 'medium' : 'high';
}

/** How an effort is said to a model that can think. */
export function thinkingConfigFor(effort: Effort, traits: ModelTraits): JsonObject {
  if (effort === 'none') return takesLevels(traits) ? { thinkingLevel: 'MINIMAL' } : { thinkingBudget: 0 };
  return takesLevels(traits)
    ? { thinkingLevel: levelOf[effort], includeThoughts: true }
    : { thinkingBudget: budgetOf[effort], includeThoughts: true };
}

function thinkingOf(conversation: Conversation, traits: ModelTraits, encoding: Encoding): JsonObject | null {
  const effort = effortOf(conversation);
  if (effort === null) return null;
  if (!traits.thinking) {
    if (effort !== 'none') encoding.warn('thinking');
    return null;
  }
  if (effort === 'xhigh' || effort === 'max') encoding.warn('effort');
  const config = thinkingConfigFor(effort, traits);
  const budget = conversation.thinkingBudgetTokens;
  return budget === null || effort === 'none' || takesLevels(traits)
    ? config
    : { ...config, thinkingBudget: budget };
}

function toolsOf(tools: readonly Tool[], encoding: Encoding): readonly JsonObject[] {
  if (tools.some((tool) => tool.strict === true)) encoding.warn('strict');
  const functionDeclarations = tools.map((tool) =>
    present({
      name: toolNameFor(tool.name, toolNameLengthMax),
      description: tool.description,
      parametersJsonSchema: parametersOf(tool.schema),
    }),
  );
  return [{ functionDeclarations }];
}

function callingOf({ toolChoice, parallelToolCalls }: Conversation, encoding: Encoding): JsonObject | null {
  if (parallelToolCalls === false) encoding.warn('parallel_tool_calls');
  switch (toolChoice?.kind) {
    case undefined:
      return null;
    case 'auto':
      return { mode: 'AUTO' };
    case 'none':
      return { mode: 'NONE' };
    case 'required':
      return { mode: 'ANY' };
    case 'named':
      return { mode: 'ANY', allowedFunctionNames: [toolNameFor(toolChoice.name, toolNameLengthMax)] };
  }
}

function formatOf(format: Conversation['format']): JsonObject {
  if (format === null) return {};
  if (format.kind === 'json') return { responseMimeType: 'application/json' };
  return { responseMimeType: 'application/json', responseJsonSchema: acceptedSchema(format.schema) };
}

function configOf(conversation: Conversation, traits: ModelTraits, encoding: Encoding): JsonObject {
  const { temperature, topP, topK, stop } = conversation;
  if (stop.length > stopSequencesMax) encoding.warn('stop');
  return present({
    maxOutputTokens: outputTokensWithin(conversation.outputTokensMax, traits.outputTokens, encoding),
    temperature,
    topP,
    topK,
    stopSequences: stop.length === 0 ? null : stop.slice(0, stopSequencesMax),
    ...formatOf(conversation.format),
    thinkingConfig: thinkingOf(conversation, traits, encoding),
  });
}

/** Every system message goes to the top: this format has no other place for one. */
function systemOf(messages: readonly Message[], encoding: Encoding): JsonObject | null {
  const system = messages.filter((message) => message.role === 'system');
  const leading = messages.findIndex((message) => message.role !== 'system');
  if (leading >= 0 && system.length > leading) encoding.warn('system_order');
  const parts = system.flatMap((message) =>
    message.parts.flatMap((part) => (part.kind === 'text' ? [{ text: part.text }] : [])),
  );
  return parts.length === 0 ? null : { parts };
}

export function encodeRequest(conversation: Conversation, traits: ModelTraits): Encoded {
  const encoding = new Encoding(conversation);
  const { tools, messages, user } = conversation;
  const hasTools = tools.length > 0;
  const contents = encodeContents(
    messages.filter((message) => message.role !== 'system'),
    encoding,
  );
  if (contents.length === 0) encoding.lack('empty_messages');
  if (user !== null) encoding.warn('user');
  const calling = hasTools ? callingOf(conversation, encoding) : null;
  const config = configOf(conversation, traits, encoding);
  const body = present({
    contents,
    systemInstruction: systemOf(messages, encoding),
    tools: hasTools ? toolsOf(tools, encoding) : null,
    toolConfig: calling === null ? null : { functionCallingConfig: calling },
    generationConfig: Object.keys(config).length === 0 ? null : config,
  });
  return encoding.result(body);
}
