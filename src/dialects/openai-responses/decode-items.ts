/**
 * Input items of a responses request → messages.
 *
 * Items are flat where messages are turns: what the model said between two inputs (reasoning, text, calls) is one turn,
 * and results stand right after the turn that called, wherever the caller put them.
 */
import type { Message, Part } from '../conversation.ts';
import type { JsonObject } from '../dialect.ts';
import { isJsonObject, objectsOf, textOf } from '../json-value.ts';
import type { LeftOvers } from '../left-over.ts';
import { mediaOf } from '../media.ts';
import { callName } from '../custom-tools.ts';
import { isForeignReasoning } from './scrub.ts';

type Turn = { readonly role: Message['role']; readonly parts: Part[] };

function imagePart(part: JsonObject, leftOvers: LeftOvers): Part | null {
  const { image_url: url, detail } = part as { image_url?: unknown; detail?: unknown };
  if (detail !== undefined && detail !== null && detail !== 'auto') leftOvers.drop('image_detail');
  const media = typeof url === 'string' ? mediaOf(url) : null;
  if (media === null) leftOvers.lack(typeof part['file_id'] === 'string' ? 'file_ids' : 'image_data');
  return media === null ? null : { kind: 'image', media };
}

function filePart(part: JsonObject, leftOvers: LeftOvers): Part | null {
  const address = textOf(part['file_data']) ?? textOf(part['file_url']);
  const media = address === null ? null : mediaOf(address);
  if (media === null) leftOvers.lack(address === null ? 'file_ids' : 'document_data');
  return media === null ? null : { kind: 'document', media, title: textOf(part['filename']) };
}

function partOf(part: JsonObject, leftOvers: LeftOvers): Part | null {
  const type = textOf(part['type']) ?? 'without type';
  switch (type) {
    case 'input_text':
    case 'output_text':
    case 'text': {
      const text = textOf(part['text']) ?? '';
      return text === '' ? null : { kind: 'text', text };
    }
    case 'refusal':
      return { kind: 'refusal', text: textOf(part['refusal']) ?? '' };
    case 'input_image':
      return imagePart(part, leftOvers);
    case 'input_file':
      return filePart(part, leftOvers);
  }
  leftOvers.lack(type === 'input_audio' ? 'audio' : `content part ${type}`);
  return null;
}

function partsOf(content: unknown, leftOvers: LeftOvers): readonly Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }];
  return objectsOf(content).flatMap((part) => partOf(part, leftOvers) ?? []);
}

export function reasoningPart(item: JsonObject): Part {
  const texts = [...objectsOf(item['summary']), ...objectsOf(item['content'])]
    .map((part) => textOf(part['text']) ?? '')
    .filter((text) => text !== '');
  const encrypted = textOf(item['encrypted_content']);
  return {
    kind: 'thinking',
    text: texts.join('\n\n'),
    opaque:
      encrypted === null || isForeignReasoning(item)
        ? null
        : { issuer: 'openai-responses', value: { id: textOf(item['id']), encrypted } },
  };
}

/** `call_id` is the call; `id` names only the item. */
const callId = (item: JsonObject): string => textOf(item['call_id']) ?? textOf(item['id']) ?? '';

class Items {
  readonly turns: Turn[] = [];
  readonly #leftOvers: LeftOvers;
  readonly #answered = new Set<string>();

  constructor(leftOvers: LeftOvers) {
    this.#leftOvers = leftOvers;
  }

  add(item: JsonObject): void {
    const type = textOf(item['type']) ?? 'message';
    switch (type) {
      case 'message':
        this.#message(item);
        return;
      case 'function_call':
      case 'custom_tool_call':
        this.#said({
          kind: 'tool_call',
          id: callId(item),
          name: callName(item),
          arguments:
            type === 'function_call'
              ? (textOf(item['arguments']) ?? '')
              : JSON.stringify({ input: textOf(item['input']) ?? '' }),
        });
        return;
      case 'function_call_output':
      case 'custom_tool_call_output':
        this.#result(item);
        return;
      case 'reasoning':
        this.#said(reasoningPart(item));
        return;
    }
    if (type.endsWith('_call') || type.endsWith('_output')) this.#leftOvers.drop(type);
    else this.#leftOvers.lack(type);
  }

  #message(item: JsonObject): void {
    const parts = partsOf(item['content'], this.#leftOvers);
    if (item['role'] === 'assistant') for (const part of parts) this.#said(part);
    else this.turns.push({ role: item['role'] === 'user' ? 'user' : 'system', parts: [...parts] });
  }

  #said(part: Part): void {
    const last = this.turns.at(-1);
    if (last?.role === 'assistant') last.parts.push(part);
    else this.turns.push({ role: 'assistant', parts: [part] });
  }

  /** A result without `call_id` answers the latest call that has none yet. */
  #idOf(item: JsonObject): string {
    const given = textOf(item['call_id']);
    if (given !== null) return given;
    const calls = this.turns.flatMap((turn) =>
      turn.parts.flatMap((part) => (part.kind === 'tool_call' ? [part.id] : [])),
    );
    return calls.findLast((id) => !this.#answered.has(id)) ?? textOf(item['id']) ?? '';
  }

  #result(item: JsonObject): void {
    const id = this.#idOf(item);
    this.#answered.add(id);
    const { output } = item as { output?: unknown };
    const content =
      typeof output === 'string' || Array.isArray(output) ? output : JSON.stringify(output ?? '');
    const part: Part = {
      kind: 'tool_result',
      id,
      parts: partsOf(content, this.#leftOvers),
      isError: item['status'] === 'failed',
    };
    const caller = this.turns.findLastIndex((turn) =>
      turn.parts.some((each) => each.kind === 'tool_call' && each.id === id),
    );
    const after = caller < 0 ? undefined : this.turns[caller + 1];
    const holdsResults = after?.role === 'user' && after.parts.some((each) => each.kind === 'tool_result');
    if (after !== undefined && holdsResults) after.parts.push(part);
    else this.turns.splice(caller < 0 ? this.turns.length : caller + 1, 0, { role: 'user', parts: [part] });
  }
}

export function decodeItems(input: unknown, leftOvers: LeftOvers): readonly Message[] {
  if (typeof input === 'string') return [{ role: 'user', parts: [{ kind: 'text', text: input }] }];
  const items = new Items(leftOvers);
  for (const item of Array.isArray(input) ? input : []) if (isJsonObject(item)) items.add(item);
  return items.turns;
}
