/** What a drill found, as one value from which the terminal, JSON and HTML say the same. */
import { costUsd } from '../core/cost.ts';
import { classDemand } from '../core/data-class.ts';
import { failureRow } from '../core/failure.ts';
import type { Instant } from '../core/ids.ts';
import { dataPolicyObjection } from '../core/rules.ts';
import type { Feature, Snapshot } from '../core/snapshot.ts';
import type { Target } from '../core/target.ts';
import { endOf, strikes } from '../simulation/provider-model.ts';
import { rehearse } from '../simulation/rehearse.ts';
import type { StrategyName } from '../simulation/rehearse.ts';
import type { Fault, Profile, Scenario } from '../simulation/scenario.ts';
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
  /** Its first choice may not have its data, so that another answers always; null: it may. */
  readonly passedOver: { readonly target: string; readonly why: string; readonly usual: string } | null;
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
  /** On average before the trouble; null: it begins with the drill. */
  readonly callsPerMinuteUsual: number | null;
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
  /** Its failures were counted against the provider's keys, which are set aside while the gate stays open. */
  readonly byKey: boolean;
  /** It was not asked: nothing went to it while it was well, either. */
  readonly unasked: boolean;
};

/** What was noticed of a target's answers; nothing is moved by it. */
export type WarningDrill = { readonly target: string; readonly atMs: number; readonly words: string };

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
  /** What of the scenario changes nothing here. */
  readonly notes: readonly string[];
  /** The moment at which the drill begins: gates tell the time of day. */
  readonly start: Instant;
  readonly features: readonly FeatureDrill[];
  readonly targets: readonly TargetDrill[];
  readonly isolation: readonly Isolation[];
  readonly warnings: readonly WarningDrill[];
  readonly costUsd: number | null;
  /** What the same requests cost when nothing is wrong. */
  readonly usualCostUsd: number | null;
  readonly violations: number;
  readonly violationExamples: readonly Violation[];
  /** The part of the traffic that the simpler strategies were measured on; their counts are for all of it. */
  readonly comparedShare: number;
  readonly strategies: readonly StrategyDrill[];
};

const minuteMs = 60_000;
const waitShare = 0.95;

/** Why a target may not have the data that a feature sends when nothing else is said; null: it may. */
function dataObjection(
  feature: Feature,
  target: Target,
  snapshot: Snapshot,
  { start }: Scenario,
): string | null {
  const { dataClass } = classDemand(snapshot, feature, null, { tenant: null, keyNames: [] });
  return dataPolicyObjection(target, dataClass, start);
}

/** Who answers when nothing is wrong. */
function usualTarget(feature: Feature, snapshot: Snapshot, scenario: Scenario): Target | null {
  return feature.route.find((each) => dataObjection(feature, each, snapshot, scenario) === null) ?? null;
}

function passedOver(feature: Feature, snapshot: Snapshot, scenario: Scenario): FeatureDrill['passedOver'] {
  const [first] = feature.route;
  const why = dataObjection(feature, first, snapshot, scenario);
  const usual = usualTarget(feature, snapshot, scenario);
  return why === null || usual === null ? null : { target: first.name, why, usual: usual.name };
}

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
      passedOver: passedOver(feature, snapshot, scenario),
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

function targetDrills(run: RunTally, scenario: Scenario, { from }: Window): readonly TargetDrill[] {
  const before = Array.from({ length: from }, (_, minute) => minute);
  return [...run.targets.values()].map((tally) => ({
    target: tally.target.name,
    struck: scenario.faults.some((fault) => strikes(fault, tally.target, fault.scope.key ?? null)),
    calls: tally.calls,
    failed: tally.failed,
    probes: tally.probes,
    openMost: tally.openMost,
    callsPerMinuteMost: Math.max(0, ...Array.from({ length: run.minutes }, (_, minute) => tally.in(minute))),
    callsPerMinuteUsual:
      from === 0 ? null : before.reduce((total, minute) => total + tally.in(minute), 0) / from,
    costUsd: hasPrice(tally.target) ? tally.costUsd : null,
  }));
}

function countsAgainstKey({ effect }: Fault): boolean {
  return effect.kind === 'fail' && effect.remaining !== true && failureRow(effect.class).counts === 'key';
}

function isolation(run: RunTally, target: Target, faults: readonly Fault[]): Isolation {
  const from = Math.min(...faults.map(({ at }) => at));
  const end = Math.max(...faults.map(endOf));
  const moves = run.transitions.filter((move) => move.target === target.name && move.atMs >= from);
  const first = (to: string): number | null => moves.find((move) => move.to === to)?.atMs ?? null;
  const since = (at: number | null): number | null => (at === null ? null : at - from);
  const last = moves.at(-1);
  return {
    target: target.name,
    sheddingMs: since(first('shedding')),
    ejectedMs: since(first('ejected')),
    words: moves.find(({ to }) => to === 'ejected' || to === 'shedding')?.words ?? null,
    normalMs: last?.to === 'healthy' ? Math.max(0, last.atMs - end) : null,
    byKey: faults.every(countsAgainstKey),
    unasked: !run.targets.has(target.name),
  };
}

/** Of every target of a route that faults strike. */
function isolations(run: RunTally, snapshot: Snapshot, scenario: Scenario): readonly Isolation[] {
  return routedTargets(snapshot).flatMap((target) => {
    const faults = scenario.faults.filter((fault) => strikes(fault, target, fault.scope.key ?? null));
    return faults.length === 0 ? [] : isolation(run, target, faults);
  });
}

function sum(list: readonly (number | null)[]): number | null {
  return list.reduce(
    (total: number | null, each) => (total === null || each === null ? null : total + each),
    0,
  );
}

/** What the requests cost if those answered them all who do when nothing is wrong. */
function usualCost(run: RunTally, snapshot: Snapshot, scenario: Scenario): number | null {
  return sum(
    [...snapshot.features.values()].map((feature) => {
      const requests = Object.values(run.feature(feature.name).outcomes()).reduce(
        (total, count) => total + count,
        0,
      );
      const { inputTokens, outputTokens } = scenario.traffic(feature.name);
      const usual = usualTarget(feature, snapshot, scenario);
      if (usual === null) return 0;
      if (!hasPrice(usual)) return null;
      const each = costUsd(usual.model.price, {
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
  { words, scenario, notes }: DrillPlan,
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
  const targets = targetDrills(own, scenario, trouble);
  return {
    words,
    title: scenario.title,
    seed,
    durationMs: own.minutes * minuteMs,
    trouble,
    notes,
    start: scenario.start,
    features: featureDrills(own, snapshot, scenario),
    targets,
    isolation: isolations(own, snapshot, scenario),
    warnings: own.warnings.flatMap(({ target, atMs, to, words: said }) =>
      to === 'warned' ? { target, atMs, words: said } : [],
    ),
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
