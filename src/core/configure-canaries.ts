/** Canaries as the configuration writes them: who is asked fixed questions, how often, and what it may cost. */
import { z } from 'zod';

import { budgetFrom } from './budget.ts';
import type { Budget } from './budget.ts';
import { described, duration, often } from './configure-fields.ts';
import { durationMs, frequency } from './duration.ts';
import type { Feature, Report } from './snapshot.ts';
import type { Target } from './target.ts';

export const canariesSchema = z.strictObject({
  every: described(duration.optional(), 'How often a target is asked all questions; default 6h.'),
  targets: described(
    z
      .array(z.string().regex(/^[^/\s]+\/\S+$/, 'must be PROVIDER/MODEL'))
      .min(1)
      .optional(),
    'Whom to ask; default: the first target of each feature.',
  ),
  budget: described(
    z
      .string()
      .refine((text) => budgetFrom(text) !== null, 'must be a budget such as 1usd/day')
      .optional(),
    'What all of it may cost at list price; default 1usd/day.',
  ),
  falseAlarm: described(
    often.optional(),
    'How often an unchanged model may be called changed; default 1 per 365d.',
  ),
});

export type CanarySettings = {
  readonly everyMs: number;
  readonly targets: readonly Target[];
  readonly budget: Budget;
  readonly falseAlarmMs: number;
};

const dayMs = 86_400_000;
const everyMsMin = 1_000;
const targetsMax = 100;

/** Null: nobody is asked. */
export function compileCanaries(
  given: z.infer<typeof canariesSchema> | undefined,
  known: { readonly features: Iterable<Feature>; readonly targets: ReadonlyMap<string, Target> },
  report: Report,
): CanarySettings | null {
  if (given === undefined) return null;
  const { every, targets: names, budget, falseAlarm } = given;
  const targets = new Map<string, Target>();
  if (names === undefined) for (const { route } of known.features) targets.set(route[0].name, route[0]);
  for (const [index, name] of (names ?? []).entries()) {
    const target = known.targets.get(name);
    if (target !== undefined) targets.set(name, target);
    else
      report({
        path: ['canaries', 'targets', index],
        message: `${name} is not a target of this configuration`,
        remedy: 'name a target that a feature has in its route',
        severity: 'error',
      });
  }
  const rare = frequency(falseAlarm ?? '');
  return {
    everyMs: Math.max(everyMsMin, durationMs(every ?? '') ?? dayMs / 4),
    targets: [...targets.values()].slice(0, targetsMax),
    budget: budgetFrom(budget ?? '') ?? { usd: 1, period: 'day' },
    falseAlarmMs: rare === null ? 365 * dayMs : rare.perMs / Math.max(rare.count, 1e-6),
  };
}
