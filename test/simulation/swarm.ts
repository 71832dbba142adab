/**
 * The swarm: each seed draws its own topology of traffic, faults, switches, restarts and clock jumps; the invariants are
 * checked after every step; then the faults stop, and everything must come back. A seed that breaks one is printed, with
 * the fewest faults that still break it.
 */
import { switchId } from '../../src/core/ids.ts';
import type { Switch } from '../../src/core/switches.ts';
import type { GateMove } from '../../src/simulation/report.ts';
import { createWorld } from '../../src/simulation/world.ts';
import type { World } from '../../src/simulation/world.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { compiled, scenarioOf } from './house.ts';

type Draw = Readonly<Record<string, unknown>>;

const minute = 60_000;
const snapshot = compiled();
const targets = [...new Set([...snapshot.features.values()].flatMap((feature) => feature.route))];

export type Plan = {
  readonly seed: number;
  readonly minutes: number;
  readonly rate: number;
  readonly shape: string;
  readonly faults: readonly Draw[];
  /** Minutes at which a person switches a provider off, a clock jumps, the process restarts. */
  readonly switchAt: number | null;
  readonly jumps: readonly { readonly at: number; readonly byMs: number }[];
  readonly restartAt: number | null;
};

/** What one seed stands for. The faults end ten minutes before the plan does. */
export function planOf(seed: number, minutes: number): Plan {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const scopes = [
    { provider: 'anthropic' },
    { provider: 'openai' },
    { family: 'claude-opus' },
    { key: 'anthropic#1' },
    ...targets.map((target) => ({ target: target.name })),
  ];
  const effects = [
    { kind: 'fail', class: 'server_error', status: 500 },
    { kind: 'fail', class: 'overloaded', status: 529, retryAfter: '20s' },
    { kind: 'fail', class: 'rate_limited', status: 429, retryAfter: '5s' },
    { kind: 'fail', class: 'credential_rejected', status: 401 },
    { kind: 'fail', class: 'connect_failed' },
    { kind: 'hang' },
    { kind: 'slow', factor: 6 },
    { kind: 'cut' },
    { kind: 'soft', signal: 'tool_call_invalid' },
  ];
  const last = minutes - 10;
  const faults = Array.from({ length: Math.floor(random() * 5) }, (): Draw => {
    const at = Math.floor(random() * (last - 2));
    const lasts = Math.min(last - at, 1 + Math.floor(random() * 40));
    return {
      at: `${at}m`,
      for: `${lasts}m`,
      scope: pick(scopes),
      share: pick(['3%', '10%', '30%', '60%', '100%']),
      effect: pick(effects),
      ...(random() < 0.2 ? { flapping: { bad: '60s', good: '60s' } } : {}),
    };
  });
  return {
    seed,
    minutes,
    rate: pick([0.05, 0.3, 1, 3]),
    shape: pick(['steady', 'diurnal', 'bursty']),
    faults,
    switchAt: random() < 0.3 ? Math.floor(random() * last) : null,
    jumps: random() < 0.2 ? [{ at: Math.floor(random() * last), byMs: pick([3_600_000, -3_600_000]) }] : [],
    restartAt: random() < 0.3 ? Math.floor(random() * last) : null,
  };
}

const off = (id: string): Switch => ({
  ...({
    id: switchId(id),
    scope: { provider: 'google' },
    effect: { kind: 'off' },
    reason: 'swarm',
    failureClass: 'availability',
    mode: 'enforce',
    release: null,
    expiresAt: null,
    atExpiry: 'stay',
    inFlight: 'finish',
  } as unknown as Switch),
});

/** What must hold of every move, whatever happened. */
function movesBreak(moves: readonly GateMove[]): string[] {
  const broken: string[] = [];
  const states = new Map<string, string>();
  for (const { target, transition } of moves) {
    const { from, to, words, numbers } = transition;
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
function boardBreaks(world: World): string[] {
  const broken: string[] = [];
  for (const target of targets) {
    const { cell } = world.board.view(target);
    for (const bank of [cell.failures, cell.slowness])
      for (const sum of [bank.low, bank.middle, bank.high])
        if (!(sum >= 0 && sum <= bank.tuning.height)) broken.push(`${target.name}: a sum of ${sum} (I14)`);
    if (world.board.inFlight(target.name) < 0) broken.push(`${target.name}: fewer than no calls open (I11)`);
  }
  return broken;
}

/** Runs a plan; gives what broke. */
export function breaks(plan: Plan): string[] {
  const { minutes, seed } = plan;
  const scenario = scenarioOf({
    name: `swarm ${seed}`,
    duration: `${minutes + 30}m`,
    traffic: { '*': { rate: plan.rate, shape: plan.shape, callers: 10 } },
    usual: { failures: '0.5%' },
    faults: plan.faults,
  });
  const world = createWorld(snapshot, scenario, seed);
  const broken: string[] = [];
  for (let at = 1; at <= minutes; at++) {
    world.runUntil(at * minute);
    if (at === plan.switchAt) world.switches = [off('sw_swarm')];
    if (at === (plan.switchAt ?? 0) + 5) world.switches = [];
    for (const jump of plan.jumps) {
      if (at !== jump.at) continue;
      const seen = world.report().moves.length;
      world.jumpClock(jump.byMs);
      world.runUntil(at * minute + 300);
      // The jump itself, within a tick, moves nothing (I23).
      const moved = world
        .report()
        .moves.slice(seen)
        .filter(({ transition }) => transition.cause === 'time');
      if (moved.length > 0) broken.push(`minute ${at}: a clock jump moved ${moved[0]?.target} (I23)`);
    }
    if (at === plan.restartAt) restart(world, broken);
    broken.push(...boardBreaks(world));
  }
  world.runUntil((minutes + 25) * minute);
  for (const target of targets) {
    const { state } = world.board.view(target).cell.health;
    if (state !== 'healthy') broken.push(`${target.name} is ${state} long after the faults ended (I16)`);
  }
  return [...broken, ...movesBreak(world.report().moves)];
}

/** What was out before a restart is out after it (I24). */
function restart(world: World, broken: string[]): void {
  const before = targets.map((target) => world.board.view(target).cell.health.state);
  const kept = new Map(
    targets.map((target) => [target, JSON.parse(JSON.stringify(world.board.view(target).cell)) as unknown]),
  );
  for (const [target, cell] of kept) world.board.restore(target, cell);
  targets.forEach((target, index) => {
    const after = world.board.view(target).cell.health.state;
    if (after !== before[index])
      broken.push(`${target.name}: ${before[index]} became ${after} by a restart (I24)`);
  });
}

/** The fewest faults and events that still break something. */
export function shrunk(plan: Plan): Plan {
  let least = plan;
  const simpler = (each: Plan): void => {
    if (breaks(each).length > 0) least = each;
  };
  for (const fault of plan.faults)
    simpler({ ...least, faults: least.faults.filter((each) => each !== fault) });
  simpler({ ...least, switchAt: null });
  simpler({ ...least, jumps: [] });
  simpler({ ...least, restartAt: null });
  return least;
}
