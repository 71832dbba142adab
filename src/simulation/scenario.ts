/**
 * A scenario: traffic and faults over virtual time, as a document that people write and drills share. Unknown keys and
 * misspelt scopes are errors: a rehearsal must not pass by a typing error.
 *
 * Times are durations from the start. A fault says what happens to a share of the attempts in its scope; several may
 * be in force at once, the first that strikes decides.
 */
import { z } from 'zod';

import { keysAt } from '../core/configuration.ts';
import { durationMs, rate } from '../core/duration.ts';
import type { FailureClass } from '../core/failure.ts';
import { failures } from '../core/failure.ts';
import { instant } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import { didYouMean } from '../core/nearest.ts';

const ms = z
  .string()
  .refine((text) => durationMs(text) !== null, 'must be a duration such as 10s, 5m or 2h')
  .transform((text) => durationMs(text) ?? 0);
const share = z
  .string()
  .refine((text) => rate(text) !== null, 'must be a rate such as 10%')
  .transform((text) => rate(text) ?? 0);
const failureClass = z.enum(Object.keys(failures) as [FailureClass, ...FailureClass[]]);

const scope = z.strictObject({
  provider: z.string().optional(),
  region: z.string().optional(),
  vendor: z.string().optional(),
  family: z.string().optional(),
  model: z.string().optional(),
  target: z.string().optional(),
  key: z.string().optional(),
});

/** What a fault does to an attempt that it strikes. */
const effect = z.discriminatedUnion('kind', [
  /** Fails before its first content. `remaining`: a 429 says that there is quota left. */
  z.strictObject({
    kind: z.literal('fail'),
    class: failureClass,
    status: z.int().min(400).max(599).optional(),
    retryAfter: ms.optional(),
    remaining: z.boolean().optional(),
  }),
  /** No answer at all. */
  z.strictObject({ kind: z.literal('hang') }),
  /** Everything takes this many times as long. */
  z.strictObject({ kind: z.literal('slow'), factor: z.number().min(1).max(1_000) }),
  /** The answer breaks off after its first content. */
  z.strictObject({ kind: z.literal('cut') }),
  /** The answer falls silent after its first content. */
  z.strictObject({ kind: z.literal('stall') }),
  /** It serves only this share of the calls that it usually can at once (`targets: { …: { places } }`). */
  z.strictObject({ kind: z.literal('shrink'), to: share }),
  /** An answer that arrives whole and is of no use. */
  z.strictObject({
    kind: z.literal('soft'),
    signal: z.enum(['tool_call_invalid', 'structured_output_invalid', 'refused', 'truncated', 'empty']),
  }),
  /** Another model answers under the old name: so many times as long, in partly other words; it may say who it is. */
  z.strictObject({
    kind: z.literal('changed'),
    model: z.string().optional(),
    length: z.number().positive().max(100).optional(),
    otherWords: share.optional(),
  }),
]);

const effectKinds = effect.options.map(({ shape }) => shape.kind.value);

const fault = z.strictObject({
  at: ms,
  for: ms,
  scope,
  share: share.optional(),
  effect,
  /** Comes and goes. */
  flapping: z.strictObject({ bad: ms, good: ms }).optional(),
  /** After `for` it strikes less and less, until it is over after this long. */
  fades: ms.optional(),
});

const profile = z.strictObject({
  /** Requests per second. */
  rate: z.number().positive().max(10_000).optional(),
  callers: z.int().min(1).max(10_000).optional(),
  shape: z.enum(['steady', 'diurnal', 'bursty']).optional(),
  /** The first of its callers sends requests that fail everywhere. */
  poison: z.boolean().optional(),
  inputTokens: z.int().min(1).max(10_000_000).optional(),
  outputTokens: z.int().min(1).max(1_000_000).optional(),
  /** Of the users who are asked whether another model may answer, those who agree. */
  agree: share.optional(),
  /** How long they take to say so. */
  agreeAfter: ms.optional(),
});

const usual = z.strictObject({
  failures: share.optional(),
  firstToken: ms.optional(),
  answer: ms.optional(),
});

const pace = usual.extend({
  /** Calls served at once; the others queue there. Without it: as many as come. */
  places: z.int().min(1).max(1_000_000).optional(),
  /** Whether it stops work on a call that was given up. */
  noticesLeaving: z.boolean().optional(),
});

/** What an operator does: takes a scope out, and gives it back by a ramp. */
const act = z.strictObject({
  at: ms,
  for: ms,
  off: z.strictObject({
    provider: z.string().optional(),
    region: z.string().optional(),
    vendor: z.string().optional(),
    family: z.string().optional(),
    model: z.string().optional(),
    target: z.string().optional(),
    feature: z.string().optional(),
  }),
  ramp: z.boolean().optional(),
});

export const scenarioSchema = z.strictObject({
  name: z.string().min(1),
  title: z.string().optional(),
  /** RFC 3339; only what people read depends on it. */
  start: z.iso.datetime().optional(),
  duration: ms,
  /** By feature; `*` for all others. */
  traffic: z.record(z.string(), profile).optional(),
  usual: usual.optional(),
  /** By target, where it differs from `usual`. */
  targets: z.record(z.string(), pace).optional(),
  operator: z.array(act).max(100).optional(),
  /** How often callers' own clients try again after an error, unless they are told not to. */
  callersRetry: z.int().min(0).max(10).optional(),
  faults: z.array(fault).max(1_000).optional(),
});

export type Fault = z.infer<typeof fault>;
export type Effect = z.infer<typeof effect>;
export type OperatorAct = z.infer<typeof act>;
export type Profile = {
  readonly rate: number;
  readonly callers: number;
  readonly shape: 'steady' | 'diurnal' | 'bursty';
  readonly poison: boolean;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly agree: number;
  readonly agreeAfterMs: number;
};

/** What a target usually does. */
export type Pace = {
  readonly failures: number;
  readonly firstTokenMs: number;
  readonly answerMs: number;
  /** Null: as many calls at once as come. */
  readonly places: number | null;
  readonly noticesLeaving: boolean;
};

export type Scenario = {
  readonly name: string;
  readonly title: string;
  readonly start: Instant;
  readonly durationMs: number;
  readonly traffic: (feature: string) => Profile;
  readonly usual: Pick<Pace, 'failures' | 'firstTokenMs' | 'answerMs'>;
  readonly pace: (target: string) => Pace;
  readonly operator: readonly OperatorAct[];
  readonly callersRetry: number;
  readonly faults: readonly Fault[];
};

export type ScenarioRead =
  | { readonly ok: true; readonly scenario: Scenario }
  | { readonly ok: false; readonly problems: readonly { readonly path: string; readonly message: string }[] };

const usualProfile: Profile = {
  rate: 10,
  callers: 20,
  shape: 'steady',
  poison: false,
  inputTokens: 1_500,
  outputTokens: 400,
  agree: 0.7,
  agreeAfterMs: 8_000,
};

function problemsOf(issue: z.core.$ZodIssue): readonly { readonly path: string; readonly message: string }[] {
  const steps = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  const path = steps.join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(scenarioSchema, steps);
    return issue.keys.map((key) => ({
      path,
      message: `unknown key "${key}"; ${didYouMean(key, known) || `known keys are ${known.join(', ')}`}`,
    }));
  }
  if (issue.code === 'invalid_union') return [{ path, message: `must be one of ${effectKinds.join(', ')}` }];
  if (issue.code === 'invalid_type' && issue.input === undefined) return [{ path, message: 'is missing' }];
  return [{ path, message: issue.message.replace(/^Invalid (?:input|option): /, '') }];
}

/** Reads a scenario from parsed YAML or JSON. */
export function readScenario(document: unknown): ScenarioRead {
  const read = scenarioSchema.safeParse(document);
  if (!read.success)
    return {
      ok: false,
      problems: read.error.issues.flatMap(problemsOf),
    };
  const { name, title, start, duration, traffic = {}, faults = [], targets = {} } = read.data;
  const { usual: given = {}, operator = [], callersRetry = 2 } = read.data;
  const usually = {
    failures: given.failures ?? 0.002,
    firstTokenMs: given.firstToken ?? 800,
    answerMs: given.answer ?? 2_000,
  };
  return {
    ok: true,
    scenario: {
      name,
      title: title ?? name,
      start: instant(Date.parse(start ?? '2026-01-01T00:00:00Z')),
      durationMs: duration,
      traffic: (feature) => {
        const { agreeAfter, ...plain } = { ...traffic['*'], ...traffic[feature] };
        const said = Object.entries({ ...plain, agreeAfterMs: agreeAfter });
        return { ...usualProfile, ...Object.fromEntries(said.filter(([, value]) => value !== undefined)) };
      },
      usual: usually,
      pace: (target) => {
        const { failures, firstToken, answer, places, noticesLeaving } = targets[target] ?? {};
        return {
          failures: failures ?? usually.failures,
          firstTokenMs: firstToken ?? usually.firstTokenMs,
          answerMs: answer ?? usually.answerMs,
          places: places ?? null,
          noticesLeaving: noticesLeaving ?? true,
        };
      },
      operator,
      callersRetry,
      faults,
    },
  };
}
