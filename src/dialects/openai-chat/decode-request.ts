/** A chat completions request → the neutral conversation. */
import type { Conversation, Effort, Media, Message, Part, Tool, ToolChoice } from '../conversation.ts';
import type { InvalidRequest, JsonObject } from '../dialect.ts';
import { booleanOf, isJsonObject, numberOf, objectOf, objectsOf, textOf } from '../json-value.ts';
import { invalid, isInvalid, readBasics } from '../request-basics.ts';

type LeftOver = { readonly what: string; readonly matters: boolean };

const efforts: ReadonlySet<string> = new Set(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']);

function mediaOf(url: string): Media {
  const match = /^data:([^;,]+);base64,(.*)$/s.exec(url);
  return match === null
    ? { kind: 'url', url }
    : { kind: 'data', mediaType: match[1] ?? '', base64: match[2] ?? '' };
}

function partOf(value: JsonObject, leftOver: LeftOver[]): Part | null {
  switch (value['type']) {
    case 'text':
      return { kind: 'text', text: textOf(value['text']) ?? '' };
    case 'refusal':
      return { kind: 'refusal', text: textOf(value['refusal']) ?? '' };
    case 'image_url': {
      const image = objectOf(value['image_url']);
      if (image?.['detail'] !== undefined && image['detail'] !== 'auto')
        leftOver.push({ what: 'image detail', matters: false });
      return { kind: 'image', media: mediaOf(textOf(image?.['url']) ?? '') };
    }
    case 'file': {
      const file = objectOf(value['file']);
      const data = textOf(file?.['file_data']);
      if (data === null) {
        leftOver.push({ what: 'file_ids', matters: true });
        return null;
      }
      return { kind: 'document', media: mediaOf(data), title: textOf(file?.['filename']) };
    }
    case 'input_audio':
      leftOver.push({ what: 'audio', matters: true });
      return null;
    default:
      leftOver.push({ what: `content part ${String(value['type']).slice(0, 40)}`, matters: true });
      return null;
  }
}

function partsOf(content: unknown, leftOver: LeftOver[]): readonly Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }];
  return objectsOf(content).flatMap((value) => partOf(value, leftOver) ?? []);
}

function assistantParts(message: JsonObject, leftOver: LeftOver[]): readonly Part[] {
  const parts: Part[] = [...partsOf(message['content'], leftOver)];
  const refusal = textOf(message['refusal']);
  if (refusal !== null && refusal !== '') parts.push({ kind: 'refusal', text: refusal });
  for (const call of objectsOf(message['tool_calls'])) {
    const named = objectOf(call['function']);
    if (named === null) leftOver.push({ what: 'custom tools', matters: true });
    else
      parts.push({
        kind: 'tool_call',
        id: textOf(call['id']) ?? '',
        name: textOf(named['name']) ?? '',
        arguments: textOf(named['arguments']) ?? '',
      });
  }
  return parts;
}

function messageOf(message: JsonObject, index: number, leftOver: LeftOver[]): Message | InvalidRequest {
  if (message['name'] !== undefined) leftOver.push({ what: 'name of a message', matters: false });
  switch (message['role']) {
    case 'system':
    case 'developer':
      return { role: 'system', parts: partsOf(message['content'], leftOver) };
    case 'user':
      return { role: 'user', parts: partsOf(message['content'], leftOver) };
    case 'assistant':
      return { role: 'assistant', parts: assistantParts(message, leftOver) };
    case 'tool':
      return {
        role: 'user',
        parts: [
          {
            kind: 'tool_result',
            id: textOf(message['tool_call_id']) ?? '',
            parts: partsOf(message['content'], leftOver),
            isError: false,
          },
        ],
      };
    default:
      return invalid(
        `messages[${index}].role`,
        `messages[${index}].role must be system, developer, user, assistant or tool.`,
      );
  }
}

/** Results of one turn's calls stand in one message, as they were answered together. */
function gathered(messages: readonly Message[]): readonly Message[] {
  const gatheredMessages: Message[] = [];
  const isResults = (message: Message | undefined): boolean =>
    message !== undefined &&
    message.role === 'user' &&
    message.parts.length > 0 &&
    message.parts.every((part) => part.kind === 'tool_result');
  for (const message of messages) {
    const last = gatheredMessages.at(-1);
    if (last !== undefined && isResults(last) && isResults(message))
      gatheredMessages[gatheredMessages.length - 1] = {
        role: 'user',
        parts: [...last.parts, ...message.parts],
      };
    else gatheredMessages.push(message);
  }
  return gatheredMessages;
}

function toolsOf(values: readonly unknown[], leftOver: LeftOver[]): readonly Tool[] {
  return values.filter(isJsonObject).flatMap((value): Tool[] => {
    const tool = objectOf(value['function']);
    if (value['type'] !== 'function' || tool === null) {
      leftOver.push({ what: 'custom tools', matters: true });
      return [];
    }
    return [
      {
        name: textOf(tool['name']) ?? '',
        description: textOf(tool['description']),
        schema: tool['parameters'] ?? { type: 'object', properties: {} },
        strict: booleanOf(tool['strict']),
      },
    ];
  });
}

function toolChoiceOf(value: unknown, leftOver: LeftOver[]): ToolChoice | null {
  if (value === 'auto' || value === 'none' || value === 'required') return { kind: value };
  const choice = objectOf(value);
  const named = objectOf(choice?.['function']);
  if (named !== null) return { kind: 'named', name: textOf(named['name']) ?? '' };
  if (choice?.['type'] === 'allowed_tools') leftOver.push({ what: 'allowed_tools', matters: true });
  return null;
}

function formatOf(value: unknown): Conversation['format'] {
  const format = objectOf(value);
  const schema = objectOf(format?.['json_schema']);
  if (format?.['type'] === 'json_object') return { kind: 'json' };
  if (format?.['type'] !== 'json_schema' || schema === null) return null;
  return {
    kind: 'schema',
    name: textOf(schema['name']),
    schema: schema['schema'] ?? {},
    strict: booleanOf(schema['strict']),
  };
}

/** Parameters without a place in the neutral form: dropped where they only tune, a lack where the answer depends on them. */
const tuning = [
  'logit_bias',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'prediction',
  'web_search_options',
  'verbosity',
  'service_tier',
  'moderation',
] as const;

function leftOverParameters(body: JsonObject, leftOver: LeftOver[]): void {
  for (const name of tuning)
    if (body[name] !== undefined && body[name] !== null) leftOver.push({ what: name, matters: false });
  if (typeof body['n'] === 'number' && body['n'] > 1) leftOver.push({ what: 'n', matters: true });
  if (body['logprobs'] === true || numberOf(body['top_logprobs']) !== null)
    leftOver.push({ what: 'logprobs', matters: false });
  const modalities = Array.isArray(body['modalities']) ? body['modalities'] : [];
  if (modalities.includes('audio')) leftOver.push({ what: 'audio', matters: true });
}

function stopOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}

export function decodeRequest(body: JsonObject): Conversation | InvalidRequest {
  const basics = readBasics(body);
  if (isInvalid(basics)) return basics;
  const leftOver: LeftOver[] = [];
  const messages: Message[] = [];
  for (const [index, value] of basics.messages.entries()) {
    const message = messageOf(objectOf(value) ?? {}, index, leftOver);
    if ('kind' in message) return message;
    messages.push(message);
  }
  leftOverParameters(body, leftOver);
  const effort = textOf(body['reasoning_effort']);
  return {
    messages: gathered(messages),
    tools: toolsOf(basics.tools, leftOver),
    toolChoice: toolChoiceOf(body['tool_choice'], leftOver),
    parallelToolCalls: booleanOf(body['parallel_tool_calls']),
    outputTokensMax: numberOf(body['max_completion_tokens']) ?? numberOf(body['max_tokens']),
    temperature: numberOf(body['temperature']),
    topP: numberOf(body['top_p']),
    topK: null,
    stop: stopOf(body['stop']),
    format: formatOf(body['response_format']),
    effort: effort !== null && efforts.has(effort) ? (effort as Effort) : null,
    thinkingBudgetTokens: null,
    user: textOf(body['safety_identifier']) ?? textOf(body['user']),
    stream: basics.stream,
    includeUsage: objectOf(body['stream_options'])?.['include_usage'] === true,
    leftOver,
  };
}
