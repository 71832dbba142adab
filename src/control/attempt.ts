/**
 * What a call tries to change, for whoever writes down that it was refused: deep in a verb nobody knows any more how it was
 * asked. It is kept with the call, not handed from verb to verb, and speaks only for who made the call: what goes on
 * later in somebody else's name, a run of a playbook say, was not asked like this.
 *
 * Of a body only fields that the call takes are kept, cut to a size: it may be anything, and the ledger keeps it for good.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export type Attempt = {
  readonly actor: string;
  /** `POST /admin/v1/switches/{id}/release` */
  readonly call: string;
  /** What would have been changed: `switch`. */
  readonly kind: string;
  readonly id: string | null;
  readonly role: string;
  /** Made by `keptFields`. */
  readonly body: unknown;
};

const attempts = new AsyncLocalStorage<Attempt>();

export const attempting = <T>(attempt: Attempt, work: () => T): T => attempts.run(attempt, work);

/** What this one is trying, as it is written down; null where nobody called. */
export function attemptOf(actor: string): Omit<Attempt, 'actor'> | null {
  const attempt = attempts.getStore();
  if (attempt?.actor !== actor) return null;
  const { call, kind, id, role, body } = attempt;
  return { call, kind, id, role, body };
}

const textLengthMax = 200;
const itemsMax = 20;
const depthMax = 4;
/** Of all that is kept, as JSON; of more than that only the names of its fields are. */
const keptLengthMax = 4_096;

function cut(text: string): string {
  return text.length <= textLengthMax ? text : `${text.slice(0, textLengthMax).toWellFormed()}…`;
}

function small(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cut(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === depthMax) return '…';
  if (Array.isArray(value)) return value.slice(0, itemsMax).map((item) => small(item, depth + 1));
  const fields = Object.entries(value).slice(0, itemsMax);
  return Object.fromEntries(fields.map(([name, field]) => [cut(name), small(field, depth + 1)]));
}

/** The fields of a body that a call takes, without those that are never written down. */
export function keptFields(body: unknown, taken: readonly string[], never: readonly string[]): unknown {
  if (typeof body !== 'object' || body === null) return null;
  const named = Object.entries(body).filter(([name]) => taken.includes(name) && !never.includes(name));
  const kept = small(Object.fromEntries(named), 0);
  return JSON.stringify(kept).length <= keptLengthMax ? kept : { fields: named.map(([name]) => name) };
}
