/**
 * How incidents begin: pure steps from one value to the next, each with what it adds to the timeline.
 *
 * A gate that ejects opens an incident, or joins one: targets of the same vendor or provider that fail within minutes
 * of each other are one story. From then on the incident follows what routing does (`incident-follow.ts`).
 *
 * It refuses to open anything for quiet re-routing (`shedding`), and a gate that only watches raises a suspicion.
 */
import type { HealthState } from './health-cell.ts';
import type { IncidentId, Instant } from './ids.ts';
import { isOpen } from './incident.ts';
import type {
  Incident,
  IncidentClass,
  IncidentState,
  IncidentStep,
  IncidentTarget,
  TimelineEntry,
} from './incident.ts';
import { incidentTitle } from './incident-words.ts';

/** Related failures within it are one incident; a relapse within it opens a resolved one again. */
export const relatedMs = 10 * 60_000;

export type FailedTarget = Pick<IncidentTarget, 'target' | 'model' | 'vendor' | 'provider'>;

export type GateEvent = {
  readonly at: Instant;
  /** When its traffic was first moved away, quietly or not. */
  readonly noticedAt: Instant;
  readonly target: FailedTarget;
  readonly from: HealthState;
  readonly to: HealthState;
  readonly words: string;
  /** That the agreement behind the gate is past its review; null when it is not. */
  readonly stale: string | null;
  /** Whether the gate really moves users; one that only watches raises a suspicion. */
  readonly enforced: boolean;
};

export type Added = Omit<TimelineEntry, 'n' | 'notedAt'> & { readonly notedAt?: Instant };

/** The next value of an incident, one revision on. */
export function stepOf(
  incident: Incident,
  changes: Partial<Incident>,
  added: readonly Added[],
  now: Instant,
): IncidentStep {
  const entries = added.map((entry, index): TimelineEntry => ({
    notedAt: now,
    ...entry,
    n: incident.entries + index + 1,
  }));
  return {
    incident: {
      ...incident,
      ...changes,
      rev: incident.rev + 1,
      entries: incident.entries + entries.length,
    },
    entries,
  };
}

/** A line that the system writes; internal unless said otherwise. */
export function said(
  at: Instant,
  text: string,
  state: IncidentState | null = null,
  audience: TimelineEntry['audience'] = 'internal',
): Added {
  return { at, source: 'system', by: 'system', audience, text, state };
}

export const nobody = { lead: null, comms: null, ops: null } as const;

/** An incident before anything is known about it. */
export function blankIncident(
  id: IncidentId,
  now: Instant,
  facts: Pick<Incident, 'failureClass' | 'classBy' | 'source' | 'openedBy' | 'reasoning'>,
): Incident {
  return {
    ...facts,
    id,
    rev: 0,
    title: '',
    titleBy: 'system',
    state: 'active',
    stateBy: 'system',
    stateAt: now,
    severity: 'SEV3',
    severityBy: 'system',
    openedAt: now,
    failedAt: null,
    times: {
      detected: now,
      switched: null,
      providerDeclared: null,
      providerResolved: null,
      normalRoutingResumed: null,
    },
    targets: [],
    moved: [],
    features: [],
    switches: [],
    roles: nobody,
    nextUpdateAt: null,
    announcements: [],
    mergedInto: null,
    splitFrom: null,
    frozen: null,
    entries: 0,
  };
}

function isRelated(incident: Incident, failed: FailedTarget, at: Instant): boolean {
  if (incident.targets.some(({ target }) => target === failed.target))
    return isOpen(incident.state) || (incident.state === 'resolved' && at - incident.stateAt <= relatedMs);
  if (!isOpen(incident.state) || at - (incident.failedAt ?? incident.openedAt) > relatedMs) return false;
  return incident.targets.some((each) => isAkin(each, failed));
}

/** Whether two targets are likely to fail for the same reason. */
export function isAkin(one: FailedTarget, other: FailedTarget): boolean {
  return one.target === other.target || one.vendor === other.vendor || one.provider === other.provider;
}

/** The incident that a failure belongs to; undefined when it is a new one. */
export function relatedTo(
  current: readonly Incident[],
  { target, at }: Pick<GateEvent, 'target' | 'at'>,
): Incident | undefined {
  return current.find((incident) => isRelated(incident, target, at));
}

function withTarget(
  targets: readonly IncidentTarget[],
  { target, noticedAt }: GateEvent,
): readonly IncidentTarget[] {
  const known = targets.find((each) => each.target === target.target);
  if (known === undefined)
    return [...targets, { ...target, detected: noticedAt, from: null, until: null, gate: 'ejected' }];
  return targets.map((each) => (each === known ? { ...each, until: null, gate: 'ejected' } : each));
}

function titled(incident: Incident, targets: readonly IncidentTarget[], failureClass: IncidentClass): string {
  return incident.titleBy === 'person' || targets.length === 0
    ? incident.title
    : incidentTitle(targets, failureClass);
}

/** Whoever reads the incident must know that what acted was agreed for another time. */
const staleLines = ({ at, stale }: GateEvent): readonly Added[] => (stale === null ? [] : [said(at, stale)]);

function joined(incident: Incident, event: GateEvent): IncidentStep {
  const { at, target, words } = event;
  const targets = withTarget(incident.targets, event);
  const isRelapse = !isOpen(incident.state);
  const changes: Partial<Incident> = {
    targets,
    title: titled(incident, targets, incident.failureClass),
    failedAt: at,
    times: {
      ...incident.times,
      switched: incident.times.switched ?? (event.enforced ? event.noticedAt : null),
      normalRoutingResumed: null,
    },
    ...(isRelapse ? { state: 'active', stateBy: 'system', stateAt: at } : {}),
  };
  const again = incident.targets.some((each) => each.target === target.target) ? ' again' : '';
  return stepOf(
    incident,
    changes,
    [
      said(at, `${target.target} is taken out${again}: ${words}.`, isRelapse ? 'active' : null),
      ...staleLines(event),
    ],
    at,
  );
}

/** What an ejection does: joins a related incident, or opens one. Null when the event opens nothing. */
export function onGate(
  current: readonly Incident[],
  event: GateEvent,
  newId: () => IncidentId,
): IncidentStep | null {
  // A probe that fails tells nothing new, also where a person has dismissed the incident.
  if (event.to !== 'ejected' || event.from === 'probing') return null;
  const related = relatedTo(current, event);
  if (related !== undefined) return joined(related, event);
  const { at, noticedAt, target, words, enforced } = event;
  const blank = blankIncident(newId(), at, {
    failureClass: 'availability',
    classBy: 'system',
    source: 'system',
    openedBy: 'system',
    reasoning: ['Attempts fail; which way is being looked at.'],
  });
  const targets = withTarget([], event);
  const state: IncidentState = enforced ? 'active' : 'suspected';
  return stepOf(
    blank,
    {
      state,
      title: titled(blank, targets, blank.failureClass),
      targets,
      failedAt: at,
      times: { ...blank.times, detected: noticedAt, switched: enforced ? noticedAt : null },
    },
    [
      said(
        at,
        enforced
          ? `${target.target} is taken out: ${words}.`
          : `${target.target} would be taken out, but its gate only watches: ${words}.`,
        state,
      ),
      ...staleLines(event),
    ],
    at,
  );
}
