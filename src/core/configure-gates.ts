/** Gates as the configuration writes them: their schema, and what it means. Part of `configuration.ts`. */
import { z } from 'zod';

import type { Agreement } from './agreement.ts';
import { date, described, duration, often, percentage, someTime } from './configure-fields.ts';
import { durationMs, frequency, rate, rises } from './duration.ts';
import { momentFrom } from './moment.ts';
import { defaultGate, defaultTimeouts } from './snapshot.ts';
import type { GateRule } from './snapshot.ts';

export const gateSchema = z.strictObject({
  match: z
    .strictObject({
      provider: z.string().optional(),
      vendor: z.string().optional(),
      family: z.string().optional(),
      model: z.string().optional(),
      target: z.string().optional(),
    })
    .optional(),
  budget: described(percentage.optional(), 'The failure rate agreed to live with.'),
  breach: described(percentage.optional(), 'The rate at which users must be moved.'),
  falseAlarm: described(often.optional(), 'How often noise may trip it, per target.'),
  latency: z.strictObject({ firstToken: someTime.optional(), breach: percentage.optional() }).optional(),
  mode: z.enum(['observe', 'warn', 'enforce']).optional(),
  restore: z
    .strictObject({
      probeEvery: someTime.optional(),
      ramp: z.array(percentage).min(1).optional(),
      hold: duration.optional(),
    })
    .optional(),
  agreed: z
    .strictObject({ by: z.array(z.string()).optional(), on: date.optional(), review: someTime.optional() })
    .optional(),
});

export type GivenGate = z.infer<typeof gateSchema>;

export type GateFault = {
  readonly path: readonly string[];
  readonly message: string;
  readonly remedy: string;
};

const percentText = (rate: number): string => `${Number((rate * 100).toFixed(4))}%`;

/** What reads well and cannot be meant. */
export function gateFaults(given: GivenGate): readonly GateFault[] {
  const { budget, breach, restore } = gateOf(given);
  const faults: GateFault[] = [];
  if (budget >= breach)
    faults.push({
      path: [given.budget === undefined ? 'breach' : 'budget'],
      message:
        given.budget === undefined
          ? `is not above the budget of ${percentText(budget)}`
          : `is not below the breach of ${percentText(breach)}`,
      remedy: 'a budget is what you live with, a breach is more than that',
    });
  if (!rises(restore.ramp))
    faults.push({
      path: ['restore', 'ramp'],
      message: 'does not rise',
      remedy: 'begin with the smallest share',
    });
  return faults;
}

function agreedOf(given: GivenGate['agreed']): Agreement | null {
  if (given === undefined) return null;
  return {
    by: given.by ?? [],
    on: given.on === undefined ? null : momentFrom(`${given.on}T00:00:00.000Z`),
    reviewMs: given.review === undefined ? null : durationMs(given.review),
  };
}

/** What is not said is as it is by default. */
export function gateOf(given: GivenGate): GateRule {
  const { provider, vendor, family, model, target } = given.match ?? {};
  const match = {
    ...(provider === undefined ? {} : { provider }),
    ...(vendor === undefined ? {} : { vendor }),
    ...(family === undefined ? {} : { family }),
    ...(model === undefined ? {} : { model }),
    ...(target === undefined ? {} : { target }),
  };
  const share = (text: string | undefined, otherwise: number): number =>
    text === undefined ? otherwise : (rate(text) ?? otherwise);
  return {
    match,
    agreed: agreedOf(given.agreed),
    budget: share(given.budget, defaultGate.budget),
    breach: share(given.breach, defaultGate.breach),
    falseAlarm: frequency(given.falseAlarm ?? '') ?? defaultGate.falseAlarm,
    latency:
      given.latency === undefined
        ? null
        : {
            firstTokenMs: durationMs(given.latency.firstToken ?? '') ?? defaultTimeouts.firstTokenMs,
            breach: share(given.latency.breach, defaultGate.breach),
          },
    mode: given.mode ?? defaultGate.mode,
    restore: {
      probeEveryMs: durationMs(given.restore?.probeEvery ?? '') ?? defaultGate.restore.probeEveryMs,
      ramp: given.restore?.ramp?.flatMap((text) => rate(text) ?? []) ?? defaultGate.restore.ramp,
      holdMs: durationMs(given.restore?.hold ?? '') ?? defaultGate.restore.holdMs,
    },
  };
}
