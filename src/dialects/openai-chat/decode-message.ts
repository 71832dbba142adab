/** Messages of a chat completions request. */
import type { Message, Part } from '../conversation.ts';
import { flatName } from '../custom-tools.ts';
import type { InvalidRequest, JsonObject } from '../dialect.ts';
import { objectOf, objectsOf, textOf } from '../json-value.ts';
import type { LeftOvers } from '../left-over.ts';
import { mediaOf } from '../media.ts';
import { invalid } from '../request-basics.ts';

function imagePart(value: JsonObject, leftOvers: LeftOvers): Part | null {
  const image = objectOf(value['image_url']);
  const detail = image?.['detail'];
  if (detail !== undefined && detail !== null && detail !== 'auto') leftOvers.drop('image_detail');
  const media = mediaOf(textOf(image?.['url'] ?? value['image_url']) ?? '');
  if (media === null) leftOvers.lack('image_data');
  return media === null ? null : { kind: 'image', media };
}

function filePart(value: JsonObject, leftOvers: LeftOvers): Part | null {
  const file = objectOf(value['file']);
  const data = textOf(file?.['file_data']);
  if (data === null) {
    leftOvers.lack('file_ids');
    return null;
  }
  const media = mediaOf(data);
  if (media?.kind === 'data') return { kind: 'document', media, title: textOf(file?.['filename']) };
  leftOvers.lack('document_data');
  return null;
}

function partOf(value: JsonObject, leftOvers: LeftOvers): Part | null {
  const type = textOf(value['type']) ?? 'without type';
  switch (type) {
    case 'text':
      return textPart(value['text']);
    case 'refusal':
      return { kind: 'refusal', text: textOf(value['refusal']) ?? '' };
    case 'image_url':
      return imagePart(value, leftOvers);
    case 'file':
      return filePart(value, leftOvers);
    case 'input_audio':
      leftOvers.lack('audio');
      return null;
  }
  leftOvers.lack(`content part ${type}`);
  return null;
}

function textPart(value: unknown): Part | null {
  const text = textOf(value) ?? '';
  return text === '' ? null : { kind: 'text', text };
}

function partsOf(content: unknown, leftOvers: LeftOvers): readonly Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }];
  return objectsOf(content).flatMap((value) => partOf(value, leftOvers) ?? []);
}

function assistantParts(message: JsonObject, leftOvers: LeftOvers): readonly Part[] {
  const parts: Part[] = [];
  const thinking = textOf(message['reasoning_content']) ?? textOf(message['reasoning']) ?? '';
  if (thinking !== '') parts.push({ kind: 'thinking', text: thinking, opaque: null });
  parts.push(...partsOf(message['content'], leftOvers));
  const refusal = textOf(message['refusal']) ?? '';
  if (refusal !== '') parts.push({ kind: 'refusal', text: refusal });
  if (objectOf(message['audio']) !== null) leftOvers.lack('audio');
  if (objectOf(message['function_call']) !== null) leftOvers.lack('functions');
  for (const call of objectsOf(message['tool_calls'])) {
    const custom = objectOf(call['custom']);
    const named = objectOf(call['function']) ?? {};
    if (custom !== null)
      parts.push({
        kind: 'tool_call',
        id: textOf(call['id']) ?? '',
        name: flatName({ kind: 'custom', namespace: null, name: textOf(custom['name']) ?? '' }),
        arguments: JSON.stringify({ input: textOf(custom['input']) ?? '' }),
      });
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

function resultMessage(message: JsonObject, leftOvers: LeftOvers): Message {
  const id = textOf(message['tool_call_id']) ?? '';
  const parts = partsOf(message['content'], leftOvers);
  return { role: 'user', parts: [{ kind: 'tool_result', id, parts, isError: false }] };
}

export function decodeMessage(
  message: JsonObject,
  index: number,
  leftOvers: LeftOvers,
): Message | InvalidRequest {
  const { role, content } = message as { role?: unknown; content?: unknown };
  const place = `messages[${index}]`;
  if (content !== undefined && content !== null && typeof content !== 'string' && !Array.isArray(content))
    return invalid(`${place}.content`, `${place}.content must be a string or a list of parts.`);
  if (message['name'] !== undefined && role !== 'tool' && role !== 'function') leftOvers.drop('message_name');
  switch (role) {
    case 'system':
    case 'developer':
      return { role: 'system', parts: partsOf(content, leftOvers) };
    case 'user':
      return { role: 'user', parts: partsOf(content, leftOvers) };
    case 'assistant':
      return { role: 'assistant', parts: assistantParts(message, leftOvers) };
    case 'tool':
      return resultMessage(message, leftOvers);
    case 'function':
      leftOvers.lack('functions');
      return { role: 'user', parts: [] };
  }
  return invalid(`${place}.role`, `${place}.role must be system, developer, user, assistant or tool.`);
}

function isResults(message: Message): boolean {
  return message.parts.length > 0 && message.parts.every((part) => part.kind === 'tool_result');
}

/** Results of one turn's calls stand in one message, as they were answered together. */
export function gathered(messages: readonly Message[]): readonly Message[] {
  const result: Message[] = [];
  let open: Part[] | null = null;
  for (const message of messages) {
    if (message.role === 'user' && isResults(message)) {
      if (open === null) {
        open = [];
        result.push({ role: 'user', parts: open });
      }
      open.push(...message.parts);
    } else {
      open = null;
      result.push(message);
    }
  }
  return result;
}
