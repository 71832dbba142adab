/** Gates beside the request path: kept across restarts, held and given back by people, shown. */
import { holdGate, returnGate } from '../control/gates.ts';
import type { GateDependencies } from '../control/gates.ts';
import { staleWords } from '../core/agreement.ts';
import { instant } from '../core/ids.ts';
import type { TargetName } from '../core/ids.ts';
import type { Target } from '../core/target.ts';
import type { Engine } from '../engine.ts';
import { Prober } from '../gateway/prober.ts';
import type { AdminDependencies } from '../http/admin-dependencies.ts';
import { gateEntryToWire } from '../http/gate-view.ts';
import { createGateKeeper } from './gate-keeper.ts';
import { testGates } from './gate-test.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';

/** How often probes are looked for; on every second beat time moves the gates, and what moved is kept. */
const beatMs = 125;
/** How often gates that only counted are kept. */
const keepAllMs = 30_000;
/** What is shown waits so long for the disk, and no longer. */
const settleMsMax = 250;
const dayMs = 86_400_000;
/** What is older was not in use, and says nothing about today. */
const keptMsMax = 7 * dayMs;

/** Targets of features, and every other one that has been used. */
export function gatedTargets({ state, board }: Pick<Engine, 'state' | 'board'>): readonly Target[] {
  const routed = [...state.snapshot.features.values()].flatMap((feature) => feature.route);
  return [...new Map([...routed, ...board.known()].map((target) => [target.name, target])).values()];
}

/** Puts back what was out when the process ended. What cannot be understood begins afresh. */
async function restoreGates({ board, state, clock }: Engine, store: Store): Promise<void> {
  const targets = state.snapshot.targets;
  for (const kept of await store.loadGates(instant(clock.now() - keptMsMax))) {
    const target = targets.get(kept.target);
    if (target !== undefined) board.restore(target, kept.cell);
  }
}

function proberOf({ gateway, state, metrics, onBug }: Engine): Prober {
  return new Prober({
    shared: gateway,
    state,
    onBug,
    onProbe: ({ provider, model }, { failure, usd }) => {
      const labels = { provider: provider.id, model: model.name };
      metrics.count('breakwater_probes_total', { ...labels, outcome: failure ?? 'ok' });
      if (usd !== null) metrics.count('breakwater_probe_usd_total', labels, usd);
    },
  });
}

/** Says of each stale agreement that it is: at the start, with a new configuration, and once a day. */
function reviewer({ state, clock }: Engine, log: Log): () => void {
  let said = { hash: '', at: 0 };
  return () => {
    const now = clock.now();
    if (said.hash === state.snapshot.hash && now - said.at < dayMs) return;
    said = { hash: state.snapshot.hash, at: now };
    state.snapshot.gates.forEach((gate, index) => {
      const words = staleWords(`gate ${index + 1} of the configuration`, gate.agreed, now);
      if (words !== null) log('warn', { event: 'agreement', words });
    });
  };
}

export type GateDesk = {
  readonly orderProbe: Prober['order'];
  /** Resolves when what has moved is on disk, or when that takes too long to wait for. */
  readonly settled: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** Restores the gates and keeps them from now on. */
export async function openGateDesk(engine: Engine, store: Store, log: Log): Promise<GateDesk> {
  const { board, clock } = engine;
  await restoreGates(engine, store);
  const keeper = createGateKeeper({ board, now: clock.now, store, onBug: engine.onBug });
  // What a gate decides is on disk as soon as the disk has it, so that no kill brings back what was out.
  engine.watchGates(() => void keeper.keep(false));
  let keptAllAt = clock.now();
  const prober = proberOf(engine);
  const review = reviewer(engine, log);
  let beats = 0;
  const stop = clock.every(beatMs, async () => {
    const probed = prober.look();
    beats++;
    if (beats % 2 === 1) return probed;
    board.tick();
    review();
    const now = clock.now();
    const all = now - keptAllAt >= keepAllMs;
    if (all) keptAllAt = now;
    await Promise.all([probed, keeper.keep(all)]);
  });
  return {
    orderProbe: (target, past) => prober.order(target, past),
    settled: () => Promise.race([keeper.keep(false), Bun.sleep(settleMsMax)]),
    async stop() {
      stop();
      await keeper.keep(true);
    },
  };
}

/** What the admin API says to gates. */
export function gateAdmin(
  engine: Engine,
  store: Store,
  settled: GateDesk['settled'],
): AdminDependencies['gates'] {
  const { board, state } = engine;
  const dependencies: GateDependencies = {
    ...engine.control(store),
    find: (name) => state.snapshot.targets.get(name as TargetName) ?? null,
    stateOf: (target) => board.view(target).cell.health.state,
    hold: (target, until, words) => board.hold(target, until, words),
    giveBack: (target, words) => board.giveBack(target, words),
  };
  return {
    list: () => gatedTargets(engine).map((target) => gateEntryToWire(target, board, engine.clock.now())),
    view: (target) => gateEntryToWire(target, board, engine.clock.now()),
    test: (input) => testGates(input, engine, store),
    settled,
    hold: async (word, actor) => {
      const held = await holdGate(word, actor, dependencies);
      await settled();
      return held;
    },
    giveBack: async (word, actor) => {
      const returned = await returnGate(word, actor, dependencies);
      await settled();
      return returned;
    },
  };
}
