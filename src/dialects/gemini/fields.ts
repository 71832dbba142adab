/** Reading a format that takes every field in two spellings: `systemInstruction` and `system_instruction`. */
import type { JsonObject } from '../dialect.ts';
import { isJsonObject, objectOf, objectsOf, textOf } from '../json-value.ts';

const snakeOf = (camel: string): string => camel.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camelOf = (snake: string): string =>
  snake.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** A field by its camelCase name, in either spelling. */
export function field(object: JsonObject | null, camel: string): unknown {
  return object?.[camel] ?? object?.[snakeOf(camel)];
}

/** The fields of an object under their camelCase names. */
export function camelFields(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [camelOf(key), value]));
}

/** The parts of a content, which may be written as a text or a list of texts and parts. */
export function partsOf(content: unknown): readonly JsonObject[] {
  if (typeof content === 'string') return [{ text: content }];
  if (!Array.isArray(content)) return objectsOf(objectOf(content)?.['parts']);
  return content.flatMap((part: unknown): readonly JsonObject[] => {
    if (typeof part === 'string') return [{ text: part }];
    return isJsonObject(part) ? [part] : [];
  });
}

/** `contents` may be a text, one content, or a list of them. */
export function contentsOf(body: JsonObject): readonly JsonObject[] {
  const { contents } = body;
  if (typeof contents === 'string') return [{ role: 'user', parts: [{ text: contents }] }];
  const single = objectOf(contents);
  return single === null ? objectsOf(contents) : [single];
}

export type Blob = { readonly mediaType: string; readonly data: string };

export function blobOf(part: JsonObject): Blob | null {
  const blob = objectOf(field(part, 'inlineData'));
  const data = textOf(blob?.['data']);
  return data === null ? null : { mediaType: textOf(field(blob, 'mimeType')) ?? '', data };
}

/** Names of the functions a request declares. */
export function declaredFunctions(body: JsonObject): readonly JsonObject[] {
  return objectsOf(body['tools']).flatMap((tool) => objectsOf(field(tool, 'functionDeclarations')));
}
