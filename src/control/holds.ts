/** Legal holds: placed and released by people, with a reason, and looked through by whoever has to know. */
import { z } from 'zod';

import { scopeWords } from '../core/hold.ts';
import type { Hold, HoldScope } from '../core/hold.ts';
import { incidentId, instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import { reason } from './reason.ts';
import { carryOut, controlError, done, newChange, parseInput, staleProblem } from './verb.ts';
import type { ControlDependencies, ControlError, Result, Revising } from './verb.ts';

/** In force at once. */
export const holdsMax = 100;

const name = z.string().min(1).max(256);
const time = z.iso.datetime({ offset: true, error: 'must be a time such as 2026-06-07T08:00:00Z' });

export const holdInput = z.strictObject({
  scope: z
    .strictObject({
      tenant: name.optional(),
      user: name.optional(),
      incident: name.optional(),
      since: time.optional(),
      until: time.optional(),
    })
    .refine((scope) => Object.keys(scope).length > 0, 'name a tenant, a user, an incident, or a time')
    .refine(
      ({ since, until }) =>
        since === undefined || until === undefined || Date.parse(since) < Date.parse(until),
      'since must be before until',
    ),
  reason,
});
export const holdReleaseInput = z.strictObject({ reason });

function scopeOf({ tenant, user, incident, since, until }: z.infer<typeof holdInput>['scope']): HoldScope {
  const at = (text: string | undefined): Instant | null =>
    text === undefined ? null : instant(Date.parse(text));
  return {
    tenant: tenant ?? null,
    user: user ?? null,
    incident: incident === undefined ? null : incidentId(incident),
    since: at(since),
    until: at(until),
  };
}

async function problemOf(scope: HoldScope, { store }: ControlDependencies): Promise<ControlError | null> {
  if (scope.incident !== null && (await store.findIncident(scope.incident)) === null)
    return controlError(
      'invalid',
      `There is no incident ${scope.incident}.`,
      'List them with: breakwater incident list',
      'scope.incident',
    );
  return (await store.loadHolds()).length < holdsMax
    ? null
    : controlError('conflict', `${holdsMax} holds are in force.`, 'Release some first.');
}

export function placeHold(
  input: unknown,
  actor: string,
  dependencies: ControlDependencies,
): Promise<Result<Hold>> {
  return carryOut<Hold>({ actor, subject: 'hold' }, dependencies, async () => {
    const parsed = parseInput(holdInput, input);
    if (parsed.kind === 'error') return parsed;
    const scope = scopeOf(parsed.value.scope);
    const problem = await problemOf(scope, dependencies);
    if (problem !== null) return problem;
    const { newId, now, store } = dependencies;
    const words = { reason: parsed.value.reason, placedAt: now(), placedBy: actor };
    const hold: Hold = { id: newId('hold'), scope, ...words, release: null };
    const facts = { kind: 'hold.placed', actor, subject: hold.id, reason: hold.reason } as const;
    const after = { scope: scopeWords(scope) };
    await store.insertHold(hold, newChange({ ...facts, before: null, after }, dependencies));
    return done(hold);
  });
}

/** A hold is changed once, by being released. */
export const holdRevision = ({ release }: Hold): number => (release === null ? 1 : 2);

const releasedBefore = (id: string): ControlError =>
  controlError('conflict', `The hold ${id} was released before.`, 'Nothing is left to do.');

function releaseProblem(found: Hold, rev: number | null): ControlError | null {
  const stale = staleProblem(rev, holdRevision(found), `The hold ${found.id} was changed by somebody else.`);
  return stale ?? (found.release === null ? null : releasedBefore(found.id));
}

export function releaseHold(
  { id, input, rev }: Revising,
  actor: string,
  dependencies: ControlDependencies,
): Promise<Result<Hold>> {
  return carryOut<Hold>({ actor, subject: id }, dependencies, async () => {
    const parsed = parseInput(holdReleaseInput, input);
    if (parsed.kind === 'error') return parsed;
    const { store, now } = dependencies;
    const found = await store.findHold(id);
    if (found === null)
      return controlError('not_found', `There is no hold ${id}.`, 'List them with: breakwater hold list');
    const problem = releaseProblem(found, rev);
    if (problem !== null) return problem;
    const { reason: why } = parsed.value;
    const hold: Hold = { ...found, release: { at: now(), by: actor, reason: why } };
    const facts = { kind: 'hold.released', actor, subject: id, reason: why, after: null } as const;
    const before = { scope: scopeWords(found.scope) };
    const isReleased = await store.releaseHold(hold, newChange({ ...facts, before }, dependencies));
    return isReleased ? done(hold) : releasedBefore(id);
  });
}
