/**
 * From any value to a configuration document, with every problem of form at once. What is wrong is cut out and the
 * rest is read again, so that problems of meaning elsewhere are found in the same run.
 */
import type { z } from 'zod';

import { configurationSchema, keysAt } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import { closestBranch, issueWords } from './issue-words.ts';
import { didYouMean } from './nearest.ts';
import type { Problem } from './snapshot.ts';

export type ConfigurationRead = {
  readonly configuration: Configuration;
  readonly problems: readonly Problem[];
};

type Issue = z.core.$ZodIssue;
type Path = readonly (string | number)[];

const pathOf = (issue: Issue): Path =>
  issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));

const problem = (path: Path, message: string, remedy: string): Problem => ({
  path,
  message,
  remedy,
  severity: 'error',
});

function unknownKeys(issue: Extract<Issue, { code: 'unrecognized_keys' }>, schema: z.ZodType): Problem[] {
  const path = pathOf(issue);
  const known = keysAt(schema, path);
  return issue.keys.map((key) =>
    problem(
      [...path, key],
      `unknown key "${key}"`,
      didYouMean(key, known) || `known keys are ${known.join(', ')}`,
    ),
  );
}

/** What is wrong, with its path and its remedy. */
export function problemsOf(issue: Issue, schema: z.ZodType): Problem[] {
  const path = pathOf(issue);
  switch (issue.code) {
    case 'unrecognized_keys':
      return unknownKeys(issue, schema);
    case 'invalid_union':
      if ('options' in issue && isStringList(issue.options))
        return [problem(path, `must be ${issue.options.join(', ')}`, 'use one of these words')];
      return issue.errors.length > 0
        ? closestBranch(issue).flatMap((inner) =>
            problemsOf({ ...inner, path: [...issue.path, ...inner.path] }, schema),
          )
        : [problem(path, 'is not one of the accepted forms', 'see contract/config.schema.json')];
    case 'invalid_value':
      return [
        problem(
          path,
          `must be ${issue.values.map((value) => String(value)).join(', ')}`,
          'use one of these words',
        ),
      ];
    case 'invalid_key':
      return [problem(path, issue.issues[0]?.message ?? 'is not a usable name', 'rename it')];
    case 'invalid_type':
    case 'too_big':
    case 'too_small':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_element':
    case 'custom':
      return [problem(path, issueWords(issue), 'correct the value')];
  }
}

/** What a union that goes by one word may have as that word. */
function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string');
}

function isContainer(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Removes the value at a path; in a list, what follows moves up. */
function cut(document: unknown, path: Path): void {
  let parent: unknown = document;
  for (const step of path.slice(0, -1)) parent = isContainer(parent) ? parent[step] : undefined;
  const last = path.at(-1);
  if (!isContainer(parent) || last === undefined) return;
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
}

const roundsMax = 50;

/** Reads a document; what could not be read is left out of the configuration and named in the problems. */
export function readConfiguration(document: unknown): ConfigurationRead {
  if (document === null || document === undefined) return { configuration: {}, problems: [] };
  let rest: unknown = structuredCopy(document);
  let problems: readonly Problem[] | null = null;
  for (let round = 0; round < roundsMax; round++) {
    const read = configurationSchema.safeParse(rest);
    if (read.success) return { configuration: read.data, problems: problems ?? [] };
    problems ??= read.error.issues.flatMap((issue) => problemsOf(issue, configurationSchema));
    for (const issue of [...read.error.issues].reverse()) {
      if (issue.code === 'unrecognized_keys')
        for (const key of issue.keys) cut(rest, [...pathOf(issue), key]);
      else if (issue.path.length === 0) rest = {};
      else if (isMissing(rest, pathOf(issue))) cut(rest, pathOf(issue).slice(0, -1));
      else cut(rest, pathOf(issue));
    }
  }
  return { configuration: {}, problems: problems ?? [] };
}

function isMissing(document: unknown, path: Path): boolean {
  let value: unknown = document;
  for (const step of path) value = isContainer(value) ? value[step] : undefined;
  return value === undefined;
}

/** A copy of plain data; anything else becomes null. Deeper than this is no configuration. */
const depthMax = 64;

function structuredCopy(value: unknown, depth = 0): unknown {
  if (!isContainer(value)) return typeof value === 'function' || typeof value === 'symbol' ? null : value;
  if (depth > depthMax) return null;
  if (Array.isArray(value)) return value.map((each: unknown) => structuredCopy(each, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, structuredCopy(each, depth + 1)]),
  );
}
