/** Playbooks and runs as the admin API shows them. */
import { writtenShare } from '../core/percent.ts';
import { stepWords } from '../core/playbook-export.ts';
import type { Operation } from '../core/playbook-plan.ts';
import type { ReplayResult } from '../core/playbook-replay.ts';
import type { Run } from '../core/playbook-run.ts';
import { staleWords } from '../core/agreement.ts';
import type { Planned, Shelved } from '../control/playbooks.ts';
import type { Instant } from '../core/ids.ts';
import { dayText, timeText } from '../core/moment.ts';
import { durationWords } from '../core/words.ts';
import type { Json } from './wire.ts';

export function operationWords(operation: Operation): string {
  switch (operation.kind) {
    case 'quiet':
      return `wait until nothing fails for ${durationWords(operation.ms)}`;
    case 'reshape':
      return `let ${writtenShare(operation.share)} back in`;
    case 'hold':
      return `watch it for ${durationWords(operation.ms)}`;
    case 'release':
      return 'release what was switched';
    case 'switch':
    case 'incident':
    case 'notify':
    case 'publish':
    case 'wait':
    case 'ask':
    case 'probe':
    case 'drill':
      return stepWords(operation);
  }
}

export function runToWire(run: Run): Json {
  const stateOf = (index: number): string => {
    if (index < run.at) return 'done';
    return index === run.at && run.endedAt === null ? 'current' : 'pending';
  };
  const current = run.operations[run.at];
  return {
    id: run.id,
    rev: run.rev,
    playbook: run.playbook,
    version: run.version,
    state: run.state,
    started_at: timeText(run.startedAt),
    started_by: run.startedBy,
    ended_at: timeText(run.endedAt),
    subject: run.subject,
    rule: run.rule === null ? null : run.rule + 1,
    question: current?.kind === 'ask' && run.endedAt === null ? current.question : null,
    steps: run.operations.map((operation, index) => ({
      n: index + 1,
      kind: operation.kind,
      words: operationWords(operation),
      state: stateOf(index),
    })),
    switches: run.switches.map(({ id }) => id),
    incident: run.incident,
    relapses: run.relapses,
    log: run.log.map(({ at, by, operation, words }) => ({
      at: timeText(at),
      by,
      step: operation === null ? null : operation + 1,
      words,
    })),
  };
}

export function plannedToWire(playbook: string, plan: Planned): Json {
  return {
    playbook,
    dry_run: true,
    rule: plan.rule === null ? null : plan.rule + 1,
    subject: plan.subject,
    steps: plan.operations.map(({ operation, forbidden }, index) => ({
      n: index + 1,
      kind: operation.kind,
      words: operationWords(operation),
      forbidden,
    })),
  };
}

export function playbookToWire({ playbook, source }: Shelved, runs: readonly Run[], now: Instant): Json {
  const { agreed } = playbook;
  return {
    name: playbook.name,
    title: playbook.title,
    version: playbook.version,
    source,
    automatic: playbook.automatic,
    agreed:
      agreed === null
        ? null
        : { by: agreed.by, on: agreed.on === null ? null : dayText(agreed.on), review_ms: agreed.reviewMs },
    stale: staleWords(`playbook ${playbook.name}`, playbook.agreed, now),
    rules: playbook.decide.length,
    tests: playbook.tests.length,
    run: runs.find((run) => run.playbook === playbook.name)?.id ?? null,
  };
}

export function testedToWire(playbook: string, results: readonly ReplayResult[]): Json {
  return {
    playbook,
    ok: results.every((result) => result.ok),
    tests: results.map(({ test, ok, failures, decisions }) => ({
      name: test,
      ok,
      failures,
      decisions: decisions.map(({ atMs, deed, words }) => ({
        at_ms: atMs,
        kind: deed.kind,
        scope: 'scope' in deed ? deed.scope : null,
        words,
      })),
    })),
  };
}
