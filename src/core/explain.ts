/**
 * A record in sentences that a support person can read to a customer: what was asked, who answered, what went wrong,
 * where content went, what the user was told. It says only what the record knows, and says so where it knows nothing.
 */
import { exclusionSentence, listWords } from './caller-words.ts';
import { failureRow } from './failure.ts';
import type { AttemptRecord, Candidate, RequestRecord } from './record.ts';
import type { BoundaryCrossing, Hop } from './target.ts';

/** `340 ms`, `4.2 s`, `3 min 5 s`. */
export function durationWords(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

const hopWords: Record<Hop, string> = {
  same_model: 'the same model at another provider',
  same_vendor: 'another model of the same vendor',
  other_vendor: "another vendor's model",
  local: 'a local model',
};

const crossingWords: Record<BoundaryCrossing, string> = {
  entity: 'another company',
  region: 'another region',
  retention: 'longer or unknown retention',
};

function asked(record: RequestRecord, atText: string): string {
  const by = record.user === null ? '' : ` by user ${record.user}`;
  const model = record.requested === record.feature ? '' : ` for ${record.requested}`;
  return `At ${atText} a request${model} was made${by} in the feature ${record.feature}.`;
}

function served(record: RequestRecord): string {
  const { served: target, hop } = record;
  if (target === null) return 'No model answered it.';
  if (hop === null) return `${target} answered, the model it was meant for.`;
  return `${target} answered instead of ${record.preferred ?? record.requested}: ${hopWords[hop]}.`;
}

function attemptSentence(attempt: AttemptRecord): string {
  const took = `after ${durationWords(attempt.durationMs)}`;
  const subject = `Attempt ${attempt.n}, ${attempt.target},`;
  switch (attempt.outcome) {
    case 'ok':
      return `${subject} succeeded ${took}.`;
    case 'cancelled':
      return `${subject} was stopped ${took}.`;
    case 'failed': {
      const status =
        attempt.status === null
          ? ''
          : ` (status ${attempt.status}${attempt.providerCode === null ? '' : `, ${attempt.providerCode}`})`;
      const words = attempt.failure === null ? 'failed' : failureRow(attempt.failure).words;
      return `${subject} ${words}${status} ${took}.`;
    }
  }
}

function attempts(record: RequestRecord): readonly string[] {
  if (record.attempts.length === 0) return ['Nothing was sent to any provider.'];
  const [only] = record.attempts;
  if (record.attempts.length === 1 && only?.outcome === 'ok') return [];
  return record.attempts.map(attemptSentence);
}

function excludedSentence({ target, reason, rule }: Candidate): string {
  if (reason === null) return '';
  const detail = rule === null || rule === '' ? '' : ` (${rule})`;
  return `${target} was not asked: it ${exclusionSentence(reason)}${detail}.`;
}

/** Why each excluded candidate was not asked. */
export function explainCandidates(candidates: readonly Candidate[]): readonly string[] {
  return candidates.filter((candidate) => !candidate.eligible).map(excludedSentence);
}

function boundary(record: RequestRecord): string {
  if (record.attempts.every((attempt) => attempt.payloadSent === 'none'))
    return 'The content left for no provider.';
  if (record.boundary.length === 0)
    return 'The content stayed with the provider it was meant for, or under the same terms.';
  const reached = new Set(
    record.attempts
      .filter((attempt) => attempt.payloadSent !== 'none')
      .map((attempt) => attempt.company ?? 'a company whose name is not on file'),
  );
  return `The content crossed a boundary: ${listWords(record.boundary.map((crossing) => crossingWords[crossing]))}. It was sent to ${listWords([...reached])}.`;
}

function told(record: RequestRecord): string {
  switch (record.told) {
    case 'none':
      return 'Nothing had to be told about routing.';
    case 'header':
      return 'The product was told of the backup in the response headers.';
    case 'notice':
      return 'The user was shown a notice.';
    case 'asked':
      return 'The user was asked whether another model may be used.';
    case 'refused':
      return 'The user was told that the request was refused, and why.';
  }
}

function ending(record: RequestRecord): string {
  const took = durationWords(record.durationMs);
  switch (record.outcome) {
    case 'answered':
      return `The answer was complete after ${took}${record.finish === 'length' ? ', cut at the token limit that was asked for' : record.finish === 'refusal' ? '; the model declined for content reasons' : ''}.`;
    case 'partial':
      return `The answer was cut off after ${took}, and the caller was told so.`;
    case 'refused':
      return `It was refused by policy after ${took} (${record.errorCode ?? ''}). That is the policy at work, not an error.`;
    case 'failed':
      return `It failed after ${took} (${record.errorCode ?? 'no answer'}), and the caller saw the error.`;
    case 'cancelled':
      return `The caller left after ${took}.`;
  }
}

function switchesSentence(record: RequestRecord): readonly string[] {
  if (record.switches.length === 0) return [];
  return [
    `In force for it at that time: ${record.switches.length === 1 ? 'switch' : 'switches'} ${listWords(record.switches)}.`,
  ];
}

function keySentence(record: RequestRecord): readonly string[] {
  return record.key === null ? ['It came without a key, over loopback, before any key was made.'] : [];
}

/** Sentences in the order of events. `atText` is the record's time as text: core has no calendar. */
export function explainRecord(record: RequestRecord, atText: string): readonly string[] {
  return [
    asked(record, atText),
    served(record),
    ...attempts(record),
    ...explainCandidates(record.candidates),
    ...switchesSentence(record),
    ending(record),
    boundary(record),
    told(record),
    ...keySentence(record),
  ];
}
