/** Parts that need the same care in requests and answers. */
import type { Opaque, Part } from '../conversation.ts';
import type { JsonObject } from '../dialect.ts';
import { parseExact } from '../exact-json.ts';
import { isJsonObject, objectOf, textOf } from '../json-value.ts';

type Thinking = Extract<Part, { kind: 'thinking' }>;

/** What this dialect's service signed: the signature of a thought, or a thought that is not shown. */
export function signed(value: { readonly signature: string } | { readonly redacted: string }): Opaque {
  return { issuer: 'anthropic-messages', value };
}

export function decodeThinking(block: JsonObject): Thinking {
  if (block['type'] === 'redacted_thinking')
    return { kind: 'thinking', text: '', opaque: signed({ redacted: textOf(block['data']) ?? '' }) };
  const signature = textOf(block['signature']) ?? '';
  return { kind: 'thinking', text: textOf(block['thinking']) ?? '', opaque: signed({ signature }) };
}

/** The signature of a thought that this dialect's service issued; null for any other. */
export function signatureOf(opaque: Opaque | null): string | null {
  if (opaque?.issuer !== 'anthropic-messages') return null;
  const signature = textOf(objectOf(opaque.value)?.['signature']);
  return signature === '' ? null : signature;
}

/** The block as its issuer takes it back; null for a thought without a signature of this dialect. */
export function encodeThinking(part: Thinking): JsonObject | null {
  const { text, opaque } = part;
  const redacted = opaque?.issuer === 'anthropic-messages' ? objectOf(opaque.value)?.['redacted'] : null;
  if (typeof redacted === 'string') return { type: 'redacted_thinking', data: redacted };
  const signature = signatureOf(opaque);
  return signature === null ? null : { type: 'thinking', thinking: text, signature };
}

/** A call's input must be an object here; text that is none is kept inside one rather than lost. */
export function inputOf(json: string): unknown {
  if (json === '') return {};
  const value = parseExact(json);
  return isJsonObject(value) ? value : { unparsed: json };
}
