/** Incidents joined, parted and dismissed. The requests of a story always go where the story goes. */
import { isOpen } from '../core/incident.ts';
import type { Incident, IncidentStep, IncidentTarget } from '../core/incident.ts';
import { blankIncident, stepOf } from '../core/incident-steps.ts';
import { incidentTitle } from '../core/incident-words.ts';
import { incidentId } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import type { IncidentWrite } from '../store/store.ts';
import { dismissInput, mergeInput, splitInput } from './incident-inputs.ts';
import {
  because,
  byPerson,
  change,
  closed,
  isClosed,
  stateProblem,
  unknown,
  writeOf,
} from './incident-verb.ts';
import type { IncidentDependencies } from './incident-verb.ts';
import { controlError } from './verb.ts';
import type { Result, Revising } from './verb.ts';

function together<T>(one: readonly T[], other: readonly T[], keyOf: (value: T) => string): readonly T[] {
  const known = new Set(one.map(keyOf));
  return [...one, ...other.filter((value) => !known.has(keyOf(value)))];
}

const first = (one: Instant | null, other: Instant | null): Instant | null =>
  one === null || (other !== null && other < one) ? other : one;

/** The story of another incident becomes part of this one. */
function absorbed(
  into: Incident,
  other: Incident,
  actor: string,
  reason: string,
  now: Instant,
): IncidentStep {
  const targets = together(into.targets, other.targets, ({ target }) => target);
  return stepOf(
    into,
    {
      targets,
      moved: together(into.moved, other.moved, ({ target }) => target),
      features: together(into.features, other.features, ({ feature }) => feature),
      switches: together(into.switches, other.switches, (id) => id),
      announcements: together(into.announcements, other.announcements, ({ id }) => id),
      title:
        into.titleBy === 'system' && targets.length > 0
          ? incidentTitle(targets, into.failureClass)
          : into.title,
      failedAt:
        into.failedAt === null ? other.failedAt : (Math.max(into.failedAt, other.failedAt ?? 0) as Instant),
      times: {
        detected: first(into.times.detected, other.times.detected),
        switched: first(into.times.switched, other.times.switched),
        providerDeclared: first(into.times.providerDeclared, other.times.providerDeclared),
        providerResolved: into.times.providerResolved ?? other.times.providerResolved,
        normalRoutingResumed: into.times.normalRoutingResumed,
      },
    },
    [byPerson(actor, now, `Took in ${other.id} (${other.title})${reason}`, null)],
    now,
  );
}

/** Makes one incident part of another; the requests go along, and the first one is dismissed with a pointer. */
export function mergeIncident(
  telling: Revising,
  actor: string,
  dependencies: IncidentDependencies,
): Promise<Result<Incident>> {
  return change(telling, actor, mergeInput, dependencies, ({ into, reason }) => ({
    kind: 'incident.merged',
    reason: reason ?? `into ${into}`,
    answer: into,
    work: async (incident) => {
      const other = await dependencies.store.findIncident(into);
      if (other === null) return unknown(into);
      if (other.id === incident.id)
        return controlError(
          'invalid',
          'An incident cannot be merged into itself.',
          'Name another one.',
          'into',
        );
      if (isClosed(incident)) return closed(incident, 'merged');
      if (isClosed(other)) return closed(other, 'merged into');
      const now = dependencies.now();
      const gone = stepOf(
        incident,
        { state: 'dismissed', stateBy: 'person', stateAt: now, mergedInto: other.id },
        [byPerson(actor, now, `Became part of ${other.id} (${other.title})${because(reason)}`, 'dismissed')],
        now,
      );
      const grown = absorbed(other, incident, actor, because(reason), now);
      return [writeOf(gone), { ...writeOf(grown), takes: { from: incident.id, preferred: null, at: now } }];
    },
  }));
}

/** Makes some of its targets a story of their own; their requests go along. The answer is the new incident. */
export function splitIncident(
  telling: Revising,
  actor: string,
  dependencies: IncidentDependencies,
): Promise<Result<Incident>> {
  return change(telling, actor, splitInput, dependencies, ({ targets: names, title, reason }) => ({
    kind: 'incident.split',
    reason: reason ?? names.join(', '),
    work: async (incident) => {
      const going = incident.targets.filter(({ target }) => names.includes(target));
      const staying = incident.targets.filter(({ target }) => !names.includes(target));
      const stranger = names.find((name) => !going.some(({ target }) => target === name));
      if (isClosed(incident)) return closed(incident, 'split');
      if (stranger !== undefined || staying.length === 0)
        return controlError(
          'invalid',
          stranger === undefined ? 'Nothing would be left of it.' : `${stranger} is not one of its targets.`,
          `Its targets are ${incident.targets.map(({ target }) => target).join(', ')}.`,
          'targets',
        );
      return parted(incident, { going, staying, title, reason }, actor, dependencies);
    },
  }));
}

type Parting = {
  readonly going: readonly IncidentTarget[];
  readonly staying: readonly IncidentTarget[];
  readonly title: string | undefined;
  readonly reason: string | undefined;
};

function parted(
  incident: Incident,
  { going, staying, title, reason }: Parting,
  actor: string,
  dependencies: IncidentDependencies,
): readonly IncidentWrite[] {
  const now = dependencies.now();
  const id = incidentId(dependencies.newId('inc'));
  const { failureClass, classBy, source, reasoning } = incident;
  const detected = going.reduce<Instant | null>((at, each) => first(at, each.detected), null);
  const blank = blankIncident(id, now, { failureClass, classBy, source, openedBy: actor, reasoning });
  const fresh = stepOf(
    blank,
    {
      targets: going,
      title: title ?? incidentTitle(going, failureClass),
      titleBy: title === undefined ? 'system' : 'person',
      state: isOpen(incident.state) ? 'active' : incident.state,
      severity: incident.severity,
      failedAt: incident.failedAt,
      times: { ...incident.times, detected },
      splitFrom: incident.id,
      switches: incident.switches,
    },
    [byPerson(actor, now, `Split from ${incident.id} (${incident.title})${because(reason)}`, 'active')],
    now,
  );
  const left = stepOf(
    incident,
    {
      targets: staying,
      title: incident.titleBy === 'system' ? incidentTitle(staying, failureClass) : incident.title,
    },
    [
      byPerson(
        actor,
        now,
        `${going.map(({ target }) => target).join(', ')} became ${id}${because(reason)}`,
        null,
      ),
    ],
    now,
  );
  const preferred = going.map(({ target }) => target);
  return [{ ...writeOf(fresh), from: 0, takes: { from: incident.id, preferred, at: now } }, writeOf(left)];
}

/** It was nothing, or nothing of ours. */
export function dismissIncident(
  telling: Revising,
  actor: string,
  dependencies: IncidentDependencies,
): Promise<Result<Incident>> {
  return change(telling, actor, dismissInput, dependencies, ({ reason }) => ({
    kind: 'incident.updated',
    reason,
    work: async (incident) => {
      const problem =
        incident.state === 'dismissed'
          ? closed(incident, 'dismissed again')
          : stateProblem(incident, 'dismissed');
      if (problem !== null) return problem;
      const now = dependencies.now();
      const entry = byPerson(actor, now, `Dismissed: ${reason}`, 'dismissed');
      const step = stepOf(incident, { state: 'dismissed', stateBy: 'person', stateAt: now }, [entry], now);
      return [writeOf(step)];
    },
  }));
}
