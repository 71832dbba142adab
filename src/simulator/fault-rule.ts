/** Reads a fault rule that another process sent. A word that is not understood is refused: a drill must not pass by a typing error. */
import { z } from 'zod';

import type { Fault, NewFaultRule, Preset } from './faults.ts';

const presets = {
  overloaded: 'overloaded',
  server_error: 'server_error',
  rate_limited: 'rate_limited',
  quota_exhausted: 'quota_exhausted',
  credential_rejected: 'credential_rejected',
  model_not_found: 'model_not_found',
  context_exceeded: 'context_exceeded',
  request_rejected: 'request_rejected',
  content_refused: 'content_refused',
  edge_page: 'edge_page',
} as const satisfies { readonly [P in Preset]: P };

const delayMsMax = 600_000;
const count = z.int().min(0);
const ms = z.number().min(0).max(delayMsMax);
const headers = z.record(z.string(), z.string());
const optional = z.exactOptional;

const fault: z.ZodType<Fault> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('status'),
    status: z.int().min(200).max(599),
    body: optional(z.unknown()),
    headers: optional(headers),
  }),
  z.strictObject({ kind: z.literal('preset'), preset: z.enum(presets), headers: optional(headers) }),
  z.strictObject({
    kind: z.literal('delay'),
    beforeHeadersMs: optional(ms),
    beforeFirstTokenMs: optional(ms),
    betweenTokensMs: optional(ms),
  }),
  z.strictObject({
    kind: z.literal('hang'),
    where: z.enum(['headers', 'first_token', 'after_events']),
    events: optional(count),
  }),
  z.strictObject({
    kind: z.literal('cut'),
    how: z.enum(['reset', 'fin']),
    afterEvents: optional(count),
    afterBytes: optional(count),
  }),
  z.strictObject({
    kind: z.literal('error_event'),
    afterEvents: count,
    thenDone: optional(z.boolean()),
    type: optional(z.string()),
  }),
  z.strictObject({ kind: z.literal('missing_terminal'), keepFinish: z.boolean() }),
  z.strictObject({ kind: z.literal('malformed_event'), atEvent: z.int().min(1) }),
  z.strictObject({ kind: z.literal('one_byte_writes') }),
  z.strictObject({ kind: z.literal('split_utf8') }),
  z.strictObject({ kind: z.literal('empty') }),
  z.strictObject({ kind: z.literal('bad_tool_call') }),
  z.strictObject({ kind: z.literal('misfit') }),
  z.strictObject({ kind: z.literal('other_answers') }),
  z.strictObject({ kind: z.literal('fingerprint'), fingerprint: z.string().max(64) }),
  z.strictObject({ kind: z.literal('wrong_model'), model: z.string() }),
  z.strictObject({ kind: z.literal('refusal') }),
  z.strictObject({ kind: z.literal('not_json') }),
]);

const rule: z.ZodType<NewFaultRule> = z.strictObject({
  id: optional(z.string()),
  provider: optional(z.string()),
  model: optional(z.string()),
  key: optional(z.string()),
  rate: optional(z.number().min(0).max(1)),
  times: optional(count),
  fault,
});

export type ReadRule =
  | { readonly kind: 'rule'; readonly rule: NewFaultRule }
  | { readonly kind: 'not_understood'; readonly problem: string };

export function readFaultRule(value: unknown): ReadRule {
  const read = rule.safeParse(value);
  return read.success
    ? { kind: 'rule', rule: read.data }
    : { kind: 'not_understood', problem: z.prettifyError(read.error) };
}
