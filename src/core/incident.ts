/**
 * An incident: a story over time, as a value. Which states there are and which may follow which, what class of failure
 * it is, five times that are never mixed up, who is affected, and a timeline to which things are only ever added.
 *
 * `mitigated` (users are fine on a backup) and `restoring` (coming back step by step) are states of their own, because
 * they are what users notice. A time is null until it has happened; that the provider says "resolved" is not that our
 * routing is normal again. `incident-steps.ts` moves incidents; this module refuses to know how one came about.
 */
import type { HealthState } from './health-cell.ts';
import { instant } from './ids.ts';
import type { IncidentId, Instant, SwitchId, TargetName } from './ids.ts';
import { timeText } from './moment.ts';
import type { FeatureStatus } from './status.ts';

export const incidentStates = [
  'suspected',
  'active',
  'mitigated',
  'restoring',
  'resolved',
  'reviewed',
  'dismissed',
] as const;
export type IncidentState = (typeof incidentStates)[number];

/** What kind of failure it is; required, because "degraded" is read as whatever the reader fears. */
export const incidentClasses = [
  'availability',
  'latency',
  'capacity',
  'quality',
  'safety',
  'data_handling',
  'deprecation',
  'own_change',
] as const;
export type IncidentClass = (typeof incidentClasses)[number];

export const severities = ['SEV1', 'SEV2', 'SEV3', 'SEV4'] as const;
export type Severity = (typeof severities)[number];

/** What others call a severity: Statuspage's impact, and PagerDuty's severity. */
export const severityElsewhere: Readonly<
  Record<Severity, { readonly impact: string; readonly pagerDuty: string }>
> = {
  SEV1: { impact: 'critical', pagerDuty: 'critical' },
  SEV2: { impact: 'major', pagerDuty: 'error' },
  SEV3: { impact: 'minor', pagerDuty: 'warning' },
  SEV4: { impact: 'none', pagerDuty: 'info' },
};

const next: Readonly<Record<IncidentState, readonly IncidentState[]>> = {
  suspected: ['active', 'mitigated', 'restoring', 'resolved', 'dismissed'],
  active: ['mitigated', 'restoring', 'resolved', 'dismissed'],
  mitigated: ['active', 'restoring', 'resolved', 'dismissed'],
  restoring: ['active', 'mitigated', 'resolved', 'dismissed'],
  resolved: ['active', 'mitigated', 'restoring', 'reviewed'],
  reviewed: [],
  dismissed: ['active'],
};

/** Where an incident may go from a state. */
export function nextStates(from: IncidentState): readonly IncidentState[] {
  return next[from];
}

/** Whether the story is still going on. */
export function isOpen(state: IncidentState): boolean {
  return state !== 'resolved' && state !== 'reviewed' && state !== 'dismissed';
}

export const sources = ['system', 'person', 'provider', 'playbook'] as const;
export type Source = (typeof sources)[number];
export const audiences = ['public', 'internal'] as const;
export type Audience = (typeof audiences)[number];

/** Who has the last word on a field: once a person has spoken, the system does not. */
export type Author = 'system' | 'person';

export type TimelineEntry = {
  /** From 1, within the incident. */
  readonly n: number;
  /** When it happened. */
  readonly at: Instant;
  /** When it was written down; later than `at` for a fact that came late. */
  readonly notedAt: Instant;
  readonly source: Source;
  readonly by: string;
  readonly audience: Audience;
  readonly text: string;
  /** The state it brought; null when it moved none. */
  readonly state: IncidentState | null;
};

export type IncidentTimes = {
  readonly detected: Instant | null;
  /** When traffic was first moved away, by a gate or by a switch. */
  readonly switched: Instant | null;
  readonly providerDeclared: Instant | null;
  readonly providerResolved: Instant | null;
  readonly normalRoutingResumed: Instant | null;
};

/** The five times as JSON. */
export const timesJson = (times: IncidentTimes): Readonly<Record<string, string | null>> => ({
  detected: timeText(times.detected),
  switched: timeText(times.switched),
  provider_declared: timeText(times.providerDeclared),
  provider_resolved: timeText(times.providerResolved),
  normal_routing_resumed: timeText(times.normalRoutingResumed),
});

export type IncidentTarget = {
  readonly target: TargetName;
  readonly model: string;
  readonly vendor: string;
  readonly provider: string;
  /** When its gate opened, or a person named it. */
  readonly detected: Instant;
  /** Where the evidence begins: requests from then on count. Null until the records were looked at. */
  readonly from: Instant | null;
  /** When it was back in normal use; null while it is not. */
  readonly until: Instant | null;
  readonly gate: HealthState;
};

/** A target that is well and that users were moved from all the same, by a switch that was made for the incident. */
export type MovedTarget = {
  readonly target: TargetName;
  readonly from: Instant;
  /** When it was back in normal use; null while it is not. */
  readonly until: Instant | null;
};

export type IncidentFeature = {
  readonly feature: string;
  readonly title: string;
  readonly status: FeatureStatus;
  /** The worst it has been. */
  readonly worst: FeatureStatus;
  /** Who answered instead, the last one that did. */
  readonly backup: string | null;
  readonly normalAt: Instant | null;
};

export type Roles = {
  readonly lead: string | null;
  readonly comms: string | null;
  readonly ops: string | null;
};

/** An incident that a provider announced itself, linked to ours. */
export type Announcement = {
  readonly provider: string;
  readonly id: string;
  readonly title: string;
  readonly url: string | null;
  readonly declaredAt: Instant;
  readonly resolvedAt: Instant | null;
};

/** The exact set of requests, as it was when the incident was reviewed. */
export type FrozenSet = { readonly hash: string; readonly count: number; readonly at: Instant };

export type Incident = {
  readonly id: IncidentId;
  readonly rev: number;
  readonly title: string;
  readonly titleBy: Author;
  readonly state: IncidentState;
  readonly stateBy: Author;
  readonly stateAt: Instant;
  readonly severity: Severity;
  readonly severityBy: Author;
  readonly failureClass: IncidentClass;
  readonly classBy: Author;
  /** Why it has this class, sentence by sentence. */
  readonly reasoning: readonly string[];
  readonly openedAt: Instant;
  readonly openedBy: string;
  readonly source: Source;
  /** When a target last failed: what fails soon after, and is related, belongs to the same story. */
  readonly failedAt: Instant | null;
  readonly times: IncidentTimes;
  readonly targets: readonly IncidentTarget[];
  readonly moved: readonly MovedTarget[];
  readonly features: readonly IncidentFeature[];
  readonly switches: readonly SwitchId[];
  readonly roles: Roles;
  readonly nextUpdateAt: Instant | null;
  readonly announcements: readonly Announcement[];
  readonly mergedInto: IncidentId | null;
  readonly splitFrom: IncidentId | null;
  readonly frozen: FrozenSet | null;
  /** How many entries its timeline has. */
  readonly entries: number;
};

/** An incident and what is added to its timeline, to be kept together. */
export type IncidentStep = { readonly incident: Incident; readonly entries: readonly TimelineEntry[] };

/** Since when requests of an incident count. */
export function beganAt({
  targets,
  times,
  openedAt,
}: Pick<Incident, 'targets' | 'times' | 'openedAt'>): Instant {
  const begins = targets.map(({ from, detected }) => from ?? detected);
  return instant(Math.min(times.detected ?? openedAt, ...begins));
}

/** Models that fail in it, each once. */
export function modelsOf(incident: Pick<Incident, 'targets'>): readonly string[] {
  return [...new Set(incident.targets.map((target) => target.model))];
}
