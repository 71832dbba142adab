/** The playbooks that are shipped: each reads without a problem, and does what its own tests say. */
import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { cacao, mermaid } from '../src/core/playbook-export.ts';
import { instant } from '../src/core/ids.ts';
import type { Counts } from '../src/core/playbook-condition.ts';
import { replay } from '../src/core/playbook-replay.ts';
import type { ReplayTopology } from '../src/core/playbook-replay.ts';
import { advance } from '../src/core/playbook-run.ts';
import { Secret } from '../src/core/secret.ts';
import { compileText } from '../src/sync/config-file.ts';
import { readPlaybookText } from '../src/sync/playbook-files.ts';
import { aRun, aShelvedPlaybook } from './playbook-fixture.ts';
import { start } from './record-fixture.ts';

const examples = join(import.meta.dir, '../examples');
const folder = join(examples, 'playbooks');

function topology(): ReplayTopology {
  const loaded = compileText(
    readFileSync(join(examples, 'breakwater.yaml'), 'utf8'),
    () => new Secret('key'),
  );
  if (!loaded.ok) throw new Error('the example configuration does not compile');
  const { targets, features } = loaded.snapshot;
  return {
    targets: [...targets.values()],
    features: [...features.values()].map(({ name, route }) => ({
      feature: name,
      route: route.map((each) => each.name),
    })),
  };
}

describe.each(readdirSync(folder).map((name) => [name] as const))('%s', (name) => {
  const loaded = readPlaybookText(readFileSync(join(folder, name), 'utf8'));
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const { playbook } = loaded;

  test('has a name like its file, an agreement and tests', () => {
    expect(name).toBe(`${playbook.name}.yaml`);
    expect(playbook.agreed?.by.length).toBeGreaterThan(0);
    expect(playbook.tests.length).toBeGreaterThan(0);
  });

  test.each(playbook.tests.map((each) => [each.name, each] as const))('%s', (_name, each) => {
    const result = replay(playbook, each, topology());
    expect(result.failures).toEqual([]);
  });

  test('has a picture and an exchange form in which every step leads somewhere', () => {
    expect(mermaid(playbook)).toStartWith('flowchart TD\n');
    const made = cacao(playbook, '2026-11-01T00:00:00.000Z', (text) => Bun.randomUUIDv5(text, 'dns'));
    const workflow = made['workflow'] as Record<string, Record<string, unknown>>;
    for (const step of Object.values(workflow))
      for (const next of [step['on_completion'], step['on_true'], step['on_false']])
        if (next !== undefined) expect(Object.keys(workflow)).toContain(String(next));
    expect(Object.keys(workflow)).toContain(String(made['workflow_start']));
  });
});

test('yes and no are read as words', () => {
  const text = readFileSync(join(folder, 'careful-return.yaml'), 'utf8');
  for (const [written, automatic] of [
    ['no', false],
    ['false', false],
    ['yes', true],
    ['true', true],
  ] as const)
    expect(readPlaybookText(text.replace('automatic: false', `automatic: ${written}`))).toMatchObject({
      ok: true,
      playbook: { automatic },
    });
  expect(readPlaybookText(text.replace('restore: true', 'restore: yes'))).toMatchObject({ ok: true });
  expect(readPlaybookText(text.replace('automatic: false', 'automatic: maybe'))).toMatchObject({ ok: false });
});

test('a share that was let in is judged by what it met, not by the outage before', () => {
  const { playbook } = aShelvedPlaybook();
  const [target] = topology().targets.filter(({ name }) => String(name) === 'anthropic/claude-opus-4-8');
  if (target === undefined) throw new Error('the example has no Opus');
  const abortIf = { windowMs: 120_000, failureRate: { sign: '>=', value: 0.03 } } as const;
  const run = aRun({
    operations: [{ kind: 'hold', ms: 20_000, abortIf }, { kind: 'release' }],
    at: 0,
    since: start,
  });
  const relapses = (failedAt: number, now: number): number => {
    const counts = (windowMs: number): Counts => ({
      requests: 10,
      failed: failedAt >= now - windowMs ? 5 : 0,
      slow: 0,
      quality: 0,
    });
    const facts = {
      targets: [{ target, gate: 'healthy', warnings: [], isOut: false, counts } as const],
      features: [],
    };
    return advance(run, playbook, { facts, now: instant(now), probed: () => ({ sent: 0, passed: 0 }) }).run
      .relapses;
  };
  expect(relapses(start - 1_000, start + 10_000)).toBe(0);
  expect(relapses(start + 5_000, start + 10_000)).toBe(1);
});
