/**
 * Which requests an incident hit, and how.
 *
 * A request belongs to an incident when its preferred target was in the incident's scope at the time, and that target
 * failed it or was out because of it. A target that only a switch made for the incident took out is in its scope, too.
 * How it was hit is what its user met: an answer from elsewhere (rescued), a question, a refusal, an attempt that failed
 * before the same target answered or the user gave up (delayed), a cut, or nothing. Failures that are not the target's (a bad request, a used-up limit of ours) make
 * no hit. It refuses to count a request that merely happened at the same time.
 *
 * Where the evidence begins is found after the fact: the last moment from which on the attempts speak for a breach
 * rather than for background noise (the reset point of a CUSUM), so that a stray failure an hour before is left out.
 */
import { failureRow } from './failure.ts';
import type { FailureClass } from './failure.ts';
import type { IncidentId, Instant, RequestId, TargetName } from './ids.ts';
import type { ExclusionReason, RequestRecord } from './record.ts';

export const hitKinds = ['failed', 'rescued', 'asked', 'refused', 'delayed', 'cut'] as const;
export type HitKind = (typeof hitKinds)[number];

/** What the data plane needs to know about an incident: which targets, until when. */
export type IncidentScope = {
  readonly id: IncidentId;
  readonly isOpen: boolean;
  /** Until when requests count; null while it goes on. */
  readonly targets: ReadonlyMap<TargetName, Instant | null>;
};

/** Targets that an open incident is about. */
export function inOpenIncident(scopes: readonly IncidentScope[]): ReadonlySet<TargetName> {
  return new Set(scopes.flatMap(({ isOpen, targets }) => (isOpen ? [...targets.keys()] : [])));
}

/** One request of an incident. */
export type Hit = {
  readonly incident: IncidentId;
  readonly request: RequestId;
  readonly at: Instant;
  readonly feature: string;
  readonly preferred: TargetName;
  readonly how: HitKind;
  readonly served: TargetName | null;
  /** Other companies that received content. */
  readonly leftTo: readonly string[];
};

/** What of a request decides whether it was hit; a request under way has it too. */
export type Touch = {
  readonly at: Instant;
  readonly preferred: TargetName | null;
  readonly attempts: readonly { readonly target: TargetName; readonly failure: FailureClass | null }[];
  readonly candidates: readonly { readonly target: TargetName; readonly reason: ExclusionReason | null }[];
};

const outBecause: ReadonlySet<ExclusionReason> = new Set([
  'ejected',
  'ramping',
  'probe_in_flight',
  'switched_off',
  'last_resort',
  'shed',
]);

function isTargetsOwn(failure: FailureClass | null): boolean {
  if (failure === null) return false;
  const { counts } = failureRow(failure);
  return counts === 'target' || counts === 'provider';
}

function isOut({ attempts, candidates }: Touch, preferred: TargetName): boolean {
  return (
    attempts.some(({ target, failure }) => target === preferred && isTargetsOwn(failure)) ||
    candidates.some(({ target, reason }) => target === preferred && reason !== null && outBecause.has(reason))
  );
}

/** The incidents that a request has met so far. */
export function incidentsMet(touch: Touch, scopes: readonly IncidentScope[]): readonly IncidentId[] {
  const { preferred } = touch;
  if (scopes.length === 0 || preferred === null) return none;
  const met = scopes.filter(({ targets }) => {
    const until = targets.get(preferred);
    return until === null || (until !== undefined && touch.at <= until);
  });
  return met.length > 0 && isOut(touch, preferred) ? [...new Set(met.map(({ id }) => id))] : none;
}

const none: readonly IncidentId[] = [];

/** How a request was hit; null when its user met nothing of it. */
function howOf(record: RequestRecord): HitKind | null {
  const { attempts, preferred, served } = record;
  const isElsewhere = served !== null && served !== preferred;
  // One attempt failed, and the user waited for the next; or gave up waiting.
  const isLate = attempts.some(({ target, failure }) => target === preferred && isTargetsOwn(failure));
  switch (record.outcome) {
    case 'answered':
    case 'cancelled':
      return isElsewhere ? 'rescued' : isLate ? 'delayed' : null;
    case 'partial':
      return 'cut';
    case 'refused':
      return record.told === 'asked' ? 'asked' : 'refused';
    case 'failed':
      return 'failed';
  }
}

/** Whether an incident that a request has met can have hit it. */
export const isHit = (record: RequestRecord): boolean => record.preferred !== null && howOf(record) !== null;

function leftTo(record: RequestRecord): readonly string[] {
  if (!record.boundary.includes('entity')) return [];
  const own = record.attempts.find(({ target }) => target === record.preferred)?.company;
  const companies = record.attempts.flatMap(({ target, company, payloadSent }) =>
    target === record.preferred || payloadSent === 'none' || company === own ? [] : [company ?? 'unknown'],
  );
  return [...new Set(companies)];
}

/** A record as a hit of an incident that it has met. */
export function hitOf(record: RequestRecord, incident: IncidentId): Hit | null {
  const how = howOf(record);
  return record.preferred === null || how === null
    ? null
    : {
        incident,
        request: record.id,
        at: record.at,
        feature: record.feature,
        preferred: record.preferred,
        how,
        served: record.served,
        leftTo: leftTo(record),
      };
}

/** How an attempt at a target ended, and when. */
export type Outcome = { readonly at: Instant; readonly failed: boolean };

/** Rates that a failure rate is judged between: what is agreed to live with, and what is a breach. */
const background = 0.005;
const breach = 0.2;
const weight = {
  failed: Math.log(breach / background),
  ok: Math.log((1 - breach) / (1 - background)),
};

/** When the evidence begins, of outcomes in order of time; null when nothing speaks for a breach. */
export function evidenceBegins(outcomes: readonly Outcome[]): Instant | null {
  let sum = 0;
  let begins: Instant | null = null;
  for (const { at, failed } of outcomes) {
    if (sum === 0) begins = failed ? at : null;
    sum = Math.max(0, sum + (failed ? weight.failed : weight.ok));
  }
  return sum === 0 ? null : begins;
}

/** The outcomes at a target that records tell, in order of time. */
export function outcomesAt(target: TargetName, records: readonly RequestRecord[]): readonly Outcome[] {
  return records
    .flatMap((record) =>
      record.attempts
        .filter((attempt) => attempt.target === target && attempt.outcome !== 'cancelled')
        .map((attempt): Outcome => ({
          at: (attempt.startedAt + attempt.durationMs) as Instant,
          failed: isTargetsOwn(attempt.failure),
        })),
    )
    .sort((one, other) => one.at - other.at);
}

/** Requests that preferred a target and were hit from a moment on, before anybody knew that it was an incident. */
export function hitsSince(
  incident: IncidentId,
  target: TargetName,
  from: Instant,
  records: readonly RequestRecord[],
): readonly Hit[] {
  const scope: IncidentScope = { id: incident, isOpen: true, targets: new Map([[target, null]]) };
  return records.flatMap((record) => {
    const isSince =
      record.at >= from ||
      record.attempts.some(
        (attempt) => attempt.target === target && attempt.startedAt + attempt.durationMs >= from,
      );
    return isSince && incidentsMet(record, [scope]).length > 0 ? (hitOf(record, incident) ?? []) : [];
  });
}
