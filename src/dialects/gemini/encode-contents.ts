/** Messages of the neutral conversation → contents. Turns of one role are one content, and results stand together. */
import type { Media, Message, Part } from '../conversation.ts';
import type { JsonObject } from '../dialect.ts';
import type { Encoding } from '../encoding.ts';
import { parseExact } from '../exact-json.ts';
import { isJsonObject, objectOf, textOf } from '../json-value.ts';
import { toolNameFor, ToolIds } from '../tool-names.ts';
import { skippedSignature, toolNameLengthMax } from './limits.ts';

type Content = { readonly role: 'user' | 'model'; readonly parts: JsonObject[] };

/** The signature this format's service gave; null for any other. */
export function signatureOf(part: Part): string | null {
  if (part.kind !== 'thinking' || part.opaque?.issuer !== 'gemini') return null;
  return textOf(objectOf(part.opaque.value)?.['signature']);
}

class ContentEncoder {
  readonly contents: Content[] = [];
  readonly #encoding: Encoding;
  readonly #ids = new ToolIds();
  readonly #names = new Map<string, string>();

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
  }

  add(message: Message): void {
    if (message.role === 'assistant') this.#model(message.parts);
    else this.#user(message.parts);
  }

  #append(role: Content['role'], parts: readonly JsonObject[]): void {
    if (parts.length === 0) return;
    const last = this.contents.at(-1);
    // Results answer the turn before them: what a person says next is a turn of its own.
    const isResults = (each: readonly JsonObject[]): boolean =>
      each.some((part) => 'functionResponse' in part);
    if (last?.role === role && isResults(last.parts) === isResults(parts)) last.parts.push(...parts);
    else this.contents.push({ role, parts: [...parts] });
  }

  #media(media: Media, kind: 'image' | 'document'): JsonObject {
    if (media.kind === 'url') {
      this.#encoding.lack(`${kind}_url`);
      return { text: media.url };
    }
    return { inlineData: { mimeType: media.mediaType, data: media.base64 } };
  }

  #plain(part: Part): JsonObject | null {
    switch (part.kind) {
      case 'text':
      case 'refusal':
        return part.text === '' ? null : { text: part.text };
      case 'image':
        return this.#media(part.media, 'image');
      case 'document':
        return this.#media(part.media, 'document');
      case 'thinking':
      case 'tool_call':
      case 'tool_result':
        return null;
    }
  }

  #user(parts: readonly Part[]): void {
    const results = parts.flatMap((part) => (part.kind === 'tool_result' ? [this.#result(part)] : []));
    const media = parts.flatMap((part) =>
      part.kind === 'tool_result' ? part.parts.filter((inner) => inner.kind !== 'text') : [],
    );
    this.#append('user', results);
    const rest = [...media, ...parts.filter((part) => part.kind !== 'tool_result')];
    this.#append(
      'user',
      rest.map((part) => this.#plain(part)).filter((part) => part !== null),
    );
  }

  /** A result is an object here; text is kept as text, so that nothing in it is read as more. */
  #result(part: Extract<Part, { kind: 'tool_result' }>): JsonObject {
    const id = this.#ids.forResult(part.id);
    const text = part.parts.flatMap((inner) => (inner.kind === 'text' ? [inner.text] : [])).join('\n');
    return {
      functionResponse: {
        id,
        name: this.#names.get(id) ?? 'unknown',
        response: part.isError ? { error: text } : { output: text },
      },
    };
  }

  #model(parts: readonly Part[]): void {
    const written: JsonObject[] = [];
    let signature: string | null = null;
    let hasCall = false;
    for (const part of parts) {
      if (part.kind === 'thinking') {
        signature = signatureOf(part) ?? signature;
        if (signatureOf(part) === null) this.#encoding.warn('foreign_thinking');
      } else if (part.kind === 'tool_call') {
        // The first call of a turn must be signed; the documented word stands in where there is no signature.
        const signed = signature ?? (hasCall ? null : skippedSignature);
        written.push({
          functionCall: this.#call(part),
          ...(signed === null ? {} : { thoughtSignature: signed }),
        });
        signature = null;
        hasCall = true;
      } else {
        const plain = this.#plain(part);
        if (plain !== null) written.push(plain);
      }
    }
    this.#append('model', written);
  }

  #call(part: Extract<Part, { kind: 'tool_call' }>): JsonObject {
    const id = this.#ids.forCall(part.id);
    const name = toolNameFor(part.name, toolNameLengthMax);
    this.#names.set(id, name);
    const args = parseExact(part.arguments === '' ? '{}' : part.arguments);
    return { id, name, args: isJsonObject(args) ? args : { unparsed: part.arguments } };
  }
}

export function encodeContents(messages: readonly Message[], encoding: Encoding): readonly JsonObject[] {
  const encoder = new ContentEncoder(encoding);
  for (const message of messages) encoder.add(message);
  return encoder.contents;
}
