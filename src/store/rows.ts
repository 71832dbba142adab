/**
 * Values ↔ rows, by hand in both directions, so that a rename in core renames nothing on disk. A row keeps the whole
 * value as JSON text with the number of its form, so that an old row can be read when the form has moved on, beside the
 * few columns that are searched.
 */
import type { ApiKey } from '../core/keys.ts';
import type { AttemptRecord, Candidate, Change, RequestRecord } from '../core/record.ts';
import { instant } from '../core/ids.ts';
import type { FeatureStatus } from '../core/status.ts';
import type { StatusInterval } from '../core/status-history.ts';
import type { Switch } from '../core/switches.ts';

const form = 1;

/** What was written by this module is read back by it; the form number says which shape it is. */
function parsed(body: string): unknown {
  const stored = JSON.parse(body) as { readonly form: number };
  if (stored.form !== form) throw new Error(`a row has the unknown form ${String(stored.form)}`);
  return stored;
}

const storedCandidate = ({ target, eligible, reason, rule }: Candidate) => ({
  target,
  eligible,
  reason,
  rule,
});

const candidateFrom = (stored: ReturnType<typeof storedCandidate>): Candidate => ({
  target: stored.target,
  eligible: stored.eligible,
  reason: stored.reason,
  rule: stored.rule,
});

const storedAttempt = (attempt: AttemptRecord) => ({
  n: attempt.n,
  target: attempt.target,
  company: attempt.company,
  region: attempt.region,
  retention: attempt.retention,
  startedAt: attempt.startedAt,
  firstByteMs: attempt.firstByteMs,
  firstTokenMs: attempt.firstTokenMs,
  durationMs: attempt.durationMs,
  outcome: attempt.outcome,
  failure: attempt.failure,
  status: attempt.status,
  providerCode: attempt.providerCode,
  providerRequestId: attempt.providerRequestId,
  payloadSent: attempt.payloadSent,
  whyNext: attempt.whyNext,
  inputTokens: attempt.inputTokens,
  outputTokens: attempt.outputTokens,
  costUsd: attempt.costUsd,
  malformedEvents: attempt.malformedEvents,
});

const attemptFrom = (stored: ReturnType<typeof storedAttempt>): AttemptRecord => ({
  n: stored.n,
  target: stored.target,
  company: stored.company,
  region: stored.region,
  retention: stored.retention,
  startedAt: stored.startedAt,
  firstByteMs: stored.firstByteMs,
  firstTokenMs: stored.firstTokenMs,
  durationMs: stored.durationMs,
  outcome: stored.outcome,
  failure: stored.failure,
  status: stored.status,
  providerCode: stored.providerCode,
  providerRequestId: stored.providerRequestId,
  payloadSent: stored.payloadSent,
  whyNext: stored.whyNext,
  inputTokens: stored.inputTokens,
  outputTokens: stored.outputTokens,
  costUsd: stored.costUsd ?? null,
  malformedEvents: stored.malformedEvents,
});

const storedRecord = (record: RequestRecord) => ({
  form,
  id: record.id,
  at: record.at,
  durationMs: record.durationMs,
  tenant: record.tenant,
  key: record.key,
  feature: record.feature,
  user: record.user,
  session: record.session,
  trace: record.trace,
  dialect: record.dialect,
  stream: record.stream,
  requested: record.requested,
  preferred: record.preferred,
  served: record.served,
  modelReported: record.modelReported,
  dataClass: record.dataClass,
  dataClassSource: record.dataClassSource,
  consent: record.consent,
  snapshot: record.snapshot,
  hop: record.hop,
  fallback: record.fallback,
  boundary: record.boundary,
  told: record.told,
  outcome: record.outcome,
  errorCode: record.errorCode,
  status: record.status,
  finish: record.finish,
  candidates: record.candidates.map(storedCandidate),
  attempts: record.attempts.map(storedAttempt),
  switches: record.switches,
  fingerprints: { input: record.fingerprints.input, output: record.fingerprints.output },
  warnings: record.warnings,
});

export function recordFromBody(body: string): RequestRecord {
  const stored = parsed(body) as ReturnType<typeof storedRecord>;
  return {
    id: stored.id,
    at: stored.at,
    durationMs: stored.durationMs,
    tenant: stored.tenant,
    key: stored.key,
    feature: stored.feature,
    user: stored.user,
    session: stored.session,
    trace: stored.trace,
    dialect: stored.dialect,
    stream: stored.stream,
    requested: stored.requested,
    preferred: stored.preferred,
    served: stored.served,
    modelReported: stored.modelReported,
    dataClass: stored.dataClass,
    dataClassSource: stored.dataClassSource,
    consent: stored.consent,
    snapshot: stored.snapshot,
    hop: stored.hop,
    fallback: stored.fallback,
    boundary: stored.boundary,
    told: stored.told,
    outcome: stored.outcome,
    errorCode: stored.errorCode,
    status: stored.status,
    finish: stored.finish,
    candidates: stored.candidates.map(candidateFrom),
    attempts: stored.attempts.map(attemptFrom),
    switches: stored.switches,
    fingerprints: { input: stored.fingerprints.input, output: stored.fingerprints.output },
    warnings: stored.warnings,
  };
}

/** Words between bars, so that one of several can be found by LIKE. */
const words = (list: readonly string[]): string => (list.length === 0 ? '' : `|${list.join('|')}|`);

/** The columns of `records`, in the order of the statement that inserts them. */
export type RecordRow = readonly (string | number | null)[];

export function recordRow(record: RequestRecord): RecordRow {
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
    JSON.stringify(storedRecord(record)),
  ];
}

const storedChange = (change: Change) => ({
  form,
  id: change.id,
  at: change.at,
  kind: change.kind,
  actor: change.actor,
  subject: change.subject,
  reason: change.reason,
  before: change.before,
  after: change.after,
});

export const changeBody = (change: Change): string => JSON.stringify(storedChange(change));

export function changeFromBody(body: string): Change {
  const stored = parsed(body) as ReturnType<typeof storedChange>;
  return {
    id: stored.id,
    at: stored.at,
    kind: stored.kind,
    actor: stored.actor,
    subject: stored.subject,
    reason: stored.reason,
    before: stored.before,
    after: stored.after,
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
