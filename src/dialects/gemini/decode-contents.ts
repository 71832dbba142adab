/**
 * Contents → messages. Calls may come without ids here, and results name only the function: each call is given an id
 * by its place, and each result belongs to the oldest call of its name that has none yet.
 */
import type { Message, Part } from '../conversation.ts';
import type { JsonObject } from '../dialect.ts';
import { isJsonObject, objectOf, objectsOf, textOf } from '../json-value.ts';
import type { LeftOvers } from '../left-over.ts';
import { blobOf, field, partsOf } from './fields.ts';
import { skippedSignature } from './limits.ts';

/** What a signature belongs to; the sentinel is nobody's. */
export function opaqueOf(part: JsonObject): Extract<Part, { kind: 'thinking' }>['opaque'] {
  const signature = textOf(field(part, 'thoughtSignature'));
  return signature === null || signature === skippedSignature
    ? null
    : { issuer: 'gemini', value: { signature } };
}

function mediaPart(part: JsonObject, leftOvers: LeftOvers): Part | null {
  const blob = blobOf(part);
  const file = objectOf(field(part, 'fileData'));
  const mediaType = blob?.mediaType ?? textOf(field(file, 'mimeType')) ?? '';
  const media =
    blob === null
      ? { kind: 'url' as const, url: textOf(field(file, 'fileUri')) ?? '' }
      : { kind: 'data' as const, mediaType: blob.mediaType, base64: blob.data };
  if (mediaType.startsWith('image/')) return { kind: 'image', media };
  if (mediaType === 'application/pdf' || mediaType.startsWith('text/'))
    return { kind: 'document', media, title: null };
  leftOvers.lack(mediaType.startsWith('audio/') ? 'audio' : `media ${mediaType}`);
  return null;
}

/** The text of a function's response: its `output` or `error` when it has just that, else all of it. */
function responseText(response: JsonObject): string {
  const { output, error, result } = response as { output?: unknown; error?: unknown; result?: unknown };
  const said = output ?? error ?? result;
  if (typeof said === 'string' && Object.keys(response).length === 1) return said;
  return JSON.stringify(response);
}

class Contents {
  readonly #leftOvers: LeftOvers;
  readonly #open = new Map<string, string[]>();
  #calls = 0;

  constructor(leftOvers: LeftOvers) {
    this.#leftOvers = leftOvers;
  }

  message(content: JsonObject): Message {
    const isModel = content['role'] === 'model';
    const parts = partsOf(content).flatMap((part) => this.#parts(part));
    return { role: isModel ? 'assistant' : 'user', parts };
  }

  #parts(part: JsonObject): readonly Part[] {
    const text = textOf(part['text']);
    if (text !== null) {
      if (part['thought'] === true) return [{ kind: 'thinking', text, opaque: opaqueOf(part) }];
      return text === '' ? [] : [{ kind: 'text', text }];
    }
    const call = objectOf(field(part, 'functionCall'));
    if (call !== null) return this.#call(call, part);
    const response = objectOf(field(part, 'functionResponse'));
    if (response !== null) return [this.#result(response)];
    if (blobOf(part) !== null || objectOf(field(part, 'fileData')) !== null) {
      const media = mediaPart(part, this.#leftOvers);
      return media === null ? [] : [media];
    }
    const [kind = 'without content'] = Object.keys(part);
    this.#leftOvers.lack(`part ${kind}`);
    return [];
  }

  #call(call: JsonObject, part: JsonObject): readonly Part[] {
    this.#calls += 1;
    const name = textOf(call['name']) ?? '';
    const id = textOf(call['id']) ?? `call_${this.#calls}_${name}`;
    this.#open.set(name, [...(this.#open.get(name) ?? []), id]);
    const args = isJsonObject(call['args']) ? call['args'] : {};
    const said: Part = { kind: 'tool_call', id, name, arguments: JSON.stringify(args) };
    const opaque = opaqueOf(part);
    // What was signed about the call stands before it, as thought.
    return opaque === null ? [said] : [{ kind: 'thinking', text: '', opaque }, said];
  }

  #result(response: JsonObject): Part {
    const name = textOf(response['name']) ?? '';
    const open = this.#open.get(name) ?? [];
    const given = textOf(response['id']);
    const id = given ?? open[0] ?? `call_${name}`;
    this.#open.set(
      name,
      open.filter((each) => each !== id),
    );
    const body = objectOf(response['response']) ?? {};
    const media = objectsOf(response['parts']).flatMap((part) => mediaPart(part, this.#leftOvers) ?? []);
    return {
      kind: 'tool_result',
      id,
      parts: [{ kind: 'text', text: responseText(body) }, ...media],
      isError: body['error'] !== undefined && body['output'] === undefined,
    };
  }
}

export function decodeContents(contents: readonly JsonObject[], leftOvers: LeftOvers): readonly Message[] {
  const reader = new Contents(leftOvers);
  return contents.map((content) => reader.message(content)).filter((message) => message.parts.length > 0);
}
