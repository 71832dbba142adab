/**
 * The form of a playbook's YAML, in one schema. The JSON Schema for editors is generated from it; what it means is
 * `read-playbook.ts`. Unknown keys are errors: a misspelt `never` that is quietly ignored is worse than none.
 */
import { z } from 'zod';

import { yesNo } from './configure-fields.ts';
import { durationMs, rate, rises } from './duration.ts';
import { warningSignals } from './evidence.ts';
import { failureClasses } from './failure.ts';
import { incidentClasses } from './incident.ts';
import { messageStages } from './message-texts.ts';
import { windowMsMax } from './playbook.ts';
import { scopeKeys } from './switches.ts';

const healthStates = ['healthy', 'shedding', 'ejected', 'probing', 'ramping'] as const;
export const comparisonForm = /^(>=|>|<=|<)\s*(\d+(?:\.\d+)?)\s*(%?)$/;

const duration = z
  .string()
  .refine((text) => durationMs(text) !== null, 'must be a duration such as 30s, 5m or 2h');
const share = z.string().refine((text) => rate(text) !== null, 'must be a share such as 10%');
const comparison = (example: string): z.ZodString =>
  z.string().regex(comparisonForm, `must be a comparison such as "${example}"`);
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be small letters, digits and dashes');
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date such as 2026-11-01');
const text = z.string().min(1).max(2_000);
const scope = z
  .strictObject(Object.fromEntries(scopeKeys.map((key) => [key, z.string().min(1).max(128).optional()])))
  .refine((value) => Object.values(value).some((each) => each !== undefined), 'must name something');
/** What is said or left out; parsers differ in what they make of `yes`. */
const justYes = z.union([z.literal(true), z.literal('yes')]);
const described = <T extends z.ZodType>(schema: T, description: string): T => schema.describe(description);

const condition = z.strictObject({
  window: described(
    duration.refine((text) => (durationMs(text) ?? 0) <= windowMsMax, 'must be at most 1h').optional(),
    'Over how long counts are taken, at most 1h; default 2m.',
  ),
  requests: described(comparison('>= 50').optional(), 'Attempts at the scope in the window.'),
  failureRate: described(comparison('>= 10%').optional(), 'Share of them that failed.'),
  slowRate: described(comparison('>= 40%').optional(), 'Share whose first token came late.'),
  qualityRate: described(
    comparison('>= 10%').optional(),
    'Share with broken tool calls or structured output, refusals, empties.',
  ),
  failures: described(
    z
      .array(z.enum(failureClasses as [string, ...string[]]))
      .min(1)
      .optional(),
    'Only these count as failed.',
  ),
  gate: described(
    z.union([z.enum(healthStates), z.array(z.enum(healthStates)).min(1)]).optional(),
    'Some target of the scope is in this state.',
  ),
  warning: described(
    z.union([z.enum(warningSignals), z.array(z.enum(warningSignals)).min(1)]).optional(),
    'Some target of the scope is warned of by this signal.',
  ),
  sickModels: described(
    comparison('>= 2').optional(),
    'Model versions of the scope that are shed or ejected.',
  ),
  featuresAffected: described(
    comparison('>= 50%').optional(),
    'Share of features that do not work normally.',
  ),
  allOut: described(yesNo.optional(), 'No target of the scope can answer.'),
  between: described(
    z
      .string()
      .regex(/^\d{2}:\d{2}-\d{2}:\d{2}$/, 'must be times of the day (UTC) such as 08:00-18:00')
      .optional(),
    'Only at these times of the day (UTC).',
  ),
});

const effect = z.union([
  z.enum(['off', 'last_resort']),
  z.strictObject({ shed: z.number().min(0).max(100) }),
]);
const ramp = {
  shares: z
    .array(share)
    .min(1)
    .refine((shares) => rises(shares.map((text) => rate(text) ?? 1)), 'must rise, from the smallest share')
    .optional(),
  hold: duration.optional(),
  abortIf: condition.optional(),
};
const probes = {
  count: z.int().positive().max(1_000).optional(),
  over: duration.optional(),
  passed: share.optional(),
};

const step = z.union([
  z.strictObject({
    switch: z.strictObject({
      scope: described(
        scope,
        'Values may be $model, $family, $vendor, $provider or $target: what the run is about.',
      ),
      effect: effect.optional(),
      expiresIn: duration.nullable().optional(),
      atExpiry: z.enum(['ramp', 'stay']).optional(),
      inFlight: z.enum(['finish', 'cancel_uncommitted', 'cancel']).optional(),
      reason: text.optional(),
    }),
  }),
  z.strictObject({
    incident: z.strictObject({
      class: z.enum(incidentClasses),
      severity: z.enum(['SEV1', 'SEV2', 'SEV3', 'SEV4']).optional(),
      title: text.optional(),
    }),
  }),
  z.strictObject({ notify: z.strictObject({ channel: z.string().min(1).max(64), text }) }),
  z.strictObject({
    publish: z.strictObject({ stage: z.enum(messageStages), holdDown: duration.optional() }),
  }),
  z.strictObject({
    wait: z.union([duration, z.strictObject({ for: duration, until: condition.optional() })]),
  }),
  z.strictObject({
    ask: z.strictObject({
      question: text,
      timeout: duration.optional(),
      otherwise: z.enum(['continue', 'skip_rest', 'abort']).optional(),
    }),
  }),
  z.strictObject({ probe: z.strictObject(probes) }),
  z.strictObject({ ramp: z.strictObject(ramp) }),
  z.strictObject({ restore: justYes }),
  z.strictObject({ drill: z.string().min(1).max(128) }),
]);

const rule = z.union([
  z.strictObject({ when: condition, do: z.array(step).min(1).max(50) }),
  z.strictObject({ otherwise: z.array(step).min(1).max(50) }),
]);

const expected = {
  switch: z.strictObject({ scope, effect: z.enum(['off', 'last_resort', 'shed']).optional() }).optional(),
  incident: z.strictObject({ class: z.enum(incidentClasses).optional() }).optional(),
  publish: z.strictObject({ stage: z.enum(messageStages).optional() }).optional(),
  notify: z.strictObject({ channel: z.string().optional() }).optional(),
  asked: justYes.optional(),
  restored: justYes.optional(),
  started: justYes.optional(),
};

const test = z.strictObject({
  name: text,
  given: z
    .array(
      z.strictObject({
        from: duration.optional(),
        until: duration,
        scope,
        requestsPerMinute: z.number().nonnegative().max(1e6).optional(),
        failureRate: share.optional(),
        slowRate: share.optional(),
        qualityRate: share.optional(),
        failure: z.enum(failureClasses as [string, ...string[]]).optional(),
        gate: z.enum(healthStates).optional(),
        warning: z.enum(warningSignals).optional(),
      }),
    )
    .optional(),
  replay: described(z.string().optional(), 'A file of records, as `breakwater requests --json` prints them.'),
  answers: z.array(z.strictObject({ at: duration, answer: z.enum(['approve', 'reject']) })).optional(),
  until: duration,
  start: described(duration.optional(), 'When a person starts it.'),
  expect: z
    .array(
      z.union([
        z.strictObject({ ...expected, within: duration.optional() }),
        z.strictObject({ not: z.strictObject(expected) }),
      ]),
    )
    .min(1),
});

export const playbookSchema = z.strictObject({
  name,
  title: text.optional(),
  agreed: z
    .strictObject({ by: z.array(z.string().min(1)).min(1), on: date, review: duration.optional() })
    .optional(),
  match: described(z.strictObject({ scope, when: condition }), 'When a run begins.'),
  automatic: described(yesNo.optional(), 'False: it begins only when a person says so. Default true.'),
  cooldown: described(duration.optional(), 'Least time between two runs; default 30m.'),
  decide: described(
    z.array(rule).min(1).max(20),
    'The first rule that holds applies: write the most severe first.',
  ),
  never: z
    .array(
      z.union([
        z.strictObject({ switch: scope }),
        z.strictObject({ strand: z.string().min(1) }),
        z.strictObject({ publish: justYes }),
      ]),
    )
    .optional(),
  restore: z
    .strictObject({ quiet: duration.optional(), probes: z.strictObject(probes).optional(), ...ramp })
    .optional(),
  tests: z.array(test).optional(),
});

export type PlaybookDocument = z.infer<typeof playbookSchema>;

/** The JSON Schema that editors use. */
export function playbookJsonSchema(): unknown {
  return {
    $id: 'playbook.schema.json',
    title: 'Breakwater playbook',
    ...z.toJSONSchema(playbookSchema, { io: 'input' }),
  };
}
