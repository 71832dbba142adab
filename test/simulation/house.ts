/** A configuration for simulations: four features, three providers and a local model, compiled as any other. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Secret } from '../../src/core/secret.ts';
import { compile } from '../../src/core/policy.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import { Arena } from '../../src/simulation/arena.ts';
import { BreakwaterClient } from '../../src/simulation/breakwater-client.ts';
import { readScenario } from '../../src/simulation/scenario.ts';
import type { Scenario } from '../../src/simulation/scenario.ts';
import type { RunTally } from '../../src/simulation/tally.ts';

type Json = Readonly<Record<string, unknown>>;

const terms = (entity: string): Json => ({
  entity,
  regions: ['us'],
  retention: '30d',
  training: 'no',
  reviewed: '2026-01-01',
});

const opus = { family: 'claude-opus', vendor: 'anthropic' };

export const houseDocument: Json = {
  providers: {
    anthropic: {
      api: 'anthropic',
      keys: ['env:A1', 'env:A2'],
      terms: terms('Anthropic PBC'),
      models: {
        'claude-opus-4-8': opus,
        'claude-opus-4-7': opus,
        'claude-opus-4-6': opus,
        'claude-sonnet-4-6': { family: 'claude-sonnet', vendor: 'anthropic' },
      },
    },
    'aws-us': {
      api: 'openai-compatible',
      baseUrl: 'http://127.0.0.1:1/v1',
      keys: ['env:B1'],
      terms: terms('Amazon Web Services'),
      models: { 'claude-opus-4-8': opus },
    },
    openai: { api: 'openai', keys: ['env:C1'], terms: terms('OpenAI OpCo LLC') },
    google: {
      api: 'google',
      keys: ['env:D1'],
      terms: terms('Google LLC'),
      models: { 'gemini-2.5-flash': { family: 'gemini-flash', vendor: 'google' } },
    },
  },
  gates: [{ budget: '0.5%', breach: '20%' }],
  features: {
    notes: {
      route: [
        'anthropic/claude-opus-4-8',
        'anthropic/claude-opus-4-6',
        'openai/gpt-5.2',
        'google/gemini-2.5-flash',
      ],
    },
    chat: { route: ['anthropic/claude-opus-4-7', 'anthropic/claude-sonnet-4-6', 'openai/gpt-5.2'] },
    search: { route: ['openai/gpt-5.2', 'google/gemini-2.5-flash'] },
    review: { route: ['anthropic/claude-sonnet-4-6', 'aws-us/claude-opus-4-8', 'google/gemini-2.5-flash'] },
  },
};

export function compiled(document: Json = houseDocument): Snapshot {
  const made = compile(document, {
    hash: 'simulation',
    secrets: () => new Secret('k'),
  });
  if (!made.ok)
    throw new Error(
      made.problems.map((problem) => `${problem.path.join('.')}: ${problem.message}`).join('; '),
    );
  return made.snapshot;
}

export function scenarioOf(document: unknown): Scenario {
  const read = readScenario(document);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.scenario;
}

export function scenarioFile(name: string): Scenario {
  const text = readFileSync(join(import.meta.dir, '../../examples/scenarios', `${name}.yaml`), 'utf8');
  return scenarioOf(Bun.YAML.parse(text));
}

/** A scenario from its start to its end, against the house. */
export function played(scenario: Scenario, seed: number, snapshot: Snapshot): RunTally {
  const arena = new Arena({ snapshot, scenario, seed }, 'breakwater');
  return arena.run(new BreakwaterClient(arena));
}

/** Requests that ended in an error, as a share of all. */
export function errorShare({ features }: RunTally): number {
  let requests = 0;
  let errors = 0;
  for (const tally of features.values()) {
    const { failed, cut, refused, busy, answered, backup, limited, agreed, asked } = tally.outcomes();
    errors += failed + cut + refused + busy;
    requests += failed + cut + refused + busy + answered + backup + limited + agreed + asked;
  }
  return errors / requests;
}
