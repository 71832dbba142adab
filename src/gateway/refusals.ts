/** What a caller is told when there is no answer: which error, in which words, with which offers. */
import {
  consentWords,
  offerWords,
  dataPolicyWords,
  keyWords,
  noTargetWords,
  notAllowedWords,
  overloadedWords,
  upstreamFailedWords,
} from '../core/caller-words.ts';
import type { ErrorCode } from '../core/errors.ts';
import { failureRow } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { neverFallsBack } from '../core/routing.ts';
import { keyClassObjection } from '../core/rules.ts';
import type { RoutingDecision, RoutingRequest } from '../core/routing.ts';
import { retentionWords, termsAt } from '../core/target.ts';
import type { JsonObject } from '../dialects/dialect.ts';
import type { ConsentScope } from '../core/consent.ts';
import type { Consents } from './consent.ts';
import type { Execution } from './execute.ts';
import type { Exchange } from './exchange.ts';
import { untilMs } from './reply.ts';
import type { ErrorReply } from './reply.ts';
import { askedName, troublesOf } from './story.ts';

/** What a refusal is explained from. */
export type Refused = {
  readonly exchange: Exchange;
  readonly asked: RoutingRequest;
  readonly consents: Consents;
  readonly consentScope: ConsentScope;
};

/** What a refusal or failure is to the caller. */
export function refusalReply(
  refused: Refused,
  decision: Extract<RoutingDecision, { kind: 'refuse' }>,
): ErrorReply {
  const { exchange } = refused;
  const excluded = exchange.candidates;
  const common = { excluded, retryAfterMs: untilMs(decision.retryAt, exchange.clock.now()) };
  const { title } = exchange.feature;
  switch (decision.code) {
    case 'data_policy_denied':
      return {
        ...common,
        code: decision.code,
        message: dataPolicyWords(title, exchange.demand.name ?? ''),
      };
    case 'fallback_not_allowed':
      return { ...common, code: decision.code, message: notAllowedWords(askedName(exchange), title, []) };
    case 'forbidden':
      return {
        ...common,
        code: decision.code,
        message: keyWords(title, keyClassObjection(refused.asked)),
      };
    case 'context_exceeded':
      return {
        ...common,
        code: decision.code,
        message: `The request is too long (about ${exchange.facts.inputTokensEstimate} tokens) for every model of ${title}.`,
      };
    case 'no_eligible_target':
      return { ...common, code: decision.code, message: noTargetWords(title, exchange.candidates) };
  }
}

export function askReply(refused: Refused): ErrorReply {
  const { exchange, consents, consentScope, asked } = refused;
  const names: string[] = [];
  const offers = exchange.offers.map(({ target, hop }): JsonObject => {
    const terms = termsAt(target.provider.terms, exchange.clock.now());
    names.push(offerWords(target.model.name, hop, terms.entity));
    return {
      target: target.name,
      company: terms.entity,
      region: terms.regions === 'unknown' ? null : terms.regions.join(','),
      retention: retentionWords(terms),
      hop,
      token: consents.offer(consentScope, asked.route[0], target, exchange.id),
    };
  });
  return {
    code: 'fallback_consent_required',
    message: consentWords(askedName(exchange), exchange.feature.title, names),
    offers,
    failures: troublesOf(exchange),
    excluded: exchange.candidates,
  };
}

/** The caller's own error, in the provider's words where it answered in the caller's dialect. */
function passedOnReply(
  refused: Refused,
  failed: Extract<Execution, { kind: 'failed' }>,
  failure: Failure,
): ErrorReply {
  const words = failed.refusal?.words ?? null;
  const code: ErrorCode =
    failure.class === 'context_exceeded' || failure.class === 'content_refused'
      ? failure.class
      : 'request_rejected';
  const status =
    failed.refusal !== null && failed.refusal.status >= 400
      ? failed.refusal.status
      : failureRow(failure.class).status;
  return {
    code,
    status,
    message:
      words?.message ?? `${failed.failedOn?.name ?? 'The provider'} ${failureRow(failure.class).words}.`,
    failures: troublesOf(refused.exchange),
    provider: words === null ? null : { type: words.type, code: words.code },
  };
}

/** Every target that could answer is full. To try again at once would only add to it. */
function overloadedReply(exchange: Exchange): ErrorReply {
  const full = exchange.candidates.flatMap(({ target, reason }) => {
    const found = reason === 'at_capacity' ? exchange.snapshot.targets.get(target) : undefined;
    return found === undefined ? [] : [found];
  });
  return {
    code: 'overloaded',
    message: overloadedWords(exchange.feature.title, exchange.feature.priority),
    retryHelps: false,
    retryAfterMs: exchange.capacity.retryAfterMs(full),
    excluded: exchange.candidates,
  };
}

export function failedReply(refused: Refused, failed: Extract<Execution, { kind: 'failed' }>): ErrorReply {
  const { exchange } = refused;
  const { failure } = failed;
  const troubles = troublesOf(exchange);
  const model = askedName(exchange);
  // Stopped without a failure of its own, as when Breakwater stops: nothing speaks against asking again.
  if (failed.because === 'deadline' && failure === null)
    return {
      code: 'overloaded',
      message: 'Breakwater could not wait for this answer any longer. Please try again.',
      retryAfterMs: 1_000,
    };
  if (failed.because === 'no_room' && failure === null && exchange.offers.length === 0)
    return overloadedReply(exchange);
  if (failure === null && exchange.offers.length > 0) return askReply(refused);
  if (failure === null)
    return {
      code: 'no_eligible_target',
      message: noTargetWords(exchange.feature.title, exchange.candidates),
      excluded: exchange.candidates,
    };
  if (
    failed.because === 'passed_on' &&
    failure.class !== 'cancelled_by_caller' &&
    failure.class !== 'deadline_exceeded'
  )
    return passedOnReply(refused, failed, failure);
  if (exchange.offers.length > 0) return askReply(refused);
  const common = { failures: troubles, excluded: exchange.candidates, retryAfterMs: failure.retryAfterMs };
  // A caller can only be wrong about a name that it chose; what a feature leads to is ours to know.
  const isCallersName = exchange.feature.name === exchange.snapshot.defaults.name;
  if (isCallersName && troubles.every((trouble) => trouble.failure === 'model_not_found'))
    return {
      ...common,
      code: 'unknown_model',
      param: 'model',
      message: `No provider knows the model ${model}.`,
    };
  const never =
    exchange.candidates.some((candidate) => candidate.reason === 'fallback_never') ||
    neverFallsBack(refused.asked);
  if (never)
    return {
      ...common,
      code: 'fallback_not_allowed',
      message: notAllowedWords(model, exchange.feature.title, troubles),
    };
  return {
    ...common,
    code: 'upstream_failed',
    status: failureRow(failure.class).status === 504 ? 504 : 502,
    message: upstreamFailedWords(model, troubles),
  };
}

/** Embeddings have no stand-in, and are told why. */
export function embeddingReply(reply: ErrorReply): ErrorReply {
  return noStandIn.has(reply.code) ? { ...reply, message: `${reply.message} ${embeddingWords}` } : reply;
}

const noStandIn: ReadonlySet<ErrorCode> = new Set([
  'fallback_not_allowed',
  'no_eligible_target',
  'upstream_failed',
]);
const embeddingWords =
  'Another model cannot stand in for embeddings, because vectors of different models do not mix.';
