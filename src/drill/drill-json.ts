/** A drill's report as JSON: by hand, so that names inside can change without changing what programs read. */
import { passed } from './drill-report.ts';
import type { DrillReport, FeatureDrill, MinuteReport } from './drill-report.ts';
import { requestsOf } from './drill-words.ts';

type Json = Readonly<Record<string, unknown>>;

function minuteToWire({ minute, outcomes, waitMs }: MinuteReport): Json {
  return { minute, requests: requestsOf(outcomes), ...outcomes, wait_p95_ms: waitMs };
}

function featureToWire(feature: FeatureDrill): Json {
  const { outcomes } = feature;
  return {
    feature: feature.feature,
    title: feature.title,
    requests: requestsOf(outcomes),
    ...outcomes,
    attempts: feature.attempts,
    hedges: feature.hedges,
    wait_p95_ms: feature.waitMs,
    first_choice_passed_over: feature.passedOver,
    claims: feature.claims.map(({ claim, outcome, why }) => ({ claim, outcome, why })),
    minutes: feature.minutes.map(minuteToWire),
  };
}

export function drillToWire(report: DrillReport): Json {
  return {
    drill: report.words,
    title: report.title,
    passed: passed(report),
    seed: report.seed,
    duration_ms: report.durationMs,
    trouble: { from_minute: report.trouble.from, to_minute: report.trouble.to },
    starts_at: new Date(report.start).toISOString(),
    notes: report.notes,
    features: report.features.map(featureToWire),
    targets: report.targets.map((target) => ({
      target: target.target,
      struck: target.struck,
      calls: target.calls,
      failed: target.failed,
      probes: target.probes,
      open_most: target.openMost,
      calls_per_minute_most: target.callsPerMinuteMost,
      calls_per_minute_usual: target.callsPerMinuteUsual,
      cost_usd: target.costUsd,
    })),
    isolation: report.isolation.map((each) => ({
      target: each.target,
      shedding_ms: each.sheddingMs,
      ejected_ms: each.ejectedMs,
      words: each.words,
      normal_ms: each.normalMs,
      by_key: each.byKey,
      unasked: each.unasked,
    })),
    warnings: report.warnings.map(({ target, atMs, words }) => ({ target, at_ms: atMs, words })),
    cost_usd: report.costUsd,
    usual_cost_usd: report.usualCostUsd,
    violations: report.violations,
    violation_examples: report.violationExamples,
    compared_share: report.comparedShare,
    strategies: report.strategies.map(({ strategy, outcomes, attemptsPerRequest, waitMs, violations }) => ({
      strategy,
      requests: requestsOf(outcomes),
      ...outcomes,
      attempts_per_request: attemptsPerRequest,
      wait_p95_ms: waitMs,
      violations,
    })),
  };
}
