/** Messages and content blocks of a messages request. */
import type { Media, Message, Part } from '../conversation.ts';
import type { InvalidRequest, JsonObject } from '../dialect.ts';
import { isForeignMark } from '../foreign-thinking.ts';
import { objectOf, objectsOf, textOf } from '../json-value.ts';
import type { LeftOvers } from '../left-over.ts';
import { invalid } from '../request-basics.ts';
import { isHostedBlock } from './blocks.ts';
import { decodeThinking } from './parts.ts';

/** A client of the vendor's sends accounting in the system prompt; it changes with each request and defeats caches. */
const billingPrefix = 'x-anthropic-billing-header';

function mediaOf(source: JsonObject | null, leftOvers: LeftOvers): Media | null {
  const type = textOf(source?.['type']);
  if (source !== null && type === 'base64') {
    const { media_type: mediaType, data } = source as { media_type?: unknown; data?: unknown };
    return { kind: 'data', mediaType: textOf(mediaType) ?? '', base64: textOf(data) ?? '' };
  }
  if (source !== null && type === 'url') return { kind: 'url', url: textOf(source['url']) ?? '' };
  leftOvers.lack(type === 'file' ? 'file_ids' : `source ${type ?? 'without type'}`);
  return null;
}

/** The texts of content that is a string or a list of text blocks. */
function textsIn(content: unknown): readonly string[] {
  if (typeof content === 'string') return [content];
  return objectsOf(content).map((block) => textOf(block['text']) ?? '');
}

function asText(texts: readonly (string | null)[]): Part | null {
  const text = texts.filter((each) => each !== null && each !== '').join('\n\n');
  return text === '' ? null : { kind: 'text', text };
}

/** Documents that are text go on as text; others stay documents. */
function documentPart(block: JsonObject, leftOvers: LeftOvers): Part | null {
  const source = objectOf(block['source']);
  const title = textOf(block['title']);
  if (objectOf(block['citations'])?.['enabled'] === true) leftOvers.drop('citations');
  const context = textOf(block['context']);
  if (source?.['type'] === 'text') return asText([title, context, textOf(source['data'])]);
  if (source?.['type'] === 'content') {
    if (objectsOf(source['content']).some((each) => each['type'] !== 'text'))
      leftOvers.lack('document_images');
    return asText([title, context, ...textsIn(source['content'])]);
  }
  if (context !== null) leftOvers.drop('document_context');
  const media = mediaOf(source, leftOvers);
  return media === null ? null : { kind: 'document', media, title };
}

function searchPart(block: JsonObject): Part | null {
  return asText([textOf(block['title']), textOf(block['source']), ...textsIn(block['content'])]);
}

function callPart(block: JsonObject): Part {
  return {
    kind: 'tool_call',
    id: textOf(block['id']) ?? '',
    name: textOf(block['name']) ?? '',
    arguments: JSON.stringify(block['input'] ?? {}),
  };
}

function resultPart(block: JsonObject, leftOvers: LeftOvers): Part {
  return {
    kind: 'tool_result',
    id: textOf(block['tool_use_id']) ?? '',
    parts: partsOf(block['content'], leftOvers),
    isError: block['is_error'] === true,
  };
}

function partOf(block: JsonObject, leftOvers: LeftOvers): Part | null {
  const type = textOf(block['type']) ?? 'without type';
  switch (type) {
    case 'text': {
      const text = textOf(block['text']) ?? '';
      return text === '' ? null : { kind: 'text', text };
    }
    case 'image': {
      const media = mediaOf(objectOf(block['source']), leftOvers);
      return media === null ? null : { kind: 'image', media };
    }
    case 'document':
      return documentPart(block, leftOvers);
    case 'search_result':
      return searchPart(block);
    case 'thinking':
      return isForeignMark(block['signature']) ? foreignThinking(block) : decodeThinking(block);
    case 'redacted_thinking':
      return decodeThinking(block);
    case 'tool_use':
      return callPart(block);
    case 'tool_result':
      return resultPart(block, leftOvers);
    case 'container_upload':
      leftOvers.lack('file_ids');
      return null;
  }
  // What a hosted tool did is the provider's; the text that followed from it stays.
  if (isHostedBlock(type)) leftOvers.drop('hosted_tools');
  else leftOvers.lack(`content block ${type}`);
  return null;
}

/** Thinking that we showed in another provider's place: an answer in chat completions was its source. */
function foreignThinking(block: JsonObject): Part {
  const text = textOf(block['thinking']) ?? '';
  return { kind: 'thinking', text, opaque: { issuer: 'openai-chat', value: null } };
}

function partsOf(content: unknown, leftOvers: LeftOvers): readonly Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }];
  return objectsOf(content).flatMap((block) => partOf(block, leftOvers) ?? []);
}

export function decodeMessage(
  value: JsonObject,
  index: number,
  leftOvers: LeftOvers,
): Message | InvalidRequest {
  const { role, content } = value as { role?: unknown; content?: unknown };
  const place = `messages[${index}]`;
  if (role !== 'user' && role !== 'assistant' && role !== 'system')
    return invalid(`${place}.role`, `${place}.role must be user, assistant or system.`);
  if (typeof content !== 'string' && !Array.isArray(content))
    return invalid(`${place}.content`, `${place}.content must be a string or a list of content blocks.`);
  return { role, parts: partsOf(content, leftOvers) };
}

export function decodeSystem(system: unknown): readonly Message[] {
  const texts = textsIn(system).filter((text) => text !== '' && !text.startsWith(billingPrefix));
  const parts = texts.map((text): Part => ({ kind: 'text', text }));
  return parts.length === 0 ? [] : [{ role: 'system', parts }];
}
