/** The neutral conversation → a chat completions request. */
import type { Conversation, Media, Message, Part, ToolChoice } from '../conversation.ts';
import type { Encoded, JsonObject, ModelTraits } from '../dialect.ts';
import { present } from '../json-value.ts';
import { lackOf, warningsOf } from '../left-over.ts';
import { toolNameFor, ToolIds } from '../tool-names.ts';
import { stopSequencesMax, toolNameLengthMax, userLengthMax } from './limits.ts';

/** Models that think before they answer refuse sampling, stop sequences and the old token limit. */
function thinksFirst(traits: ModelTraits): boolean {
  return !traits.compatible && /^(?:gpt-5|o\d)/.test(traits.upstream);
}

function urlOf(media: Media): string {
  return media.kind === 'url' ? media.url : `data:${media.mediaType};base64,${media.base64}`;
}

function contentPart(part: Part): JsonObject | null {
  switch (part.kind) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
      return { type: 'image_url', image_url: { url: urlOf(part.media) } };
    case 'document':
      return {
        type: 'file',
        file: present({ file_data: urlOf(part.media), filename: part.title ?? 'document.pdf' }),
      };
    case 'refusal':
      return { type: 'text', text: part.text };
    // Thinking belongs to its issuer; calls and results have places of their own.
    case 'thinking':
    case 'tool_call':
    case 'tool_result':
      return null;
  }
}

/** A lone text goes as a string, which every server takes. */
function contentOf(parts: readonly Part[]): string | readonly JsonObject[] {
  const contents = parts.map(contentPart).filter((content) => content !== null);
  const texts = contents.flatMap((content) => (content['type'] === 'text' ? [String(content['text'])] : []));
  return texts.length === contents.length ? texts.join('\n') : contents;
}

/** Tool messages hold text only; pictures in a result follow in a user message after all results. */
function resultMessages(parts: readonly Part[], ids: ToolIds): readonly JsonObject[] {
  const results = parts.flatMap((part) => (part.kind === 'tool_result' ? [part] : []));
  const messages = results.map((result): JsonObject => {
    const text = result.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('\n');
    const pictures = result.parts.some((part) => part.kind === 'image' || part.kind === 'document');
    const body = text === '' && pictures ? 'The result follows.' : text;
    return {
      role: 'tool',
      tool_call_id: ids.forResult(result.id),
      content: result.isError ? `Error: ${body}` : body,
    };
  });
  const media = results.flatMap((result) =>
    result.parts.filter((part) => part.kind === 'image' || part.kind === 'document'),
  );
  const others = parts.filter((part) => part.kind !== 'tool_result');
  const rest = [...media, ...others];
  return rest.length === 0 ? messages : [...messages, { role: 'user', content: contentOf(rest) }];
}

function assistantMessage(parts: readonly Part[], ids: ToolIds): JsonObject | null {
  const calls = parts.flatMap((part) =>
    part.kind === 'tool_call'
      ? [
          {
            id: ids.forCall(part.id),
            type: 'function',
            function: {
              name: toolNameFor(part.name, toolNameLengthMax),
              arguments: part.arguments === '' ? '{}' : part.arguments,
            },
          },
        ]
      : [],
  );
  const content = contentOf(parts);
  const isBare = content === '';
  if (isBare && calls.length === 0) return null;
  return {
    role: 'assistant',
    content: isBare ? null : content,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

function messagesOf(messages: readonly Message[]): readonly JsonObject[] {
  const ids = new ToolIds();
  return messages.flatMap((message): readonly JsonObject[] => {
    switch (message.role) {
      case 'system':
        return message.parts.length === 0 ? [] : [{ role: 'system', content: contentOf(message.parts) }];
      case 'user':
        return resultMessages(message.parts, ids);
      case 'assistant': {
        const encoded = assistantMessage(message.parts, ids);
        return encoded === null ? [] : [encoded];
      }
    }
  });
}

function toolChoice(choice: ToolChoice | null): unknown {
  if (choice === null) return null;
  return choice.kind === 'named'
    ? { type: 'function', function: { name: toolNameFor(choice.name, toolNameLengthMax) } }
    : choice.kind;
}

function responseFormat(format: Conversation['format']): unknown {
  if (format === null) return null;
  if (format.kind === 'json') return { type: 'json_object' };
  return {
    type: 'json_schema',
    json_schema: present({ name: format.name ?? 'answer', schema: format.schema, strict: format.strict }),
  };
}

/** A budget of thinking tokens, as the nearest word for effort. */
function effortOf(conversation: Conversation, traits: ModelTraits): string | null {
  if (!traits.thinking) return null;
  if (conversation.effort !== null) return conversation.effort;
  const budget = conversation.thinkingBudgetTokens;
  if (budget === null) return null;
  return budget < 4_096 ? 'low' : budget < 16_384 ? 'medium' : 'high';
}

function sampling(conversation: Conversation, traits: ModelTraits, warnings: string[]): JsonObject {
  const { temperature, topP, topK, stop } = conversation;
  if (topK !== null) warnings.push('top_k');
  if (!thinksFirst(traits)) {
    if (stop.length > stopSequencesMax) warnings.push('stop_sequences');
    return present({
      temperature,
      top_p: topP,
      stop: stop.length === 0 ? null : stop.slice(0, stopSequencesMax),
    });
  }
  if (temperature !== null && temperature !== 1) warnings.push('temperature');
  if (topP !== null && topP !== 1) warnings.push('top_p');
  if (stop.length > 0) warnings.push('stop_sequences');
  return {};
}

export function encodeRequest(conversation: Conversation, traits: ModelTraits): Encoded {
  const lack = lackOf(conversation);
  if (lack !== null) return { kind: 'lacks', capability: lack };
  const warnings = [...warningsOf(conversation)];
  const { tools, stream, outputTokensMax, user } = conversation;
  const effort = effortOf(conversation, traits);
  if (effort === null && (conversation.effort ?? conversation.thinkingBudgetTokens) !== null)
    warnings.push('thinking');
  const limit = traits.compatible
    ? { max_tokens: outputTokensMax }
    : { max_completion_tokens: outputTokensMax };
  const body = present({
    model: traits.upstream,
    messages: messagesOf(conversation.messages),
    ...limit,
    ...sampling(conversation, traits, warnings),
    tools:
      tools.length === 0
        ? null
        : tools.map((tool) => ({
            type: 'function',
            function: present({
              name: toolNameFor(tool.name, toolNameLengthMax),
              description: tool.description,
              parameters: tool.schema,
              strict: tool.strict,
            }),
          })),
    tool_choice: tools.length === 0 ? null : toolChoice(conversation.toolChoice),
    parallel_tool_calls: tools.length === 0 ? null : conversation.parallelToolCalls,
    response_format: responseFormat(conversation.format),
    reasoning_effort: effort,
    user: user === null ? null : user.slice(0, userLengthMax),
    stream: stream ? true : null,
    stream_options: stream ? { include_usage: true } : null,
  });
  return { kind: 'encoded', body, warnings };
}
