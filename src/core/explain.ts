/**
 * A record in sentences that a support person can read to a customer: what was asked, who answered, what went wrong,
 * where content went, what the user was told. It says only what the record knows, and says so where it knows nothing.
 *
 * It refuses to judge: a refusal by policy is told as policy at work, a failure as a failure, and nothing is excused.
 */
import { modelIn } from './ids.ts';
import { exclusionSentence } from './caller-words.ts';
import { errorCodes, isCallersOwn } from './errors.ts';
import type { ErrorCode } from './errors.ts';
import { failureClasses, failureRow } from './failure.ts';
import type { FailureClass } from './failure.ts';
import { undatedModel } from './models.ts';
import type { AttemptRecord, Candidate, ExclusionReason, RequestRecord, WhyNext } from './record.ts';
import type { RoutingDecision } from './routing.ts';
import type { Capability } from './target.ts';
import {
  capabilityWords,
  countWords,
  crossingWords,
  durationWords,
  hopWords,
  keptWords,
  listWords,
  momentWords,
} from './words.ts';

type Sentences = readonly string[];

function asked(record: RequestRecord, atText: string): string {
  const by = record.user === null ? '' : ` by user ${record.user}`;
  const isNamed = record.requested !== '' && record.requested !== record.feature;
  const model = isNamed ? ` for ${record.requested}` : '';
  return `On ${momentWords(atText)}, a request${model} was made${by} in the feature ${record.feature}.`;
}

function dataClass(record: RequestRecord): Sentences {
  switch (record.dataClassSource) {
    case 'none':
      return [];
    case 'header':
      return [`The caller marked its data as ${record.dataClass ?? 'unknown'}.`];
    case 'rule':
      return [`A rule of the configuration counts its data as ${record.dataClass ?? 'unknown'}.`];
    case 'feature':
      return [`Data of this feature counts as ${record.dataClass ?? 'unknown'}.`];
  }
}

function served(record: RequestRecord): Sentences {
  const { served: target, hop, modelReported } = record;
  if (target === null) return ['No model answered it.'];
  const who =
    hop === null
      ? `${target} answered, the model it was meant for.`
      : `${target} answered instead of ${record.preferred ?? record.requested}: ${hopWords[hop]}.`;
  const agrees = modelReported === null || undatedModel(modelReported) === undatedModel(modelIn(target));
  return agrees ? [who] : [who, `In its answer the provider called the model ${modelReported}.`];
}

const whyNextWords: Record<Exclude<WhyNext, null>, string> = {
  same_target_retry: 'It was asked once more at once.',
  same_target_waited: 'It was asked again after the wait that the provider had named.',
  other_key: 'It was asked again with another of our credentials.',
  next_target: 'So the next one was asked.',
  carry_on: 'So another was asked to go on where the answer had stopped.',
};

/** The provider's own word for a failure, told as such. */
function ownCode({ status, providerCode }: AttemptRecord): string {
  const parts = [status === null || status < 400 ? [] : [`status ${status}`], providerCode ?? []].flat();
  return parts.length === 0 ? '' : ` (in the provider's own words: ${parts.join(', ')})`;
}

function attemptSentence(attempt: AttemptRecord): string {
  const took = `after ${durationWords(attempt.durationMs)}`;
  const subject = `Attempt ${attempt.n}, ${attempt.target},`;
  switch (attempt.outcome) {
    case 'ok':
      return `${subject} succeeded ${took}.`;
    case 'cancelled':
      return `${subject} ${attempt.failure === null ? 'was stopped' : failureRow(attempt.failure).words} ${took}.`;
    case 'failed': {
      const words = attempt.failure === null ? 'failed' : failureRow(attempt.failure).words;
      const next = attempt.whyNext === null ? '' : ` ${whyNextWords[attempt.whyNext]}`;
      return `${subject} ${words}${ownCode(attempt)} ${took}.${next}`;
    }
  }
}

function attempts(record: RequestRecord): Sentences {
  if (record.attempts.length === 0) return ['Nothing was sent to any provider.'];
  const [only] = record.attempts;
  if (record.attempts.length === 1 && only?.outcome === 'ok') return [];
  return [
    `It took ${countWords(record.attempts.length, 'attempt')}.`,
    ...record.attempts.map(attemptSentence),
  ];
}

function isCapability(word: string): word is Capability {
  return Object.hasOwn(capabilityWords, word);
}

/** What decided, in words; policy written as `hop: mode` says nothing to a customer and is left out. */
function ruleWords({ reason, rule }: Candidate): string {
  if (rule === null || rule === '') return '';
  switch (reason) {
    case 'switched_off':
    case 'shed':
    case 'last_resort':
      return ` (switch ${rule})`;
    case 'lacks_capability':
      return ` (${isCapability(rule) ? capabilityWords[rule] : rule})`;
    case 'fallback_never':
    case 'not_permitted_for_key':
    case null:
      return '';
    case 'consent_required':
      return rule.endsWith(': ask') ? '' : ` (${rule})`;
    case 'data_policy':
    case 'not_allowed_by_feature':
    case 'context_too_small':
    case 'ejected':
    case 'ramping':
    case 'probe_in_flight':
    case 'credential_unavailable':
    case 'rate_limited':
    case 'at_capacity':
      return ` (${rule})`;
  }
}

function because(candidate: Candidate): string {
  return candidate.reason === null ? 'is excluded' : exclusionSentence(candidate.reason);
}

/** Why each excluded candidate is not asked. For requests that have not been made. */
export function explainCandidates(candidates: readonly Candidate[]): Sentences {
  return candidates
    .filter((candidate) => !candidate.eligible)
    .map(
      (candidate) =>
        `${candidate.target} would not be asked: it ${because(candidate)}${ruleWords(candidate)}.`,
    );
}

/** Why one that could have been asked was not, when it comes to that. */
function unneeded(record: RequestRecord): string {
  switch (record.outcome) {
    case 'answered':
      return 'was next in line and was not needed';
    case 'cancelled':
      return 'was next in line when the caller left';
    case 'partial':
      return 'could not take over, because a part of the answer was already out';
    case 'refused':
    case 'failed': {
      const failure = record.attempts.at(-1)?.failure ?? null;
      return failure !== null && failureRow(failure).moveOn === 'no'
        ? 'was not asked: what went wrong would be no different there'
        : 'was not asked: no time or no further attempt was left for this request';
    }
  }
}

function candidateSentence(candidate: Candidate, record: RequestRecord, panic: boolean): Sentences {
  const { target, eligible } = candidate;
  const wasAsked = record.attempts.some((attempt) => attempt.target === target);
  if (eligible) return wasAsked ? [] : [`${target} ${unneeded(record)}.`];
  const why = `it ${because(candidate)}${ruleWords(candidate)}`;
  if (!wasAsked) return [`${target} was not asked: ${why}.`];
  return [
    panic
      ? `Of ${target} it was known that ${why}; it was asked all the same, because everything permitted was out.`
      : `${target} was not asked a further time: ${why}.`,
  ];
}

const gateReasons: ReadonlySet<ExclusionReason | null> = new Set(['ejected', 'ramping', 'probe_in_flight']);

/** With everything permitted out by its gate, the least bad was asked all the same. */
function candidates(record: RequestRecord): Sentences {
  const nothingLeft = record.candidates.every((candidate) => !candidate.eligible);
  return record.candidates.flatMap((candidate) =>
    candidateSentence(candidate, record, nothingLeft && gateReasons.has(candidate.reason)),
  );
}

function recipientWords({ company, region, retention, payloadSent }: AttemptRecord): string {
  const part = payloadSent === 'partial' ? 'in part, ' : '';
  const where = region === null ? 'region unknown' : `region ${region}`;
  return `${company ?? 'a company whose name is not on file'} (${part}${where}, ${keptWords(retention)})`;
}

function boundary(record: RequestRecord): Sentences {
  const received = record.attempts.filter((attempt) => attempt.payloadSent !== 'none');
  if (received.length === 0) return ['The content went to no provider.'];
  const recipients = `The content went to ${listWords([...new Set(received.map(recipientWords))])}.`;
  if (record.boundary.length === 0)
    return [recipients, 'That is the provider it was meant for, or one under the same terms.'];
  const crossed = listWords(record.boundary.map((crossing) => crossingWords[crossing]));
  const failed = received.some((attempt) => attempt.target !== record.served);
  return [
    recipients,
    `Compared with the provider it was meant for, that means ${crossed}.${failed ? ' Attempts that failed are counted, because the content had reached them.' : ''}`,
  ];
}

function told(record: RequestRecord): Sentences {
  switch (record.told) {
    case 'none':
      return record.outcome === 'answered' && record.served !== null
        ? ['About routing there was nothing to tell the user.']
        : [];
    case 'header':
      return [
        'The product was told of the backup in the headers of the answer; whether it showed that is up to it.',
      ];
    case 'notice':
      return ['A notice about the backup came with the answer, for the product to show to its user.'];
    case 'asked':
      return ['The user was asked whether another model may be used.'];
    case 'refused':
      return ['The user was told that the request was refused, and why.'];
  }
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

/** An error code as a sentence, with the code itself for whoever looks it up. */
function codeWords(code: string | null): string {
  if (code === null) return '';
  return isErrorCode(code) ? ` ${errorCodes[code].meaning} (${code})` : ` (${code})`;
}

function finishWords({ finish }: RequestRecord): string {
  if (finish === 'length') return ' It stops at the length limit that was asked for.';
  return finish === 'refusal' ? ' The model declined for content reasons.' : '';
}

function ending(record: RequestRecord): string {
  const took = durationWords(record.durationMs);
  switch (record.outcome) {
    case 'answered':
      return record.served === null
        ? `The provider declined to answer for content reasons after ${took}, and the caller was told so.`
        : `The answer was complete after ${took}.${finishWords(record)}`;
    case 'partial':
      return `The answer was cut off after ${took}: it is not complete, and the caller was told so.`;
    case 'refused':
      return isCallersOwn(record)
        ? `It was turned away after ${took}.${codeWords(record.errorCode)}`
        : `It was refused after ${took}; that is the policy at work, not a fault.${codeWords(record.errorCode)}`;
    case 'failed':
      return `It failed after ${took}, and the caller was shown the error.${codeWords(record.errorCode)}`;
    case 'cancelled':
      return `The caller left after ${took}, before the answer was complete.`;
  }
}

/** Whether switches may have changed where it went; those that only observe, or let it through, did not. */
function isMoved({ fallback, candidates, attempts }: RequestRecord): boolean {
  return (
    fallback !== null ||
    candidates.some(({ reason }) => reason === 'switched_off') ||
    attempts.some(({ outcome }) => outcome === 'cancelled')
  );
}

function switches(record: RequestRecord): Sentences {
  if (record.switches.length === 0) return [];
  const named = `${record.switches.length === 1 ? 'switch' : 'switches'} ${listWords(record.switches)}`;
  return isMoved(record)
    ? [`In force for it at that time: ${named}.`]
    : [`In force for it at that time, and moving nothing: ${named}.`];
}

function isFailureClass(word: string): word is FailureClass {
  return (failureClasses as readonly string[]).includes(word);
}

/** Warnings that say what was done to the request, not what was left out of it. */
const doneWords: Readonly<Record<string, string>> = {
  adapted: 'The request was changed for the model that was asked, as the configuration says.',
  limited_mode: 'The model that was asked ran in limited mode, as the configuration says.',
  estimated: 'No provider could be asked, so an estimate was given and marked as one.',
};

/** Said with the candidates: why one that was out was asked all the same. */
const panicWarning = 'panic';

/** A failure class among the warnings: the answer was passed on in spite of it. Other warnings name what was left out. */
function warnings(record: RequestRecord): Sentences {
  const flaws = record.warnings.filter(isFailureClass);
  const done = record.warnings.flatMap((warning) => doneWords[warning] ?? []);
  const dropped = record.warnings.filter(
    (warning) => warning !== panicWarning && !isFailureClass(warning) && doneWords[warning] === undefined,
  );
  const pieces = record.attempts.reduce((sum, attempt) => sum + attempt.malformedEvents, 0);
  return [
    ...done,
    ...flaws.map((flaw) => `The answer was passed on although the model ${failureRow(flaw).words}.`),
    ...(dropped.length === 0
      ? []
      : [`Left out for the model that was asked, which has no place for it: ${listWords(dropped)}.`]),
    ...(pieces === 0 ? [] : [`${countWords(pieces, 'piece')} of the answer could not be read and left out.`]),
  ];
}

function seam(record: RequestRecord): Sentences {
  if (record.seam === null) return [];
  const { from, to, atCharacters } = record.seam;
  return [
    `${from} broke off after ${countWords(atCharacters, 'character')} of its answer, and ${to} went on from there; the caller was told so in the answer.`,
  ];
}

function agreement({ consent, consentOfferedIn }: RequestRecord): Sentences {
  const offer = consentOfferedIn === null ? '' : ` (offered in ${consentOfferedIn})`;
  switch (consent) {
    case 'none':
      return [];
    case 'token':
      return [`The user had agreed to another model for this request${offer}.`];
    case 'session':
      return [`The user had agreed to another model for this session${offer}.`];
    case 'incident':
      return [`The user had agreed to another model until the usual one is back${offer}.`];
  }
}

/** Sentences in the order of events. `atText` is the record's time in RFC 3339: core has no calendar. */
export function explainRecord(record: RequestRecord, atText: string): Sentences {
  return [
    asked(record, atText),
    ...dataClass(record),
    ...(record.key === null
      ? ['It came without a key, from the same machine, before any key was made.']
      : []),
    ...agreement(record),
    ...served(record),
    ...attempts(record),
    ...seam(record),
    ...candidates(record),
    ...switches(record),
    ending(record),
    ...warnings(record),
    ...boundary(record),
    ...told(record),
  ];
}

/** What routing would do with a request, as the first sentence of an explanation. */
export function explainDecision(decision: RoutingDecision): string {
  switch (decision.kind) {
    case 'route': {
      const [first, ...rest] = decision.plan.map((target) => target.name);
      if (decision.panic)
        return `Everything permitted is out; the least bad, ${first ?? ''}, would be asked all the same.`;
      return `It would go to ${first ?? ''}${rest.length === 0 ? '' : `, and if that fails to ${listWords(rest, 'or')}`}.`;
    }
    case 'ask':
      return `The user would be asked whether ${listWords(
        decision.offers.map(({ target }) => target.name),
        'or',
      )} may be used.`;
    case 'refuse':
      return `It would be refused.${codeWords(decision.code)}`;
  }
}
