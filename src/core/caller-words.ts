/**
 * What a caller is told when there is no answer: one sentence or two that a product can show to its user as they are.
 * They name the model and the reason, never a stack, a secret or a provider's own message.
 */
import { failureRow } from './failure.ts';
import type { FailureClass } from './failure.ts';
import type { TargetName } from './ids.ts';
import type { Candidate, ExclusionReason } from './record.ts';
import type { Priority } from './snapshot.ts';
import type { Hop } from './target.ts';
import { listWords } from './words.ts';

export type Trouble = { readonly target: TargetName; readonly failure: FailureClass };

const exclusionWords: Record<ExclusionReason, string> = {
  data_policy: 'may not process this class of data',
  switched_off: 'is switched off by the operator',
  not_permitted_for_key: 'is not permitted for this key',
  not_allowed_by_feature: 'is not allowed for this feature',
  lacks_capability: 'lacks something the request needs',
  context_too_small: 'has too small a context window for this request',
  fallback_never: 'may not be used as a backup here',
  consent_required: 'may be used only if the user agrees',
  ejected: 'is out because it kept failing',
  ramping: 'is being brought back step by step',
  probe_in_flight: 'is being tested before it comes back',
  credential_unavailable: 'has no usable credential',
  rate_limited: 'has used up our rate limit there',
  at_capacity: 'is at its limit of open calls',
  last_resort: 'is held back as a last resort',
  shed: 'takes only part of the traffic right now',
};

/** Why a target is not a candidate, to complete "anthropic/claude-opus-4-8 …". */
export function exclusionSentence(reason: ExclusionReason): string {
  return exclusionWords[reason];
}

/** Each target once, with the last thing that went wrong with it. */
function troubleWords(troubles: readonly Trouble[]): string {
  const last = new Map<TargetName, FailureClass>();
  for (const { target, failure } of troubles) last.set(target, failure);
  return [...last].map(([target, failure]) => `${target} ${failureRow(failure).words}`).join('; ');
}

function candidateWords(candidates: readonly Candidate[]): string {
  return candidates
    .flatMap(({ target, reason, rule }) => {
      if (reason === null) return [];
      return reason === 'lacks_capability' && rule !== null
        ? [`${target} lacks ${rule.replaceAll('_', ' ')}`]
        : [`${target} ${exclusionWords[reason]}`];
    })
    .join('; ');
}

export function upstreamFailedWords(requested: string, troubles: readonly Trouble[]): string {
  return `${requested} could not answer: ${troubleWords(troubles)}. Please try again in a moment.`;
}

export function notAllowedWords(
  requested: string,
  featureTitle: string,
  troubles: readonly Trouble[],
): string {
  const why = troubles.length > 0 ? `: ${troubleWords(troubles)}` : '';
  return `${requested} is not available right now${why}, and ${featureTitle} may not use another model instead. Please try again later.`;
}

export function noTargetWords(featureTitle: string, candidates: readonly Candidate[]): string {
  return `No model can take this request for ${featureTitle} right now: ${candidateWords(candidates)}.`;
}

export function overloadedWords(featureTitle: string, priority: Priority): string {
  return priority === 'sheddable'
    ? `Every model of ${featureTitle} is busy with more urgent requests. Please try again in a moment.`
    : `Every model of ${featureTitle} is at its limit right now. Please try again in a moment.`;
}

/** The same model somewhere else is told apart by who runs it. */
export const offerWords = (model: string, hop: Hop, company: string | null): string =>
  hop === 'same_model' && company !== null ? `${model} at ${company}` : model;

export function consentWords(requested: string, featureTitle: string, offers: readonly string[]): string {
  return `${requested} is not available right now. ${featureTitle} can use ${listWords(offers, 'or')} instead, if you agree.`;
}

export function dataPolicyWords(featureTitle: string, dataClass: string): string {
  return `No provider of ${featureTitle} is approved for data of the class "${dataClass}", so nothing was sent.`;
}

/** Why a key may not: what its highest data class says, or that the feature is not among its own. */
export function keyWords(featureTitle: string, tooSensitive: string | null): string {
  return tooSensitive === null
    ? `This key may not use ${featureTitle}.`
    : `This key may not send this data: ${tooSensitive}. Nothing was sent.`;
}

export function usedUpWords(code: 'rate_limited' | 'budget_exhausted', budget: string | null): string {
  return code === 'rate_limited'
    ? 'The request limit of this key is used up for now.'
    : `The budget of this key (${budget ?? ''}) is used up. It is whole again when the next period begins.`;
}

export function interruptedWords(failure: FailureClass | 'switched_off' | 'stopping'): string {
  if (failure === 'stopping')
    return 'The answer was cut off: Breakwater is stopping. What you have is not complete.';
  const why = failure === 'switched_off' ? 'was switched off by the operator' : failureRow(failure).words;
  return `The answer was cut off: the model ${why}. What you have is not complete.`;
}
