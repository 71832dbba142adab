/**
 * Messages of the neutral conversation → system prompt and turns.
 *
 * Turns alternate, a user's turn begins with the results of the calls before it, and no text is blank: the service
 * refuses anything else.
 */
import type { Media, Message, Part } from '../conversation.ts';
import type { JsonObject } from '../dialect.ts';
import type { Encoding } from '../encoding.ts';
import { present } from '../json-value.ts';
import { textOfBase64 } from '../media.ts';
import { toolNameFor, ToolIds } from '../tool-names.ts';
import type { ClaudeRules } from './claude.ts';
import { toolNameLengthMax } from './limits.ts';
import { encodeThinking, inputOf } from './parts.ts';

type Role = 'user' | 'assistant' | 'system';
export type Turn = { readonly role: Role; readonly content: JsonObject[] };

const imageTypes: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

/** Stands where the service demands a user's turn and the conversation has none. */
const openingText = '(The conversation begins with the assistant.)';

function isResult(block: JsonObject): boolean {
  return block['type'] === 'tool_result';
}

function textBlock(text: string): JsonObject | null {
  return text.trim() === '' ? null : { type: 'text', text };
}

function urlSource(media: Media & { readonly kind: 'url' }): JsonObject {
  return { type: 'url', url: media.url };
}

class TurnEncoder {
  readonly #ids = new ToolIds();
  readonly #encoding: Encoding;

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
  }

  blocks(parts: readonly Part[]): JsonObject[] {
    return parts.map((part) => this.#block(part)).filter((block) => block !== null);
  }

  #block(part: Part): JsonObject | null {
    switch (part.kind) {
      case 'text':
      case 'refusal':
        return textBlock(part.text);
      case 'image':
        return this.#image(part.media);
      case 'document':
        return this.#document(part.media, part.title);
      case 'thinking': {
        const block = encodeThinking(part);
        if (block === null) this.#encoding.warn('foreign_thinking');
        return block;
      }
      case 'tool_call':
        return {
          type: 'tool_use',
          id: this.#ids.forCall(part.id),
          name: toolNameFor(part.name, toolNameLengthMax),
          input: inputOf(part.arguments),
        };
      case 'tool_result':
        return present({
          type: 'tool_result',
          tool_use_id: this.#ids.forResult(part.id),
          content: this.blocks(part.parts),
          is_error: part.isError ? true : null,
        });
    }
  }

  #image(media: Media): JsonObject {
    if (media.kind === 'url') return { type: 'image', source: urlSource(media) };
    if (!imageTypes.has(media.mediaType)) this.#encoding.lack('image_type');
    return { type: 'image', source: { type: 'base64', media_type: media.mediaType, data: media.base64 } };
  }

  #document(media: Media, title: string | null): JsonObject {
    return present({ type: 'document', source: this.#documentSource(media), title });
  }

  #documentSource(media: Media): JsonObject {
    if (media.kind === 'url') return urlSource(media);
    if (media.mediaType.startsWith('text/'))
      return { type: 'text', media_type: 'text/plain', data: textOfBase64(media.base64) };
    if (media.mediaType !== 'application/pdf') this.#encoding.lack('document_type');
    return { type: 'base64', media_type: media.mediaType, data: media.base64 };
  }
}

/** Adds blocks to the turn they belong to. */
function addTurn(turns: Turn[], role: Role, blocks: readonly JsonObject[]): void {
  if (blocks.length === 0) return;
  const last = turns.at(-1);
  if (last?.role === role) last.content.push(...blocks);
  else turns.push({ role, content: [...blocks] });
}

function resultsFirst(turn: Turn): Turn {
  if (turn.role !== 'user' || !turn.content.some(isResult)) return turn;
  const results = turn.content.filter(isResult);
  return { role: 'user', content: [...results, ...turn.content.filter((block) => !isResult(block))] };
}

function hasOpenCalls(turns: readonly Turn[]): boolean {
  const last = turns.at(-1);
  return last?.role === 'assistant' && last.content.some((block) => block['type'] === 'tool_use');
}

export type EncodedMessages = { readonly system: readonly JsonObject[]; readonly turns: readonly Turn[] };

export function encodeMessages(
  messages: readonly Message[],
  rules: ClaudeRules,
  encoding: Encoding,
): EncodedMessages {
  const encoder = new TurnEncoder(encoding);
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  // Nothing may stand between a call and its result.
  const waiting: JsonObject[] = [];
  for (const message of messages) {
    const blocks = encoder.blocks(message.parts);
    if (message.role !== 'system') {
      addTurn(turns, message.role, blocks);
      if (message.role === 'user') addTurn(turns, 'system', waiting.splice(0));
    } else if (turns.length === 0) system.push(...blocks);
    else if (!rules.systemBetweenTurns) {
      if (blocks.length > 0) encoding.warn('system_order');
      system.push(...blocks);
    } else if (hasOpenCalls(turns)) waiting.push(...blocks);
    else addTurn(turns, 'system', blocks);
  }
  addTurn(turns, 'system', waiting);
  return opened({ system, turns: turns.map(resultsFirst) });
}

/** The first turn must be the user's. A system prompt alone is what the user asks. */
function opened({ system, turns }: EncodedMessages): EncodedMessages {
  const [first] = turns;
  if (first === undefined) return { system: [], turns: [{ role: 'user', content: [...system] }] };
  if (first.role === 'user') return { system, turns };
  return { system, turns: [{ role: 'user', content: [{ type: 'text', text: openingText }] }, ...turns] };
}
