/**
 * Configuration from a YAML file: reads, compiles, and gives every problem its line and column. Watching tells when
 * the file has changed, also when an editor replaces it.
 */
import { readFile, stat } from 'node:fs/promises';

import { isMap, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';

import type { SecretSource } from '../core/compile-provider.ts';
import { isNonEmpty } from '../core/ids.ts';
import type { NonEmpty } from '../core/ids.ts';
import { compile } from '../core/policy.ts';
import type { Problem, Snapshot } from '../core/snapshot.ts';

export type LocatedProblem = Problem & { readonly line: number; readonly column: number };

export type Loaded =
  | {
      readonly ok: true;
      readonly snapshot: Snapshot;
      readonly warnings: readonly LocatedProblem[];
      readonly text: string;
    }
  | { readonly ok: false; readonly problems: NonEmpty<LocatedProblem> };

/** A configuration larger than this is a mistake. */
export const configBytesMax = 4 * 1_048_576;

type Place = { readonly line: number; readonly column: number };
const start: Place = { line: 1, column: 1 };

/** Where a path leads; for a key that is missing, the nearest thing above it. */
function place(document: Document, counter: LineCounter, path: Problem['path']): Place {
  let found: Place = start;
  let node: unknown = document.contents;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
      );
      if (pair === undefined) return found;
      found = placeOf(pair.key as Node, counter) ?? found;
      node = pair.value;
    } else if (typeof node === 'object' && node !== null && 'items' in node && Array.isArray(node.items)) {
      node = node.items[Number(step)] as unknown;
      found = placeOf(node as Node | undefined, counter) ?? found;
    } else return found;
  }
  return found;
}

function placeOf(node: Node | undefined, counter: LineCounter): Place | null {
  const offset = node?.range?.[0];
  if (offset === undefined) return null;
  const { line, col } = counter.linePos(offset);
  return { line, column: col };
}

function broken(message: string, where: Place): Loaded {
  return {
    ok: false,
    problems: [{ path: [], message, remedy: 'correct the YAML', severity: 'error', ...where }],
  };
}

function hashOf(text: string): string {
  return new Bun.CryptoHasher('sha256').update(text).digest('hex').slice(0, 16);
}

/** Compiles YAML (or JSON, which is YAML). */
export function compileText(text: string, secrets: SecretSource): Loaded {
  if (text.length > configBytesMax) return broken(`is larger than ${configBytesMax} bytes`, start);
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const syntax = document.errors.map((error): LocatedProblem => {
    const { line, col } = counter.linePos(error.pos[0]);
    return {
      path: [],
      message: error.message,
      remedy: 'correct the YAML',
      severity: 'error',
      line,
      column: col,
    };
  });
  if (isNonEmpty(syntax)) return { ok: false, problems: syntax };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return broken(error instanceof Error ? error.message : 'cannot be read', start);
  }
  const compiled = compile(value, { hash: hashOf(text), secrets });
  const located = (problem: Problem): LocatedProblem => ({
    ...problem,
    ...place(document, counter, problem.path),
  });
  if (compiled.ok)
    return { ok: true, snapshot: compiled.snapshot, warnings: compiled.warnings.map(located), text };
  const problems = compiled.problems.map(located).sort((a, b) => a.line - b.line || a.column - b.column);
  return isNonEmpty(problems) ? { ok: false, problems } : broken('cannot be read', start);
}

/** Compiles a configuration that was made by us, not written by a person. */
export function compileDocument(value: unknown, secrets: SecretSource): Loaded {
  return compileText(JSON.stringify(value, null, 2), secrets);
}

export async function loadConfigFile(path: string, secrets: SecretSource): Promise<Loaded> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code =
      typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
    return broken(code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read (${code})`, start);
  }
  return compileText(text, secrets);
}

/** `features.notes.route[0]` */
export function pathText(path: Problem['path']): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}

/** `breakwater.yaml:12:5: error: features.notes.route[0]: unknown provider "x"; did you mean "y"?` */
export function problemText(file: string, problem: LocatedProblem): string {
  const where = problem.path.length === 0 ? '' : `${pathText(problem.path)}: `;
  return `${file}:${problem.line}:${problem.column}: ${problem.severity}: ${where}${problem.message}; ${problem.remedy}`;
}

const lookMs = 500;

/** What changes when a file is written or replaced; null while it is not there. */
async function versionOf(path: string): Promise<string | null> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return null;
  }
}

/**
 * Calls back when the file has changed. It looks twice a second instead of watching the folder: editors replace files,
 * mounted configuration is swapped by links, and a database in the same folder would raise an event for every write.
 */
export function watchConfigFile(path: string, onChange: () => void): { readonly stop: () => void } {
  let known: string | null = null;
  let started = false;
  const look = async (): Promise<void> => {
    const version = await versionOf(path);
    const changed = started && version !== null && version !== known;
    started = true;
    if (version !== null) known = version;
    if (changed) onChange();
  };
  const timer = setInterval(() => void look(), lookMs);
  void look();
  return { stop: () => clearInterval(timer) };
}
