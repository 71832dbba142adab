/**
 * The metastable case: everything moves to a backup that has 60 % to spare, and a quarter more than it can serve comes
 * to it for 300 s. The backup serves 24 requests a second (48 calls at once, two seconds each); its own traffic is 10 a
 * second, of which half is critical; 12 interactive requests and 8 of batch work a second move to it. Callers give up
 * after 10 s, and their SDKs try again twice unless they are told not to.
 */
import { Secret } from '../../src/core/secret.ts';
import { Arena } from '../../src/simulation/arena.ts';
import type { Arrival } from '../../src/simulation/arena.ts';
import { BreakwaterClient } from '../../src/simulation/breakwater-client.ts';
import { readScenario } from '../../src/simulation/scenario.ts';
import type { Scenario } from '../../src/simulation/scenario.ts';
import type { RunTally, SeenOutcome } from '../../src/simulation/tally.ts';
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

/** How one request ended, as its user saw it. */
type Ending = {
  readonly askedAt: number;
  readonly feature: string;
  readonly outcome: SeenOutcome;
  readonly waitedMs: number;
};

/** Writes down every ending by itself: a minute is too coarse to tell how fast all is well again. */
class WatchedArena extends Arena {
  readonly endings: Ending[] = [];

  override close(arrival: Arrival, outcome: SeenOutcome, heardAt: number): void {
    const { askedAt, course } = arrival;
    this.endings.push({ askedAt, feature: course.feature.name, outcome, waitedMs: heardAt - askedAt });
    super.close(arrival, outcome, heardAt);
  }
}

export type CaseRun = { readonly tally: RunTally; readonly endings: readonly Ending[] };

export function runCase(seed: number, protections: Protections): CaseRun {
  const loaded = compileText(configuration, () => new Secret('none'));
  if (!loaded.ok) throw new Error(loaded.problems[0].message);
  const { snapshot } = loaded;
  const arena = new WatchedArena({ snapshot, scenario: scenarioOf(protections), seed }, 'breakwater');
  const unprotected = protections.limits ? null : { stopsRetries: protections.stopsRetries };
  const tally = arena.run(new BreakwaterClient(arena, unprotected));
  return { tally, endings: arena.endings };
}

const goods: ReadonlySet<SeenOutcome> = new Set(['answered', 'backup', 'limited']);
const spanMs = 5_000;
const wellShare = 0.98;

/** From the end of the extra load until every five seconds see 98 % of the requests answered; null: not within the run. */
export function recoveredMs({ endings }: CaseRun): number | null {
  const [from, to] = [minutes.back * 60_000, minutes.end * 60_000];
  const spans = Array.from({ length: (to - from) / spanMs }, () => ({ good: 0, all: 0 }));
  for (const { askedAt, outcome } of endings) {
    const span = spans[Math.floor((askedAt - from) / spanMs)];
    if (span === undefined) continue;
    span.all++;
    if (goods.has(outcome)) span.good++;
  }
  const last = spans.findLastIndex(({ good, all }) => good < all * wellShare);
  return last === spans.length - 1 ? null : (last + 1) * spanMs;
}

/** The longest that anything sheddable waited to be refused while the load was moved; null where nothing was. */
export function slowestRefusalMs({ endings }: CaseRun): number | null {
  const waits = endings
    .filter(({ feature, outcome }) => feature === 'batch' && outcome === 'busy')
    .map(({ waitedMs }) => waitedMs);
  return waits.length === 0 ? null : Math.max(...waits);
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
