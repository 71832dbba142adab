/** A small playbook and a run of it. */
import type { Shelved } from '../src/control/playbooks.ts';
import { instant } from '../src/core/ids.ts';
import type { Run } from '../src/core/playbook-run.ts';
import { readPlaybookText } from '../src/sync/playbook-files.ts';
import { start } from './record-fixture.ts';

export const playbookText = `
name: opus-fails
title: Opus fails
agreed: { by: [platform], on: 2026-05-01, review: 90d }
match: { scope: { vendor: anthropic }, when: { gate: ejected } }
decide:
  - otherwise:
      - switch: { scope: { model: $model }, effect: off }
      - notify: { channel: ops, text: It is off. }
      - ask: { question: Shall it stay off?, timeout: 5m }
      - restore: true
restore: { quiet: 5m }
tests:
  - name: an outage
    given: [{ until: 5m, scope: { model: claude-opus-4-8 }, failureRate: 50% }]
    until: 5m
    expect: [{ started: true }]
`;

export function aShelvedPlaybook(text = playbookText): Shelved {
  const loaded = readPlaybookText(text);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return { playbook: loaded.playbook, text, source: 'store' };
}

export function aRun(changes: Partial<Run> = {}): Run {
  return {
    id: 'run_1',
    rev: 1,
    playbook: 'opus-fails',
    version: 'v',
    startedAt: start,
    startedBy: 'system',
    endedAt: null,
    state: 'running',
    subject: ['anthropic/claude-opus-4-8'],
    rule: 0,
    operations: [
      { kind: 'notify', channel: 'ops', text: 'It is off.' },
      { kind: 'quiet', ms: 300_000 },
      { kind: 'release' },
    ],
    at: 1,
    since: instant(start + 1_000),
    isDone: false,
    answer: null,
    rounds: 0,
    relapses: 0,
    switches: [{ id: 'sw_1', scope: { model: 'claude-opus-4-8' } }],
    incident: null,
    log: [{ at: start, by: 'system', operation: null, words: 'it begins' }],
    ...changes,
  };
}
