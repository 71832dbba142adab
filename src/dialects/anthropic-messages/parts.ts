/** Parts that need the same care in requests and answers. */
import type { Part } from '../conversation.ts';
import { isJsonObject, objectOf, parseJson, textOf } from '../json-value.ts';

/** The signature of thinking that this dialect issued; null for any other. */
export function signatureOf(part: Extract<Part, { kind: 'thinking' }>): string | null {
  if (part.opaque?.issuer !== 'anthropic-messages') return null;
  const signature = textOf(objectOf(part.opaque.value)?.['signature']);
  return signature === '' ? null : signature;
}

/** A call's input must be an object here; text that is none is kept inside one rather than lost. */
export function inputOf(json: string): unknown {
  if (json === '') return {};
  const value = parseJson(json);
  return isJsonObject(value) ? value : { unparsed: json };
}
