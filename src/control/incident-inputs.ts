/** What people may say about an incident, parsed once. */
import { z } from 'zod';

import { audiences, incidentClasses, incidentStates, severities } from '../core/incident.ts';
import type { IncidentTimes } from '../core/incident.ts';
import { vagueRemedy, vagueWords } from '../core/incident-words.ts';
import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import { reason, written } from './reason.ts';
import { controlError } from './verb.ts';
import type { ControlError } from './verb.ts';

const textLengthMax = 4_000;
const titleLengthMax = 160;
const namesMax = 100;

const time = z.iso.datetime({ offset: true, error: 'must be a time such as 2026-06-07T08:00:00Z' });
const text = written.min(1).max(textLengthMax);
const title = written.min(3).max(titleLengthMax);
const name = z.string().min(1).max(200);
const names = z.array(name).max(namesMax);
const role = z
  .string()
  .regex(/^[\w.@][\w.@ -]{0,63}$/, 'must be a name of 1 to 64 letters, digits, spaces or . _ @ -')
  .nullable();
const roles = z.strictObject({ lead: role.optional(), comms: role.optional(), ops: role.optional() });
const times = z.strictObject({
  detected: time.optional(),
  switched: time.nullable().optional(),
  provider_declared: time.nullable().optional(),
  provider_resolved: time.nullable().optional(),
  normal_routing_resumed: time.nullable().optional(),
});
const failureClass = z.enum(incidentClasses, `say what kind of failure it is: ${incidentClasses.join(', ')}`);
/** Who may be named as the source of what a person writes down. */
const source = z.enum(['person', 'provider', 'playbook', 'system']);

export const incidentInput = z.strictObject({
  title: title.optional(),
  failure_class: failureClass,
  severity: z.enum(severities).optional(),
  state: z.enum(['suspected', 'active']).optional(),
  targets: names.optional(),
  models: names.optional(),
  features: names.optional(),
  text: text.optional(),
  audience: z.enum(audiences).optional(),
  source: source.optional(),
  /** When it began to be noticed; now unless said. */
  at: time.optional(),
  roles: roles.optional(),
  next_update_at: time.nullable().optional(),
});
export type IncidentInput = z.infer<typeof incidentInput>;

export const updateInput = z
  .strictObject({
    text: text.optional(),
    state: z.enum(incidentStates).optional(),
    failure_class: failureClass.optional(),
    severity: z.enum(severities).optional(),
    title: title.optional(),
    /** Those that belong to it too. */
    targets: names.min(1).optional(),
    source: source.optional(),
    audience: z.enum(audiences).optional(),
    at: time.optional(),
    times: times.optional(),
    roles: roles.optional(),
    next_update_at: time.nullable().optional(),
  })
  .refine((input) => Object.keys(input).some((key) => !['source', 'audience', 'at'].includes(key)), {
    error:
      'says nothing: give text, state, failure_class, severity, title, targets, times, roles or next_update_at',
  });
export type UpdateInput = z.infer<typeof updateInput>;

export const mergeInput = z.strictObject({ into: name, reason: reason.optional() });
export const splitInput = z.strictObject({
  targets: names.min(1, 'name the targets that are another story'),
  title: title.optional(),
  reason: reason.optional(),
});
export const dismissInput = z.strictObject({ reason });

/** A moment that somebody gave; a clock that is a little ahead is forgiven. */
const aheadMaxMs = 60_000;

export function readTime(text: string | undefined, now: Instant): Instant | ControlError {
  if (text === undefined) return now;
  const at = instant(Date.parse(text));
  if (at <= now + aheadMaxMs) return at;
  return controlError('invalid', `${text} is in the future.`, 'Give the time when it happened.', 'at');
}

/** A word that is promised for a time that has passed is none. */
export function promiseProblem(text: string | null | undefined, now: Instant): ControlError | null {
  if (text === undefined || text === null || Date.parse(text) >= now - aheadMaxMs) return null;
  return controlError(
    'invalid',
    `${text} has passed.`,
    'Give the time when you will say more, or null to promise nothing.',
    'next_update_at',
  );
}

export type TimesInput = NonNullable<UpdateInput['times']>;

const timeNames: Readonly<Record<keyof TimesInput, keyof IncidentTimes>> = {
  detected: 'detected',
  switched: 'switched',
  provider_declared: 'providerDeclared',
  provider_resolved: 'providerResolved',
  normal_routing_resumed: 'normalRoutingResumed',
};

/** The times that were given, over those known; an error when they cannot be in this order. */
export function correctedTimes(
  known: IncidentTimes,
  given: TimesInput | undefined,
  now: Instant,
): IncidentTimes | ControlError {
  const changes: Partial<Record<keyof IncidentTimes, Instant | null>> = {};
  for (const [wire, own] of Object.entries(timeNames) as [keyof TimesInput, keyof IncidentTimes][]) {
    const value = given?.[wire];
    if (value === undefined) continue;
    const at = value === null ? null : readTime(value, now);
    if (at !== null && typeof at === 'object') return { ...at, field: `times.${wire}` };
    changes[own] = at;
  }
  const times = { ...known, ...changes };
  const { detected, normalRoutingResumed, providerDeclared, providerResolved } = times;
  if (detected !== null && normalRoutingResumed !== null && normalRoutingResumed < detected)
    return controlError(
      'invalid',
      'Routing cannot have been normal again before anything was noticed.',
      'Correct one of the two times.',
      'times.normal_routing_resumed',
    );
  if (providerDeclared !== null && providerResolved !== null && providerResolved < providerDeclared)
    return controlError(
      'invalid',
      'The provider cannot have resolved it before it declared it.',
      'Correct one of the two times.',
      'times.provider_resolved',
    );
  return times;
}

/** What a person says reads as public until they say whom it is for; a provider's own words are quoted as they are. */
export function textProblem({ audience, source, text }: IncidentInput | UpdateInput): ControlError | null {
  if (audience === 'internal' || (audience === undefined && source === 'provider')) return null;
  const problem = publicProblem('text', text);
  return problem === null || audience === 'public'
    ? problem
    : { ...problem, remedy: `${problem.remedy} To keep it as a note among you, add "audience": "internal".` };
}

/** Why a text may not be shown to the public; null when it may. */
export function publicProblem(field: string, words: string | undefined): ControlError | null {
  const problem = words === undefined ? null : vagueWords(words);
  return problem === null ? null : controlError('invalid', problem, vagueRemedy, field);
}
