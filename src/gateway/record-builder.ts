/** Makes the audit record of a request when its answer has ended. */
import type { CaptureMark } from '../core/capture.ts';
import type { Agreement } from '../core/consent.ts';
import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import { isHit } from '../core/incident-hits.ts';
import type { ErrorCode } from '../core/errors.ts';
import { requestedLengthMax } from '../core/record.ts';
import type { AttemptRecord, RequestOutcome, RequestRecord, Told } from '../core/record.ts';
import type { SwitchId } from '../core/ids.ts';
import { costUsd } from '../core/cost.ts';
import { boundaryBetween, hopBetween, retentionWords, termsAt } from '../core/target.ts';
import type { Target } from '../core/target.ts';
import type { Trace } from './trace.ts';
import type { AnswerFacts } from '../dialects/dialect.ts';
import type { Exchange } from './exchange.ts';
import { boundaryOf, fallbackReason, incidentsOf } from './story.ts';

export type Closing = {
  readonly outcome: RequestOutcome;
  readonly status: number;
  readonly errorCode: ErrorCode | null;
  readonly served: Target | null;
  readonly told: Told;
  readonly outputFingerprint: string | null;
  readonly inputFingerprint: string | null;
  readonly switches: readonly SwitchId[];
  readonly agreement: Agreement | null;
  readonly captured: CaptureMark;
};

/** The audit entry of a finished attempt. */
function traceRecord(exchange: Exchange, trace: Trace, n: number): AttemptRecord {
  const { target } = trace.ticket;
  const terms = termsAt(target.provider.terms, trace.startedAt);
  const facts: AnswerFacts | null = trace.source?.facts() ?? null;
  const since = (at: Instant | null): number | null => (at === null ? null : at - trace.startedAt);
  return {
    n,
    target: target.name,
    company: terms.entity,
    region: terms.regions === 'unknown' ? null : terms.regions.join(','),
    retention: retentionWords(terms),
    startedAt: trace.startedAt,
    firstByteMs: since(trace.firstByteAt),
    firstTokenMs: since(trace.firstTokenAt),
    durationMs: since(trace.endedAt) ?? 0,
    outcome: trace.outcome ?? 'cancelled',
    failure: trace.failure?.class ?? null,
    status: trace.status,
    providerCode: trace.failure?.code ?? null,
    providerRequestId: trace.providerRequestId,
    payloadSent: trace.payloadSent,
    whyNext: trace.whyNext,
    inputTokens: facts?.usage?.inputTokens ?? null,
    outputTokens: facts?.usage?.outputTokens ?? null,
    costUsd: costUsd(target.model.price, facts?.usage ?? null),
    malformedEvents: trace.source?.malformedEvents() ?? 0,
    adapted: trace.adapted,
    boundary: trace.payloadSent === 'none' ? [] : boundaryBetween(exchange.preferred, target, exchange.at),
  };
}

/** A call that was stopped because its caller left says so; one that another call outran did not fail. */
function whoLeft({ outcome, served }: Closing, attempts: readonly AttemptRecord[]): readonly AttemptRecord[] {
  if (outcome !== 'cancelled') return attempts;
  return attempts.map((attempt, index): AttemptRecord => {
    const isAwaited =
      served === null || served.name === attempt.target || attempts[index - 1]?.whyNext === 'carry_on';
    const isLeft = isAwaited && attempt.outcome === 'cancelled';
    return isLeft ? { ...attempt, failure: 'cancelled_by_caller' } : attempt;
  });
}

export function buildRecord(exchange: Exchange, closing: Closing): RequestRecord {
  const { wishes, facts, key } = exchange;
  const { served } = closing;
  const source =
    exchange.traces.findLast(({ ticket }) => ticket.target.name === served?.name)?.source ?? null;
  const seam = exchange.carrier?.seam ?? null;
  const answer = closing.served === null ? null : (source?.facts() ?? null);
  const hop = closing.served === null ? null : hopBetween(exchange.preferred, closing.served);
  const record: RequestRecord = {
    id: exchange.id,
    at: exchange.at,
    durationMs: instant(exchange.clock.now()) - exchange.at,
    tenant: key?.tenant ?? null,
    key: key?.id ?? null,
    feature: exchange.feature.name,
    user: wishes.user,
    session: wishes.session,
    trace: wishes.traceparent?.slice(3, 35) ?? null,
    dialect: exchange.codec.name,
    operation: exchange.codec.operation,
    stream: facts.stream,
    requested: facts.model.slice(0, requestedLengthMax),
    preferred: exchange.preferred.name,
    served: closing.served?.name ?? null,
    modelReported: answer?.model?.slice(0, requestedLengthMax) ?? null,
    dataClass: exchange.demand.name,
    dataClassSource: exchange.demand.source,
    consent: closing.agreement?.basis ?? 'none',
    consentOfferedIn: closing.agreement?.offeredIn ?? null,
    snapshot: exchange.snapshot.hash,
    hop,
    fallback: fallbackReason(exchange, closing.served),
    boundary: boundaryOf(exchange),
    told: closing.told,
    outcome: closing.outcome,
    errorCode: closing.errorCode,
    status: closing.status,
    finish: answer?.finish ?? null,
    candidates: exchange.candidates,
    attempts: whoLeft(
      closing,
      exchange.traces.map((trace, index) => traceRecord(exchange, trace, index + 1)),
    ),
    incidents: incidentsOf(exchange),
    switches: closing.switches,
    fingerprints: { input: closing.inputFingerprint, output: closing.outputFingerprint },
    warnings: exchange.warnings,
    seam:
      seam === null
        ? null
        : {
            from: seam.from.name,
            to: seam.to.name,
            atCharacters: seam.at,
            overlapCharacters: seam.overlap,
          },
    captured: closing.captured,
  };
  return record.incidents.length === 0 || isHit(record) ? record : { ...record, incidents: [] };
}
