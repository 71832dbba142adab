/** The neutral conversation → a messages request. */
import type { Conversation, Media, Message, Part, ToolChoice } from '../conversation.ts';
import type { Encoded, JsonObject, ModelTraits } from '../dialect.ts';
import { isJsonObject, present } from '../json-value.ts';
import { lackOf, warningsOf } from '../left-over.ts';
import { toolNameFor, ToolIds } from '../tool-names.ts';
import { toolNameLengthMax } from './limits.ts';
import { inputOf } from './parts.ts';
import { sanitisedSchema } from './schema.ts';

/** Output tokens when the caller named no limit: the format demands one. */
const defaultOutputTokens = 8_192;
const thinkingBudgetMin = 1_024;

/** Models after Opus 4.6 take no sampling parameters and think adaptively. */
function isNewer(model: string): boolean {
  return /claude-(?:opus-(?:4-[7-9]|[5-9])|sonnet-[5-9]|haiku-[5-9]|fable)/.test(model);
}

function source(media: Media): JsonObject {
  return media.kind === 'url'
    ? { type: 'url', url: media.url }
    : { type: 'base64', media_type: media.mediaType, data: media.base64 };
}

const listOfOne = (block: JsonObject | null): JsonObject[] => (block === null ? [] : [block]);

function blockOf(part: Part, ids: ToolIds): JsonObject | null {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text === '' ? null : { type: 'text', text: part.text };
    case 'image':
      return { type: 'image', source: source(part.media) };
    case 'document':
      return {
        type: 'document',
        source: source(part.media),
        ...(part.title === null ? {} : { title: part.title }),
      };
    case 'thinking':
      // Only what this format's own service signed may go back to it.
      return part.opaque?.issuer === 'anthropic-messages' && isJsonObject(part.opaque.value)
        ? part.opaque.value
        : null;
    case 'tool_call':
      return {
        type: 'tool_use',
        id: ids.forCall(part.id),
        name: toolNameFor(part.name, toolNameLengthMax),
        input: inputOf(part.arguments),
      };
    case 'tool_result':
      return present({
        type: 'tool_result',
        tool_use_id: ids.forResult(part.id),
        content: part.parts.flatMap((each) => listOfOne(blockOf(each, ids))),
        is_error: part.isError ? true : null,
      });
  }
}

type Turn = { readonly role: 'user' | 'assistant'; readonly content: JsonObject[] };

/** Turns alternate; within a user's turn results of tools come first. */
function turnsOf(messages: readonly Message[]): readonly Turn[] {
  const ids = new ToolIds();
  const turns: Turn[] = [];
  for (const message of messages) {
    // A system message in the middle keeps its place as the user's words: older models know no other.
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const content = message.parts.flatMap((part): JsonObject[] => listOfOne(blockOf(part, ids)));
    const last = turns.at(-1);
    if (last !== undefined && last.role === role) last.content.push(...content);
    else if (content.length > 0) turns.push({ role, content });
  }
  for (const turn of turns)
    if (turn.role === 'user')
      turn.content.sort((a, b) => Number(b['type'] === 'tool_result') - Number(a['type'] === 'tool_result'));
  return turns;
}

function leadingSystem(messages: readonly Message[]): {
  readonly system: string | null;
  readonly rest: readonly Message[];
} {
  const first = messages.findIndex((message) => message.role !== 'system');
  const leading = messages.slice(0, first < 0 ? messages.length : first);
  const text = leading
    .flatMap((message) => message.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])))
    .join('\n\n');
  return { system: text === '' ? null : text, rest: messages.slice(leading.length) };
}

function toolChoice(choice: ToolChoice | null, parallel: boolean | null): JsonObject | null {
  const single = parallel === false ? { disable_parallel_tool_use: true } : {};
  if (choice === null) return parallel === false ? { type: 'auto', ...single } : null;
  switch (choice.kind) {
    case 'auto':
      return { type: 'auto', ...single };
    case 'none':
      return { type: 'none' };
    case 'required':
      return { type: 'any', ...single };
    case 'named':
      return { type: 'tool', name: toolNameFor(choice.name, toolNameLengthMax), ...single };
  }
}

type Thinking = { readonly thinking: JsonObject | null; readonly effort: string | null };

const effortWords: Readonly<Record<string, string>> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  max: 'max',
};
const budgets: Readonly<Record<string, number>> = {
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 32_768,
  max: 32_768,
};

function thinkingOf(conversation: Conversation, traits: ModelTraits, tokensMax: number): Thinking {
  const { effort, thinkingBudgetTokens } = conversation;
  if (!traits.thinking || effort === null || effort === 'none') return { thinking: null, effort: null };
  const word = effortWords[effort] ?? 'medium';
  if (isNewer(traits.upstream)) return { thinking: { type: 'adaptive' }, effort: word };
  const budget = Math.min(thinkingBudgetTokens ?? budgets[word] ?? thinkingBudgetMin, tokensMax - 1);
  return {
    thinking: budget < thinkingBudgetMin ? null : { type: 'enabled', budget_tokens: budget },
    effort: null,
  };
}

function sampling(
  conversation: Conversation,
  traits: ModelTraits,
  thinks: boolean,
  warnings: string[],
): JsonObject {
  const { temperature, topP, topK } = conversation;
  if (!isNewer(traits.upstream) && !thinks)
    return present({
      temperature: temperature === null ? null : Math.min(1, Math.max(0, temperature)),
      top_p: temperature === null ? topP : null,
      top_k: topK,
    });
  if (temperature !== null && temperature !== 1) warnings.push('temperature');
  if (topP !== null && topP !== 1) warnings.push('top_p');
  if (topK !== null) warnings.push('top_k');
  return {};
}

/** Thinking and a forced tool exclude each other: the tool is what the caller depends on. */
function forces(conversation: Conversation): boolean {
  return conversation.toolChoice?.kind === 'required' || conversation.toolChoice?.kind === 'named';
}

function outputConfig(
  conversation: Conversation,
  effort: string | null,
  warnings: string[],
): JsonObject | null {
  const { format } = conversation;
  if (format?.kind === 'json') warnings.push('json_object');
  const schema =
    format?.kind === 'schema' ? { type: 'json_schema', schema: sanitisedSchema(format.schema) } : null;
  return schema === null && effort === null ? null : present({ effort, format: schema });
}

export function encodeRequest(conversation: Conversation, traits: ModelTraits): Encoded {
  const lack = lackOf(conversation);
  if (lack !== null) return { kind: 'lacks', capability: lack };
  const warnings = [...warningsOf(conversation)];
  const { system, rest } = leadingSystem(conversation.messages);
  const wantsJson = conversation.format?.kind === 'json';
  const instruction = wantsJson ? 'Answer with one JSON object and nothing else.' : null;
  const tokensMax = conversation.outputTokensMax ?? Math.min(traits.outputTokens, defaultOutputTokens);
  const thinking = forces(conversation)
    ? { thinking: null, effort: null }
    : thinkingOf(conversation, traits, tokensMax);
  const { tools, user, stop } = conversation;
  const body = present({
    model: traits.upstream,
    max_tokens: tokensMax,
    system: [system, instruction].filter((text) => text !== null).join('\n\n') || null,
    messages: turnsOf(rest),
    tools:
      tools.length === 0
        ? null
        : tools.map((tool) =>
            present({
              name: toolNameFor(tool.name, toolNameLengthMax),
              description: tool.description,
              input_schema: objectSchema(tool.schema),
            }),
          ),
    tool_choice:
      tools.length === 0 ? null : toolChoice(conversation.toolChoice, conversation.parallelToolCalls),
    ...sampling(conversation, traits, thinking.thinking !== null, warnings),
    stop_sequences: stop.length === 0 ? null : stop,
    thinking: thinking.thinking,
    output_config: outputConfig(conversation, thinking.effort, warnings),
    metadata: user === null ? null : { user_id: user },
    stream: conversation.stream ? true : null,
  });
  return { kind: 'encoded', body, warnings };
}

/** A tool's schema must be an object's here. */
function objectSchema(schema: unknown): JsonObject {
  return isJsonObject(schema) && schema['type'] === 'object'
    ? schema
    : {
        type: 'object',
        properties: {},
        ...(isJsonObject(schema) ? schema : {}),
        ...(isJsonObject(schema) && schema['type'] !== undefined ? { type: 'object' } : {}),
      };
}
