/**
 * The record of a request as JSON, in the words that the API shows and that the ledger commits to: snake_case, RFC 3339
 * times. By hand in both directions, so that a rename in core renames nothing that was promised outside.
 *
 * One form for both, because what is proved must be what is shown. The order of the fields is part of the bytes that are
 * hashed, but only when they are written: what was written is never made again. A field that is added here is missing in
 * older entries: `recordFromJson` says what that means.
 */
import { instant } from './ids.ts';
import type { IncidentId } from './ids.ts';
import { momentFrom, momentText } from './moment.ts';
import type { AttemptRecord, Candidate, RequestRecord } from './record.ts';

const timeFrom = (text: string) => instant(momentFrom(text));

export const candidateToJson = ({ target, eligible, reason, rule }: Candidate) => ({
  target,
  eligible,
  reason,
  rule,
});

const candidateFromJson = (json: ReturnType<typeof candidateToJson>): Candidate => ({
  target: json.target,
  eligible: json.eligible,
  reason: json.reason,
  rule: json.rule,
});

const attemptToJson = (attempt: AttemptRecord) => ({
  n: attempt.n,
  target: attempt.target,
  company: attempt.company,
  region: attempt.region,
  retention: attempt.retention,
  started_at: momentText(attempt.startedAt),
  first_byte_ms: attempt.firstByteMs,
  first_token_ms: attempt.firstTokenMs,
  duration_ms: attempt.durationMs,
  outcome: attempt.outcome,
  failure: attempt.failure,
  status: attempt.status,
  provider_code: attempt.providerCode,
  provider_request_id: attempt.providerRequestId,
  payload_sent: attempt.payloadSent,
  why_next: attempt.whyNext,
  input_tokens: attempt.inputTokens,
  output_tokens: attempt.outputTokens,
  cost_usd: attempt.costUsd,
  malformed_events: attempt.malformedEvents,
  adapted: attempt.adapted as AttemptRecord['adapted'] | undefined,
  boundary: attempt.boundary as AttemptRecord['boundary'] | undefined,
});

const attemptFromJson = (json: ReturnType<typeof attemptToJson>): AttemptRecord => ({
  n: json.n,
  target: json.target,
  company: json.company,
  region: json.region,
  retention: json.retention,
  startedAt: timeFrom(json.started_at),
  firstByteMs: json.first_byte_ms,
  firstTokenMs: json.first_token_ms,
  durationMs: json.duration_ms,
  outcome: json.outcome,
  failure: json.failure,
  status: json.status,
  providerCode: json.provider_code,
  providerRequestId: json.provider_request_id,
  payloadSent: json.payload_sent,
  whyNext: json.why_next,
  inputTokens: json.input_tokens,
  outputTokens: json.output_tokens,
  costUsd: json.cost_usd,
  malformedEvents: json.malformed_events,
  adapted: json.adapted ?? 'no',
  boundary: json.boundary ?? [],
});

const seamToJson = (seam: RequestRecord['seam']) =>
  seam === null
    ? null
    : {
        from: seam.from,
        to: seam.to,
        at_characters: seam.atCharacters,
        overlap_characters: seam.overlapCharacters,
      };

const seamFromJson = (json: ReturnType<typeof seamToJson>): RequestRecord['seam'] =>
  json === null
    ? null
    : {
        from: json.from,
        to: json.to,
        atCharacters: json.at_characters,
        overlapCharacters: json.overlap_characters,
      };

/** The id comes first: the store reads it from there. */
export const recordToJson = (record: RequestRecord) => ({
  id: record.id,
  at: momentText(record.at),
  duration_ms: record.durationMs,
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
  model_reported: record.modelReported,
  data_class: record.dataClass,
  data_class_source: record.dataClassSource,
  consent: record.consent,
  consent_offered_in: record.consentOfferedIn as RequestRecord['consentOfferedIn'] | undefined,
  snapshot: record.snapshot,
  hop: record.hop,
  fallback: record.fallback,
  boundary: record.boundary,
  told: record.told,
  outcome: record.outcome,
  error_code: record.errorCode,
  status: record.status,
  finish: record.finish,
  candidates: record.candidates.map(candidateToJson),
  attempts: record.attempts.map(attemptToJson),
  incidents: record.incidents as readonly IncidentId[] | undefined,
  switches: record.switches,
  fingerprints: { input: record.fingerprints.input, output: record.fingerprints.output },
  warnings: record.warnings,
  seam: seamToJson(record.seam) as ReturnType<typeof seamToJson> | undefined,
  captured: record.captured as RequestRecord['captured'] | undefined,
});

export type RecordJson = ReturnType<typeof recordToJson>;

export const recordFromJson = (json: RecordJson): RequestRecord => ({
  id: json.id,
  at: timeFrom(json.at),
  durationMs: json.duration_ms,
  tenant: json.tenant,
  key: json.key,
  feature: json.feature,
  user: json.user,
  session: json.session,
  trace: json.trace,
  dialect: json.dialect,
  stream: json.stream,
  requested: json.requested,
  preferred: json.preferred,
  served: json.served,
  modelReported: json.model_reported,
  dataClass: json.data_class,
  dataClassSource: json.data_class_source,
  consent: json.consent,
  consentOfferedIn: json.consent_offered_in ?? null,
  snapshot: json.snapshot,
  hop: json.hop,
  fallback: json.fallback,
  boundary: json.boundary,
  told: json.told,
  outcome: json.outcome,
  errorCode: json.error_code,
  status: json.status,
  finish: json.finish,
  candidates: json.candidates.map(candidateFromJson),
  attempts: json.attempts.map(attemptFromJson),
  incidents: json.incidents ?? [],
  switches: json.switches,
  fingerprints: { input: json.fingerprints.input, output: json.fingerprints.output },
  warnings: json.warnings,
  seam: seamFromJson(json.seam ?? null),
  captured: json.captured ?? 'none',
});
