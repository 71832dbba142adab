/** Gates as the configuration writes them: their schema, and what it means. Part of `configuration.ts`. */
import { z } from 'zod';

import type { Agreement } from './agreement.ts';
import { date, described, duration, often, percentage } from './configure-fields.ts';
import { durationMs, frequency, rate } from './duration.ts';
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
  latency: z.strictObject({ firstToken: duration.optional(), breach: percentage.optional() }).optional(),
  mode: z.enum(['observe', 'warn', 'enforce']).optional(),
  restore: z
    .strictObject({
      probeEvery: duration.optional(),
      ramp: z.array(percentage).min(1).optional(),
      hold: duration.optional(),
    })
    .optional(),
  agreed: z
    .strictObject({ by: z.array(z.string()).optional(), on: date.optional(), review: duration.optional() })
    .optional(),
});

export type GivenGate = z.infer<typeof gateSchema>;

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
