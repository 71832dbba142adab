/** What the admin API answers of playbooks and their runs. */
import { z } from 'zod';

import { scopeKeys } from '../core/switches.ts';

const text = z.string();
const name = text.nullable();
const count = z.int().nonnegative();
const time = z.iso.datetime({ precision: 3 });
const rule = z.int().positive().nullable();
const scope = z.object(Object.fromEntries(scopeKeys.map((key) => [key, text.optional()]))).nullable();

const playbook = z.object({
  name: text,
  title: text,
  version: text,
  source: z.enum(['file', 'store']),
  automatic: z.boolean(),
  agreed: z.object({ by: z.array(text), on: name, review_ms: count.nullable() }).nullable(),
  stale: name,
  rules: count,
  tests: count,
  run: name,
});

const step = z.object({ n: z.int().positive(), kind: text, words: text });

const run = z.object({
  id: text,
  rev: count,
  playbook: text,
  version: text,
  state: z.enum(['running', 'asking', 'paused', 'done', 'aborted']),
  started_at: time,
  started_by: text,
  ended_at: time.nullable(),
  subject: z.array(text),
  rule,
  question: name,
  steps: z.array(step.extend({ state: z.enum(['done', 'current', 'pending']) })),
  switches: z.array(text),
  incident: name,
  relapses: count,
  log: z.array(z.object({ at: time, by: text, step: rule, words: text })),
});

const plan = z.object({
  playbook: text,
  dry_run: z.literal(true),
  rule,
  subject: z.array(text),
  steps: z.array(step.extend({ forbidden: name })),
});

const decision = z.object({ at_ms: count, kind: text, scope, words: text });
const tested = z.object({
  name: text,
  ok: z.boolean(),
  failures: z.array(text),
  decisions: z.array(decision),
});

export const playbookAnswers = {
  PlaybookList: z.object({ items: z.array(playbook), next_cursor: z.null() }),
  Playbook: playbook.extend({ text, mermaid: text, cacao: z.record(text, z.unknown()) }),
  Run: run,
  RunOrPlan: z.union([run, plan]),
  RunList: z.object({ items: z.array(run), next_cursor: name }),
  PlaybookTested: z.object({ playbook: text, ok: z.boolean(), tests: z.array(tested) }),
} as const satisfies Record<string, z.ZodType>;
