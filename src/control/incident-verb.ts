/**
 * What the verbs of incidents share: steps are taken one after another, so that what a gate does and what a person says
 * at the same moment both find their place, and each is written with its timeline and its change in one transaction.
 */
import type { z } from 'zod';

import { isOpen, nextStates, timesJson } from '../core/incident.ts';
import type { Incident, IncidentStep } from '../core/incident.ts';
import { relatedMs } from '../core/incident-steps.ts';
import type { Added, FailedTarget } from '../core/incident-steps.ts';
import type { IncidentId, Instant } from '../core/ids.ts';
import type { ChangeKind } from '../core/record.ts';
import type { IncidentWrite } from '../store/store.ts';
import { carryOut, controlError, done, newChange, parseInput, staleProblem } from './verb.ts';
import type { ControlDependencies, ControlError, Result, Revising } from './verb.ts';

export type IncidentDependencies = ControlDependencies & {
  /** Incidents that can still move, as this process knows them. */
  readonly current: () => readonly Incident[];
  readonly publish: (incidents: readonly Incident[]) => void;
  /** Runs one step at a time, in the order asked. */
  readonly inOrder: <T>(work: () => Promise<T>) => Promise<T>;
  /** Routed targets by their names or their models'. */
  readonly targetsNamed: (name: string) => readonly FailedTarget[];
  readonly featureTitle: (name: string) => string | null;
  /** The exact requests of an incident, as a digest over their ids and how they were hit. */
  readonly freeze: (id: IncidentId) => Promise<{ readonly hash: string; readonly count: number }>;
};

/** Incidents that can move at the same time. */
export const incidentsLiveMax = 200;

/** Whether an incident can still move by itself, or be joined. */
export function isLive(incident: Incident, now: Instant): boolean {
  return (
    isOpen(incident.state) ||
    (incident.state === 'resolved' &&
      (now - incident.stateAt <= relatedMs ||
        (incident.targets.length > 0 && incident.times.normalRoutingResumed === null)))
  );
}

/** What a change says of an incident: enough to see what moved. */
export function digestOf(incident: Incident): unknown {
  const { id, rev, title, state, severity, failureClass, times, targets, features, mergedInto, frozen } =
    incident;
  return {
    id,
    rev,
    title,
    state,
    severity,
    failure_class: failureClass,
    times: timesJson(times),
    targets: targets.map(({ target }) => target),
    features: features.map(({ feature, status }) => ({ feature, status })),
    merged_into: mergedInto,
    request_set: frozen === null ? null : { hash: frozen.hash, count: frozen.count },
  };
}

export type Saving = {
  readonly kind: ChangeKind;
  readonly actor: string;
  readonly reason: string | null;
  readonly before: Incident | null;
};

/** Writes steps and puts them in force; false when somebody else was faster. */
export async function saveSteps(
  writes: readonly IncidentWrite[],
  saving: Saving,
  dependencies: IncidentDependencies,
): Promise<boolean> {
  const [first] = writes;
  if (first === undefined) return true;
  const { kind, actor, reason, before } = saving;
  const change = newChange(
    {
      kind,
      actor,
      subject: first.incident.id,
      reason,
      before: before === null ? null : digestOf(before),
      after: digestOf(first.incident),
    },
    dependencies,
  );
  if (!(await dependencies.store.saveIncidents(writes, change))) return false;
  const written = new Map(writes.map(({ incident }) => [incident.id, incident]));
  const kept = dependencies.current().filter(({ id }) => !written.has(id));
  const now = dependencies.now();
  dependencies.publish([...kept, ...written.values()].filter((incident) => isLive(incident, now)));
  return true;
}

export const writeOf = (step: IncidentStep): IncidentWrite => ({ ...step, from: step.incident.rev - 1 });

export const lost = (id: string): ControlError =>
  controlError('conflict', `Incident ${id} was changed at the same moment.`, 'Read it again, then decide.');

export const unknown = (id: string): ControlError =>
  controlError('not_found', `There is no incident ${id}.`, 'List them with: breakwater incident list');

export function isError(value: object): value is ControlError {
  return 'kind' in value && value.kind === 'error';
}

/** What a person wants of an incident, once the words are read. */
export type Deed = {
  readonly kind: ChangeKind;
  readonly reason: string | null;
  readonly work: (incident: Incident) => Promise<readonly IncidentWrite[] | ControlError>;
  /** Which of the incidents that are written is the answer; the first unless said otherwise. */
  readonly answer?: string;
};

/** Reads what is wanted, finds the incident, checks its revision, and saves what the work makes of it. */
export function change<S extends z.ZodType>(
  { id, input, rev }: Revising,
  actor: string,
  schema: S,
  dependencies: IncidentDependencies,
  deedOf: (wanted: z.infer<S>) => Deed,
): Promise<Result<Incident>> {
  return carryOut<Incident>({ actor, subject: id }, dependencies, async () => {
    const parsed = parseInput(schema, input);
    if (parsed.kind === 'error') return parsed;
    const { kind, reason, work, answer } = deedOf(parsed.value);
    return dependencies.inOrder(async () => {
      const found = await dependencies.store.findIncident(id);
      if (found === null) return unknown(id);
      const stale = staleProblem(rev, found.rev, `Incident ${id} has moved on since you read it.`);
      if (stale !== null) return stale;
      const writes = await work(found);
      if (isError(writes)) return writes;
      const isSaved = await saveSteps(writes, { kind, actor, reason, before: found }, dependencies);
      if (!isSaved) return lost(id);
      const written = writes.map(({ incident }) => incident);
      return done(written.find((each) => each.id === answer) ?? written[0] ?? found);
    });
  });
}

export const stateProblem = (incident: Incident, to: Incident['state']): ControlError | null =>
  incident.state === to || nextStates(incident.state).includes(to)
    ? null
    : controlError(
        'conflict',
        `An incident that is ${incident.state} cannot become ${to}.`,
        nextStates(incident.state).length === 0
          ? 'It is closed. Facts that come late can still be added as text.'
          : `From here it can become ${nextStates(incident.state).join(', ')}.`,
        'state',
      );

export const byPerson = (
  actor: string,
  at: Instant,
  text: string,
  state: Incident['state'] | null,
): Added => ({
  at,
  source: 'person',
  by: actor,
  audience: 'internal',
  text,
  state,
});

export const because = (reason: string | undefined): string => (reason === undefined ? '.' : `: ${reason}`);

export const closed = (incident: Incident, what: string): ControlError =>
  controlError(
    'conflict',
    `Incident ${incident.id} is ${incident.state}: it cannot be ${what}.`,
    'Only open or resolved incidents can.',
  );

export const isClosed = ({ state }: Incident): boolean => state === 'reviewed' || state === 'dismissed';
