/**
 * The metastable case: everything moves to a backup that has 60 % to spare, and a quarter more than it can serve comes
 * to it for 300 s. The backup serves 24 requests a second (48 calls at once, two seconds each); its own traffic is 10 a
 * second, of which half is critical; 12 interactive requests and 8 of batch work a second move to it. Callers give up
 * after 10 s, and their SDKs try again twice unless they are told not to.
 */
import { Secret } from '../../src/core/secret.ts';
import { Arena } from '../../src/simulation/arena.ts';
import { BreakwaterClient } from '../../src/simulation/breakwater-client.ts';
import { readScenario } from '../../src/simulation/scenario.ts';
import type { Scenario } from '../../src/simulation/scenario.ts';
import type { RunTally } from '../../src/simulation/tally.ts';
import { compileText } from '../../src/sync/config-file.ts';

const configuration = `
providers:
  anthropic: { api: anthropic, keys: [env:A] }
  openai: { api: openai, keys: [env:B] }
features:
  own-critical: { route: [openai/gpt-5.2], priority: critical, timeouts: { firstToken: 10s, total: 60s } }
  own: { route: [openai/gpt-5.2], timeouts: { firstToken: 10s, total: 60s } }
  interactive: { route: [anthropic/claude-opus-4-8, openai/gpt-5.2], timeouts: { firstToken: 10s, total: 60s } }
  batch: { route: [anthropic/claude-opus-4-8, openai/gpt-5.2], priority: sheddable, timeouts: { firstToken: 10s, total: 60s } }
`;
const perSecond = { 'own-critical': 5, own: 5, interactive: 12, batch: 8 } as const;
export type Kind = keyof typeof perSecond;
export const kinds = Object.keys(perSecond) as Kind[];

/** Minutes: moved from `moved` to `back`. */
export const minutes = { moved: 5, back: 10, end: 15 } as const;
export type Protections = {
  readonly name: string;
  /** Limits, waiting and shedding. */
  readonly limits: boolean;
  readonly stopsRetries: boolean;
  /** The provider notices when a caller gives up. */
  readonly noticesLeaving: boolean;
};
export const off: Protections = {
  name: 'protections off',
  limits: false,
  stopsRetries: false,
  noticesLeaving: false,
};
export const on: Protections = {
  name: 'protections on',
  limits: true,
  stopsRetries: true,
  noticesLeaving: false,
};
export const stages: readonly Protections[] = [
  off,
  { name: '… but abandoned calls are cancelled', limits: false, stopsRetries: false, noticesLeaving: true },
  { name: '… and callers are told not to retry', limits: false, stopsRetries: true, noticesLeaving: true },
  on,
];

function scenarioOf(protections: Protections): Scenario {
  const read = readScenario({
    name: 'overload',
    duration: `${minutes.end}m`,
    callersRetry: 2,
    traffic: Object.fromEntries(kinds.map((kind) => [kind, { rate: perSecond[kind], inputTokens: 500 }])),
    // Scattered, they take two seconds on average.
    usual: { firstToken: '440ms', answer: '1325ms', failures: '0.2%' },
    targets: { 'openai/gpt-5.2': { places: 48, noticesLeaving: protections.noticesLeaving } },
    operator: [
      {
        at: `${minutes.moved}m`,
        for: `${minutes.back - minutes.moved}m`,
        off: { provider: 'anthropic' },
        ramp: false,
      },
    ],
  });
  if (!read.ok) throw new Error(read.problems[0]?.message);
  return read.scenario;
}

export function runCase(seed: number, protections: Protections): RunTally {
  const loaded = compileText(configuration, () => new Secret('none'));
  if (!loaded.ok) throw new Error(loaded.problems[0].message);
  const { snapshot } = loaded;
  const arena = new Arena({ snapshot, scenario: scenarioOf(protections), seed }, 'breakwater');
  const unprotected = protections.limits ? null : { stopsRetries: protections.stopsRetries };
  return arena.run(new BreakwaterClient(arena, unprotected));
}

/** Share of requests of a kind that were answered, from minute to minute. */
export function answeredShare(tally: RunTally, kind: Kind, from: number, to: number): number {
  const outcomes = tally.feature(kind).outcomes(from, to);
  const total = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  return total === 0 ? 1 : (outcomes.answered + outcomes.backup + outcomes.limited) / total;
}

export function attemptsPerRequest(tally: RunTally): number {
  let [attempts, requests] = [0, 0];
  for (const kind of kinds) {
    attempts += tally.feature(kind).attempts;
    requests += Object.values(tally.feature(kind).outcomes()).reduce((sum, count) => sum + count, 0);
  }
  return attempts / requests;
}
