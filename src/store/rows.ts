/**
 * Values ↔ rows, by hand in both directions, so that a rename in core renames nothing on disk. A row keeps the whole
 * value as JSON text with the number of its form, so that an old row can be read when the form has moved on. Records and
 * changes are entries of the ledger: their text is the one that is proved.
 */
import type { Delivery } from '../core/delivery.ts';
import type { Message } from '../core/message.ts';
import type { ApiKey } from '../core/keys.ts';
import { recordFromJson } from '../core/record-json.ts';
import type { RecordJson } from '../core/record-json.ts';
import type { Change, RequestRecord } from '../core/record.ts';
import { instant } from '../core/ids.ts';
import type { FeatureStatus } from '../core/status.ts';
import type { StatusInterval } from '../core/status-history.ts';
import type { Switch } from '../core/switches.ts';
import type { StoredGate } from './store.ts';

export const rowForm = 1;
const form = rowForm;

/** What was written by this module is read back by it; the form number says which shape it is. */
export function parsed(body: string): unknown {
  const stored = JSON.parse(body) as { readonly form: number };
  if (stored.form !== form) throw new Error(`a row has the unknown form ${String(stored.form)}`);
  return stored;
}

/** The salt came with the ledger; it is nobody's to see. */
export function recordFromEntry(text: string): RequestRecord {
  return recordFromJson(JSON.parse(text) as RecordJson);
}

const changeJson = (change: Change) => ({
  id: change.id,
  at: new Date(change.at).toISOString(),
  kind: change.kind,
  actor: change.actor,
  subject: change.subject,
  reason: change.reason,
  before: change.before,
  after: change.after,
});

export const changeBody = (change: Change): string => JSON.stringify(changeJson(change));

export const changeRow = (
  change: Change,
): { readonly id: string; readonly at: number; readonly kind: string; readonly body: string } => ({
  id: change.id,
  at: change.at,
  kind: change.kind,
  body: changeBody(change),
});

export function changeFromEntry(text: string): Change {
  const json = JSON.parse(text) as ReturnType<typeof changeJson>;
  return {
    id: json.id,
    at: instant(Date.parse(json.at)),
    kind: json.kind,
    actor: json.actor,
    subject: json.subject,
    reason: json.reason,
    before: json.before,
    after: json.after,
  };
}

const storedSwitch = (entry: Switch) => ({
  form,
  id: entry.id,
  rev: entry.rev,
  scope: entry.scope,
  effect: entry.effect,
  reason: entry.reason,
  failureClass: entry.failureClass,
  actor: entry.actor,
  createdAt: entry.createdAt,
  expiresAt: entry.expiresAt,
  atExpiry: entry.atExpiry,
  inFlight: entry.inFlight,
  mode: entry.mode,
  release: entry.release,
});

export const switchBody = (entry: Switch): string => JSON.stringify(storedSwitch(entry));

export function switchFromBody(body: string): Switch {
  const stored = parsed(body) as ReturnType<typeof storedSwitch>;
  return {
    id: stored.id,
    rev: stored.rev,
    scope: stored.scope,
    effect: stored.effect,
    reason: stored.reason,
    failureClass: stored.failureClass,
    actor: stored.actor,
    createdAt: stored.createdAt,
    expiresAt: stored.expiresAt,
    atExpiry: stored.atExpiry,
    inFlight: stored.inFlight,
    mode: stored.mode,
    release: stored.release,
  };
}

const storedKey = (key: ApiKey) => ({
  form,
  id: key.id,
  name: key.name,
  hash: key.hash,
  tenant: key.tenant,
  dataClassMax: key.dataClassMax,
  rpm: key.rpm,
  budget: key.budget,
  createdAt: key.createdAt,
  revokedAt: key.revokedAt,
  features: key.features === null ? null : [...key.features],
});

export const keyBody = (key: ApiKey): string => JSON.stringify(storedKey(key));

export function keyFromBody(body: string): ApiKey {
  const stored = parsed(body) as ReturnType<typeof storedKey>;
  return {
    id: stored.id,
    name: stored.name,
    hash: stored.hash,
    tenant: stored.tenant,
    dataClassMax: stored.dataClassMax,
    rpm: stored.rpm,
    budget: stored.budget,
    createdAt: stored.createdAt,
    revokedAt: stored.revokedAt,
    features: stored.features === null ? null : new Set(stored.features),
  };
}

export type StatusRow = {
  readonly feature: string;
  readonly since: number;
  readonly until: number;
  readonly status: string;
};

export const statusRow = ({ feature, since, until, status }: StatusInterval): StatusRow => ({
  feature,
  since,
  until,
  status,
});

export const statusFromRow = (row: StatusRow): StatusInterval => ({
  feature: row.feature,
  since: instant(row.since),
  until: instant(row.until),
  status: row.status as FeatureStatus,
});

const storedDelivery = (delivery: Delivery) => ({
  form,
  id: delivery.id,
  channel: delivery.channel,
  state: delivery.state,
  attempts: delivery.attempts,
  createdAt: delivery.createdAt,
  nextAt: delivery.nextAt,
  lastAt: delivery.lastAt,
  lastStatus: delivery.lastStatus,
  words: delivery.words,
  bulletin: {
    id: delivery.bulletin.id,
    type: delivery.bulletin.type,
    at: delivery.bulletin.at,
    subject: delivery.bulletin.subject,
    stage: delivery.bulletin.stage,
    severity: delivery.bulletin.severity,
    title: delivery.bulletin.title,
    text: delivery.bulletin.text,
    facts: delivery.bulletin.facts.map(({ name, value }) => ({ name, value })),
    page: delivery.bulletin.page,
  },
});

export type DeliveryRow = {
  readonly id: string;
  readonly channel: string;
  readonly message: string;
  readonly state: string;
  readonly nextAt: number | null;
  readonly body: string;
};

export const deliveryRow = (delivery: Delivery): DeliveryRow => ({
  id: delivery.id,
  channel: delivery.channel,
  message: delivery.bulletin.id,
  state: delivery.state,
  nextAt: delivery.nextAt,
  body: JSON.stringify(storedDelivery(delivery)),
});

export function deliveryFromBody(body: string): Delivery {
  const { form: _, ...stored } = parsed(body) as ReturnType<typeof storedDelivery>;
  return stored;
}

export type GateRow = { readonly target: string; readonly at: number; readonly cell: string };

export const gateRow = ({ target, at, cell }: StoredGate): GateRow => ({
  target,
  at,
  cell: JSON.stringify({ form, cell }),
});

export const gateFromRow = (row: GateRow): StoredGate => ({
  target: row.target as StoredGate['target'],
  at: instant(row.at),
  cell: (parsed(row.cell) as { readonly cell: unknown }).cell,
});

const storedMessage = (message: Message) => ({
  form,
  id: message.id,
  incident: message.incident,
  stage: message.stage,
  state: message.state,
  at: message.at,
  by: message.by,
  automatic: message.automatic,
  reason: message.reason,
  texts: Object.fromEntries(
    Object.entries(message.texts).map(([locale, { title, body, desk }]) => [locale, { title, body, desk }]),
  ),
  nextUpdateAt: message.nextUpdateAt,
  features: message.features.map(({ feature, status }) => ({ feature, status })),
});

export const messageBody = (message: Message): string => JSON.stringify(storedMessage(message));

export function messageFromBody(body: string): Message {
  const { form: _, ...stored } = parsed(body) as ReturnType<typeof storedMessage>;
  // Messages from before it was kept have none.
  return { ...stored, features: stored.features ?? [] };
}
