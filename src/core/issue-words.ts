/**
 * What is wrong with a value, in words for whoever wrote it. A schema that says something of its own is quoted; what
 * the library says by itself ("expected string, received array") is put as people would put it.
 *
 * It refuses to decide what is said first and how a place is written: whoever reads a document knows.
 */
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

const things: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  null: 'null',
};

const thing = (name: string): string => things[name] ?? name;

/** The library's own sentences, and none of a schema's. */
const isStock = (message: string): boolean => /^(?:Invalid |Too (?:big|small):)/.test(message);

/** Whether the value is not there at all. */
export function isMissing(issue: Issue): boolean {
  return (
    (issue.code === 'invalid_type' || issue.code === 'invalid_value' || issue.code === 'invalid_union') &&
    issue.input === undefined &&
    issue.message.endsWith('received undefined')
  );
}

const counted = (count: number | bigint, one: string): string =>
  `${count} ${Number(count) === 1 ? one : one.replace(/y$/, 'ie')}${Number(count) === 1 ? '' : 's'}`;

function limitWords(origin: string, limit: number | bigint, bound: 'least' | 'most'): string {
  if (origin === 'string' && bound === 'least' && Number(limit) === 1) return 'must not be empty';
  if (origin === 'string') return `must have at ${bound} ${counted(limit, 'character')}`;
  if (origin === 'array' || origin === 'set' || origin === 'map')
    return `must have at ${bound} ${counted(limit, 'entry')}`;
  return `must be at ${bound} ${limit}`;
}

/** To follow the name of a field: `must be text, not a list`. */
export function issueWords(issue: Issue): string {
  if (isMissing(issue)) return 'is missing';
  if (!isStock(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type': {
      const received = /received (\w+)$/.exec(issue.message)?.[1] ?? '';
      return `must be ${thing(issue.expected)}${received === 'number' && issue.expected === 'int' ? '' : `, not ${thing(received)}`}`;
    }
    case 'too_small':
      return issue.inclusive === false
        ? `must be more than ${issue.minimum}`
        : limitWords(issue.origin, issue.minimum, 'least');
    case 'too_big':
      return issue.inclusive === false
        ? `must be less than ${issue.maximum}`
        : limitWords(issue.origin, issue.maximum, 'most');
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      return issue.format === 'url'
        ? 'must be an address such as https://example.com'
        : 'does not have its form';
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return 'is not one of the accepted forms';
  }
}

/** Of a union's branches, the one that got furthest: its complaints are about what the person meant. */
export function closestBranch(issue: Extract<Issue, { code: 'invalid_union' }>): readonly Issue[] {
  const depth = (branch: readonly Issue[]): number =>
    Math.max(...branch.map((each) => each.path.length + (each.code === 'invalid_type' ? 0 : 1)), 0);
  return [...issue.errors].sort((a, b) => depth(b) - depth(a))[0] ?? [];
}

/** A union that says nothing of its own is its closest branch. */
function resolved(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union' || !isStock(issue.message) || issue.errors.length === 0) return [issue];
  return closestBranch(issue).flatMap((inner) =>
    resolved({ ...inner, path: [...issue.path, ...inner.path] }),
  );
}

/** The one to tell where only one is told: an unknown name first, because it often is the one that is missing. */
export function firstIssue(issues: readonly Issue[]): Issue | null {
  const all = issues.flatMap(resolved);
  return all.find(({ code }) => code === 'unrecognized_keys') ?? all[0] ?? null;
}
