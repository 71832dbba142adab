/**
 * "Is it us or them, and can I continue?", answered from what is known now: gates and what they attribute, switches,
 * keys, our own changes shortly before, what the provider says, and how the last requests ended.
 *
 * Every sentence of the evidence names its source, so that the verdict can be checked. The columns are never merged: a
 * provider that says all is well does not calm what our traffic shows. Where sources speak against each other, or
 * nothing speaks, the verdict is `unknown`. Whether one can continue is a question of its own, and has its own answer:
 * what routing would do with the next request.
 */
import type { GateScope } from './evidence.ts';
import { failureRow } from './failure.ts';
import type { FailureClass } from './failure.ts';
import type { HealthState } from './health-cell.ts';
import { modelIn } from './ids.ts';
import type { Instant } from './ids.ts';
import { ownSuspects } from './incident-class.ts';
import type { ProviderSays } from './provider-word.ts';
import type { Change, RequestRecord } from './record.ts';
import type { Warning } from './evidence.ts';
import type { FeatureView } from './status.ts';
import { countWords, listWords } from './words.ts';

export const verdicts = ['fine', 'provider', 'model', 'network', 'ours', 'caller', 'unknown'] as const;
export type Verdict = (typeof verdicts)[number];

export type DiagnosedTarget = {
  readonly target: string;
  readonly provider: string;
  readonly gate: HealthState;
  /** Why its gate moved; null when it is healthy. */
  readonly words: string | null;
  readonly since: Instant | null;
  /** It is held out, or comes back, because a person said so; nothing was wrong with it. */
  readonly decided: boolean;
  /** What the evidence says is sick. */
  readonly scope: GateScope | null;
  readonly offBy: readonly { readonly id: string; readonly reason: string; readonly actor: string }[];
  /** Why no key of ours can be used; null when one can. */
  readonly keyTrouble: string | null;
  readonly says: ProviderSays | null;
  /** How its answers are not like they were. */
  readonly warnings: readonly Warning[];
};

export type DiagnosisInput = {
  readonly feature: string | null;
  readonly features: readonly FeatureView[];
  readonly targets: readonly DiagnosedTarget[];
  /** The last requests, newest first. */
  readonly records: readonly RequestRecord[];
  /** What was changed, newest first. */
  readonly changes: readonly Change[];
  readonly incidents: readonly { readonly id: string; readonly title: string; readonly state: string }[];
  readonly now: Instant;
};

export type EvidenceLine = {
  readonly source: 'gate' | 'traffic' | 'provider' | 'switch' | 'key' | 'change' | 'incident' | 'quality';
  readonly subject: string;
  readonly words: string;
};

export type Diagnosis = {
  readonly feature: string | null;
  readonly verdict: Verdict;
  readonly words: string;
  readonly canContinue: boolean;
  readonly how: string;
  readonly evidence: readonly EvidenceLine[];
};

const isSick = ({ gate, decided }: DiagnosedTarget): boolean => gate !== 'healthy' && !decided;

const isOut = ({ gate, offBy, keyTrouble }: DiagnosedTarget): boolean =>
  gate !== 'healthy' || offBy.length > 0 || keyTrouble !== null;

/** Failures of the last requests by whose fault they are; the share is of all requests. */
function faults(records: readonly RequestRecord[]): {
  readonly counts: ReadonlyMap<FailureClass, number>;
  readonly hit: number;
} {
  const counts = new Map<FailureClass, number>();
  let hit = 0;
  for (const record of records) {
    const failed = record.attempts.flatMap(({ failure }) => failure ?? []);
    if (failed.length > 0 || record.outcome === 'failed') hit++;
    for (const failure of new Set(failed)) counts.set(failure, (counts.get(failure) ?? 0) + 1);
  }
  return { counts, hit };
}

/** Its answers are not like they were; a failure in no table says nothing of answers. */
const isOdd = ({ warnings }: DiagnosedTarget): boolean =>
  warnings.some(({ signal }) => signal !== 'unclassified');

/** Share of requests that must fail for traffic alone to say something, and how many there must be. */
const tellingShare = 0.2;
const tellingMin = 5;

type Suspect = Exclude<Verdict, 'fine' | 'unknown'>;

function faultVerdict(failure: FailureClass): Suspect {
  switch (failureRow(failure).fault) {
    case 'caller':
      return 'caller';
    case 'credential':
    case 'gateway':
      return 'ours';
    case 'model':
      return 'model';
    case 'provider':
      return 'provider';
    case 'network':
      return 'network';
  }
}

function scopeVerdict(scope: GateScope): Suspect {
  switch (scope.kind) {
    case 'key':
      return 'ours';
    case 'target':
    case 'model':
    case 'family':
      return 'model';
    case 'provider':
    case 'region':
      return 'provider';
    case 'egress':
      return 'network';
  }
}

function leading(counts: ReadonlyMap<FailureClass, number>): FailureClass | null {
  return [...counts].sort((one, other) => other[1] - one[1])[0]?.[0] ?? null;
}

/** Whether everything that failed at several providers at once never reached them. */
function isNetwork(out: readonly DiagnosedTarget[], failure: FailureClass | null): boolean {
  const providers = new Set(out.map(({ provider }) => provider));
  return providers.size > 1 && failure !== null && failureRow(failure).fault === 'network';
}

/**
 * A model is suspected where only some of a provider's are sick, or where it is sick at several; the provider where all
 * that were asked are.
 */
function reach(sick: readonly DiagnosedTarget[], targets: readonly DiagnosedTarget[]): Suspect {
  const providers = new Set(sick.map(({ provider }) => provider));
  const models = new Set(sick.map(({ target }) => modelIn(target)));
  if (providers.size > 1 && models.size === 1) return 'model';
  const siblings = targets.filter(({ provider }) => providers.has(provider));
  return siblings.length > 1 && siblings.every(isSick) ? 'provider' : 'model';
}

function suspected(input: DiagnosisInput): Verdict {
  const { targets, records, changes, now } = input;
  const out = targets.filter(isOut);
  const sick = targets.filter(isSick);
  const { counts, hit } = faults(records);
  const failure = leading(counts);
  const tells = records.length >= tellingMin && hit / records.length >= tellingShare;
  if (out.length === 0) {
    if (tells && failure !== null) return faultVerdict(failure);
    if (targets.some(isOdd)) return 'model';
    const isDoubted = targets.some(({ says }) => says !== null && troubled.has(says.status));
    return isDoubted && records.length < tellingMin ? 'unknown' : 'fine';
  }
  if (isNetwork(sick, failure)) return 'network';
  const begins = sick.reduce<Instant>(
    (first, { since }) => (since !== null && since < first ? since : first),
    now,
  );
  const isOwn = failure !== null && ownable.has(failure) && ownSuspects(changes, begins).length > 0;
  if (isOwn) return 'ours';
  if (sick.length === 0) return 'ours';
  const scope = sick.find((each) => each.scope !== null)?.scope ?? null;
  if (scope !== null && scope.kind !== 'target') return scopeVerdict(scope);
  if (failure !== null && faultVerdict(failure) === 'network') return 'provider';
  return reach(sick, targets);
}

/** What a provider says of itself that makes silence of our own traffic no comfort. */
const troubled: ReadonlySet<string> = new Set(['degraded', 'partial_outage', 'major_outage']);

const ownable: ReadonlySet<FailureClass> = new Set([
  'connect_failed',
  'dns_failed',
  'tls_failed',
  'credential_rejected',
  'model_not_found',
  'quota_exhausted',
]);

function evidenceOf(input: DiagnosisInput): readonly EvidenceLine[] {
  const lines: EvidenceLine[] = [];
  const add = (source: EvidenceLine['source'], subject: string, words: string): void =>
    void lines.push({ source, subject, words });
  for (const each of input.targets) {
    if (each.gate !== 'healthy') add('gate', each.target, `${each.gate}: ${each.words ?? 'no words'}`);
    for (const { id, reason, actor } of each.offBy)
      add('switch', each.target, `switched off by ${actor} (${id}): ${reason}`);
    for (const { words } of each.warnings) add('quality', each.target, words);
    if (each.keyTrouble !== null) add('key', each.target, each.keyTrouble);
    if (each.says !== null && (isOut(each) || each.says.status !== 'operational'))
      add('provider', each.target, `the provider says ${each.says.status}: ${each.says.words}`);
  }
  const { counts, hit } = faults(input.records);
  const kinds = [...counts].map(([failure, count]) => `${count} ${failureRow(failure).words} (${failure})`);
  add(
    'traffic',
    input.feature ?? 'all features',
    input.records.length === 0
      ? 'no request in the last minutes'
      : `of the last ${countWords(input.records.length, 'request')}, ${hit} met a failure${kinds.length === 0 ? '' : `: ${listWords(kinds)}`}`,
  );
  for (const change of ownSuspects(input.changes, input.now))
    add(
      'change',
      change.subject,
      `${change.kind} by ${change.actor}${change.reason === null ? '' : `: ${change.reason}`}`,
    );
  for (const { id, title, state } of input.incidents) add('incident', id, `${title} (${state})`);
  return lines;
}

function verdictWords(verdict: Verdict, input: DiagnosisInput): string {
  const sick = input.targets.filter(isSick).map(({ target }) => target);
  const off = input.targets.filter(({ offBy }) => offBy.length > 0).map(({ target }) => target);
  const decided = input.targets.filter((each) => each.decided);
  const held = decided.filter(({ gate }) => gate === 'ejected').map(({ target }) => target);
  const back = decided.filter(({ gate }) => gate !== 'ejected').map(({ target }) => target);
  const keys = input.targets.filter(({ keyTrouble }) => keyTrouble !== null).map(({ target }) => target);
  switch (verdict) {
    case 'fine':
      return 'Nothing is wrong that we can see.';
    case 'provider':
      return `It is them: ${listWords(sick)} ${sick.length === 1 ? 'fails' : 'fail'}, and nothing else at the same provider works better.`;
    case 'model':
      if (sick.length === 0) return oddWords(input);
      return `It is them: ${listWords(sick)} ${sick.length === 1 ? 'fails' : 'fail'}; it is the model, not the provider as such.`;
    case 'network':
      return 'It is the network between us and them: several providers cannot be reached at once.';
    case 'ours':
      return sick.length > 0
        ? `It is us: ${listWords(sick)} ${sick.length === 1 ? 'fails' : 'fail'} since we changed something, or with our keys only.`
        : off.length > 0
          ? `It is us: ${listWords(off)} ${off.length === 1 ? 'is' : 'are'} switched off.`
          : keys.length > 0
            ? `It is us: no usable key for ${listWords(keys)}.`
            : held.length > 0
              ? `It is us: ${listWords(held)} ${held.length === 1 ? 'is' : 'are'} held out, as a person decided.`
              : back.length > 0
                ? `It is us: ${listWords(back)} ${back.length === 1 ? 'comes' : 'come'} back step by step, as a person decided.`
                : 'It is us: our credentials or limits make requests fail.';
    case 'caller':
      return 'It is the requests: providers reject them as they are.';
    case 'unknown':
      return 'It cannot be told: the provider speaks of trouble, and we have too little traffic to see for ourselves.';
  }
}

/** Nothing fails: what is noticed is what answers are like. */
function oddWords({ targets }: DiagnosisInput): string {
  const odd = targets.filter(isOdd).map(({ target }) => target);
  if (odd.length === 0) return 'It is them: requests fail in a way that only the model explains.';
  return `Requests are answered; but answers of ${listWords(odd)} are not like they were.`;
}

function canContinue({ status }: FeatureView): boolean {
  return status !== 'paused' && status !== 'unavailable';
}

function howWords(view: FeatureView): string {
  switch (view.status) {
    case 'normal':
      return `${view.title} works as usual.`;
    case 'backup':
      return `${view.title} is answered by ${view.serving ?? 'a backup'}.`;
    case 'slow':
      return `${view.title} works, slower than usual.`;
    case 'partial':
      return `${view.title}: some requests fail, or users are asked before another model answers.`;
    case 'paused':
      return `${view.title} is paused by us: release the switch, or allow another target in its route.`;
    case 'unavailable':
      return `${view.title} has nobody to answer: add a target to its route, or allow a fallback.`;
  }
}

export function diagnose(input: DiagnosisInput): Diagnosis {
  const verdict = suspected(input);
  const odd = input.features.filter(({ status }) => status !== 'normal');
  return {
    feature: input.feature,
    verdict,
    words: verdictWords(verdict, input),
    canContinue: input.features.every(canContinue),
    how: odd.length === 0 ? 'Go on; everything works as usual.' : odd.map(howWords).join(' '),
    evidence: evidenceOf(input),
  };
}
