/**
 * The one way to change something: parse, then one transaction that holds the change and its audit row. What is
 * rejected leaves an audit row too, so that an attempt is as visible as a success.
 */
import { z } from 'zod';

import { changeId } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import { firstIssue, isMissing, issueWords } from '../core/issue-words.ts';
import { didYouMean } from '../core/nearest.ts';
import type { Change, ChangeKind } from '../core/record.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { attemptOf } from './attempt.ts';

export type ControlErrorCode = 'invalid' | 'not_found' | 'conflict' | 'precondition_failed' | 'unavailable';
export type ControlError = {
  readonly kind: 'error';
  readonly code: ControlErrorCode;
  readonly message: string;
  readonly remedy: string;
  readonly field: string | null;
};
export type Result<T> = { readonly kind: 'done'; readonly value: T } | ControlError;

export type ControlDependencies = {
  readonly store: Store;
  readonly now: () => Instant;
  /** A new id behind a prefix: `sw`, `chg`, `key`. */
  readonly newId: (prefix: string) => string;
};

/** A change of something that the caller has read. */
export type Revising = {
  readonly id: string;
  readonly input: unknown;
  /** The revision the caller saw; null when it does not care. */
  readonly rev: number | null;
};

export const done = <T>(value: T): Result<T> => ({ kind: 'done', value });

export function controlError(
  code: ControlErrorCode,
  message: string,
  remedy: string,
  field: string | null = null,
): ControlError {
  return { kind: 'error', code, message, remedy, field };
}

/** Refuses what was decided on another revision than there is; null where it was this one, or the caller does not care. */
export const staleProblem = <T extends number | string | null>(
  seen: T | null,
  now: T,
  message: string,
): ControlError | null =>
  seen === null || seen === now
    ? null
    : controlError('precondition_failed', message, 'Read it again, then decide.');

export type ChangeFacts = {
  readonly kind: ChangeKind;
  readonly actor: string;
  readonly subject: string;
  readonly reason: string | null;
  readonly before: unknown;
  readonly after: unknown;
};

export function newChange(facts: ChangeFacts, dependencies: ControlDependencies): Change {
  return { id: changeId(dependencies.newId('chg')), at: dependencies.now(), ...facts };
}

function keysOf(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let at: z.ZodType = schema;
  for (const step of path) {
    while (at instanceof z.ZodOptional || at instanceof z.ZodNullable || at instanceof z.ZodDefault)
      at = at.unwrap() as z.ZodType;
    if (!(at instanceof z.ZodObject) || typeof step !== 'string') return [];
    const next = at.shape[step] as z.ZodType | undefined;
    if (next === undefined) return [];
    at = next;
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

/** Parses a wire body; the first problem is told with its field and, for a misspelt one, the nearest known name. */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown): Result<z.infer<S>> {
  const read = schema.safeParse(input);
  if (read.success) return done(read.data);
  const issue = firstIssue(read.error.issues);
  if (issue === null)
    return controlError('invalid', 'The body is not understood.', 'See contract/openapi.json.');
  const field = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const known = keysOf(schema, issue.path);
    return controlError(
      'invalid',
      `Unknown field "${key}".`,
      didYouMean(key, known) ||
        (known.length === 0 ? 'Leave it out.' : `Known fields are ${known.join(', ')}.`),
      field === '' ? key : `${field}.${key}`,
    );
  }
  return controlError(
    'invalid',
    `${field === '' ? 'The body' : field}: ${issueWords(issue)}`,
    isMissing(issue) ? 'Give it.' : 'Correct the value.',
    field === '' ? null : field,
  );
}

export type Rejected = {
  readonly actor: string;
  readonly subject: string;
  /** A change unless said otherwise. */
  readonly kind?: 'content.refused';
};

/** Writes down that a change was tried and rejected: who tried what, and why not. */
export async function recordRejection(
  error: ControlError,
  facts: Rejected,
  dependencies: ControlDependencies,
): Promise<ControlError> {
  const change = newChange(
    {
      kind: 'write.rejected',
      ...facts,
      reason: error.message,
      before: null,
      after: attemptOf(facts.actor),
    },
    dependencies,
  );
  try {
    await dependencies.store.appendChange(change);
  } catch (failure) {
    // The rejection stands without its row: nothing was changed, and a store in trouble says so on its own.
    if (!(failure instanceof StoreUnavailable)) throw failure;
  }
  return error;
}

const look = 'Look at what is there before you try again; the server log says what is wrong with the store.';
const notConfirmed = 'The store did not confirm the change; it is not in force.';

/** What is so, and what to do. At three in the morning the second is what matters. */
const unavailableWords: Readonly<
  Record<StoreUnavailable['reason'], readonly [message: string, remedy: string]>
> = {
  busy: ['The store has too much waiting; nothing was changed.', look],
  failed: [notConfirmed, look],
  closed: [notConfirmed, look],
  read_only: [
    'The store takes no changes as it stands; this one is not in force.',
    'Where it is damaged, shorter than was signed or another one, `breakwater audit acknowledge --reason …` makes it take changes at once, without a restart: then try again. Where the disk is full or read-only, it goes on by itself as soon as it can write. `GET /admin/v1/audit` says which.',
  ],
};

/** Runs what touches the store; a store that fails is `unavailable`, not the caller's fault. A bug still throws. */
export async function withStore<T>(work: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    return controlError('unavailable', ...unavailableWords[error.reason]);
  }
}

/** Runs a verb: it parses, decides and changes, and whatever it refuses is written down as an attempt. */
export async function carryOut<T>(
  attempted: Rejected,
  dependencies: ControlDependencies,
  work: () => Promise<Result<T>>,
): Promise<Result<T>> {
  const result = await withStore(work);
  return result.kind === 'error' && result.code !== 'unavailable'
    ? recordRejection(result, attempted, dependencies)
    : result;
}
