/** The shapes of the admin API's answers. `contract/openapi.json` is made from them, and a test holds every answer to them. */
import { z } from 'zod';

import { captureMarks } from '../core/capture.ts';
import { warningSignals } from '../core/evidence.ts';
import { fallbackReasons } from '../core/fallback-reason.ts';
import { failureClasses } from '../core/failure.ts';
import { incidentAnswers, incidentBrief, providerWord } from './admin-incident-answers.ts';
import { changeKinds, exclusionReasons, operations } from '../core/record.ts';
import { ruleNames } from '../core/rules.ts';
import { scopeKeys } from '../core/switches.ts';
import { boundaryCrossings, dialects, hops } from '../core/target.ts';
import { contentAnswers } from './admin-content-answers.ts';
import { holdAnswers } from './admin-hold-answers.ts';
import { canaryAnswers } from './admin-canary-answers.ts';
import { channelAnswers } from './admin-channel-answers.ts';
import { playbookAnswers } from './admin-playbook-answers.ts';
import { messageAnswers } from './admin-message-answers.ts';
import { ledgerAnswers } from './admin-ledger-answers.ts';
import { statusAnswers } from './admin-status-answers.ts';
import { reportAnswers } from './admin-report-answers.ts';
import { statisticsAnswers } from './admin-statistics-answers.ts';

const text = z.string();
const name = text.nullable();
const count = z.int().nonnegative();
const measured = z.number().nonnegative().nullable();
const time = z.iso.datetime({ precision: 3 });
const maybeTime = time.nullable();
const listOf = <T extends z.ZodType>(
  item: T,
): z.ZodObject<{ items: z.ZodArray<T>; next_cursor: typeof name }> =>
  z.object({ items: z.array(item), next_cursor: name });

const candidate = z.object({
  target: text,
  eligible: z.boolean(),
  reason: z.enum(exclusionReasons).nullable(),
  rule: name,
});

const explainedCandidate = candidate.extend({
  rules: z.array(
    z.object({
      rule: z.enum(ruleNames),
      says: z.enum(['allows', 'excludes', 'asks', 'notes']),
      reason: z.enum(exclusionReasons).nullable(),
      words: name,
    }),
  ),
});

const attempt = z.object({
  n: z.int().positive(),
  target: text,
  company: name,
  region: name,
  retention: text,
  started_at: time,
  first_byte_ms: measured,
  first_token_ms: measured,
  duration_ms: z.number().nonnegative(),
  outcome: z.enum(['ok', 'failed', 'cancelled']),
  failure: z.enum(failureClasses).nullable(),
  status: z.int().nullable(),
  provider_code: name,
  provider_request_id: name,
  payload_sent: z.enum(['none', 'partial', 'full']),
  why_next: z
    .enum(['same_target_retry', 'same_target_waited', 'other_key', 'next_target', 'carry_on'])
    .nullable(),
  input_tokens: measured,
  output_tokens: measured,
  cost_usd: measured,
  malformed_events: count,
  adapted: z.enum(['no', 'adapted', 'limited']),
  boundary: z.array(z.enum(boundaryCrossings)),
});

const record = z.object({
  id: text,
  at: time,
  duration_ms: z.number().nonnegative(),
  tenant: name,
  key: name,
  feature: text,
  user: name,
  session: name,
  trace: name,
  dialect: z.enum(dialects),
  operation: z.enum(operations),
  stream: z.boolean(),
  requested: text,
  preferred: name,
  served: name,
  model_reported: name,
  data_class: name,
  data_class_source: z.enum(['header', 'rule', 'feature', 'none']),
  consent: z.enum(['none', 'token', 'session', 'incident']),
  consent_offered_in: name,
  snapshot: text,
  hop: z.enum(hops).nullable(),
  fallback: z.enum(fallbackReasons).nullable(),
  boundary: z.array(z.enum(boundaryCrossings)),
  told: z.enum(['none', 'header', 'notice', 'asked', 'refused']),
  outcome: z.enum(['answered', 'partial', 'refused', 'failed', 'cancelled']),
  error_code: name,
  status: z.int(),
  finish: name,
  candidates: z.array(candidate),
  attempts: z.array(attempt),
  incidents: z.array(text),
  switches: z.array(text),
  fingerprints: z.object({ input: name, output: name }),
  warnings: z.array(text),
  seam: z.object({ from: text, to: text, at_characters: count, overlap_characters: count }).nullable(),
  captured: z.enum(captureMarks),
  leaf: z.object({ index: count, hash: text }).nullable(),
});

const scope = z.object(
  Object.fromEntries(scopeKeys.map((key) => [key, text.optional()])) as Record<
    (typeof scopeKeys)[number],
    z.ZodOptional<typeof text>
  >,
);

const switchEntry = z.object({
  id: text,
  rev: z.int().positive(),
  scope,
  effect: z.union([z.enum(['off', 'last_resort']), z.object({ shed: z.number() })]),
  reason: text,
  failure_class: name,
  created_by: text,
  created_at: time,
  expires_at: maybeTime,
  at_expiry: z.enum(['ramp', 'stay']),
  in_flight: z.enum(['finish', 'cancel_uncommitted', 'cancel']),
  mode: z.enum(['enforce', 'observe']),
  released: z.object({ at: time, by: text, reason: text, ramp: z.boolean() }).nullable(),
});

const ack = z.object({ replica: text, rev: count, at: time });

const change = z.object({
  id: text,
  at: time,
  kind: z.enum(changeKinds),
  actor: text,
  subject: text,
  reason: name,
  before: z.unknown(),
  after: z.unknown(),
});

const key = z.object({
  id: text,
  name: text,
  features: z.array(text).nullable(),
  tenant: name,
  data_class_max: name,
  rpm: z.int().positive().nullable(),
  budget: name,
  created_at: time,
  revoked_at: maybeTime,
});

const gateState = z.object({
  state: z.enum(['healthy', 'shedding', 'ejected', 'probing', 'ramping']),
  since: maybeTime,
  until: maybeTime,
  words: name,
  mode: z.enum(['observe', 'warn', 'enforce']),
});

const traffic = z.object({ ok: count, failed: count, in_flight: count });
/** Null: none was ever sent. */
const probes = z
  .object({ ok: count, failed: count, last_at: time, last_failure: z.enum(failureClasses).nullable() })
  .nullable();

const warnings = z.array(z.object({ signal: z.enum(warningSignals), since: time, at: time, words: text }));

const agreedShape = { by: z.array(text), on: maybeTime, review_by: maybeTime, stale: z.boolean() };

const gateEntry = z.object({
  target: text,
  gate: gateState,
  agreement: z.object({
    match: z.record(text, text),
    budget: z.number(),
    breach: z.number(),
    false_alarm: z.object({ count: z.number(), per_ms: count }),
    mode: z.enum(['observe', 'warn', 'enforce']),
    ...agreedShape,
  }),
  traffic,
  probes,
  warnings,
});

const replayed = z.object({
  target: text,
  attempts: count,
  failed: count,
  met: count,
  trips: z.array(
    z.object({
      since: maybeTime,
      shed_at: time,
      ejected_at: maybeTime,
      back_at: maybeTime,
      delay_ms: z.int().nullable(),
      moved: count,
      spared: count,
      words: text,
    }),
  ),
});

const targetState = z.object({
  target: text,
  provider: text,
  model: text,
  vendor: text,
  family: text,
  region: name,
  gate: gateState,
  agreement: z.object(agreedShape),
  off_by: z.array(text),
  traffic,
  capacity: z.object({ limit: count, learnt: z.boolean(), waiting: count }),
  probes,
  warnings,
  provider_says: providerWord.nullable(),
});

const featureState = z.object({
  feature: text,
  title: text,
  status: z.enum(['normal', 'backup', 'slow', 'partial', 'paused', 'unavailable']),
  preferred: text,
  serving: name,
});

const verdict = z.enum(['survives', 'reduced', 'asks', 'stops']);

const losses = z.array(
  z.object({ loss: text, verdict, by: name, hop: z.enum(hops).nullable(), left: z.array(text) }),
);

const coverage = z.object({
  feature: text,
  title: text,
  normal: verdict,
  losses,
  data_classes: z.array(z.object({ data_class: text, normal: verdict, by: name, losses })),
  claims: z.array(z.object({ claim: text, holds: z.boolean(), why: text })),
});

const config = z.object({
  snapshot: text,
  providers: z.array(z.object({ id: text, api: text, base_url: text, keys: count, local: z.boolean() })),
  features: z.array(
    z.object({
      name: text,
      title: text,
      route: z.array(text),
      fallback: z.record(z.enum(hops), z.enum(['auto', 'notify', 'reduce', 'ask', 'never'])),
      data_class: name,
    }),
  ),
  data_classes: z.array(text),
  limits: z.record(text, z.number()),
});

const problem = z.object({
  severity: z.enum(['error', 'warning']),
  path: text,
  line: z.int().nullable(),
  column: z.int().nullable(),
  message: text,
  remedy: text,
});

const preview = z.object({
  window_ms: count,
  requests: count,
  features: z.array(
    z.object({
      feature: text,
      requests: count,
      moves: z.array(z.object({ from: text, to: text, hop: z.enum(hops).nullable(), share: z.number() })),
      asked_share: z.number(),
      refused_share: z.number(),
      stranded_share: z.number(),
      reasons: z.array(text),
    }),
  ),
  cost_change: z.number().nullable(),
  capacity: z.array(
    z.object({ target: text, load_before: z.number(), load_after: z.number(), limit: count }),
  ),
});

/** With what it covers today, and who has it in force. */
const wholeSwitch = switchEntry.extend({ expands_to: z.array(text), matches: count, acks: z.array(ack) });

/** Every answer by the name it has in the OpenAPI file. */
export const adminAnswers = {
  State: z.object({
    snapshot: text,
    rev: count,
    replicas: z.array(z.object({ id: text, rev: count })),
    targets: z.array(targetState),
    features: z.array(featureState),
    switches: z.array(switchEntry),
    incidents: z.array(incidentBrief),
  }),
  Switch: wholeSwitch,
  SwitchPreview: preview,
  SwitchList: listOf(wholeSwitch),
  AckList: listOf(ack),
  RecordList: listOf(record),
  RecordExport: z
    .string()
    .describe('one record a line: as the API shows it, as CSV with a head, as OCSF, as CloudEvents'),
  ExplainedRecord: record.extend({ words: z.array(text) }),
  ChangeList: listOf(change),
  ...canaryAnswers,
  ...contentAnswers,
  ...holdAnswers,
  LookList: listOf(change),
  Gate: gateEntry,
  GateList: listOf(gateEntry),
  GateTested: z.object({
    since: time,
    until: time,
    records: count,
    cut: z.boolean(),
    current: z.array(replayed),
    proposed: z.array(replayed).nullable(),
  }),
  KeyList: listOf(key),
  KeyCreated: key.extend({ secret: text, warnings: z.array(text) }),
  KeyRevoked: key,
  Config: config,
  ConfigSnapshot: z.object({ snapshot: text, intact: z.boolean().nullable(), text }),
  ConfigChecked: z.object({ ok: z.boolean(), snapshot: name, problems: z.array(problem) }),
  Explained: z.object({
    decision: z.enum(['route', 'ask', 'refuse']),
    plan: z.array(text),
    shares: z.array(
      z.object({
        share: z.number(),
        decision: z.enum(['route', 'ask', 'refuse']),
        plan: z.array(text),
      }),
    ),
    candidates: z.array(explainedCandidate),
    words: text,
  }),
  CoverageList: listOf(coverage),
  ...statisticsAnswers,
  ...reportAnswers,
  EventStream: text.describe('events named change, each with the id of its change and the change as JSON'),
  ...channelAnswers,
  ...messageAnswers,
  ...statusAnswers,
  ...incidentAnswers,
  ...playbookAnswers,
  ...ledgerAnswers,
  Error: z.object({ error: z.object({ code: text, message: text, remedy: text, field: name }) }),
} as const satisfies Record<string, z.ZodType>;

/** Parts that several answers share; they stand in the file once. */
export const answerParts = {
  Candidate: candidate,
  Attempt: attempt,
  Record: record,
  Scope: scope,
  Ack: ack,
  Change: change,
  Key: key,
  Coverage: coverage,
} as const satisfies Record<string, z.ZodType>;

export type AnswerName = keyof typeof adminAnswers;
