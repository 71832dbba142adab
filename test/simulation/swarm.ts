/**
 * The swarm: each seed draws its own topology, traffic, faults, switches, restarts, reloads and clock jumps; the
 * invariants are checked with every call and every minute; then the faults stop, and everything must come back. A seed
 * that breaks one is printed, with the fewest faults and events that still break it.
 */
import { instant, switchId } from '../../src/core/ids.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import type { Scope, Switch } from '../../src/core/switches.ts';
import type { Target } from '../../src/core/target.ts';
import { BreakwaterClient } from '../../src/simulation/breakwater-client.ts';
import { strikes } from '../../src/simulation/provider-model.ts';
import type { Scenario } from '../../src/simulation/scenario.ts';
import type { Transitioned } from '../../src/simulation/tally.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { scenarioOf } from './house.ts';
import { topologies, topology } from './topology.ts';
import { Watched } from './watched.ts';

type Draw = Readonly<Record<string, unknown>>;

const minute = 60_000;

type SwitchPlan = {
  readonly at: number;
  readonly for: number;
  readonly scope: Scope;
  readonly effect: Switch['effect'];
};

export type Plan = {
  readonly seed: number;
  readonly topology: number;
  /** Minutes with faults and events; quiet ones follow. */
  readonly minutes: number;
  readonly rate: number;
  readonly shape: string;
  /** One caller of the first feature fails wherever it is sent. */
  readonly poison: boolean;
  readonly faults: readonly Draw[];
  /** Minutes at which a person switches something, a clock jumps, the process restarts, the configuration is read again. */
  readonly switches: readonly SwitchPlan[];
  readonly jumps: readonly { readonly at: number; readonly byMs: number }[];
  readonly restarts: readonly number[];
  readonly reloads: readonly number[];
};

/** How long after the last fault everything must be in use again. */
export const calmMinutes = 30;

const effects = [
  { kind: 'fail', class: 'server_error', status: 500 },
  { kind: 'fail', class: 'overloaded', status: 529, retryAfter: '20s' },
  { kind: 'fail', class: 'rate_limited', status: 429, retryAfter: '5s' },
  { kind: 'fail', class: 'rate_limited', status: 429, remaining: true },
  { kind: 'fail', class: 'quota_exhausted', status: 429 },
  { kind: 'fail', class: 'credential_rejected', status: 401 },
  { kind: 'fail', class: 'connect_failed' },
  { kind: 'fail', class: 'request_rejected', status: 400 },
  { kind: 'hang' },
  { kind: 'slow', factor: 6 },
  { kind: 'cut' },
  { kind: 'stall' },
  { kind: 'soft', signal: 'tool_call_invalid' },
];

const routed = (snapshot: Snapshot): Target[] => [
  ...new Set([...snapshot.features.values()].flatMap((feature) => feature.route)),
];

/** What one seed stands for. The faults end ten minutes before `minutes`. */
export function planOf(seed: number, minutes: number): Plan {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const some = <T>(share: number, most: number, make: () => T): T[] =>
    random() < share ? Array.from({ length: 1 + Math.floor(random() * most) }, make) : [];
  const last = minutes - 10;
  const when = (): number => Math.floor(random() * last);
  const which = random() < 0.3 ? 0 : Math.floor(random() * topologies);
  const targets = routed(topology(which));
  const scopes = targets.flatMap(({ name, provider, model }): Draw[] => [
    { target: name },
    { provider: provider.id },
    { family: model.family },
    { model: model.name },
    ...provider.keys.map((key) => ({ key: key.name })),
  ]);
  const faults = some(0.9, Math.max(4, Math.round(minutes / 90)), (): Draw => {
    const at = Math.min(when(), last - 2);
    return {
      at: `${at}m`,
      for: `${Math.min(last - at, 1 + Math.floor(random() * pick([10, 40, 150])))}m`,
      scope: pick(scopes),
      share: pick(['3%', '10%', '30%', '60%', '100%']),
      effect: pick(effects),
      ...(random() < 0.2 ? { flapping: { bad: '60s', good: '60s' } } : {}),
    };
  });
  const switches = some(0.4, 3, (): SwitchPlan => {
    const target = pick(targets);
    return {
      at: when(),
      for: 1 + Math.floor(random() * 20),
      scope: pick([
        { target: target.name },
        { provider: target.provider.id },
        { family: target.model.family },
      ]),
      effect: pick([{ kind: 'off' }, { kind: 'last_resort' }, { kind: 'shed', percent: 50 }] as const),
    };
  });
  return {
    seed,
    topology: which,
    minutes,
    rate: pick([0.005, 0.02, 0.1, 0.1, 0.5, 0.5, minutes > 300 ? 0.5 : 3]),
    shape: pick(['steady', 'diurnal', 'bursty']),
    poison: random() < 0.1,
    faults,
    switches,
    jumps: some(0.3, 2, () => ({ at: when(), byMs: pick([3_600_000, -3_600_000]) })),
    restarts: some(0.4, 3, when),
    reloads: some(0.3, 3, when),
  };
}

function switchOf({ scope, effect }: SwitchPlan, index: number): Switch {
  return {
    id: switchId(`sw_swarm_${index}`),
    rev: 1,
    scope,
    effect,
    reason: 'swarm',
    failureClass: 'availability',
    actor: 'swarm',
    createdAt: instant(0),
    expiresAt: null,
    atExpiry: 'ramp',
    inFlight: 'finish',
    mode: 'enforce',
    release: null,
  };
}

/** What must hold of every move, whatever happened. */
function movesBreak(moves: readonly Transitioned[]): string[] {
  const broken: string[] = [];
  const states = new Map<string, string>();
  for (const { target, from, to, words, numbers } of moves) {
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

/** Declared out at most as often as its faults explain (I17): twice for each, six times where one comes and goes. */
function flapBreaks(
  moves: readonly Transitioned[],
  scenario: Scenario,
  targets: readonly Target[],
): string[] {
  return targets.flatMap((target) => {
    const ejections = moves.filter(
      ({ target: name, to, from }) => name === target.name && to === 'ejected' && from !== 'probing',
    ).length;
    const most = scenario.faults
      .filter((fault) => strikes(fault, target, fault.scope.key ?? null))
      .reduce((sum, { flapping }) => sum + (flapping === undefined ? 2 : 6), 1);
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

/** Runs a plan; gives what broke. */
export function breaks(plan: Plan): string[] {
  const { minutes, seed } = plan;
  const snapshot = topology(plan.topology);
  const targets = routed(snapshot);
  const scenario = scenarioFor(plan);
  const arena = new Watched({ snapshot, scenario, seed }, 'breakwater');
  const client = new BreakwaterClient(arena);
  arena.watch(client);
  const broken: string[] = [];
  for (let at = 1; at <= minutes; at++) {
    arena.runUntil(at * minute);
    plan.switches.forEach((each, index) => {
      if (at === each.at) arena.switches = [...arena.switches, switchOf(each, index)];
      if (at !== each.at + each.for) return;
      arena.switches = arena.switches.filter(({ id }) => id !== `sw_swarm_${index}`);
      client.released(each.scope);
    });
    for (const jump of plan.jumps) if (at === jump.at) jumped(arena, jump.byMs, broken);
    if (plan.restarts.includes(at)) restarted(client, targets, broken);
    if (plan.reloads.includes(at)) client.gates = [...client.gates];
    broken.push(...boardBreaks(client, targets));
  }
  arena.switches = [];
  arena.runUntil((minutes + calmMinutes) * minute);
  for (const target of targets) {
    const { state } = client.board.view(target).cell.health;
    if (state !== 'healthy') broken.push(`${target.name} is ${state} long after the faults ended (I16)`);
  }
  // Nobody asks any more: what is under way ends.
  arena.runUntil((minutes + calmMinutes + 11) * minute);
  if (client.open !== 0) broken.push(`${client.open} calls never ended (I12)`);
  const { transitions } = arena.tally;
  return [
    ...broken,
    ...arena.broken(),
    ...movesBreak(transitions),
    ...flapBreaks(transitions, scenario, targets),
  ];
}

/** The jump itself, within a tick, moves nothing (I23). */
function jumped(arena: Watched, byMs: number, broken: string[]): void {
  const { transitions } = arena.tally;
  const seen = transitions.length;
  arena.jumpClock(byMs);
  arena.runUntil(arena.now + 300);
  const moved = transitions.slice(seen).find(({ cause }) => cause === 'time');
  if (moved !== undefined) broken.push(`${moved.target} moved by a clock jump (I23)`);
}

/** What was out before a restart is out after it (I24). */
function restarted(client: BreakwaterClient, targets: readonly Target[], broken: string[]): void {
  const state = (target: Target): string => client.board.view(target).cell.health.state;
  const before = targets.map(state);
  client.restart();
  targets.forEach((target, index) => {
    if (state(target) !== before[index])
      broken.push(`${target.name}: ${before[index]} became ${state(target)} by a restart (I24)`);
  });
}

/** The fewest faults and events that still break something. */
export function shrunk(plan: Plan): Plan {
  let least = plan;
  const simpler = (each: Plan): void => {
    if (breaks(each).length > 0) least = each;
  };
  for (const list of ['faults', 'switches', 'jumps', 'restarts', 'reloads'] as const)
    for (const one of plan[list])
      simpler({ ...least, [list]: (least[list] as readonly unknown[]).filter((each) => each !== one) });
  if (least.poison) simpler({ ...least, poison: false });
  return least;
}
