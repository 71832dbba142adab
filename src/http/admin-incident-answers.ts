/** The shapes of answers about incidents. */
import { z } from 'zod';

import { audiences, incidentClasses, incidentStates, severities, sources } from '../core/incident.ts';
import { verdicts } from '../core/diagnosis.ts';
import { fallbackReasons } from '../core/fallback-reason.ts';
import { providerStatuses } from '../core/provider-word.ts';
import { changeCategories } from '../core/what-changed.ts';
import { hitKinds } from '../core/incident-hits.ts';
import { hops } from '../core/target.ts';

const text = z.string();
const name = text.nullable();
const count = z.int().nonnegative();
const time = z.iso.datetime({ precision: 3 });
const maybeTime = time.nullable();
const status = z.enum(['normal', 'backup', 'slow', 'partial', 'paused', 'unavailable']);
const gate = z.enum(['healthy', 'shedding', 'ejected', 'probing', 'ramping']);

const totals = z.object({
  total: count,
  ...(Object.fromEntries(hitKinds.map((kind) => [kind, count])) as Record<
    (typeof hitKinds)[number],
    typeof count
  >),
});

const feature = z.object({
  feature: text,
  title: text,
  status,
  worst: status,
  backup: name,
  normal_at: maybeTime,
});

const entry = z.object({
  n: z.int().positive(),
  at: time,
  noted_at: time,
  source: z.enum(sources),
  by: text,
  audience: z.enum(audiences),
  text,
  state: z.enum(incidentStates).nullable(),
});

/** An incident without what must be counted. */
export const incidentBrief = z.object({
  id: text,
  title: text,
  state: z.enum(incidentStates),
  severity: z.enum(severities),
  impact: z.enum(['none', 'minor', 'major', 'critical']),
  failure_class: z.enum(incidentClasses),
  class_by: z.enum(['system', 'person']),
  reasoning: z.array(text),
  opened_at: time,
  opened_by: text,
  source: z.enum(sources),
  times: z.object({
    detected: maybeTime,
    switched: maybeTime,
    provider_declared: maybeTime,
    provider_resolved: maybeTime,
    normal_routing_resumed: maybeTime,
  }),
  lead_ms: z.int().nullable(),
  targets: z.array(text),
  models: z.array(text),
  scope: z.array(z.object({ target: text, gate, since: time, until: maybeTime })),
  moved: z.array(z.object({ target: text, since: time, until: maybeTime })),
  features: z.array(feature),
  switches: z.array(text),
  roles: z.object({ lead: name, comms: name, ops: name }),
  next_update_at: maybeTime,
  announcements: z.array(
    z.object({ provider: text, id: text, title: text, url: name, declared_at: time, resolved_at: maybeTime }),
  ),
  merged_into: name,
  split_from: name,
  request_set: z.object({ hash: text, count, at: time }).nullable(),
  rev: z.int().positive(),
});

const incident = incidentBrief.extend({
  features: z.array(feature.extend({ share: z.number(), requests: totals })),
  requests: totals,
  data_left_to: z.array(text),
  timeline: z.array(entry),
});

const hit = z.object({
  id: text,
  at: time,
  how: z.enum(hitKinds),
  feature: text,
  preferred: text,
  served: name,
  hop: z.enum(hops).nullable(),
  fallback: z.enum(fallbackReasons).nullable(),
  outcome: name,
  told: name,
  boundary: z.array(text).nullable(),
  data_left_to: z.array(text),
  tenant: name,
  user: name,
  key: name,
});

const diagnosis = z.object({
  feature: text.optional(),
  verdict: z.enum(verdicts),
  words: text,
  can_continue: z.boolean(),
  how: text,
  evidence: z.array(
    z.object({
      source: z.enum(['gate', 'traffic', 'provider', 'switch', 'key', 'change', 'incident', 'quality']),
      subject: text,
      words: text,
    }),
  ),
});

const changed = z.object({
  id: text,
  at: time,
  category: z.enum(changeCategories),
  kind: text,
  actor: text,
  subject: text,
  words: text,
});

/** What a provider says about one of its models. */
export const providerWord = z.object({
  status: z.enum(providerStatuses),
  words: text,
  since: maybeTime,
  checked_at: maybeTime,
  incidents: z.array(
    z.object({ id: text, title: text, url: name, status: z.enum(providerStatuses), declared_at: time }),
  ),
});

export const incidentAnswers = {
  Diagnosis: diagnosis,
  WhatChanged: z.object({ items: z.array(changed), next_cursor: name }),
  Postmortem: z.object({ id: text, markdown: text }),
  Incident: incident,
  IncidentList: z.object({ items: z.array(incident), next_cursor: name }),
  IncidentRequests: z.object({
    items: z.array(hit),
    next_cursor: name,
    totals,
    request_set: z.object({ hash: text, count, at: time }).nullable(),
  }),
} as const satisfies Record<string, z.ZodType>;
