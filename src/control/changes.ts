/** Changes as they are looked for: by kind, by who decided, by what was changed, by time. */
import type { Instant } from '../core/ids.ts';
import { changeKinds } from '../core/record.ts';
import type { Change, ChangeKind } from '../core/record.ts';
import { pageSizeMax } from '../store/store.ts';
import type { Page, Store } from '../store/store.ts';

export type ChangeFilter = {
  /** `switch.created`, or `switch.*`. */
  readonly kind: string | null;
  readonly actor: string | null;
  readonly subject: string | null;
  readonly since: Instant | null;
  readonly until: Instant | null;
};

/** Changes looked at for one page; where they end without filling it, the cursor goes on from there. */
const lookedAtMax = 5_000;

/** The kinds that a word means; empty when it means none. */
export function kindsNamed(word: string): readonly ChangeKind[] {
  return changeKinds.filter(
    (kind) => kind === word || (word.endsWith('*') && kind.startsWith(word.slice(0, -1))),
  );
}

function isMeant({ at, actor, subject }: Change, filter: ChangeFilter): boolean {
  return (
    (filter.actor === null || actor === filter.actor) &&
    (filter.subject === null || subject === filter.subject) &&
    (filter.until === null || at < filter.until)
  );
}

export async function findChanges(
  filter: ChangeFilter,
  cursor: string | null,
  limit: number,
  store: Pick<Store, 'listChanges'>,
): Promise<Page<Change>> {
  const kinds = filter.kind === null ? undefined : kindsNamed(filter.kind);
  const { actor, subject, since, until } = filter;
  if (actor === null && subject === null && since === null && until === null)
    return store.listChanges(cursor, limit, kinds);
  const found: Change[] = [];
  let next = cursor;
  for (let looked = 0; looked < lookedAtMax; looked += pageSizeMax) {
    const page = await store.listChanges(next, pageSizeMax, kinds);
    for (const change of page.items) {
      if (since !== null && change.at < since) return { items: found, nextCursor: null };
      if (!isMeant(change, filter)) continue;
      found.push(change);
      if (found.length === limit)
        return { items: found, nextCursor: isLast(change, page) ? null : change.id };
    }
    next = page.nextCursor;
    if (next === null) break;
  }
  return { items: found, nextCursor: next };
}

const isLast = (change: Change, { items, nextCursor }: Page<Change>): boolean =>
  nextCursor === null && items.at(-1)?.id === change.id;
