/** Legal holds ↔ rows, by hand, like `rows.ts`. */
import type { Hold } from '../core/hold.ts';
import type { HoldRow } from './hold-tables.ts';
import { parsed, rowForm } from './rows.ts';
import type { RecordFilter } from './store.ts';

const stored = ({ id, scope, reason, placedAt, placedBy, release }: Hold) => ({
  form: rowForm,
  id,
  scope: {
    tenant: scope.tenant,
    user: scope.user,
    incident: scope.incident,
    since: scope.since,
    until: scope.until,
  },
  reason,
  placedAt,
  placedBy,
  release: release === null ? null : { at: release.at, by: release.by, reason: release.reason },
});

export const holdRow = (hold: Hold): HoldRow => ({
  id: hold.id,
  released: hold.release === null ? 0 : 1,
  body: JSON.stringify(stored(hold)),
});

export function holdFromBody(body: string): Hold {
  const { id, scope, reason, placedAt, placedBy, release } = parsed(body) as ReturnType<typeof stored>;
  return { id, scope, reason, placedAt, placedBy, release };
}

export type HeldFilter = { readonly id: string; readonly filter: Omit<RecordFilter, 'limit' | 'cursor'> };

/** What a hold covers, as a filter of records. */
export function heldFilter(body: string): HeldFilter {
  const { id, scope } = holdFromBody(body);
  const filter = Object.fromEntries(Object.entries(scope).filter(([, value]) => value !== null));
  return { id, filter };
}
