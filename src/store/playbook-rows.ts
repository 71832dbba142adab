/** Runs of playbooks ↔ rows, by hand in both directions. Operations are kept as the run wrote them out. */
import { instant } from '../core/ids.ts';
import type { Run } from '../core/playbook-run.ts';
import type { RunRow } from './playbook-tables.ts';

const form = 1;

const storedRun = (run: Run) => ({
  form,
  id: run.id,
  rev: run.rev,
  playbook: run.playbook,
  version: run.version,
  startedAt: run.startedAt,
  startedBy: run.startedBy,
  endedAt: run.endedAt,
  state: run.state,
  subject: run.subject,
  rule: run.rule,
  operations: run.operations,
  at: run.at,
  since: run.since,
  isDone: run.isDone,
  answer: run.answer,
  rounds: run.rounds,
  relapses: run.relapses,
  switches: run.switches.map(({ id, scope }) => ({ id, scope })),
  incident: run.incident,
  log: run.log.map(({ at, by, operation, words }) => ({ at, by, operation, words })),
});

export const runRow = (run: Run): RunRow => ({
  id: run.id,
  rev: run.rev,
  playbook: run.playbook,
  isOpen: run.endedAt === null ? 1 : 0,
  body: JSON.stringify(storedRun(run)),
});

export function runFromBody(body: string): Run {
  const stored = JSON.parse(body) as ReturnType<typeof storedRun>;
  if (stored.form !== form) throw new Error(`a run has the unknown form ${String(stored.form)}`);
  const { form: _, ...run } = stored;
  return {
    ...run,
    startedAt: instant(run.startedAt),
    since: instant(run.since),
    endedAt: run.endedAt === null ? null : instant(run.endedAt),
    log: run.log.map((entry) => ({ ...entry, at: instant(entry.at) })),
  };
}
