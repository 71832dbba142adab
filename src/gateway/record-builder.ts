/** Makes the audit record of a request when its answer has ended. */
import { instant } from '../core/ids.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { RequestOutcome, RequestRecord, Told } from '../core/record.ts';
import type { SwitchId } from '../core/ids.ts';
import { hopBetween } from '../core/target.ts';
import type { Target } from '../core/target.ts';
import { traceRecord } from './attempt.ts';
import type { Exchange } from './exchange.ts';
import { boundaryOf, fallbackReason } from './story.ts';

export type Closing = {
  readonly outcome: RequestOutcome;
  readonly status: number;
  readonly errorCode: ErrorCode | null;
  readonly served: Target | null;
  readonly told: Told;
  readonly outputFingerprint: string | null;
  readonly inputFingerprint: string | null;
  readonly switches: readonly SwitchId[];
  readonly consented: boolean;
};

export function buildRecord(exchange: Exchange, closing: Closing): RequestRecord {
  const { wishes, facts, key } = exchange;
  const source = exchange.traces.at(-1)?.source ?? null;
  const answer = closing.served === null ? null : (source?.facts() ?? null);
  const hop = closing.served === null ? null : hopBetween(exchange.preferred, closing.served);
  return {
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
    stream: facts.stream,
    requested: facts.model.slice(0, requestedLengthMax),
    preferred: exchange.preferred.name,
    served: closing.served?.name ?? null,
    modelReported: answer?.model?.slice(0, requestedLengthMax) ?? null,
    dataClass: exchange.dataClassName,
    dataClassSource:
      wishes.dataClass === null ? (exchange.dataClassName === null ? 'none' : 'feature') : 'header',
    consent: closing.consented ? 'token' : 'none',
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
    attempts: exchange.traces.map((trace, index) => traceRecord(trace, index + 1)),
    switches: closing.switches,
    fingerprints: { input: closing.inputFingerprint, output: closing.outputFingerprint },
    warnings: exchange.warnings,
  };
}

/** Names come from callers and providers: kept, but not without end. */
const requestedLengthMax = 128;
