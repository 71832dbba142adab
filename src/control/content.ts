/**
 * Captured content, looked at. Nobody sees any without a reason, and the look is in the ledger before it is answered;
 * a look that is refused is written down too.
 */
import { z } from 'zod';

import type { CaptureMark } from '../core/capture.ts';
import type { Change } from '../core/record.ts';
import type { ContentRead, ContentStore } from '../store/content-store.ts';
import { pageSizeMax } from '../store/store.ts';
import type { Page, Store } from '../store/store.ts';
import { reason } from './reason.ts';
import { carryOut, controlError, done, newChange, parseInput } from './verb.ts';
import type { ControlDependencies, ControlError, Result } from './verb.ts';

export type ContentDependencies = ControlDependencies & {
  readonly content: Pick<ContentStore, 'read'>;
  /** The key of the configuration; null when it has none. */
  readonly masterKey: () => Uint8Array | null;
};

/** A body as text, and how long it was before it was cut. */
export type Body = { readonly text: string; readonly bytes: number; readonly cut: boolean };
export type Content = { readonly request: string; readonly question: Body; readonly answer: Body };

export const lookInput = z.strictObject({ reason });

function bodyOf(bytes: Uint8Array, length: number): Body {
  return { text: new TextDecoder().decode(bytes), bytes: length, cut: length > bytes.length };
}

const missing: Readonly<Record<CaptureMark, string>> = {
  none: 'It was not captured.',
  lost: 'It was to be captured, but there was no room for it.',
  whole: 'It was captured, and is no longer there: its time was over, or it was erased.',
  cut: 'It was captured, and is no longer there: its time was over, or it was erased.',
};

async function absence(id: string, store: Store): Promise<ControlError> {
  const record = await store.findRecord(id);
  const words = record === null ? 'There is no record of it.' : missing[record.captured];
  return controlError('not_found', `There is no content of ${id}. ${words}`, 'Check the id.');
}

async function refusal(id: string, found: ContentRead, store: Store): Promise<ControlError | null> {
  switch (found.kind) {
    case 'none':
      return absence(id, store);
    case 'sealed':
      return controlError(
        'conflict',
        `The content of ${id} was captured under another key than audit.capture.key.`,
        'Configure the key of then to read it.',
      );
    case 'read':
      return null;
  }
}

export function readContent(
  id: string,
  input: unknown,
  actor: string,
  dependencies: ContentDependencies,
): Promise<Result<Content>> {
  return carryOut<Content>({ actor, subject: id, kind: 'content.refused' }, dependencies, async () => {
    const { store, content, masterKey } = dependencies;
    const parsed = parseInput(lookInput, input);
    if (parsed.kind === 'error') return parsed;
    const found = await content.read(masterKey(), id);
    const error = await refusal(id, found, store);
    if (error !== null) return error;
    const facts = { kind: 'content.read', subject: id, before: null, after: null } as const;
    await store.appendChange(newChange({ ...facts, actor, reason: parsed.value.reason }, dependencies));
    if (found.kind !== 'read') throw new Error('content that was not read cannot be shown');
    return done({
      request: id,
      question: bodyOf(found.input, found.inputBytes),
      answer: bodyOf(found.output, found.outputBytes),
    });
  });
}

/** Pages of changes that are read to find looks at one request. */
const pagesMax = 50;

/** Who looked, and who wanted to and might not: at one request, or at all. */
export async function listLooks(
  store: Pick<Store, 'listChanges'>,
  request: string | null,
  cursor: string | null,
  limit: number,
): Promise<Page<Change>> {
  const kinds = ['content.read', 'content.refused'] as const;
  if (request === null) return store.listChanges(cursor, limit, kinds);
  const items: Change[] = [];
  let next = cursor;
  for (let pages = 0; pages < pagesMax && items.length < limit; pages++) {
    const page = await store.listChanges(next, pageSizeMax, kinds);
    items.push(...page.items.filter(({ subject }) => subject === request));
    next = page.nextCursor;
    if (next === null) break;
  }
  const isCut = items.length > limit;
  const shown = items.slice(0, limit);
  return { items: shown, nextCursor: isCut ? (shown.at(-1)?.id ?? null) : next };
}
