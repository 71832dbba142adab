/** The shapes of reports. */
import { z } from 'zod';

import { hops } from '../core/target.ts';

const text = z.string();
const name = text.nullable();
const count = z.int().nonnegative();
const share = z.number().nullable();
const time = z.iso.datetime({ precision: 3 });
const maybeTime = time.nullable();
const latency = { p50: count.nullable(), p99: count.nullable() };
const verdict = z.enum(['survives', 'reduced', 'asks', 'stops']);
const mode = z.enum(['auto', 'notify', 'reduce', 'ask', 'never']);

const measured = {
  failed: count,
  availability: share,
  duration_ms: z.object(latency),
  first_token_ms: z.object(latency),
};
const targetSla = z.object({
  provider: text,
  model: name,
  tries: count,
  ...measured,
  promised: share,
  keeps_promise: z.boolean().nullable(),
});

export const reportAnswers = {
  SlaReport: z.object({
    month: text,
    from: time,
    until: time,
    cut: z.boolean(),
    features: z.array(
      z.object({
        feature: text,
        title: text,
        requests: count,
        ...measured,
        objective: share,
        error_budget_left: share,
        minutes: z.object({
          normal: count,
          backup: count,
          slow: count,
          partial: count,
          paused: count,
          unavailable: count,
          unwatched: count,
        }),
        promised: share,
        coherence: z.object({
          verdict: z.enum(['holds', 'holds_if_independent', 'does_not_hold', 'unknown']),
          careful: share,
          independent: share,
          pairs: z.array(
            z.object({ one: text, other: text, correlation: z.number().nullable(), windows: count }),
          ),
          words: text,
        }),
      }),
    ),
    providers: z.array(targetSla),
    models: z.array(targetSla),
  }),
  ContinuityReport: z.object({
    at: time,
    since: time,
    snapshot: text,
    fallbacks: z.array(
      z.object({
        feature: text,
        title: text,
        route: z.array(text),
        modes: z.record(z.enum(hops), mode),
        mid_stream: z.enum(['error', 'continue']),
      }),
    ),
    told: z.array(z.object({ told: text, requests: count })),
    reasons: z.array(z.object({ reason: text, requests: count })),
    recorded: z.object({
      records: count,
      mode: z.enum(['best_effort', 'strict']),
      retention_days: count,
      retention_by_class: z.array(z.object({ data_class: text, retention_days: count })),
      ledger: text,
    }),
    providers: z.array(
      z.object({
        provider: text,
        entity: name,
        regions: z.array(text),
        retention: text,
        training: text,
        agreement: name,
        expires_at: maybeTime,
        local: z.boolean(),
        sla: share,
      }),
    ),
    processing: z.array(
      z.object({
        data_class: text,
        providers: z.array(z.object({ provider: text, allowed: z.boolean(), objection: name })),
      }),
    ),
    losses: z.array(
      z.object({
        provider: text,
        features: z.array(z.object({ feature: text, title: text, verdict, by: name })),
      }),
    ),
    incidents: z.array(
      z.object({
        id: text,
        title: text,
        failure_class: text,
        state: text,
        opened_at: time,
        switched_at: maybeTime,
        normal_at: maybeTime,
        requests: count,
        failed: count,
        rescued: count,
        data_left_to: z.array(text),
      }),
    ),
  }),
} as const;
