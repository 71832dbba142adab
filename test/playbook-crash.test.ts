/**
 * A process that dies at every moment of a run: before each write, and after it but before anything else. Whatever the
 * moment, the run goes on after the restart, and no step is lost or done twice.
 */
import { expect, test } from 'bun:test';

import { moveRuns, runPlaybook, tellRun } from '../src/control/playbooks.ts';
import type { PlaybookDependencies } from '../src/control/playbooks.ts';
import { instant } from '../src/core/ids.ts';
import type { PlaybookFacts } from '../src/core/playbook-condition.ts';
import type { Run } from '../src/core/playbook-run.ts';
import type { Switch } from '../src/core/switches.ts';
import { risingId } from './record-fixture.ts';
import type { Store } from '../src/store/store.ts';
import { opusAtAnthropic } from './core-fixture.ts';
import { aShelvedPlaybook } from './playbook-fixture.ts';
import { openInMemory } from './store-fixture.ts';

const shelved = aShelvedPlaybook(`
name: everything
agreed: { by: [platform], on: 2026-05-01 }
automatic: false
match: { scope: { vendor: anthropic }, when: { gate: ejected } }
decide:
  - otherwise:
      - switch: { scope: { model: $model }, effect: off }
      - incident: { class: availability }
      - notify: { channel: ops, text: It is off. }
      - ask: { question: Shall it come back?, timeout: 1h }
      - restore: true
restore: { quiet: 1m, probes: { count: 3, over: 1m }, shares: [10%, 50%], hold: 1m }
`);

class Killed extends Error {}

type World = { readonly incidents: Set<string>; opened: number; now: number };

const facts: PlaybookFacts = {
  targets: [
    {
      target: opusAtAnthropic,
      gate: 'ejected',
      warnings: [],
      isOut: true,
      counts: () => ({ requests: 0, failed: 0, slow: 0, quality: 0 }),
    },
  ],
  features: [],
};

/** One life of a process: what it knows comes from the store. `killAt` counts writes; `after` dies with the write done. */
async function life(
  store: Store,
  world: World,
  death: { killAt: number; after: boolean },
): Promise<PlaybookDependencies> {
  let runs: readonly Run[] = await store.loadRuns();
  let switches: readonly Switch[] = await store.loadSwitches();
  let writes = 0;
  const mortal: Store = {
    ...store,
    saveRun: async (write) => {
      const isLast = ++writes === death.killAt;
      if (isLast && !death.after) throw new Killed();
      const saved = await store.saveRun(write);
      if (isLast) throw new Killed();
      return saved;
    },
  };
  return {
    store: mortal,
    now: () => instant(world.now),
    newId: risingId,
    current: () => switches,
    publish: (list) => void (switches = list),
    shelf: () => [shelved],
    runs: () => runs,
    keepRuns: (kept) => void (runs = kept),
    lastEnded: () => null,
    facts: () => facts,
    probed: () => ({ sent: 3, passed: 3 }),
    switchedOff: () => Promise.resolve(),
    returned: () => {},
    hands: {
      openIncident: ({ key }) => {
        if (!world.incidents.has(key)) world.opened++;
        world.incidents.add(key);
        return Promise.resolve({ kind: 'done', words: 'opened', incident: 'inc_1' });
      },
      publish: () => Promise.resolve({ kind: 'done', words: 'published' }),
      drill: () => Promise.resolve({ kind: 'done', words: 'rehearsed' }),
      probe: () => {},
    },
  };
}

/** Lives until the run has ended; says how many lives it took. */
async function live(store: Store, world: World, death: { killAt: number; after: boolean }): Promise<number> {
  let lives = 1;
  let dependencies = await life(store, world, death);
  const surviving = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      lives++;
      dependencies = await life(store, world, { killAt: 0, after: false });
    }
  };
  for (let round = 0; round < 60; round++) {
    if ((await store.listRuns(null, null, 1)).items.length === 0)
      await surviving(() => runPlaybook('everything', { reason: 'a test' }, 'tester', dependencies));
    await surviving(() => moveRuns(dependencies));
    const [run] = dependencies.runs();
    if (run?.state === 'asking' && run.answer === null)
      await surviving(() =>
        tellRun(
          run.id,
          'answer',
          { input: { answer: 'approve', reason: 'it looks well' }, actor: 'tester', rev: null },
          dependencies,
        ),
      );
    world.now += 15_000;
  }
  return lives;
}

async function outcome(death: { killAt: number; after: boolean }): Promise<Record<string, unknown>> {
  const store = await openInMemory();
  const world: World = { incidents: new Set(), opened: 0, now: 1_780_000_000_000 };
  const lives = await live(store, world, death);
  const runs = (await store.listRuns(null, null, 10)).items;
  const kinds = new Map<string, number>();
  for (const { kind } of (await store.listChanges(null, 200)).items)
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const left = await store.loadSwitches();
  await store.close();
  return {
    lives,
    runs: runs.map(({ state }) => state),
    left: left.length,
    incidents: world.opened,
    ...Object.fromEntries(
      ['playbook.started', 'playbook.step', 'playbook.notified', 'switch.created', 'switch.released'].map(
        (kind) => [kind, kinds.get(kind) ?? 0],
      ),
    ),
  };
}

test('no step is lost or done twice, whenever the process dies', async () => {
  const { lives: _, ...whole } = await outcome({ killAt: 0, after: false });
  expect(whole).toMatchObject({
    runs: ['done'],
    left: 0,
    incidents: 1,
    'playbook.started': 1,
    'playbook.notified': 2,
    'switch.created': 3,
    'switch.released': 3,
  });
  // Both before and after each of the writes that a run makes.
  let killAt = 0;
  for (let died = true; died;) {
    killAt++;
    for (const after of [false, true]) {
      const { lives, ...seen } = await outcome({ killAt, after });
      expect({ killAt, after, ...seen }).toEqual({ killAt, after, ...whole });
      died = lives === 2;
    }
  }
  expect(killAt).toBeGreaterThan(10);
}, 150_000);
