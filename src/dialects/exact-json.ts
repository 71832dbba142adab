/**
 * JSON whose long whole numbers stay as they are written. What a tool is called with may hold ids of 64 bits, which a
 * JavaScript number rounds: read and written again, they would be the ids of something else.
 *
 * Such a number is kept as raw JSON, which `JSON.stringify` writes as it stands and nothing else understands: so only
 * what is handed on is read this way, never what is judged or counted.
 */
import type { JsonObject } from './dialect.ts';

/** `JSON.rawJSON` and the source text of a value, which the types of the language do not know yet. */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
const { parse, rawJSON } = JSON as unknown as {
  readonly parse: (text: string, reviver: Reviver) => unknown;
  readonly rawJSON: (text: string) => unknown;
};

/** A number of so many digits where JSON has numbers; fewer are never rounded. */
const longNumber = /[:,[]\s*-?\d{16}/;
/**
 * Of more values than this nothing is read exactly: each costs half a microsecond in which nobody else is served, and
 * what tools are called with is smaller by far.
 */
const valuesMax = 100_000;

/** Whether it has few enough values, told by its commas. */
function isModest(text: string): boolean {
  let at = -1;
  for (let values = 0; values < valuesMax; values++) {
    at = text.indexOf(',', at + 1);
    if (at < 0) return true;
  }
  return false;
}

const isReadExactly = (text: string): boolean => longNumber.test(text) && isModest(text);

const asWritten: Reviver = (_key, value, { source }) =>
  typeof value === 'number' &&
  source !== undefined &&
  !Number.isSafeInteger(value) &&
  /^-?\d{16,}$/.test(source)
    ? rawJSON(source)
    : value;

/** As a value; undefined when it is not JSON. */
export function parseExact(text: string): unknown {
  try {
    return isReadExactly(text) ? parse(text, asWritten) : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

/** A value that was read from a text, with its numbers as the text has them. */
export function exactly(text: string, value: JsonObject): JsonObject {
  return isReadExactly(text) ? (parse(text, asWritten) as JsonObject) : value;
}

/** Where a request says what was said: messages, contents, items. The rest holds schemas, which codecs look into. */
const turns = ['messages', 'contents', 'input'] as const;

/** The body of a request, with what was said in it as `text` has it. */
export function exactTurns(text: string, body: JsonObject): JsonObject {
  const exact = exactly(text, body);
  if (exact === body) return body;
  const said = turns.filter((key) => body[key] !== undefined);
  return { ...body, ...Object.fromEntries(said.map((key) => [key, exact[key]])) };
}
