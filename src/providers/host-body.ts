/**
 * A Messages body as clouds take it: the model is in the address, the version and the betas are in the body. The
 * caller's own text is kept byte for byte around what changes.
 */
import { readJsonObject, replaceTopLevel } from '../dialects/json-text.ts';

const depthMax = 256;

/** Betas that a host refuses because they name features of Anthropic's own API. */
const foreignBetas: readonly RegExp[] = [
  /^oauth-/,
  /^claude-code-/,
  /^prompt-caching-scope-/,
  /^files-api-/,
  /^mcp-client-/,
  /^code-execution-/,
  /^skills-/,
  /^fast-mode-/,
  /^server-side-fallback/,
  /^advanced-tool-use-/,
];

export function hostBetas(header: string | null): readonly string[] {
  return (header ?? '')
    .split(',')
    .map((beta) => beta.trim())
    .filter((beta) => beta !== '' && !foreignBetas.some((foreign) => foreign.test(beta)));
}

/** The text without one top-level key. */
function without(text: string, key: string): string {
  const read = readJsonObject(text, { depthMax });
  if (read.kind !== 'object') return text;
  const span = read.spans.get(key);
  if (span === undefined) return text;
  const before = text.slice(0, text.lastIndexOf('"', text.lastIndexOf(':', span.start)));
  const opening = before.slice(0, before.lastIndexOf('"')).trimEnd();
  const rest = text.slice(span.end).trimStart();
  if (rest.startsWith(',')) return opening + rest.slice(1);
  return (opening.endsWith(',') ? opening.slice(0, -1) : opening) + rest;
}

export type HostBody = {
  readonly version: string;
  readonly betas: readonly string[];
  readonly drop: readonly string[];
};

export function hostBody(body: string | Uint8Array, { version, betas, drop }: HostBody): string {
  let text = typeof body === 'string' ? body : new TextDecoder().decode(body);
  for (const key of drop) text = without(text, key);
  const set = (key: string, value: unknown): void => {
    const read = readJsonObject(text, { depthMax });
    if (read.kind === 'object') text = replaceTopLevel(text, read.spans, key, JSON.stringify(value));
  };
  if (betas.length > 0) set('anthropic_beta', betas);
  set('anthropic_version', version);
  return text;
}
