/** Gates beside the request path: kept across restarts, held and given back by people, shown. */
import { holdGate, returnGate } from '../control/gates.ts';
import type { GateDependencies } from '../control/gates.ts';
import { instant } from '../core/ids.ts';
import type { TargetName } from '../core/ids.ts';
import type { Target } from '../core/target.ts';
import type { Engine } from '../engine.ts';
import type { AdminDependencies } from '../http/admin-dependencies.ts';
import { gateEntryToWire } from '../http/gate-view.ts';
import type { Store } from '../store/store.ts';

/** How often gates that moved are kept, and how often those that only counted. */
const keepMs = 250;
const keepAllMs = 30_000;
/** What is older was not in use, and says nothing about today. */
const keptMsMax = 7 * 86_400_000;

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

export type GateDesk = { readonly stop: () => Promise<void> };

/** Restores the gates and keeps them from now on. */
export async function openGateDesk(engine: Engine, store: Store): Promise<GateDesk> {
  const { board, clock } = engine;
  await restoreGates(engine, store);
  let keptAllAt = clock.now();
  const keep = async (all: boolean): Promise<void> => {
    const at = clock.now();
    const cells = board.unkept(all);
    if (all) keptAllAt = at;
    if (cells.length > 0) await store.saveGates(cells.map((kept) => ({ ...kept, at })));
  };
  let keeping = Promise.resolve();
  const timer = setInterval(() => {
    keeping = keep(clock.now() - keptAllAt >= keepAllMs).catch(engine.onBug);
  }, keepMs);
  return {
    async stop() {
      clearInterval(timer);
      await keeping;
      await keep(true).catch(engine.onBug);
    },
  };
}

/** What the admin API says to gates. */
export function gateAdmin(engine: Engine, store: Store): AdminDependencies['gates'] {
  const { board, state } = engine;
  const dependencies: GateDependencies = {
    ...engine.control(store),
    find: (name) => state.snapshot.targets.get(name as TargetName) ?? null,
    stateOf: (target) => board.view(target).cell.health.state,
    hold: (target, until, words) => board.hold(target, until, words),
    giveBack: (target, words) => board.giveBack(target, words),
  };
  return {
    list: () => gatedTargets(engine).map((target) => gateEntryToWire(target, board)),
    view: (target) => gateEntryToWire(target, board),
    hold: (word, actor) => holdGate(word, actor, dependencies),
    giveBack: (word, actor) => returnGate(word, actor, dependencies),
  };
}
