/**
 * What kind of failure it is, from evidence, with the reasoning in sentences a person can check and correct.
 *
 * The classes of the failed attempts say what users met; what still works says how far it reaches; our own changes just
 * before say whether it may be us. A change of ours is the class only when the failures are of a kind that it causes
 * (a credential, a name, an address): otherwise it is named as a suspect, because "after" is not "because".
 *
 * Quality is never concluded from errors, and errors never from quality: that mix-up made an outage a story.
 */
import type { WarningSignal } from './evidence.ts';
import { failureRow } from './failure.ts';
import type { FailureClass } from './failure.ts';
import type { Instant, TargetName } from './ids.ts';
import type { IncidentClass } from './incident.ts';
import type { Change } from './record.ts';
import { countWords, durationWords, listWords } from './words.ts';

export type Evidence = {
  readonly targets: readonly { readonly target: TargetName; readonly provider: string }[];
  /** Where the evidence begins. */
  readonly from: Instant;
  /** Failed attempts at the targets since then, by class. */
  readonly failed: ReadonlyMap<FailureClass, number>;
  /** Good attempts at the targets since then. */
  readonly ok: number;
  /** Others that were asked meanwhile. */
  readonly others: readonly {
    readonly target: TargetName;
    readonly provider: string;
    readonly ok: number;
    readonly failed: number;
  }[];
  /** What we changed before, newest first. */
  readonly changes: readonly Change[];
  /** How answers of the targets are not like they were. */
  readonly warnings: readonly {
    readonly target: string;
    readonly signal: WarningSignal;
    readonly words: string;
  }[];
};

export type Classified = { readonly failureClass: IncidentClass; readonly reasoning: readonly string[] };

/** What a failure is to whoever waits for the answer. */
const meaning: Readonly<Record<FailureClass, IncidentClass | 'network' | 'credential' | 'nothing'>> = {
  connect_failed: 'network',
  dns_failed: 'network',
  tls_failed: 'network',
  connection_reset: 'availability',
  headers_timeout: 'latency',
  first_token_timeout: 'latency',
  stream_stalled: 'latency',
  stream_truncated: 'availability',
  stream_error_event: 'availability',
  malformed_response: 'availability',
  empty_completion: 'quality',
  rate_limited: 'capacity',
  quota_exhausted: 'capacity',
  credential_rejected: 'credential',
  overloaded: 'availability',
  server_error: 'availability',
  model_not_found: 'deprecation',
  request_rejected: 'nothing',
  context_exceeded: 'nothing',
  content_refused: 'nothing',
  tool_call_invalid: 'quality',
  structured_output_invalid: 'quality',
  cancelled_by_caller: 'nothing',
  deadline_exceeded: 'latency',
  unclassified: 'availability',
};
type Meaning = (typeof meaning)[FailureClass];

/** How long before the evidence a change of ours is a suspect. */
export const suspectMs = 15 * 60_000;

function leading(
  failed: Evidence['failed'],
): { readonly meaning: Meaning; readonly share: number; readonly total: number } | null {
  const sums = new Map<Meaning, number>();
  let total = 0;
  for (const [failure, count] of failed) {
    const kind = meaning[failure];
    if (kind === 'nothing') continue;
    sums.set(kind, (sums.get(kind) ?? 0) + count);
    total += count;
  }
  const [first] = [...sums].sort((one, other) => other[1] - one[1]);
  return first === undefined ? null : { meaning: first[0], share: first[1] / total, total };
}

function failedWords({ failed, ok }: Evidence): string {
  const kinds = [...failed]
    .sort((one, other) => other[1] - one[1])
    .map(([failure, count]) => `${count} ${failureRow(failure).words} (${failure})`);
  const total = [...failed.values()].reduce((sum, count) => sum + count, 0);
  return `Of ${countWords(total + ok, 'attempt')} at ${total + ok === 1 ? 'it' : 'them'}, ${total} failed: ${listWords(kinds)}.`;
}

function othersWords({ targets, others }: Evidence): string | null {
  const providers = new Set(targets.map(({ provider }) => provider));
  const siblings = others.filter(({ provider, ok, failed }) => providers.has(provider) && ok + failed > 0);
  const elsewhere = others.filter(({ provider, ok, failed }) => !providers.has(provider) && ok + failed > 0);
  const fine = (list: Evidence['others']): readonly string[] =>
    list.filter(({ ok, failed }) => failed * 10 <= ok).map(({ target }) => target);
  const fineSiblings = fine(siblings);
  if (fineSiblings.length > 0)
    return `Other models at the same provider answered meanwhile (${listWords(fineSiblings)}): it is these models, not the provider as such.`;
  const fineElsewhere = fine(elsewhere);
  if (fineElsewhere.length > 0)
    return `Other providers answered meanwhile (${listWords(fineElsewhere)}): it is not our network.`;
  return siblings.length + elsewhere.length > 0
    ? 'Nothing else answered well meanwhile: our own network or configuration may be the cause.'
    : null;
}

const suspects: ReadonlySet<Change['kind']> = new Set([
  'config.loaded',
  'switch.created',
  'switch.released',
  'switch.expired',
  'key.created',
  'key.revoked',
]);

/** Changes of ours shortly before the evidence, newest first; a start loads what was there before. */
export function ownSuspects(changes: readonly Change[], from: Instant): readonly Change[] {
  return changes.filter(
    ({ kind, at, before }) =>
      suspects.has(kind) &&
      at <= from &&
      from - at <= suspectMs &&
      !(kind === 'config.loaded' && before === null),
  );
}

const changeWords: Partial<Record<Change['kind'], string>> = {
  'config.loaded': 'a configuration was loaded',
  'switch.created': 'a switch was made',
  'switch.released': 'a switch was released',
  'switch.expired': 'a switch expired',
  'key.created': 'a key was made',
  'key.revoked': 'a key was revoked',
};

function suspectWords(found: readonly Change[], from: Instant): string {
  const [nearest] = found;
  if (nearest === undefined)
    return `Nothing of ours was changed in the ${suspectMs / 60_000} minutes before.`;
  return `${durationWords(from - nearest.at)} before it began, ${changeWords[nearest.kind] ?? nearest.kind} by ${nearest.actor} (${nearest.subject}).`;
}

function concluded(kind: Meaning, evidence: Evidence, isOurs: boolean): readonly [IncidentClass, string] {
  switch (kind) {
    case 'network':
      return isOurs
        ? ['own_change', 'It cannot be reached since we changed the configuration: class own_change.']
        : ['availability', 'It cannot be reached: class availability.'];
    case 'credential':
      return isOurs
        ? ['own_change', 'Credentials are rejected since a change of ours: class own_change.']
        : [
            'availability',
            'Credentials are rejected, and none was changed by us: that is how providers fail, too. Class availability.',
          ];
    case 'deprecation':
      return isOurs
        ? ['own_change', 'The model is not known there since we changed the configuration: class own_change.']
        : ['deprecation', 'The provider does not know the model any more: class deprecation.'];
    case 'latency':
      return evidence.ok === 0
        ? ['availability', 'Nothing answered in time at all: for users that is class availability.']
        : ['latency', 'Answers come, but too late: class latency.'];
    case 'capacity':
      return ['capacity', 'Limits or quotas are used up: class capacity.'];
    case 'quality':
      return ['quality', 'Answers come, but cannot be used: class quality.'];
    case 'availability':
    case 'safety':
    case 'data_handling':
    case 'own_change':
    case 'nothing':
      return [
        'availability',
        (evidence.failed.get('overloaded') ?? 0) > 0
          ? 'Requests fail; the provider says it is overloaded. Nothing says that answers are worse: class availability.'
          : 'Requests fail. Nothing says that the answers that come are worse: class availability.',
      ];
  }
}

/** Kinds of failure that a change of ours brings about. */
const ownable: ReadonlySet<Meaning> = new Set(['network', 'credential', 'deprecation']);

function warningWords({ warnings }: Evidence): readonly string[] {
  return warnings.map(({ target, words }) => `Answers of ${target} are not like they were: ${words}.`);
}

const paces: ReadonlySet<WarningSignal> = new Set(['slow_first_token', 'slow_tokens']);

/** Nothing fails, but answers that come are not like they were; null when they are. */
function byWarnings(evidence: Evidence): Classified | null {
  const { warnings, changes, from } = evidence;
  if (warnings.length === 0) return null;
  const isSlow = warnings.every(({ signal }) => paces.has(signal));
  return {
    failureClass: isSlow ? 'latency' : 'quality',
    reasoning: [
      ...warningWords(evidence),
      suspectWords(ownSuspects(changes, from), from),
      isSlow
        ? 'Nothing fails, and nothing says that answers are worse; they come late: class latency.'
        : 'Nothing fails; what is noticed is what the answers are like: class quality.',
    ],
  };
}

export function classify(evidence: Evidence): Classified {
  const first = leading(evidence.failed);
  if (first === null)
    return (
      byWarnings(evidence) ?? {
        failureClass: 'availability',
        reasoning: ['The gate acted; no failed attempt is in the records yet.'],
      }
    );
  const own = ownSuspects(evidence.changes, evidence.from).filter(({ kind }) => !kind.startsWith('switch.'));
  const isOurs = own.length > 0 && ownable.has(first.meaning);
  // A provider that says "too many requests" to some and "overloaded" to others lacks capacity.
  const limited = (evidence.failed.get('rate_limited') ?? 0) + (evidence.failed.get('quota_exhausted') ?? 0);
  const kind: Meaning =
    first.meaning === 'availability' && limited * 5 >= first.total ? 'capacity' : first.meaning;
  const [failureClass, why] = concluded(kind, evidence, isOurs);
  const others = othersWords(evidence);
  return {
    failureClass,
    reasoning: [
      failedWords(evidence),
      ...(others === null ? [] : [others]),
      suspectWords(ownSuspects(evidence.changes, evidence.from), evidence.from),
      ...warningWords(evidence),
      why,
    ],
  };
}
