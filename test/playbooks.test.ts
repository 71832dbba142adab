/** The playbooks that are shipped: each reads without a problem, and does what its own tests say. */
import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { cacao, mermaid } from '../src/core/playbook-export.ts';
import { replay } from '../src/core/playbook-replay.ts';
import type { ReplayTopology } from '../src/core/playbook-replay.ts';
import { Secret } from '../src/core/secret.ts';
import { compileText } from '../src/sync/config-file.ts';
import { readPlaybookText } from '../src/sync/playbook-files.ts';

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
