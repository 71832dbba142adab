/** Messages of the neutral conversation → messages of a chat completion. */
import type { Media, Message, Part } from '../conversation.ts';
import type { JsonObject } from '../dialect.ts';
import type { Encoding } from '../encoding.ts';
import { urlOf } from '../media.ts';
import { toolNameFor, ToolIds } from '../tool-names.ts';
import { toolNameLengthMax } from './limits.ts';

const errorPrefix = 'Error: ';
const mediaFollows = 'The result follows in the next user message.';

export type MessageTraits = {
  /** Only compatible servers take thoughts back, as plain text. */
  readonly thoughts: boolean;
  /** Several compatible servers take a string only, where there is nothing but text. */
  readonly joinTexts: boolean;
};

class MessageEncoder {
  readonly #ids = new ToolIds();
  readonly #traits: MessageTraits;
  readonly #encoding: Encoding;

  constructor(traits: MessageTraits, encoding: Encoding) {
    this.#traits = traits;
    this.#encoding = encoding;
  }

  message(message: Message): readonly JsonObject[] {
    switch (message.role) {
      case 'system':
        return this.#plain('system', message.parts);
      case 'user':
        return this.#user(message.parts);
      case 'assistant':
        return this.#assistant(message.parts);
    }
  }

  #plain(role: 'system' | 'user', parts: readonly Part[]): readonly JsonObject[] {
    const contents = parts.map((part) => this.#content(part)).filter((content) => content !== null);
    const [first] = contents;
    if (first === undefined) return [];
    const texts = contents.flatMap((content) =>
      content['type'] === 'text' ? [String(content['text'])] : [],
    );
    const areTexts = texts.length === contents.length;
    const isString = areTexts && (contents.length === 1 || this.#traits.joinTexts);
    return [{ role, content: isString ? texts.join('\n\n') : contents }];
  }

  #content(part: Part): JsonObject | null {
    switch (part.kind) {
      case 'text':
      case 'refusal':
        return part.text === '' ? null : { type: 'text', text: part.text };
      case 'image':
        return { type: 'image_url', image_url: { url: urlOf(part.media) } };
      case 'document':
        return this.#document(part.media, part.title);
      // Thoughts, calls and results have places of their own.
      case 'thinking':
      case 'tool_call':
      case 'tool_result':
        return null;
    }
  }

  #document(media: Media, title: string | null): JsonObject {
    if (media.kind === 'url') this.#encoding.lack('document_url');
    return { type: 'file', file: { filename: title ?? 'document.pdf', file_data: urlOf(media) } };
  }

  /** Results hold text only: their pictures follow in a user message, after all results. */
  #user(parts: readonly Part[]): readonly JsonObject[] {
    const results: JsonObject[] = [];
    const rest: Part[] = [];
    for (const part of parts) {
      if (part.kind !== 'tool_result') continue;
      const id = this.#ids.forResult(part.id);
      const texts = part.parts.flatMap((inner) => (inner.kind === 'text' ? [inner.text] : []));
      const media = part.parts.filter((inner) => inner.kind === 'image' || inner.kind === 'document');
      if (media.length > 0) {
        texts.push(mediaFollows);
        rest.push({ kind: 'text', text: `Result of the tool call ${id}:` }, ...media);
      }
      const content = (part.isError ? errorPrefix : '') + texts.join('\n');
      results.push({ role: 'tool', tool_call_id: id, content });
    }
    rest.push(...parts.filter((part) => part.kind !== 'tool_result'));
    return [...results, ...this.#plain('user', rest)];
  }

  #assistant(parts: readonly Part[]): readonly JsonObject[] {
    const text = parts.map((part) => (part.kind === 'text' || part.kind === 'refusal' ? part.text : ''));
    const calls = parts.flatMap((part) => (part.kind === 'tool_call' ? [this.#call(part)] : []));
    const thoughts = this.#thoughts(parts);
    const content = text.join('');
    if (content === '' && calls.length === 0) return [];
    return [
      {
        role: 'assistant',
        content: content === '' ? null : content,
        ...(thoughts === '' ? {} : { reasoning_content: thoughts }),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      },
    ];
  }

  #call(part: Extract<Part, { kind: 'tool_call' }>): JsonObject {
    return {
      id: this.#ids.forCall(part.id),
      type: 'function',
      function: {
        name: toolNameFor(part.name, toolNameLengthMax),
        arguments: part.arguments === '' ? '{}' : part.arguments,
      },
    };
  }

  /** Thoughts go back only to the dialect they came from. */
  #thoughts(parts: readonly Part[]): string {
    const thoughts = parts.flatMap((part) => (part.kind === 'thinking' ? [part] : []));
    const own = thoughts.filter((part) => this.#traits.thoughts && part.opaque?.issuer === 'openai-chat');
    if (own.length < thoughts.length) this.#encoding.warn('foreign_thinking');
    return own.map((part) => part.text).join('');
  }
}

export function encodeMessages(
  messages: readonly Message[],
  traits: MessageTraits,
  encoding: Encoding,
): readonly JsonObject[] {
  const encoder = new MessageEncoder(traits, encoding);
  return messages.flatMap((message) => encoder.message(message));
}
