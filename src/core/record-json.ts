/**
 * The record of a request as JSON, in the words that the API shows and that the ledger commits to: snake_case, RFC 3339
 * times. By hand in both directions, so that a rename in core renames nothing that was promised outside.
 *
 * One form for both, because what is proved must be what is shown; only that an entry leaves out what says nothing (null,
 * an empty list), which is a sixth of a plain record. The order of the fields is part of the bytes that are hashed, but only
 * when they are written: what was written is never made again. A field that is added here is missing in older entries:
 * `recordFromJson` says what that means.
 */
import { instant } from './ids.ts';
import { momentFrom, momentText } from './moment.ts';
import type { AttemptRecord, Candidate, Operation, RequestRecord } from './record.ts';

const timeFrom = (text: string) => instant(momentFrom(text));

/** What stands where there is nothing: null for people, no field at all in an entry. */
type Nothing = null | undefined;

const or = <T, N extends Nothing>(value: T | null, nothing: N): T | N => value ?? nothing;

const listOr = <T, N extends Nothing>(list: readonly T[], nothing: N): readonly T[] | Extract<N, undefined> =>
  list.length === 0 && nothing === undefined ? (nothing as Extract<N, undefined>) : list;

const candidateJson = <N extends Nothing>({ target, eligible, reason, rule }: Candidate, nothing: N) => ({
  target,
  eligible,
  reason: or(reason, nothing),
  rule: or(rule, nothing),
});

export const candidateToJson = (candidate: Candidate) => candidateJson(candidate, null);

const candidateFromJson = (json: ReturnType<typeof candidateJson<Nothing>>): Candidate => ({
  target: json.target,
  eligible: json.eligible,
  reason: json.reason ?? null,
  rule: json.rule ?? null,
});

const attemptJson = <N extends Nothing>(attempt: AttemptRecord, nothing: N) => ({
  n: attempt.n,
  target: attempt.target,
  company: or(attempt.company, nothing),
  region: or(attempt.region, nothing),
  retention: attempt.retention,
  started_at: momentText(attempt.startedAt),
  first_byte_ms: or(attempt.firstByteMs, nothing),
  first_token_ms: or(attempt.firstTokenMs, nothing),
  duration_ms: attempt.durationMs,
  outcome: attempt.outcome,
  failure: or(attempt.failure, nothing),
  status: or(attempt.status, nothing),
  provider_code: or(attempt.providerCode, nothing),
  provider_request_id: or(attempt.providerRequestId, nothing),
  payload_sent: attempt.payloadSent,
  why_next: or(attempt.whyNext, nothing),
  input_tokens: or(attempt.inputTokens, nothing),
  output_tokens: or(attempt.outputTokens, nothing),
  cost_usd: or(attempt.costUsd, nothing),
  malformed_events: attempt.malformedEvents,
  adapted: attempt.adapted as AttemptRecord['adapted'] | undefined,
  boundary: listOr(attempt.boundary, nothing),
});

const attemptFromJson = (json: ReturnType<typeof attemptJson<Nothing>>): AttemptRecord => ({
  n: json.n,
  target: json.target,
  company: json.company ?? null,
  region: json.region ?? null,
  retention: json.retention,
  startedAt: timeFrom(json.started_at),
  firstByteMs: json.first_byte_ms ?? null,
  firstTokenMs: json.first_token_ms ?? null,
  durationMs: json.duration_ms,
  outcome: json.outcome,
  failure: json.failure ?? null,
  status: json.status ?? null,
  providerCode: json.provider_code ?? null,
  providerRequestId: json.provider_request_id ?? null,
  payloadSent: json.payload_sent,
  whyNext: json.why_next ?? null,
  inputTokens: json.input_tokens ?? null,
  outputTokens: json.output_tokens ?? null,
  costUsd: json.cost_usd ?? null,
  malformedEvents: json.malformed_events,
  adapted: json.adapted ?? 'no',
  boundary: json.boundary ?? [],
});

const seamJson = <N extends Nothing>(seam: RequestRecord['seam'], nothing: N) =>
  seam === null
    ? nothing
    : {
        from: seam.from,
        to: seam.to,
        at_characters: seam.atCharacters,
        overlap_characters: seam.overlapCharacters,
      };

const seamFromJson = (json: ReturnType<typeof seamJson<Nothing>>): RequestRecord['seam'] =>
  json === null || json === undefined
    ? null
    : {
        from: json.from,
        to: json.to,
        atCharacters: json.at_characters,
        overlapCharacters: json.overlap_characters,
      };

const isSaid = (operation: Operation, nothing: Nothing): boolean =>
  nothing === null || operation !== 'answer';

/** The id comes first: the store reads it from there. */
const recordJson = <N extends Nothing>(record: RequestRecord, nothing: N) => ({
  id: record.id,
  at: momentText(record.at),
  duration_ms: record.durationMs,
  tenant: or(record.tenant, nothing),
  key: or(record.key, nothing),
  feature: record.feature,
  user: or(record.user, nothing),
  session: or(record.session, nothing),
  trace: or(record.trace, nothing),
  dialect: record.dialect,
  // An answer is what is asked for nearly always: an entry leaves it out.
  operation: isSaid(record.operation, nothing) ? record.operation : undefined,
  stream: record.stream,
  requested: record.requested,
  preferred: or(record.preferred, nothing),
  served: or(record.served, nothing),
  model_reported: or(record.modelReported, nothing),
  data_class: or(record.dataClass, nothing),
  data_class_source: record.dataClassSource,
  consent: record.consent,
  consent_offered_in: or(record.consentOfferedIn, nothing),
  snapshot: record.snapshot,
  hop: or(record.hop, nothing),
  fallback: or(record.fallback, nothing),
  boundary: listOr(record.boundary, nothing),
  told: record.told,
  outcome: record.outcome,
  error_code: or(record.errorCode, nothing),
  status: record.status,
  finish: or(record.finish, nothing),
  candidates: record.candidates.map((each) => candidateJson(each, nothing)),
  attempts: record.attempts.map((each) => attemptJson(each, nothing)),
  incidents: listOr(record.incidents, nothing),
  switches: listOr(record.switches, nothing),
  fingerprints: {
    input: or(record.fingerprints.input, nothing),
    output: or(record.fingerprints.output, nothing),
  },
  warnings: listOr(record.warnings, nothing),
  seam: seamJson(record.seam, nothing),
  captured: record.captured as RequestRecord['captured'] | undefined,
});

/** As people see it, with every field. */
export const recordToJson = (record: RequestRecord) => recordJson(record, null);

/** As the ledger keeps it. */
export const recordToEntry = (record: RequestRecord) => recordJson(record, undefined);

export type RecordJson = ReturnType<typeof recordJson<Nothing>>;

export const recordFromJson = (json: RecordJson): RequestRecord => ({
  id: json.id,
  at: timeFrom(json.at),
  durationMs: json.duration_ms,
  tenant: json.tenant ?? null,
  key: json.key ?? null,
  feature: json.feature,
  user: json.user ?? null,
  session: json.session ?? null,
  trace: json.trace ?? null,
  dialect: json.dialect,
  operation: json.operation ?? 'answer',
  stream: json.stream,
  requested: json.requested,
  preferred: json.preferred ?? null,
  served: json.served ?? null,
  modelReported: json.model_reported ?? null,
  dataClass: json.data_class ?? null,
  dataClassSource: json.data_class_source,
  consent: json.consent,
  consentOfferedIn: json.consent_offered_in ?? null,
  snapshot: json.snapshot,
  hop: json.hop ?? null,
  fallback: json.fallback ?? null,
  boundary: json.boundary ?? [],
  told: json.told,
  outcome: json.outcome,
  errorCode: json.error_code ?? null,
  status: json.status,
  finish: json.finish ?? null,
  candidates: json.candidates.map(candidateFromJson),
  attempts: json.attempts.map(attemptFromJson),
  incidents: json.incidents ?? [],
  switches: json.switches ?? [],
  fingerprints: { input: json.fingerprints.input ?? null, output: json.fingerprints.output ?? null },
  warnings: json.warnings ?? [],
  seam: seamFromJson(json.seam),
  captured: json.captured ?? 'none',
});
