/**
 * Values ↔ rows. A row keeps the whole value as JSON text with the number of its form, so that an old row can be read
 * when the form has moved on, beside the few columns that are searched.
 */
import { keyId } from '../core/ids.ts';
import type { ApiKey } from '../core/keys.ts';
import type { Change, RequestRecord } from '../core/record.ts';
import type { Switch } from '../core/switches.ts';

type Form = { readonly form: 1 };

const text = (value: object): string => JSON.stringify({ form: 1, ...value });

/** What was written by this module is read back by it; the form number says which shape it is. */
function withoutForm(body: string): unknown {
  const { form, ...value } = JSON.parse(body) as Form;
  if (form !== 1) throw new Error(`a row has the unknown form ${String(form)}`);
  return value;
}

/** Words between separators, so that one of several can be found by LIKE. */
const words = (list: readonly string[]): string => (list.length === 0 ? '' : `|${list.join('|')}|`);

export type RecordRow = readonly (string | number | null)[];

/** The row of a record whose body was made before: columns are taken out where the database is, not on a request's path. */
export function recordRow(body: string): RecordRow {
  const record = recordFromBody(body);
  return [
    record.id,
    record.at,
    record.feature,
    record.requested,
    record.served,
    record.hop,
    record.outcome,
    record.tenant,
    record.user,
    record.key,
    words(record.boundary),
    words(record.attempts.map((attempt) => attempt.target)),
    words(record.attempts.flatMap((attempt) => attempt.failure ?? [])),
    body,
  ];
}

export const recordBody = (record: RequestRecord): string => text(record);

export const recordFromBody = (body: string): RequestRecord => withoutForm(body) as RequestRecord;
export const changeBody = (change: Change): string => text(change);
export const changeFromBody = (body: string): Change => withoutForm(body) as Change;
export const switchBody = (entry: Switch): string => text(entry);
export const switchFromBody = (body: string): Switch => withoutForm(body) as Switch;

export function keyBody(key: ApiKey): string {
  return text({ ...key, features: key.features === null ? null : [...key.features] });
}

export function keyFromBody(body: string): ApiKey {
  const stored = withoutForm(body) as Omit<ApiKey, 'features'> & {
    readonly features: readonly string[] | null;
  };
  return {
    ...stored,
    id: keyId(stored.id),
    features: stored.features === null ? null : new Set(stored.features),
  };
}
