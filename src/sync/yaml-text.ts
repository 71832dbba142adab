/** YAML (or JSON, which is YAML) from text to a value, with the line and column of whatever a problem's path leads to. */
import { isMap, isPair, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { Document, Node } from 'yaml';

import { isNonEmpty } from '../core/ids.ts';
import type { NonEmpty } from '../core/ids.ts';
import type { Problem } from '../core/snapshot.ts';

export type LocatedProblem = Problem & { readonly line: number; readonly column: number };

export type YamlRead =
  | { readonly ok: true; readonly value: unknown; readonly locate: (problem: Problem) => LocatedProblem }
  | { readonly ok: false; readonly problems: NonEmpty<LocatedProblem> };

/** A file larger than this is a mistake. */
export const yamlBytesMax = 4 * 1_048_576;
const aliasesMax = 100;

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

/** A file that cannot be read at all. */
export function brokenYaml(
  message: string,
  where: Place = start,
  remedy = 'correct the YAML',
): LocatedProblem {
  return { path: [], message, remedy, severity: 'error', ...where };
}

/** In the order of the file. */
export function inOrder(problems: readonly LocatedProblem[]): readonly LocatedProblem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
}

/** Where the parser speaks to programmers. */
const inOurWords: Readonly<Record<string, readonly [message: string, remedy: string]>> = {
  DUPLICATE_KEY: ['this key is given twice', 'keep one of them'],
  MULTIPLE_DOCS: ['a second document begins here', 'keep one, without --- between'],
};

/** `*name` before, or without, `&name`. */
function unknownAliases(document: Document, counter: LineCounter): readonly LocatedProblem[] {
  const found: LocatedProblem[] = [];
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined) return;
      const where = placeOf(alias, counter) ?? start;
      found.push(
        brokenYaml(
          `*${alias.source} is nowhere before`,
          where,
          `write &${alias.source} where it is first said`,
        ),
      );
    },
  });
  return found;
}

export function readYaml(text: string): YamlRead {
  if (text.length > yamlBytesMax)
    return { ok: false, problems: [brokenYaml(`is larger than ${yamlBytesMax} bytes`)] };
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, merge: true });
  const told = document.errors.map((error) => {
    const { line, col } = counter.linePos(error.pos[0]);
    const [message, remedy] = inOurWords[error.code] ?? [error.message];
    return brokenYaml(message, { line, column: col }, remedy);
  });
  // The parser says some things twice.
  const syntax = [
    ...new Map(told.map((each) => [`${each.line}:${each.column}:${each.message}`, each])).values(),
  ];
  if (isNonEmpty(syntax)) return { ok: false, problems: syntax };
  const aliases = unknownAliases(document, counter);
  if (isNonEmpty(aliases)) return { ok: false, problems: aliases };
  try {
    const value: unknown = document.toJS({ maxAliasCount: aliasesMax });
    return {
      ok: true,
      value,
      locate: (problem) => ({ ...problem, ...place(document, counter, problem.path) }),
    };
  } catch (error) {
    return { ok: false, problems: [brokenYaml(error instanceof Error ? error.message : 'cannot be read')] };
  }
}
