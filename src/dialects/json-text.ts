/**
 * A JSON object as text and value at once.
 *
 * A request of the caller's own dialect goes upstream as the bytes it came in, with only the model's name changed;
 * so besides the value this gives the place of every top-level value in the text. Duplicate top-level keys are
 * refused: parsers differ in which one wins, and a check on one value must not be passed by the other.
 */
import type { JsonObject } from './dialect.ts';
import { findJsonError } from './json-error.ts';
import { isJsonObject } from './json-value.ts';

export type Span = { readonly start: number; readonly end: number };
/** Where each top-level value stands in the text. */
export type TextSpans = ReadonlyMap<string, Span>;

export type JsonText =
  | {
      readonly kind: 'object';
      readonly value: JsonObject;
      readonly spans: TextSpans;
    }
  | { readonly kind: 'invalid'; readonly param: string | null; readonly message: string };

const quote = 34;
const backslash = 92;
const braceOpen = 123;
const braceClose = 125;
const bracketOpen = 91;
const bracketClose = 93;
const comma = 44;

/** Reads a JSON object nested at most `depthMax` deep, the object itself being the first level. */
export function readJsonObject(text: string, limits: { readonly depthMax: number }): JsonText {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'invalid', param: null, message: findJsonError(text, limits.depthMax) };
  }
  if (!isJsonObject(value))
    return { kind: 'invalid', param: null, message: 'The body must be a JSON object.' };
  return scanTopLevel(text, value, limits.depthMax);
}

/** Where the string that starts at `start` (its quote) ends, past the closing quote. The text is known to be valid. */
function stringEnd(text: string, start: number): number {
  let at = start;
  for (;;) {
    at = text.indexOf('"', at + 1);
    let slashes = at - 1;
    while (text.charCodeAt(slashes) === backslash) slashes -= 1;
    if ((at - 1 - slashes) % 2 === 0) return at + 1;
  }
}

/** Where the value that starts at `start` ends; -1 when it is nested deeper than `levels`. */
function valueEnd(text: string, start: number, levels: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = stringEnd(text, at);
      if (depth === 0) return at;
      continue;
    }
    if (code === braceOpen || code === bracketOpen) {
      depth += 1;
      if (depth > levels) return -1;
    } else if (code === braceClose || code === bracketClose) {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (code === comma || code <= 32)) return at;
    at += 1;
  }
  return at;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (text.charCodeAt(at) <= 32) at += 1;
  return at;
}

function scanTopLevel(text: string, value: JsonObject, depthMax: number): JsonText {
  const spans = new Map<string, Span>();
  let at = skipSpace(text, text.indexOf('{') + 1);
  while (text.charCodeAt(at) === quote) {
    const keyEnd = stringEnd(text, at);
    const written = text.slice(at + 1, keyEnd - 1);
    const key = written.includes('\\') ? (JSON.parse(`"${written}"`) as string) : written;
    if (spans.has(key))
      return {
        kind: 'invalid',
        param: key,
        message: `The key "${key.slice(0, 64)}" is given twice; give it once.`,
      };
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1); // past the colon
    const end = valueEnd(text, start, depthMax - 1);
    if (end < 0)
      return {
        kind: 'invalid',
        param: key,
        message: `The body is nested deeper than ${depthMax} levels; make it flatter.`,
      };
    spans.set(key, { start, end });
    const next = skipSpace(text, end);
    at = text.charCodeAt(next) === comma ? skipSpace(text, next + 1) : next;
  }
  return { kind: 'object', value, spans };
}

/** The text with one top-level value replaced, or added when the key is not there; everything else stays as it is. */
export function replaceTopLevel(text: string, spans: TextSpans, key: string, json: string): string {
  const span = spans.get(key);
  if (span !== undefined) return text.slice(0, span.start) + json + text.slice(span.end);
  const inside = text.indexOf('{') + 1;
  const separator = spans.size === 0 ? '' : ',';
  return `${text.slice(0, inside)}${JSON.stringify(key)}:${json}${separator}${text.slice(inside)}`;
}
