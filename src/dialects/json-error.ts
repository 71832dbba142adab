/**
 * Where JSON text is broken, for people. Runs only after the engine's parser has refused a text, because that one
 * does not say where. The depth is limited, so recursion is.
 */
type Outcome = { readonly at: number; readonly problem: string | null };

const literal = /true|false|null/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const string = /"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/y;
const space = /[ \t\r\n]*/y;

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

function skipSpace(text: string, at: number): number {
  return match(space, text, at);
}

function named(text: string, at: number): string {
  const code = text.codePointAt(at);
  return code === undefined ? 'the end of the text' : JSON.stringify(String.fromCodePoint(code));
}

function readList(text: string, at: number, levels: number, close: '}' | ']'): Outcome {
  let next = skipSpace(text, at + 1);
  if (text[next] === close) return { at: next + 1, problem: null };
  for (;;) {
    if (close === '}') {
      const keyEnd = match(string, text, next);
      if (keyEnd < 0)
        return { at: next, problem: `expected a key in double quotes, found ${named(text, next)}` };
      next = skipSpace(text, keyEnd);
      if (text[next] !== ':') return { at: next, problem: `expected ":", found ${named(text, next)}` };
      next = skipSpace(text, next + 1);
    }
    const value = readValue(text, next, levels - 1);
    if (value.problem !== null) return value;
    next = skipSpace(text, value.at);
    if (text[next] === close) return { at: next + 1, problem: null };
    if (text[next] !== ',')
      return { at: next, problem: `expected "," or "${close}", found ${named(text, next)}` };
    next = skipSpace(text, next + 1);
  }
}

function readValue(text: string, at: number, levels: number): Outcome {
  const first = text[at];
  if (first === '{' || first === '[') {
    if (levels === 0) return { at, problem: 'it is nested too deep' };
    return readList(text, at, levels, first === '{' ? '}' : ']');
  }
  if (first === '"') {
    const end = match(string, text, at);
    return end < 0
      ? { at, problem: 'this string does not end or holds a forbidden character' }
      : { at: end, problem: null };
  }
  const end = Math.max(match(literal, text, at), match(number, text, at));
  return end < 0 ? { at, problem: `expected a value, found ${named(text, at)}` } : { at: end, problem: null };
}

/** A sentence that names line, column and problem of a text that is not JSON. */
export function findJsonError(text: string, depthMax: number): string {
  const start = skipSpace(text, 0);
  if (start === text.length) return 'The body is empty; send a JSON object.';
  const value = readValue(text, start, depthMax);
  const end = value.problem === null ? skipSpace(text, value.at) : value.at;
  const problem = value.problem ?? `unexpected ${named(text, end)} after the value`;
  const lines = text.slice(0, end).split('\n');
  const column = (lines.at(-1)?.length ?? 0) + 1;
  return `The body is not valid JSON: line ${lines.length}, column ${column}: ${problem}.`;
}
