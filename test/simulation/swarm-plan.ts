/** What one seed of the swarm stands for: its topology, traffic, faults, and whatever people and machines do meanwhile. */
import type { TargetName } from '../../src/core/ids.ts';
import type { GateRule, Snapshot } from '../../src/core/snapshot.ts';
import type { Scope, Switch } from '../../src/core/switches.ts';
import type { Target } from '../../src/core/target.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { lossKinds } from './lossy-store.ts';
import type { LossKind } from './lossy-store.ts';
import { topologies, topology } from './topology.ts';

type Draw = Readonly<Record<string, unknown>>;

export type SwitchPlan = {
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
  /** A person holds a target out, and gives it back when half of the time is over. */
  readonly holds: readonly { readonly at: number; readonly for: number; readonly target: TargetName }[];
  /** The store goes away, and comes back. */
  readonly losses: readonly { readonly at: number; readonly for: number; readonly kind: LossKind }[];
  /** Restarts are kills: nobody says goodbye. */
  readonly kills: boolean;
  /** What each reading of the configuration changes in all agreements, in turn. */
  readonly agreements: readonly Partial<Pick<GateRule, 'budget' | 'breach'>>[];
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
/** Drawn last, so that seeds of before still stand for what they stood for. */
const furtherEffects = [
  { kind: 'fail', class: 'stream_error_event' },
  { kind: 'fail', class: 'malformed_response' },
  { kind: 'fail', class: 'empty_completion' },
  { kind: 'fail', class: 'connection_reset' },
  { kind: 'fail', class: 'headers_timeout' },
  { kind: 'fail', class: 'model_not_found', status: 404 },
  { kind: 'fail', class: 'unclassified', status: 418 },
  { kind: 'fail', class: 'content_refused' },
  { kind: 'fail', class: 'context_exceeded', status: 400 },
  { kind: 'slow', factor: 60 },
  { kind: 'soft', signal: 'structured_output_invalid' },
];

export const routed = (snapshot: Snapshot): Target[] => [
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
  const first = {
    seed,
    topology: which,
    minutes,
    rate: pick([0.005, 0.02, 0.1, 0.1, 0.5, 0.5, minutes > 300 ? 0.5 : 3]),
    shape: pick(['steady', 'diurnal', 'bursty']),
    poison: random() < 0.1,
    switches,
    jumps: some(0.3, 2, () => ({ at: when(), byMs: pick([3_600_000, -3_600_000]) })),
    restarts: some(0.4, 3, when),
    reloads: some(0.3, 3, when),
  };
  const further = some(0.4, 4, (): readonly Draw[] => {
    const at = Math.min(when(), last - 2);
    const lasts = Math.min(last - at, 1 + Math.floor(random() * 30));
    const what = { scope: pick(scopes), share: pick(['5%', '40%', '100%']), effect: pick(furtherEffects) };
    const again = at + lasts + 1 + Math.floor(random() * 15);
    const relapses = random() < 0.4 && again + lasts <= last;
    return [at, ...(relapses ? [again] : [])].map((from) => ({ at: `${from}m`, for: `${lasts}m`, ...what }));
  });
  return {
    ...first,
    faults: [...faults, ...further.flat()],
    holds: some(0.3, 2, () => {
      const at = when();
      return { at, for: Math.min(last - at, 1 + Math.floor(random() * 30)), target: pick(targets).name };
    }),
    losses: some(0.4, 3, () => ({ at: when(), for: 1 + Math.floor(random() * 60), kind: pick(lossKinds) })),
    kills: random() < 0.5,
    agreements: random() < 0.5 ? [{ budget: pick([0.001, 0.02]) }, { breach: pick([0.1, 0.5]) }, {}] : [],
  };
}
