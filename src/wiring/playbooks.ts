/** Puts playbooks on their legs: where they are, what they see, how their deeds are done, and a round every second. */
import { dirname, resolve } from 'node:path';

import { moveRuns, runPlaybook, savePlaybook, tellRun } from '../control/playbooks.ts';
import type { PlaybookDependencies, Shelved, TextRead } from '../control/playbooks.ts';
import type { Instant, TargetName } from '../core/ids.ts';
import type { PlaybookFacts, TargetFacts } from '../core/playbook-condition.ts';
import { playing } from '../core/playbook-replay.ts';
import type { ReplayResult } from '../core/playbook-replay.ts';
import type { Run } from '../core/playbook-run.ts';
import { staleWords } from '../core/agreement.ts';
import { noneWords, twiceWords, unfitWords } from '../core/playbook-fit.ts';
import { viewFeature } from '../core/status.ts';
import { isForEverybody, offBy, speaking } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import type { Engine } from '../engine.ts';
import type { AdminDependencies } from '../http/admin-dependencies.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { createAttemptTally } from '../sync/attempt-tally.ts';
import type { AttemptTally } from '../sync/attempt-tally.ts';
import { problemText } from '../sync/config-file.ts';
import { readPlaybookFiles, readPlaybookText } from '../sync/playbook-files.ts';
import { readRecorded } from '../sync/recorded-attempts.ts';
import type { Log } from '../telemetry/log.ts';
import { gatedTargets } from './gates.ts';
import { inBreaths } from './in-breaths.ts';
import { handsOf } from './playbook-hands.ts';
import type { HandsWorld } from './playbook-hands.ts';

export type PlaybookDesk = {
  readonly admin: AdminDependencies['playbooks'];
  /** Reads the files again: the configuration has changed. */
  readonly reload: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export type PlaybookWorld = HandsWorld & {
  readonly log: Log;
};

const roundMs = 1_000;
/** A first token later than this is slow where the gate says nothing of it. */
const slowMs = 10_000;

type Placed = Shelved & { readonly path: string | null };

function factsOf(engine: Engine, tally: AttemptTally): PlaybookFacts {
  const { board, clock, state } = engine;
  const { snapshot, switches } = state;
  const now = clock.now();
  const everybody = switches.filter(isForEverybody);
  const targets = gatedTargets(engine).map((target): TargetFacts => {
    const { cell, warnings } = board.view(target);
    const gate = cell.health.state;
    const isOff = offBy(speaking(everybody, target, null, now)) !== null;
    return {
      target,
      gate,
      warnings: warnings.map(({ signal }) => signal),
      isOut: isOff || gate === 'ejected' || gate === 'probing',
      counts: (windowMs, failures) => tally.counts(target.name, windowMs, failures, now),
    };
  });
  const conditions = { switches, standing: (target: Target) => board.standing(target), now };
  const features = [...snapshot.features.values()].map((feature) => ({
    feature: feature.name,
    status: viewFeature(feature, snapshot, conditions).status,
    route: feature.route.map((target) => target.name),
  }));
  return { targets, features };
}

async function shelve(
  engine: Engine,
  store: Store,
  { configPath, log }: PlaybookWorld,
): Promise<readonly Placed[]> {
  const pattern = engine.state.snapshot.playbooks;
  const files = pattern === null ? [] : await readPlaybookFiles(pattern, configPath);
  const placed: Placed[] = [];
  if (pattern !== null && files.length === 0)
    log('warn', { event: 'playbook', action: 'unfit', words: noneWords(pattern) });
  for (const { path, loaded } of files) {
    if (loaded.ok && placed.some(({ playbook }) => playbook.name === loaded.playbook.name))
      log('error', {
        event: 'playbook',
        action: 'unreadable',
        words: twiceWords(path, loaded.playbook.name),
      });
    else if (loaded.ok) placed.push({ playbook: loaded.playbook, text: loaded.text, source: 'file', path });
    else
      for (const problem of loaded.problems)
        log('error', { event: 'playbook', action: 'unreadable', words: problemText(path, problem) });
  }
  for (const text of await store.loadPlaybooks()) {
    const loaded = readPlaybookText(text);
    const isKnown = loaded.ok && placed.some(({ playbook }) => playbook.name === loaded.playbook.name);
    if (loaded.ok && !isKnown) placed.push({ playbook: loaded.playbook, text, source: 'store', path: null });
  }
  for (const { playbook } of placed) {
    const stale = staleWords(`playbook ${playbook.name}`, playbook.agreed, engine.clock.now());
    if (stale !== null) log('warn', { event: 'playbook', action: 'stale', words: stale });
    for (const words of unfitWords(playbook, engine.state.snapshot))
      log('warn', { event: 'playbook', action: 'unfit', words });
  }
  return placed;
}

/** The last end of each playbook's runs, as the store knows it. */
async function lastEnds(names: readonly string[], store: Store): Promise<Map<string, Instant>> {
  const ends = new Map<string, Instant>();
  for (const name of names) {
    const { items } = await store.listRuns(name, null, 1);
    const ended = items[0]?.endedAt ?? null;
    if (ended !== null) ends.set(name, ended);
  }
  return ends;
}

async function tested({ playbook, path }: Placed, engine: Engine): Promise<readonly ReplayResult[]> {
  const { targets, features } = engine.state.snapshot;
  const topology = {
    targets: [...targets.values()],
    features: [...features.values()].map(({ name, route }) => ({
      feature: name,
      route: route.map((each) => each.name),
    })),
  };
  const results: ReplayResult[] = [];
  for (const test of playbook.tests) {
    const recorded =
      test.replay === null
        ? []
        : path === null
          ? 'a playbook that was handed in cannot name a file'
          : await readRecorded(resolve(dirname(path), test.replay));
    results.push(
      typeof recorded === 'string'
        ? { test: test.name, ok: false, decisions: [], failures: [recorded] }
        : await inBreaths(playing(playbook, test, topology, recorded)),
    );
  }
  return results;
}

export async function createPlaybookDesk(
  engine: Engine,
  store: Store,
  world: PlaybookWorld,
): Promise<PlaybookDesk> {
  const tally = createAttemptTally();
  const slowOf = (name: string): number => {
    const target = engine.state.snapshot.targets.get(name as TargetName);
    return target === undefined ? slowMs : (engine.board.agreement(target).latency?.firstTokenMs ?? slowMs);
  };
  engine.watchRecords((record) => tally.add(record, slowOf));
  let shelf = await shelve(engine, store, world);
  let runs: readonly Run[] = await store.loadRuns();
  const ends = await lastEnds(
    shelf.map(({ playbook }) => playbook.name),
    store,
  );
  const reload = async (): Promise<void> => {
    shelf = await shelve(engine, store, world);
  };
  const noteEnd = ({ playbook }: Run): void => {
    ends.set(playbook, engine.clock.now());
    engine.metrics.count('breakwater_playbook_runs_ended_total', { playbook });
  };
  const { hands, probed, probe } = handsOf(engine, world);
  const dependencies: PlaybookDependencies = {
    ...engine.switchDependencies(store),
    hands,
    probed,
    shelf: () => shelf,
    runs: () => runs,
    keepRuns: (kept) => {
      for (const gone of runs.filter((run) => !kept.some(({ id }) => id === run.id))) noteEnd(gone);
      runs = kept;
    },
    lastEnded: (name) => ends.get(name) ?? null,
    facts: () => factsOf(engine, tally),
    switchedOff: async (entry) => {
      world.log('warn', {
        event: 'switch',
        action: 'created',
        id: entry.id,
        scope: JSON.stringify(entry.scope),
        actor: entry.actor,
      });
      await engine.flights.settle(entry.scope);
    },
    returned: (entry) => engine.returned(entry),
  };
  const rounds = createRounds(dependencies, engine, probe);
  return { reload, stop: rounds.stop, admin: adminOf(() => shelf, dependencies, reload, engine) };
}

function readText(text: string): TextRead {
  const loaded = readPlaybookText(text);
  if (loaded.ok) return loaded;
  return { ok: false, message: loaded.problems.map((problem) => problemText('playbook', problem)).join(' ') };
}

function adminOf(
  shelf: () => readonly Placed[],
  dependencies: PlaybookDependencies,
  reshelve: () => Promise<void>,
  engine: Engine,
): PlaybookDesk['admin'] {
  const { store, runs } = dependencies;
  return {
    list: shelf,
    runs,
    save: (given) => savePlaybook(given, { ...dependencies, read: readText, reshelve }),
    run: (name, input, actor) => runPlaybook(name, input, actor, dependencies),
    test: (name) => {
      const found = shelf().find(({ playbook }) => playbook.name === name);
      return found === undefined ? Promise.resolve(null) : tested(found, engine);
    },
    history: (playbook, cursor, limit) => store.listRuns(playbook, cursor, limit),
    find: async (id) => runs().find((run) => run.id === id) ?? store.findRun(id),
    tell: (id, action, given) => tellRun(id, action, given, dependencies),
  };
}

/** One round after the other; a store in trouble says so elsewhere, and the next round goes on where this one was. */
function createRounds(
  dependencies: PlaybookDependencies,
  { onBug, clock }: Engine,
  probe: (runs: readonly Run[]) => Promise<void>,
): { readonly stop: () => Promise<void> } {
  let round: Promise<void> | null = null;
  const stop = clock.every(roundMs, async () => {
    const probed = probe(dependencies.runs());
    round ??= moveRuns(dependencies)
      .catch((error: unknown) => {
        if (!(error instanceof StoreUnavailable)) onBug(error);
      })
      .finally(() => {
        round = null;
      });
    await Promise.all([round, probed]);
  });
  return {
    stop: async () => {
      stop();
      await round;
    },
  };
}
