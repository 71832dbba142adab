/** Messages of the neutral conversation → input items. */
import type { Media, Message, Part } from '../conversation.ts';
import type { JsonObject } from '../dialect.ts';
import type { Encoding } from '../encoding.ts';
import { objectOf, present, textOf } from '../json-value.ts';
import { urlOf } from '../media.ts';
import { toolNameFor, ToolIds } from '../tool-names.ts';
import { toolNameLengthMax } from './limits.ts';

const errorPrefix = 'Error: ';

function filePart(media: Media, title: string | null): JsonObject {
  return media.kind === 'url'
    ? { type: 'input_file', file_url: media.url }
    : { type: 'input_file', filename: title ?? 'document.pdf', file_data: urlOf(media) };
}

/** What a person or a tool can say. */
function inputPart(part: Part): JsonObject | null {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text === '' ? null : { type: 'input_text', text: part.text };
    case 'image':
      return { type: 'input_image', image_url: urlOf(part.media) };
    case 'document':
      return filePart(part.media, part.title);
    case 'thinking':
    case 'tool_call':
    case 'tool_result':
      return null;
  }
}

function outputOf(part: Extract<Part, { kind: 'tool_result' }>): unknown {
  const contents = part.parts.map(inputPart).filter((each) => each !== null);
  const areTexts = contents.every((content) => content['type'] === 'input_text');
  const prefix = part.isError ? errorPrefix : '';
  if (areTexts) return prefix + contents.map((content) => String(content['text'])).join('\n');
  return prefix === '' ? contents : [{ type: 'input_text', text: prefix.trim() }, ...contents];
}

class ItemEncoder {
  readonly #ids = new ToolIds();
  readonly #encoding: Encoding;

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
  }

  message({ role, parts }: Message): readonly JsonObject[] {
    switch (role) {
      case 'system':
        return this.#plain('developer', parts);
      case 'user':
        return this.#user(parts);
      case 'assistant':
        return parts.map((part) => this.#said(part)).filter((each) => each !== null);
    }
  }

  #plain(role: 'developer' | 'user', parts: readonly Part[]): readonly JsonObject[] {
    const content = parts.map(inputPart).filter((each) => each !== null);
    return content.length === 0 ? [] : [{ type: 'message', role, content }];
  }

  #user(parts: readonly Part[]): readonly JsonObject[] {
    const results = parts.flatMap((part) =>
      part.kind === 'tool_result'
        ? [
            {
              type: 'function_call_output',
              call_id: this.#ids.forResult(part.id),
              output: outputOf(part),
            },
          ]
        : [],
    );
    return [
      ...results,
      ...this.#plain(
        'user',
        parts.filter((part) => part.kind !== 'tool_result'),
      ),
    ];
  }

  #said(part: Part): JsonObject | null {
    switch (part.kind) {
      case 'text':
        return part.text === ''
          ? null
          : { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: part.text }] };
      case 'refusal':
        return { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: part.text }] };
      case 'tool_call':
        return {
          type: 'function_call',
          call_id: this.#ids.forCall(part.id),
          name: toolNameFor(part.name, toolNameLengthMax),
          arguments: part.arguments === '' ? '{}' : part.arguments,
        };
      case 'thinking':
        return this.#reasoning(part);
      case 'image':
      case 'document':
      case 'tool_result':
        return null;
    }
  }

  /** Thoughts go back only to the dialect they came from. */
  #reasoning(part: Extract<Part, { kind: 'thinking' }>): JsonObject | null {
    const own = part.opaque?.issuer === 'openai-responses' ? objectOf(part.opaque.value) : null;
    if (own === null) {
      this.#encoding.warn('foreign_thinking');
      return null;
    }
    return present({
      type: 'reasoning',
      id: textOf(own['id']),
      summary: part.text === '' ? [] : [{ type: 'summary_text', text: part.text }],
      encrypted_content: textOf(own['encrypted']),
    });
  }
}

export function encodeItems(messages: readonly Message[], encoding: Encoding): readonly JsonObject[] {
  const encoder = new ItemEncoder(encoding);
  return messages.flatMap((message) => encoder.message(message));
}
