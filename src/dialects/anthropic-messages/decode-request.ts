/** A messages request → the neutral conversation. */
import type { Conversation, Effort, Media, Message, Part, Tool, ToolChoice } from '../conversation.ts';
import type { InvalidRequest, JsonObject } from '../dialect.ts';
import { isForeignMark } from '../foreign-thinking.ts';
import { isJsonObject, numberOf, objectOf, objectsOf, textOf } from '../json-value.ts';
import { invalid, isInvalid, readBasics } from '../request-basics.ts';

type LeftOver = { readonly what: string; readonly matters: boolean };

function mediaOf(source: JsonObject | null, leftOver: LeftOver[]): Media | null {
  switch (source?.['type']) {
    case 'base64':
      return {
        kind: 'data',
        mediaType: textOf(source['media_type']) ?? '',
        base64: textOf(source['data']) ?? '',
      };
    case 'url':
      return { kind: 'url', url: textOf(source['url']) ?? '' };
    default:
      leftOver.push({ what: 'file_ids', matters: true });
      return null;
  }
}

/** Documents that are text go on as text; a PDF stays a document. */
function documentPart(block: JsonObject, leftOver: LeftOver[]): Part | null {
  const source = objectOf(block['source']);
  const title = textOf(block['title']);
  if (objectOf(block['citations'])?.['enabled'] === true)
    leftOver.push({ what: 'citations', matters: false });
  if (source?.['type'] === 'text')
    return { kind: 'text', text: `${title === null ? '' : `${title}\n`}${textOf(source['data']) ?? ''}` };
  if (source?.['type'] === 'content') {
    const text =
      typeof source['content'] === 'string'
        ? source['content']
        : objectsOf(source['content'])
            .map((each) => textOf(each['text']) ?? '')
            .join('\n');
    return { kind: 'text', text };
  }
  const media = mediaOf(source, leftOver);
  return media === null ? null : { kind: 'document', media, title };
}

function resultParts(content: unknown, leftOver: LeftOver[]): readonly Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }];
  return objectsOf(content).flatMap((block) => partOf(block, leftOver) ?? []);
}

function partOf(block: JsonObject, leftOver: LeftOver[]): Part | null {
  switch (block['type']) {
    case 'text':
      return block['text'] === '' ? null : { kind: 'text', text: textOf(block['text']) ?? '' };
    case 'image': {
      const media = mediaOf(objectOf(block['source']), leftOver);
      return media === null ? null : { kind: 'image', media };
    }
    case 'document':
      return documentPart(block, leftOver);
    case 'thinking':
      if (isForeignMark(block['signature'])) return null;
      return {
        kind: 'thinking',
        text: textOf(block['thinking']) ?? '',
        opaque: { issuer: 'anthropic-messages', value: block },
      };
    case 'redacted_thinking':
      return { kind: 'thinking', text: '', opaque: { issuer: 'anthropic-messages', value: block } };
    case 'tool_use':
      return {
        kind: 'tool_call',
        id: textOf(block['id']) ?? '',
        name: textOf(block['name']) ?? '',
        arguments: JSON.stringify(block['input'] ?? {}),
      };
    case 'tool_result':
      return {
        kind: 'tool_result',
        id: textOf(block['tool_use_id']) ?? '',
        parts: resultParts(block['content'], leftOver),
        isError: block['is_error'] === true,
      };
    case 'search_result':
      return {
        kind: 'text',
        text: objectsOf(block['content'])
          .map((each) => textOf(each['text']) ?? '')
          .join('\n'),
      };
    default:
      leftOver.push({ what: `content block ${String(block['type']).slice(0, 40)}`, matters: true });
      return null;
  }
}

function messageOf(value: JsonObject, index: number, leftOver: LeftOver[]): Message | InvalidRequest {
  const { role, content } = value as { role?: unknown; content?: unknown };
  if (role !== 'user' && role !== 'assistant' && role !== 'system')
    return invalid(`messages[${index}].role`, `messages[${index}].role must be user, assistant or system.`);
  if (typeof content === 'string')
    return { role, parts: content === '' ? [] : [{ kind: 'text', text: content }] };
  return { role, parts: objectsOf(content).flatMap((block) => partOf(block, leftOver) ?? []) };
}

function systemOf(system: unknown): readonly Message[] {
  const texts =
    typeof system === 'string' ? [system] : objectsOf(system).map((block) => textOf(block['text']) ?? '');
  const parts = texts.filter((text) => text !== '').map((text): Part => ({ kind: 'text', text }));
  return parts.length === 0 ? [] : [{ role: 'system', parts }];
}

function toolsOf(values: readonly unknown[], leftOver: LeftOver[]): readonly Tool[] {
  return values.filter(isJsonObject).flatMap((tool): Tool[] => {
    if (tool['type'] !== undefined && tool['type'] !== null && tool['type'] !== 'custom') {
      leftOver.push({ what: `server tool ${(textOf(tool['type']) ?? '').slice(0, 40)}`, matters: false });
      return [];
    }
    return [
      {
        name: textOf(tool['name']) ?? '',
        description: textOf(tool['description']),
        schema: tool['input_schema'] ?? { type: 'object', properties: {} },
        strict: tool['strict'] === true ? true : null,
      },
    ];
  });
}

function toolChoiceOf(choice: JsonObject | null): ToolChoice | null {
  switch (choice?.['type']) {
    case 'auto':
    case 'none':
      return { kind: choice['type'] };
    case 'any':
      return { kind: 'required' };
    case 'tool':
      return { kind: 'named', name: textOf(choice['name']) ?? '' };
    default:
      return null;
  }
}

/** State that lives at Anthropic pins a request to it; the rest is dropped and named. */
const pinned = ['container', 'thread'] as const;
const dropped = [
  'context_management',
  'compaction',
  'mcp_servers',
  'fallbacks',
  'inference_geo',
  'speed',
  'service_tier',
] as const;

const efforts: ReadonlySet<string> = new Set(['low', 'medium', 'high', 'xhigh', 'max']);

function effortOf(body: JsonObject): Effort | null {
  const effort = textOf(objectOf(body['output_config'])?.['effort']);
  if (effort !== null && efforts.has(effort)) return effort as Effort;
  const type = objectOf(body['thinking'])?.['type'];
  if (type === 'adaptive') return 'medium';
  return type === 'disabled' ? 'none' : null;
}

function formatOf(body: JsonObject): Conversation['format'] {
  const format = objectOf(objectOf(body['output_config'])?.['format']);
  return format?.['type'] === 'json_schema'
    ? { kind: 'schema', name: null, schema: format['schema'] ?? {}, strict: null }
    : null;
}

export function decodeRequest(body: JsonObject): Conversation | InvalidRequest {
  const basics = readBasics(body);
  if (isInvalid(basics)) return basics;
  const leftOver: LeftOver[] = [];
  const messages: Message[] = [...systemOf(body['system'])];
  for (const [index, value] of basics.messages.entries()) {
    const message = messageOf(objectOf(value) ?? {}, index, leftOver);
    if ('kind' in message) return message;
    messages.push(message);
  }
  for (const name of pinned)
    if (body[name] !== undefined && body[name] !== null) leftOver.push({ what: name, matters: true });
  for (const name of dropped)
    if (body[name] !== undefined && body[name] !== null) leftOver.push({ what: name, matters: false });
  if (messages.at(-1)?.role === 'assistant') leftOver.push({ what: 'prefill', matters: true });
  const choice = objectOf(body['tool_choice']);
  const stops = Array.isArray(body['stop_sequences'])
    ? body['stop_sequences'].filter((each): each is string => typeof each === 'string')
    : [];
  return {
    messages,
    tools: toolsOf(basics.tools, leftOver),
    toolChoice: toolChoiceOf(choice),
    parallelToolCalls: choice?.['disable_parallel_tool_use'] === true ? false : null,
    outputTokensMax: numberOf(body['max_tokens']),
    temperature: numberOf(body['temperature']),
    topP: numberOf(body['top_p']),
    topK: numberOf(body['top_k']),
    stop: stops,
    format: formatOf(body),
    effort: effortOf(body),
    thinkingBudgetTokens: numberOf(objectOf(body['thinking'])?.['budget_tokens']),
    user: textOf(objectOf(body['metadata'])?.['user_id']),
    stream: basics.stream,
    includeUsage: true,
    leftOver,
  };
}
