/** Reads the JSON body of an admin call, bounded. Verbs of control parse it themselves, so that a rejection is recorded. */
import { readJsonObject } from '../dialects/json-text.ts';
import { invalidInput } from './admin-error.ts';
import type { Read } from './admin-error.ts';

/** A configuration to check is the largest body there is. */
export const adminBodyBytesMax = 5 * 1_048_576;

const adminBodyDepthMax = 64;
const remedy = 'Send a JSON object in UTF-8, each name in it once.';

const tooLarge: Read<never> = {
  kind: 'error',
  error: {
    status: 413,
    code: 'too_large',
    message: `The body is larger than ${adminBodyBytesMax} bytes.`,
    remedy: 'Send less.',
    field: null,
  },
};

/** All bytes, or null as soon as they are too many: what comes after that is not waited for. */
async function bytesOf(request: Request): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.byteLength;
    if (size > adminBodyBytesMax) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const textTypes = /^(?:application|text)\/(?:x-)?(?:yaml|plain)\b/;

/** YAML as it is. Tools that say nothing of it, or call everything a form, are believed by how it begins. */
const isPlainText = (text: string, type: string): boolean =>
  textTypes.test(type) || (!/json/i.test(type) && !/^\s*\{/.test(text));

export type BodyForm = { readonly takesText: boolean; readonly mayBeEmpty: boolean };

export async function readAdminBody(
  request: Request,
  { takesText, mayBeEmpty }: BodyForm,
): Promise<Read<unknown>> {
  if (Number(request.headers.get('content-length') ?? 0) > adminBodyBytesMax) return tooLarge;
  let bytes: Uint8Array | null;
  try {
    bytes = await bytesOf(request);
  } catch {
    return invalidInput('The body broke off.', 'Send it again.', null);
  }
  if (bytes === null) return tooLarge;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return invalidInput('The body is not UTF-8.', remedy, null);
  }
  if (mayBeEmpty && text.trim() === '') return { kind: 'read', value: {} };
  if (takesText && isPlainText(text, request.headers.get('content-type') ?? ''))
    return { kind: 'read', value: { text } };
  const json = readJsonObject(text, { depthMax: adminBodyDepthMax });
  return json.kind === 'invalid'
    ? invalidInput(json.message, remedy, json.param)
    : { kind: 'read', value: json.value };
}
