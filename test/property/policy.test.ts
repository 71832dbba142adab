/**
 * The promises of policy over random configurations, faults, switches and requests: the gateway that production runs,
 * with everything by which content can leave it (first choices, retries, fallbacks, hedges, answers carried on, pictures
 * fetched, tokens counted, embeddings, probes, records and their streams), judged by a second telling of the rules.
 *
 * No data class reaches a target that may not process it. `never` never falls back. `ask` never crosses without a valid
 * token or agreement. What a person switched off gets nothing. Attempts stay within their limit, second tries and hedges
 * within their budgets. A higher priority is never refused where a lower one is let in. A record tells every call, and
 * nobody's words are in it.
 */
import { expect, test } from 'bun:test';

import fc from 'fast-check';

import { compile } from '../../src/core/policy.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import { Chance } from './chance.ts';
import { noCounts } from './judge.ts';
import type { Counts } from './judge.ts';
import { Life } from './life.ts';
import { documentOf, world } from './world.ts';
import type { WorldSpec } from './world.ts';

const worlds = 1_000;
/** As good for a provider as for what is kept. */
const key = new Secret(new Uint8Array(32).toBase64());
const requestsPerWorld = 105;

/** A feature whose own class nobody may process does not load, and rightly: then its requests say their class. */
function usable(drawn: WorldSpec): { readonly spec: WorldSpec; readonly snapshot: Snapshot } {
  const unclassed = { ...drawn, features: drawn.features.map((each) => ({ ...each, dataClass: null })) };
  for (const spec of [drawn, unclassed]) {
    const compiled = compile(documentOf(spec), { hash: 'test', secrets: () => key });
    if (compiled.ok) return { spec, snapshot: compiled.snapshot };
    const [first] = compiled.problems;
    if (!first.message.includes('no target of the route may process'))
      throw new Error(`${first.path.join('.')} ${first.message}`);
  }
  throw new Error('the configuration does not load');
}

test('whatever is configured, asked, switched and broken, the promises of policy hold', async () => {
  const totals = noCounts();
  let cases = 0;
  await fc.assert(
    fc.asyncProperty(world, fc.nat(), async (drawn, seed) => {
      const { spec, snapshot } = usable(drawn);
      const counts = noCounts();
      const life = new Life(spec, snapshot, new Chance(seed), counts);
      await life.live(requestsPerWorld);
      expect(life.judge.violations.slice(0, 3)).toEqual([]);
      cases += requestsPerWorld;
      for (const name of Object.keys(totals) as (keyof Counts)[]) totals[name] += counts[name];
    }),
    { numRuns: worlds, seed: 7 },
  );
  expect(cases).toBeGreaterThanOrEqual(100_000);
  // The promises say nothing where nothing happens: all of this must have been met often.
  for (const [name, count] of Object.entries(totals))
    expect({ name, isOften: count > 100 }).toEqual({ name, isOften: true });
}, 600_000);
