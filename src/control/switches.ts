/**
 * Switches as verbs. A switch is durable first and in force second, both before the call returns: once somebody was
 * told that a provider is off, neither a request nor a crash can make it untrue.
 */
import { z } from 'zod';

import { durationMs } from '../core/duration.ts';
import { instant, switchId } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import { incidentClasses } from '../core/incident.ts';
import { isInForce, scopeKeys } from '../core/switches.ts';
import type { Effect, Scope, Switch } from '../core/switches.ts';
import type { Store } from '../store/store.ts';
import { reason } from './reason.ts';
import { carryOut, controlError, done, newChange, parseInput, staleProblem } from './verb.ts';
import type { ControlDependencies, ControlError, Result, Revising } from './verb.ts';

export type SwitchDependencies = ControlDependencies & {
  /** Switches that are not released, as this process knows them. */
  readonly current: () => readonly Switch[];
  /** Puts the list in force on this replica, at once. */
  readonly publish: (switches: readonly Switch[]) => void;
};

/** Switches kept in force at the same time. */
export const switchesMax = 1_000;
const expiryMs = { standard: 2 * 3_600_000, shortest: 1_000, longest: 366 * 86_400_000 };

const scopeValue = z.string().regex(/^[\w.*:@/-]{1,128}$/, 'must be a name, in which * stands for anything');
const scopeShape = Object.fromEntries(scopeKeys.map((key) => [key, scopeValue.optional()])) as Record<
  (typeof scopeKeys)[number],
  z.ZodOptional<typeof scopeValue>
>;

function isExpiry(text: string): boolean {
  const ms = durationMs(text);
  return ms !== null && ms >= expiryMs.shortest && ms <= expiryMs.longest;
}

export const switchInput = z.strictObject({
  scope: z.strictObject(scopeShape),
  effect: z
    .union(
      [z.enum(['off', 'last_resort']), z.strictObject({ shed: z.number().min(0).max(100) })],
      'must be off, last_resort or { "shed": percent }',
    )
    .optional(),
  reason,
  failure_class: z.enum(incidentClasses).optional(),
  expires_in: z
    .string()
    .refine(isExpiry, 'must be a duration such as 2h, from 1s to 366d')
    .nullable()
    .optional(),
  at_expiry: z.enum(['ramp', 'stay']).optional(),
  in_flight: z.enum(['finish', 'cancel_uncommitted', 'cancel']).optional(),
  mode: z.enum(['enforce', 'observe']).optional(),
});

/** A switch that is only asked about needs no reason. */
export const previewInput = switchInput.extend({ reason: reason.optional() });

export const releaseInput = z.strictObject({
  reason,
  ramp: z.boolean().optional(),
});

function effectOf(input: z.infer<typeof switchInput>['effect']): Effect {
  if (input === undefined) return { kind: 'off' };
  return typeof input === 'string' ? { kind: input } : { kind: 'shed', percent: input.shed };
}

function newSwitch(
  input: z.infer<typeof switchInput>,
  actor: string,
  dependencies: SwitchDependencies,
): Switch {
  const now = dependencies.now();
  const expiresIn =
    input.expires_in === undefined
      ? expiryMs.standard
      : input.expires_in === null
        ? null
        : durationMs(input.expires_in);
  const scope: Scope = Object.fromEntries(
    Object.entries(input.scope).filter(([, value]) => value !== undefined),
  );
  return {
    id: switchId(dependencies.newId('sw')),
    rev: 1,
    scope,
    effect: effectOf(input.effect),
    reason: input.reason,
    failureClass: input.failure_class ?? null,
    actor,
    createdAt: now,
    expiresAt: expiresIn === null ? null : instant(now + expiresIn),
    atExpiry: input.at_expiry ?? 'ramp',
    inFlight: input.in_flight ?? 'finish',
    mode: input.mode ?? 'enforce',
    release: null,
  };
}

function scopeProblem(scope: z.infer<typeof switchInput>['scope']): ControlError | null {
  if (Object.values(scope).some((value) => value !== undefined)) return null;
  return controlError(
    'invalid',
    'The scope is empty: it would take everything out.',
    'Name at least one of provider, vendor, family, model, target, feature. To mean everything, write provider:*.',
    'scope',
  );
}

/** The switch that an input describes, with an id of no switch; it is neither kept nor in force. */
export function hypotheticalSwitch(input: unknown, dependencies: SwitchDependencies): Result<Switch> {
  const parsed = parseInput(previewInput, input);
  if (parsed.kind === 'error') return parsed;
  const problem = scopeProblem(parsed.value.scope);
  if (problem !== null) return problem;
  const entry = newSwitch({ ...parsed.value, reason: 'a preview' }, 'preview', dependencies);
  return done({ ...entry, id: switchId('sw_preview') });
}

export function createSwitch(
  input: unknown,
  actor: string,
  dependencies: SwitchDependencies,
): Promise<Result<Switch>> {
  return carryOut<Switch>({ actor, subject: 'switch' }, dependencies, async () => {
    const parsed = parseInput(switchInput, input);
    if (parsed.kind === 'error') return parsed;
    const problem = scopeProblem(parsed.value.scope);
    if (problem !== null) return problem;
    if (dependencies.current().length >= switchesMax)
      return controlError('conflict', `${switchesMax} switches are in force.`, 'Release some first.');
    const entry = newSwitch(parsed.value, actor, dependencies);
    const change = newChange(
      { kind: 'switch.created', actor, subject: entry.id, reason: entry.reason, before: null, after: entry },
      dependencies,
    );
    await dependencies.store.insertSwitch(entry, change);
    dependencies.publish([...dependencies.current(), entry]);
    return done(entry);
  });
}

/** Releases a switch: it is out of force when the promise resolves. */
export function releaseSwitch(
  { id, input, rev }: Revising,
  actor: string,
  dependencies: SwitchDependencies,
): Promise<Result<Switch>> {
  return carryOut<Switch>({ actor, subject: id }, dependencies, async () => {
    const parsed = parseInput(releaseInput, input);
    if (parsed.kind === 'error') return parsed;
    const found = await dependencies.store.findSwitch(switchId(id));
    if (found === null)
      return controlError('not_found', `There is no switch ${id}.`, 'List them with: breakwater switch list');
    if (found.release !== null)
      return controlError('conflict', `Switch ${id} is released already.`, 'Nothing needs to be done.');
    const stale = staleProblem(rev, found.rev, `Switch ${id} was changed by somebody else.`);
    if (stale !== null) return stale;
    const { reason, ramp = true } = parsed.value;
    const released: Switch = {
      ...found,
      rev: found.rev + 1,
      release: { at: dependencies.now(), actor, reason, ramp },
    };
    const change = newChange(
      { kind: 'switch.released', actor, subject: id, reason, before: found, after: released },
      dependencies,
    );
    const outcome = await dependencies.store.releaseSwitch(released, found.rev, change);
    switch (outcome) {
      case 'released':
        dependencies.publish(dependencies.current().filter((entry) => entry.id !== found.id));
        return done(released);
      case 'not_found':
      case 'stale':
      case 'already_released':
        return controlError(
          'conflict',
          `Switch ${id} was changed at the same moment.`,
          'Read it again, then decide.',
        );
    }
  });
}

/** Closes switches whose time is over; `stay` switches remain in force and are left alone. */
export async function expireSwitches(dependencies: SwitchDependencies): Promise<readonly Switch[]> {
  const now = dependencies.now();
  const closed: Switch[] = [];
  for (const entry of dependencies.current().filter((each) => !isInForce(each, now))) {
    const released: Switch = {
      ...entry,
      rev: entry.rev + 1,
      release: { at: now, actor: 'system', reason: 'expired', ramp: true },
    };
    const change = newChange(
      {
        kind: 'switch.expired',
        actor: 'system',
        subject: entry.id,
        reason: 'its time is over',
        before: entry,
        after: released,
      },
      dependencies,
    );
    const outcome = await dependencies.store.releaseSwitch(released, entry.rev, change);
    // Somebody else was faster: it is over all the same, but it was not this sweep that ended it.
    if (outcome === 'released') closed.push(entry);
    dependencies.publish(dependencies.current().filter((other) => other.id !== entry.id));
  }
  return closed;
}

/** How often a switch that stays beyond its time is brought to mind. */
export const remindEveryMs = 24 * 3_600_000;
const remindersReadMax = 200;

const isOverdue = (entry: Switch, now: Instant): boolean =>
  entry.atExpiry === 'stay' && entry.release === null && entry.expiresAt !== null && now >= entry.expiresAt;

/** When each switch was last brought to mind; what a process before this one said is in the ledger. */
export type Reminders = Map<string, Instant>;

async function readReminders(store: Store): Promise<Reminders> {
  const { items } = await store.listChanges(null, remindersReadMax, ['switch.overdue']);
  return new Map(items.toReversed().map(({ subject, at }) => [subject, at]));
}

/** Brings switches to mind that stay in force beyond their time, once a day: somebody meant to look at them by then. */
export async function remindOfSwitches(
  known: Reminders | null,
  dependencies: SwitchDependencies,
): Promise<Reminders | null> {
  const now = dependencies.now();
  const overdue = dependencies.current().filter((entry) => isOverdue(entry, now));
  if (overdue.length === 0) return known;
  const said = known ?? (await readReminders(dependencies.store));
  const told = overdue.map(async (entry): Promise<readonly [string, Instant]> => {
    const last = said.get(entry.id);
    if (last !== undefined && now < last + remindEveryMs) return [entry.id, last];
    const change = newChange(
      {
        kind: 'switch.overdue',
        actor: 'system',
        subject: entry.id,
        reason: 'its time is over, and it stays until somebody releases it',
        before: entry,
        after: entry,
      },
      dependencies,
    );
    await dependencies.store.appendChange(change);
    return [entry.id, now];
  });
  return new Map(await Promise.all(told));
}
