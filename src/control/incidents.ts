/** Incidents opened and updated by people, playbooks and what providers say. */
import type { Incident, IncidentStep, IncidentTarget } from '../core/incident.ts';
import { blankIncident, stepOf } from '../core/incident-steps.ts';
import type { Added } from '../core/incident-steps.ts';
import { classTitles, incidentTitle } from '../core/incident-words.ts';
import { incidentId } from '../core/ids.ts';
import type { Instant, TargetName } from '../core/ids.ts';
import type { IncidentWrite } from '../store/store.ts';
import {
  correctedTimes,
  incidentInput,
  promiseProblem,
  publicProblem,
  readTime,
  textProblem,
  updateInput,
} from './incident-inputs.ts';
import type { IncidentInput, UpdateInput } from './incident-inputs.ts';
import {
  change,
  incidentsLiveMax,
  isError,
  lost,
  saveSteps,
  stateProblem,
  unknown,
  writeOf,
} from './incident-verb.ts';
import type { IncidentDependencies, Saving } from './incident-verb.ts';
import { carryOut, controlError, done, parseInput } from './verb.ts';
import type { ControlError, Result, Revising } from './verb.ts';

type Scoped = {
  readonly targets: readonly IncidentTarget[];
  readonly features: Incident['features'];
};

function scopeOf(
  input: Pick<IncidentInput, 'targets' | 'models' | 'features'>,
  at: Instant,
  dependencies: IncidentDependencies,
): Scoped | ControlError {
  const targets = new Map<TargetName, IncidentTarget>();
  for (const [field, list] of [
    ['targets', input.targets ?? []],
    ['models', input.models ?? []],
  ] as const)
    for (const name of list) {
      const found = dependencies.targetsNamed(name);
      if (found.length === 0)
        return controlError(
          'invalid',
          `${name} is not a ${field === 'targets' ? 'target' : 'model'} that a feature uses.`,
          'See the names with: breakwater state',
          field,
        );
      for (const each of found)
        targets.set(each.target, { ...each, detected: at, from: null, until: null, gate: 'healthy' });
    }
  const features: Incident['features'][number][] = [];
  for (const name of input.features ?? []) {
    const title = dependencies.featureTitle(name);
    if (title === null)
      return controlError(
        'invalid',
        `There is no feature ${name}.`,
        'See the names with: breakwater state',
        'features',
      );
    features.push({ feature: name, title, status: 'normal', worst: 'normal', backup: null, normalAt: null });
  }
  return { targets: [...targets.values()], features };
}

function defaultTitle({ targets, features }: Scoped, failureClass: Incident['failureClass']): string {
  if (targets.length > 0) return incidentTitle(targets, failureClass);
  const names = features.map(({ title }) => title).join(', ');
  return names === '' ? `Reported: ${classTitles[failureClass]}` : `${names}: ${classTitles[failureClass]}`;
}

function opened(
  input: IncidentInput,
  actor: string,
  dependencies: IncidentDependencies,
): IncidentStep | ControlError {
  const now = dependencies.now();
  const at = readTime(input.at, now);
  if (typeof at === 'object') return at;
  const audience = input.audience ?? 'internal';
  const problem = textProblem(input) ?? promiseProblem(input.next_update_at, now);
  const named = publicProblem('title', input.title);
  if (problem !== null || named !== null) return problem ?? named ?? unknown('');
  const scope = scopeOf(input, at, dependencies);
  if (isError(scope)) return scope;
  const source = input.source ?? 'person';
  const blank = blankIncident(incidentId(dependencies.newId('inc')), now, {
    failureClass: input.failure_class,
    classBy: 'person',
    source,
    openedBy: actor,
    reasoning: [`${actor} said so when opening it.`],
  });
  const state = input.state ?? 'active';
  const title = input.title ?? defaultTitle(scope, input.failure_class);
  const { lead = null, comms = null, ops = null } = input.roles ?? {};
  return stepOf(
    blank,
    {
      ...scope,
      title,
      titleBy: input.title === undefined ? 'system' : 'person',
      state,
      stateBy: 'person',
      severity: input.severity ?? blank.severity,
      severityBy: input.severity === undefined ? 'system' : 'person',
      times: { ...blank.times, detected: at },
      roles: { lead, comms, ops },
      nextUpdateAt: momentOf(input.next_update_at),
    },
    [{ at, source, by: actor, audience, text: input.text ?? `Opened: ${title}`, state }],
    now,
  );
}

function momentOf(text: string | null | undefined): Instant | null {
  return text === undefined || text === null ? null : (Date.parse(text) as Instant);
}

export function openIncident(
  input: unknown,
  actor: string,
  dependencies: IncidentDependencies,
): Promise<Result<Incident>> {
  return carryOut<Incident>({ actor, subject: 'incident' }, dependencies, async () => {
    const parsed = parseInput(incidentInput, input);
    if (parsed.kind === 'error') return parsed;
    return dependencies.inOrder(async () => {
      if (dependencies.current().length >= incidentsLiveMax)
        return controlError(
          'conflict',
          `${incidentsLiveMax} incidents are open.`,
          'Resolve, merge or dismiss some first.',
        );
      const step = opened(parsed.value, actor, dependencies);
      if (isError(step)) return step;
      const saving: Saving = { kind: 'incident.opened', actor, reason: step.incident.title, before: null };
      const isSaved = await saveSteps([writeOf(step)], saving, dependencies);
      return isSaved ? done(step.incident) : lost(step.incident.id);
    });
  });
}

/** What the provider says moves the provider's times, and not the state of our incident. */
function providerTimes(incident: Incident, input: UpdateInput, at: Instant): Incident['times'] {
  const { times } = incident;
  const declared = { ...times, providerDeclared: times.providerDeclared ?? at };
  return input.state === 'resolved' || input.state === 'reviewed'
    ? { ...declared, providerResolved: at }
    : declared;
}

function updateProblem(incident: Incident, input: UpdateInput): ControlError | null {
  const vague = textProblem(input) ?? publicProblem('title', input.title);
  if (vague !== null) return vague;
  if (input.targets !== undefined && (incident.state === 'reviewed' || incident.mergedInto !== null))
    return controlError(
      'conflict',
      `What incident ${incident.id} is about stands: it is ${incident.mergedInto === null ? 'reviewed' : 'part of another one'}.`,
      'Facts that come late can still be added as text.',
      'targets',
    );
  if (input.state === undefined || input.source === 'provider') return null;
  if (input.state === 'dismissed')
    return controlError('invalid', 'Dismissing takes a reason.', 'Use …/dismiss, with a reason.', 'state');
  return stateProblem(incident, input.state);
}

function updateWords(input: UpdateInput): string {
  if (input.text !== undefined) return input.text;
  const parts = [
    input.state === undefined
      ? null
      : input.source === 'provider'
        ? `The provider says: ${input.state}`
        : `State: ${input.state}`,
    input.failure_class === undefined ? null : `Class: ${input.failure_class}`,
    input.severity === undefined ? null : `Severity: ${input.severity}`,
    input.title === undefined ? null : `Title: ${input.title}`,
    input.targets === undefined ? null : `Belongs to it: ${input.targets.join(', ')}`,
    input.roles === undefined
      ? null
      : `Roles: ${Object.entries(input.roles)
          .map(([name, who]) => `${name} ${who ?? 'nobody'}`)
          .join(', ')}`,
    input.times === undefined
      ? null
      : `Times: ${Object.entries(input.times)
          .map(([name, at]) => `${name} ${at ?? 'unknown'}`)
          .join(', ')}`,
    input.next_update_at === undefined ? null : `Next update: ${input.next_update_at ?? 'none planned'}`,
  ];
  return parts.filter((part) => part !== null).join('. ');
}

type Corrected = { readonly input: UpdateInput; readonly targets: Incident['targets'] };

function corrections(
  incident: Incident,
  { input, targets }: Corrected,
  actor: string,
  now: Instant,
): Partial<Incident> {
  const moves = input.state !== undefined && input.source !== 'provider' && input.state !== incident.state;
  const failureClass = input.failure_class ?? incident.failureClass;
  const retitled = incident.titleBy === 'system' && targets.length > 0;
  return {
    targets,
    ...(retitled ? { title: incidentTitle(targets, failureClass) } : {}),
    ...(input.failure_class === undefined
      ? {}
      : {
          failureClass,
          classBy: 'person',
          reasoning: [...incident.reasoning, `${actor} corrected it to ${failureClass}.`],
        }),
    ...(moves ? { state: input.state ?? incident.state, stateBy: 'person', stateAt: now } : {}),
    ...(input.severity === undefined ? {} : { severity: input.severity, severityBy: 'person' }),
    ...(input.title === undefined ? {} : { title: input.title, titleBy: 'person' }),
    ...(input.roles === undefined ? {} : { roles: { ...incident.roles, ...definedRoles(input.roles) } }),
    ...(input.next_update_at === undefined ? {} : { nextUpdateAt: momentOf(input.next_update_at) }),
  };
}

function definedRoles(roles: NonNullable<UpdateInput['roles']>): Partial<Incident['roles']> {
  return Object.fromEntries(Object.entries(roles).filter(([, who]) => who !== undefined));
}

async function updated(
  incident: Incident,
  input: UpdateInput,
  actor: string,
  dependencies: IncidentDependencies,
): Promise<readonly IncidentWrite[] | ControlError> {
  const now = dependencies.now();
  const problem = updateProblem(incident, input) ?? promiseProblem(input.next_update_at, now);
  if (problem !== null) return problem;
  const at = readTime(input.at, now);
  if (typeof at === 'object') return at;
  const before = input.source === 'provider' ? providerTimes(incident, input, at) : incident.times;
  const times = correctedTimes(before, input.times, now);
  if ('kind' in times) return times;
  const scope = scopeOf({ targets: input.targets }, at, dependencies);
  if (isError(scope)) return scope;
  const known = new Set(incident.targets.map(({ target }) => target));
  const targets = [...incident.targets, ...scope.targets.filter(({ target }) => !known.has(target))];
  const changes = { ...corrections(incident, { input, targets }, actor, now), times };
  const isReview = changes.state === 'reviewed';
  const frozen = isReview ? { ...(await dependencies.freeze(incident.id)), at: now } : incident.frozen;
  const entry: Added = {
    at,
    source: input.source ?? 'person',
    by: actor,
    audience: input.audience ?? 'internal',
    text: updateWords(input),
    state: changes.state ?? null,
  };
  return [writeOf(stepOf(incident, { ...changes, frozen }, [entry], now))];
}

export function updateIncident(
  telling: Revising,
  actor: string,
  dependencies: IncidentDependencies,
): Promise<Result<Incident>> {
  return change(telling, actor, updateInput, dependencies, (input) => ({
    kind: 'incident.updated',
    reason: input.text?.slice(0, 500) ?? updateWords(input),
    work: (incident) => updated(incident, input, actor, dependencies),
  }));
}
