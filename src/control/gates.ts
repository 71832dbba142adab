/**
 * What a person may say to a gate: hold a target out for a while, or give it back before the time is over. Like a
 * switch, a word is durable before it is in force. A gate that is given back earns its return by probes and a ramp like
 * any other; only a switch decides without evidence.
 */
import { z } from 'zod';

import { gateFaults, gateSchema } from '../core/configure-gates.ts';
import { durationMs } from '../core/duration.ts';
import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import type { Target } from '../core/target.ts';
import { reason } from './reason.ts';
import { carryOut, controlError, done, newChange, parseInput } from './verb.ts';
import type { ControlDependencies, ControlError, Result } from './verb.ts';

export type GateDependencies = ControlDependencies & {
  readonly find: (name: string) => Target | null;
  /** The state of its gate, as a word. */
  readonly stateOf: (target: Target) => string;
  readonly hold: (target: Target, until: Instant, words: string) => void;
  readonly giveBack: (target: Target, words: string) => void;
};

const hold = { standardMs: 2 * 3_600_000, shortestMs: 1_000, longestMs: 366 * 86_400_000 };

function isHold(text: string): boolean {
  const ms = durationMs(text);
  return ms !== null && ms >= hold.shortestMs && ms <= hold.longestMs;
}

export const holdInput = z.strictObject({
  reason,
  expires_in: z.string().refine(isHold, 'must be a duration such as 2h, from 1s to 366d').optional(),
});

export const returnInput = z.strictObject({ reason });

const longestMs = 400 * 86_400_000;

/** A gate to be tried on stored evidence; nothing is changed. */
export const testInput = z.strictObject({
  /** Default 7d. */
  since: z
    .string()
    .refine((text) => {
      const ms = durationMs(text);
      return ms !== null && ms > 0 && ms <= longestMs;
    }, 'must be a duration such as 7d, up to 400d')
    .optional(),
  gate: gateSchema
    .superRefine((given, context) => {
      for (const { path, message, remedy } of gateFaults(given))
        context.addIssue({ code: 'custom', path: [...path], message: `${message}; ${remedy}` });
    })
    .optional(),
});

type Word = { readonly name: string; readonly input: unknown };

function notKnown(name: string): ControlError {
  return controlError('not_found', `There is no target ${name}.`, 'List them with: breakwater gates');
}

/** Keeps a target out until the time is over or somebody gives it back, whatever its probes say. */
export function holdGate(
  { name, input }: Word,
  actor: string,
  dependencies: GateDependencies,
): Promise<Result<Target>> {
  return carryOut<Target>({ actor, subject: name }, dependencies, async () => {
    const parsed = parseInput(holdInput, input);
    if (parsed.kind === 'error') return parsed;
    const target = dependencies.find(name);
    if (target === null) return notKnown(name);
    const { reason: why, expires_in: text } = parsed.value;
    const ms = text === undefined ? hold.standardMs : (durationMs(text) ?? hold.standardMs);
    const until = instant(dependencies.now() + ms);
    const before = dependencies.stateOf(target);
    const after = { state: 'ejected', until: new Date(until).toISOString() };
    await dependencies.store.appendChange(
      newChange({ kind: 'gate.held', actor, subject: target.name, reason: why, before, after }, dependencies),
    );
    dependencies.hold(target, until, `held out by ${actor}: ${why}`);
    return done(target);
  });
}

/** Gives a target that is held or ejected back to its gate: it is probed now, and ramps when that goes well. */
export function returnGate(
  { name, input }: Word,
  actor: string,
  dependencies: GateDependencies,
): Promise<Result<Target>> {
  return carryOut<Target>({ actor, subject: name }, dependencies, async () => {
    const parsed = parseInput(returnInput, input);
    if (parsed.kind === 'error') return parsed;
    const target = dependencies.find(name);
    if (target === null) return notKnown(name);
    const before = dependencies.stateOf(target);
    if (before !== 'ejected')
      return controlError(
        'conflict',
        `The gate of ${target.name} is ${before}, not ejected.`,
        'Nothing needs to be done.',
      );
    const { reason: why } = parsed.value;
    await dependencies.store.appendChange(
      newChange(
        { kind: 'gate.returned', actor, subject: target.name, reason: why, before, after: 'probing' },
        dependencies,
      ),
    );
    dependencies.giveBack(target, `given back by ${actor}: ${why}`);
    return done(target);
  });
}
