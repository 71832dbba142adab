/** What a drill found, as one value from which the terminal, JSON and HTML say the same. */
import { costUsd } from '../core/cost.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Target } from '../core/target.ts';
import { endOf, strikes } from '../simulation/provider-model.ts';
import { rehearse } from '../simulation/rehearse.ts';
import type { StrategyName } from '../simulation/rehearse.ts';
import type { Profile, Scenario } from '../simulation/scenario.ts';
import { seenOutcomes } from '../simulation/tally.ts';
import type { RunTally, SeenOutcome, Violation } from '../simulation/tally.ts';
import { judgeClaims, troubleWindow } from './drill-claims.ts';
import type { ClaimResult, Window } from './drill-claims.ts';
import { routedTargets } from './drill-plan.ts';
import type { DrillPlan } from './drill-plan.ts';

export type Outcomes = Readonly<Record<SeenOutcome, number>>;

export type MinuteReport = {
  readonly minute: number;
  readonly outcomes: Outcomes;
  /** 95 % of the requests knew within this what became of them. */
  readonly waitMs: number | null;
};

export type FeatureDrill = {
  readonly feature: string;
  readonly title: string;
  readonly outcomes: Outcomes;
  readonly attempts: number;
  /** Second calls of silent first ones; null: the feature does not hedge. */
  readonly hedges: { readonly sent: number; readonly won: number } | null;
  readonly waitMs: number | null;
  readonly minutes: readonly MinuteReport[];
  readonly claims: readonly ClaimResult[];
};

export type TargetDrill = {
  readonly target: string;
  /** Some of the scenario's faults strike it. */
  readonly struck: boolean;
  readonly calls: number;
  readonly failed: number;
  readonly probes: number;
  readonly openMost: number;
  readonly callsPerMinuteMost: number;
  /** Null: the price is not known. */
  readonly costUsd: number | null;
};

/** How fast a target that fails was taken out of routing. */
export type Isolation = {
  readonly target: string;
  /** Quiet re-routing; null: it never came to it. */
  readonly sheddingMs: number | null;
  readonly ejectedMs: number | null;
  readonly words: string | null;
  /** From the end of the trouble to normal routing; null: not within the drill. */
  readonly normalMs: number | null;
};

export type StrategyDrill = {
  readonly strategy: StrategyName;
  readonly outcomes: Outcomes;
  readonly attemptsPerRequest: number;
  /** In the minutes with trouble. */
  readonly waitMs: number | null;
  readonly violations: number;
};

export type DrillReport = {
  readonly words: string;
  readonly title: string;
  readonly seed: number;
  readonly durationMs: number;
  readonly trouble: Window;
  readonly features: readonly FeatureDrill[];
  readonly targets: readonly TargetDrill[];
  readonly isolation: readonly Isolation[];
  readonly costUsd: number | null;
  /** What the same requests cost when every preferred target answers. */
  readonly usualCostUsd: number | null;
  readonly violations: number;
  readonly violationExamples: readonly Violation[];
  /** The part of the traffic that the simpler strategies were measured on; their counts are for all of it. */
  readonly comparedShare: number;
  readonly strategies: readonly StrategyDrill[];
};

const minuteMs = 60_000;
const waitShare = 0.95;

function featureDrills(run: RunTally, snapshot: Snapshot, scenario: Scenario): readonly FeatureDrill[] {
  return [...snapshot.features.values()].map((feature) => {
    const tally = run.feature(feature.name);
    return {
      feature: feature.name,
      title: feature.title,
      outcomes: tally.outcomes(),
      attempts: tally.attempts,
      hedges: feature.hedge === null ? null : { sent: tally.hedges, won: tally.hedgesWon },
      waitMs: tally.waitMs(waitShare),
      minutes: Array.from({ length: run.minutes }, (_, minute) => ({
        minute,
        outcomes: tally.outcomes(minute, minute + 1),
        waitMs: tally.waitMs(waitShare, minute, minute + 1),
      })),
      claims: judgeClaims(feature, tally, scenario, snapshot),
    };
  });
}

/** A model on your own machines costs nothing by the token. */
function hasPrice({ model, provider }: Target): boolean {
  return model.price !== null || provider.local;
}

function targetDrills(run: RunTally, scenario: Scenario): readonly TargetDrill[] {
  return [...run.targets.values()].map((tally) => ({
    target: tally.target.name,
    struck: scenario.faults.some((fault) => strikes(fault, tally.target, null)),
    calls: tally.calls,
    failed: tally.failed,
    probes: tally.probes,
    openMost: tally.openMost,
    callsPerMinuteMost: Math.max(0, ...Array.from({ length: run.minutes }, (_, minute) => tally.in(minute))),
    costUsd: hasPrice(tally.target) ? tally.costUsd : null,
  }));
}

/** Of the targets that a feature was to use first or that were called, those that faults strike. */
function isolations(run: RunTally, scenario: Scenario): readonly Isolation[] {
  return [...run.targets.values()].flatMap(({ target }): Isolation[] => {
    const faults = scenario.faults.filter((fault) => strikes(fault, target, null));
    if (faults.length === 0) return [];
    const from = Math.min(...faults.map(({ at }) => at));
    const end = Math.max(...faults.map(endOf));
    const moves = run.transitions.filter((move) => move.target === target.name && move.atMs >= from);
    const first = (to: string): number | null => moves.find((move) => move.to === to)?.atMs ?? null;
    const since = (at: number | null): number | null => (at === null ? null : at - from);
    const last = moves.at(-1);
    return [
      {
        target: target.name,
        sheddingMs: since(first('shedding')),
        ejectedMs: since(first('ejected')),
        words: moves.find(({ to }) => to === 'ejected' || to === 'shedding')?.words ?? null,
        normalMs: last?.to === 'healthy' ? Math.max(0, last.atMs - end) : null,
      },
    ];
  });
}

function sum(list: readonly (number | null)[]): number | null {
  return list.reduce(
    (total: number | null, each) => (total === null || each === null ? null : total + each),
    0,
  );
}

/** What the requests cost if the preferred targets answered them all. */
function usualCost(run: RunTally, snapshot: Snapshot, scenario: Scenario): number | null {
  return sum(
    [...snapshot.features.values()].map((feature) => {
      const requests = Object.values(run.feature(feature.name).outcomes()).reduce(
        (total, count) => total + count,
        0,
      );
      const { inputTokens, outputTokens } = scenario.traffic(feature.name);
      if (!hasPrice(feature.route[0])) return null;
      const each = costUsd(feature.route[0].model.price, {
        inputTokens,
        outputTokens,
        cachedTokens: 0,
        cacheWriteTokens: 0,
      });
      return (each ?? 0) * requests;
    }),
  );
}

function strategyDrill(strategy: StrategyName, run: RunTally, { from, to }: Window): StrategyDrill {
  const outcomes = Object.fromEntries(seenOutcomes.map((outcome) => [outcome, 0])) as Record<
    SeenOutcome,
    number
  >;
  let attempts = 0;
  let waitMs: number | null = null;
  for (const tally of run.features.values()) {
    const each = tally.outcomes();
    for (const outcome of seenOutcomes) outcomes[outcome] += each[outcome];
    attempts += tally.attempts;
    const wait = tally.waitMs(waitShare, from, to);
    if (wait !== null) waitMs = Math.max(waitMs ?? 0, wait);
  }
  const requests = Object.values(outcomes).reduce((total, count) => total + count, 0);
  // Without a control plane there is no switch to respect: only where content went counts.
  const violations =
    strategy === 'breakwater' ? run.violationCount : run.violationCount - run.switchViolations;
  return {
    strategy,
    outcomes,
    attemptsPerRequest: requests === 0 ? 0 : attempts / requests,
    waitMs,
    violations,
  };
}

/** Simple means are measured on about this many requests: shares do not change with more of them. */
const comparedRequests = 100_000;

/** A part of the traffic for the comparison, as a fraction of 1; all of it where places make load matter. */
function comparedShare(snapshot: Snapshot, scenario: Scenario): number {
  const targets = routedTargets(snapshot);
  if (targets.some(({ name }) => scenario.pace(name).places !== null)) return 1;
  const perSecond = [...snapshot.features.keys()].reduce((sum, name) => sum + scenario.traffic(name).rate, 0);
  return Math.min(1, comparedRequests / ((perSecond * scenario.durationMs) / 1_000));
}

function thinned(scenario: Scenario, share: number): Scenario {
  if (share === 1) return scenario;
  const traffic = (feature: string): Profile => {
    const profile = scenario.traffic(feature);
    return { ...profile, rate: profile.rate * share };
  };
  return { ...scenario, traffic };
}

export type DrillOptions = {
  readonly seed: number;
  readonly strategies: readonly StrategyName[];
  readonly onStrategy: (strategy: StrategyName) => void;
};

/** Runs the drill with the core and with each strategy to compare it with. */
export function runDrill(
  { words, scenario }: DrillPlan,
  snapshot: Snapshot,
  options: DrillOptions,
): DrillReport {
  const { seed } = options;
  const trouble = troubleWindow(scenario);
  const share = comparedShare(snapshot, scenario);
  const compared = thinned(scenario, share);
  const readsAnswers = scenario.faults.some(
    ({ effect }) => effect.kind === 'soft' || effect.kind === 'changed',
  );
  const run = (strategy: StrategyName, given: Scenario): RunTally => {
    options.onStrategy(strategy);
    return rehearse({ snapshot, scenario: given, seed, readsAnswers }, strategy);
  };
  const own = run('breakwater', scenario);
  const others = options.strategies.map((strategy) =>
    scaled(strategyDrill(strategy, run(strategy, compared), trouble), share),
  );
  const targets = targetDrills(own, scenario);
  return {
    words,
    title: scenario.title,
    seed,
    durationMs: own.minutes * minuteMs,
    trouble,
    features: featureDrills(own, snapshot, scenario),
    targets,
    isolation: isolations(own, scenario),
    costUsd: sum(targets.map((target) => target.costUsd)),
    usualCostUsd: usualCost(own, snapshot, scenario),
    violations: own.violationCount,
    violationExamples: own.violations,
    comparedShare: share,
    strategies: [strategyDrill('breakwater', own, trouble), ...others],
  };
}

function scaled(drill: StrategyDrill, share: number): StrategyDrill {
  const outcomes = Object.fromEntries(
    Object.entries(drill.outcomes).map(([outcome, count]) => [outcome, Math.round(count / share)]),
  ) as Record<SeenOutcome, number>;
  return { ...drill, outcomes, violations: Math.round(drill.violations / share) };
}

/** Nothing went where it may not, and every claim that was rehearsed holds. */
export function passed(report: DrillReport): boolean {
  return (
    report.violations === 0 &&
    report.features.every(({ claims }) => claims.every(({ outcome }) => outcome !== 'fails'))
  );
}
