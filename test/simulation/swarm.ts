/**
 * The swarm: each seed draws its own topology, traffic, faults, switches, holds, restarts, reloads, clock jumps and losses
 * of the store (`swarm-plan.ts`); the invariants are checked with every call and every minute; then the faults stop, and
 * everything must come back. A seed that breaks one is printed, with the fewest faults and events that still break it.
 */
import type { HealthCell } from '../../src/core/health-cell.ts';
import { instant, switchId } from '../../src/core/ids.ts';
import type { Switch } from '../../src/core/switches.ts';
import type { Target } from '../../src/core/target.ts';
import { BreakwaterClient } from '../../src/simulation/breakwater-client.ts';
import { strikes } from '../../src/simulation/provider-model.ts';
import type { Scenario } from '../../src/simulation/scenario.ts';
import type { Transitioned } from '../../src/simulation/tally.ts';
import { createGateKeeper } from '../../src/wiring/gate-keeper.ts';
import type { GateKeeper } from '../../src/wiring/gate-keeper.ts';
import { aSwitchOver } from '../core-fixture.ts';
import { scenarioOf } from './house.ts';
import { LossyStore } from './lossy-store.ts';
import { routed } from './swarm-plan.ts';
import type { Plan, SwitchPlan } from './swarm-plan.ts';
import { topology } from './topology.ts';
import { Watched } from './watched.ts';

const minute = 60_000;

/** How long after the last fault everything must be in use again. */
export const calmMinutes = 30;

const switchOf = ({ scope, effect }: SwitchPlan, index: number): Switch =>
  aSwitchOver(scope, {
    id: switchId(`sw_swarm_${index}`),
    effect,
    reason: 'swarm',
    failureClass: 'availability',
    actor: 'swarm',
  });

/** A state that a target has since a restart, where it is another one than before. */
type Resumed = Pick<Transitioned, 'target' | 'atMs'> & { readonly state: string };

/** What must hold of every move, whatever happened. */
function movesBreak(moves: readonly Transitioned[], resumed: readonly Resumed[]): string[] {
  const broken: string[] = [];
  const states = new Map<string, string>();
  const left = [...resumed];
  for (const { target, from, to, words, numbers, atMs } of moves) {
    for (let next = left[0]; next !== undefined && next.atMs <= atMs; next = left[0]) {
      states.set(next.target, next.state);
      left.shift();
    }
    const before = states.get(target) ?? 'healthy';
    if (before !== from) broken.push(`${target}: moved from ${from} while it was ${before}`);
    states.set(target, to);
    if (words === '' || /NaN|undefined|Infinity/.test(words)) broken.push(`${target}: says "${words}"`);
    if (numbers !== null && (numbers.failed > numbers.total || !(numbers.usual >= 0)))
      broken.push(`${target}: numbers that cannot be: ${JSON.stringify(numbers)}`);
  }
  return broken;
}

/** What must hold of the board at any moment. */
function boardBreaks({ board, capacity }: BreakwaterClient, targets: readonly Target[]): string[] {
  const broken: string[] = [];
  for (const target of targets) {
    const { cell } = board.view(target);
    for (const bank of [cell.failures, cell.slowness])
      for (const sum of [bank.low, bank.middle, bank.high])
        if (!(sum >= 0 && sum <= bank.tuning.height)) broken.push(`${target.name}: a sum of ${sum} (I14)`);
    if (board.inFlight(target.name) < 0) broken.push(`${target.name}: fewer than no calls open (I12)`);
    if (capacity.view(target).open < 0) broken.push(`${target.name}: fewer than no places taken (I12)`);
  }
  return broken;
}

/**
 * Declared out at most as often as its faults explain (I17): twice for each, six times where one comes and goes, and once
 * more for each restart that forgot.
 */
function flapBreaks(
  moves: readonly Transitioned[],
  scenario: Scenario,
  targets: readonly Target[],
  resumed: readonly Resumed[],
): string[] {
  return targets.flatMap((target) => {
    const ejections = moves.filter(
      ({ target: name, to, from, cause }) =>
        name === target.name && to === 'ejected' && from !== 'probing' && cause !== 'person',
    ).length;
    const forgot = resumed.filter(({ target: name }) => name === target.name).length;
    const most = scenario.faults
      .filter((fault) => strikes(fault, target, fault.scope.key ?? null))
      .reduce((sum, { flapping }) => sum + (flapping === undefined ? 2 : 6), 1 + forgot);
    return ejections > most
      ? [`${target.name}: out ${ejections} times, ${most} explain themselves (I17)`]
      : [];
  });
}

function scenarioFor(plan: Plan): Scenario {
  const { rate, shape, poison, seed, minutes, faults } = plan;
  const [first = ''] = topology(plan.topology).features.keys();
  return scenarioOf({
    name: `swarm ${seed}`,
    duration: `${minutes + calmMinutes}m`,
    traffic: { '*': { rate, shape, callers: 10 }, [first]: { rate, shape, callers: 10, poison } },
    usual: { failures: '0.5%' },
    faults,
  });
}

/** The state that a kept cell is in. */
function stateKept(cell: unknown): string {
  return (cell as { readonly gate: HealthCell }).gate.health.state;
}

/** A plan being lived through, minute by minute. */
class Life {
  readonly plan: Plan;
  readonly targets: readonly Target[];
  readonly scenario: Scenario;
  readonly arena: Watched;
  readonly client: BreakwaterClient;
  readonly broken: string[] = [];
  readonly #store = new LossyStore();
  readonly #resumed: Resumed[] = [];
  #keeper: GateKeeper;
  #reloads = 0;

  constructor(plan: Plan) {
    const snapshot = topology(plan.topology);
    this.plan = plan;
    this.targets = routed(snapshot);
    this.scenario = scenarioFor(plan);
    this.arena = new Watched({ snapshot, scenario: this.scenario, seed: plan.seed }, 'breakwater');
    this.client = new BreakwaterClient(this.arena);
    this.arena.watch(this.client);
    this.#keeper = this.#newKeeper();
  }

  #newKeeper(): GateKeeper {
    const { arena, client } = this;
    return createGateKeeper({
      board: client.board,
      now: () => arena.clock,
      store: this.#store,
      onBug: (error) => this.broken.push(String(error)),
    });
  }

  async minute(at: number): Promise<void> {
    const { arena, client, plan, targets, broken } = this;
    arena.runUntil(at * minute);
    const isBack = this.#loseStore(at);
    await this.#keeper.keep(at % 2 === 0);
    if (isBack) this.#checkKept();
    this.#store.copy();
    this.#decide(at);
    await this.#keeper.keep(false);
    for (const jump of plan.jumps) if (at === jump.at) this.#jump(jump.byMs);
    if (plan.restarts.includes(at)) await this.#restart();
    if (plan.reloads.includes(at)) this.#reload();
    broken.push(...boardBreaks(client, targets));
  }

  /** Whether the store has come back just now. */
  #loseStore(at: number): boolean {
    const wasLost = this.#store.isLost;
    for (const loss of this.plan.losses) {
      if (at === loss.at) this.#store.lose(loss.kind);
      if (at === loss.at + loss.for) this.#store.comeBack();
    }
    return wasLost && !this.#store.isLost;
  }

  #state(target: Target): string {
    return this.client.board.view(target).cell.health.state;
  }

  /** What moved while the store was away is kept now. */
  #checkKept(): void {
    const kept = new Map(this.#store.open().map(({ target, cell }) => [target, stateKept(cell)]));
    for (const target of this.targets) {
      const is = this.#state(target);
      const was = kept.get(target.name) ?? 'healthy';
      if (was !== is) this.broken.push(`${target.name} is ${is}, and kept as ${was} (I24)`);
    }
  }

  /** What people do. A store that takes nothing takes no new decision either; one that is in force stays so. */
  #decide(at: number): void {
    const { arena, client, plan, targets } = this;
    plan.switches.forEach((each, index) => {
      if (at === each.at && !this.#store.isLost) arena.switches = [...arena.switches, switchOf(each, index)];
      if (at !== each.at + each.for) return;
      arena.switches = arena.switches.filter(({ id }) => id !== `sw_swarm_${index}`);
      client.released(each.scope);
    });
    for (const held of plan.holds) {
      const target = targets.find(({ name }) => name === held.target);
      if (target === undefined) continue;
      const until = instant(arena.clock + held.for * minute);
      if (at === held.at && !this.#store.isLost) client.board.hold(target, until, 'held by the swarm');
      const { health } = client.board.view(target).cell;
      if (at === held.at + Math.ceil(held.for / 2) && health.state === 'ejected' && health.held)
        client.board.giveBack(target, 'given back by the swarm');
    }
  }

  #reload(): void {
    const { client, arena, plan } = this;
    const change = plan.agreements[this.#reloads++ % Math.max(1, plan.agreements.length)];
    client.gates = arena.rehearsal.snapshot.gates.map((gate) => ({ ...gate, ...change }));
  }

  /** The jump itself, within a tick, moves nothing (I23). */
  #jump(byMs: number): void {
    const { arena, broken } = this;
    const { transitions } = arena.tally;
    const seen = transitions.length;
    arena.jumpClock(byMs);
    arena.runUntil(arena.now + 300);
    const moved = transitions.slice(seen).find(({ cause }) => cause === 'time');
    if (moved !== undefined) broken.push(`${moved.target} moved by a clock jump (I23)`);
  }

  /** What was out before a restart is out after it (I24), unless the store was away when it went out. */
  async #restart(): Promise<void> {
    const { arena, client, targets, broken, plan } = this;
    const before = targets.map((target) => this.#state(target));
    const wasLost = this.#store.isLost;
    if (!plan.kills) await this.#keeper.keep(true);
    client.restart(this.#store.open());
    this.#keeper = this.#newKeeper();
    targets.forEach((target, index) => {
      const is = this.#state(target);
      if (is === before[index]) return;
      if (!wasLost) broken.push(`${target.name}: ${before[index]} became ${is} by a restart (I24)`);
      this.#resumed.push({ target: target.name, atMs: arena.now, state: is });
    });
  }

  /** The faults are over: everything comes back, what is under way ends, and what is kept is what is. */
  async end(): Promise<readonly string[]> {
    const { arena, client, plan, targets, broken, scenario } = this;
    arena.switches = [];
    this.#store.comeBack();
    arena.runUntil((plan.minutes + calmMinutes) * minute);
    for (const target of targets) {
      const state = this.#state(target);
      if (state !== 'healthy') broken.push(`${target.name} is ${state} long after the faults ended (I16)`);
    }
    // Nobody asks any more.
    arena.runUntil((plan.minutes + calmMinutes + 11) * minute);
    if (client.open !== 0) broken.push(`${client.open} calls never ended (I12)`);
    await this.#keeper.keep(true);
    this.#checkKept();
    const { transitions } = arena.tally;
    return [
      ...broken,
      ...arena.broken(),
      ...movesBreak(transitions, this.#resumed),
      ...flapBreaks(transitions, scenario, targets, this.#resumed),
    ];
  }
}

/** Runs a plan; gives what broke. */
export async function breaks(plan: Plan): Promise<readonly string[]> {
  const life = new Life(plan);
  for (let at = 1; at <= plan.minutes; at++) await life.minute(at);
  return life.end();
}

const lists = ['faults', 'switches', 'holds', 'losses', 'jumps', 'restarts', 'reloads'] as const;

/** The fewest faults and events that still break something. */
export async function shrunk(plan: Plan): Promise<Plan> {
  let least = plan;
  const simpler = async (each: Plan): Promise<void> => {
    if ((await breaks(each)).length > 0) least = each;
  };
  for (const list of lists)
    for (const one of plan[list])
      await simpler({ ...least, [list]: (least[list] as readonly unknown[]).filter((each) => each !== one) });
  if (least.poison) await simpler({ ...least, poison: false });
  if (least.kills) await simpler({ ...least, kills: false });
  return least;
}
