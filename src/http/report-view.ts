/** Reports → the JSON of the admin API, by hand. */
import type { ContinuityReport } from '../core/report-continuity.ts';
import type { FeatureSla, SlaReport, TargetSla } from '../core/report-sla.ts';
import { timeText } from '../core/moment.ts';
import type { Json } from './wire.ts';

const latencyToWire = (each: FeatureSla | TargetSla): Json => ({
  duration_ms: { p50: each.p50Ms, p99: each.p99Ms },
  first_token_ms: { p50: each.firstTokenP50Ms, p99: each.firstTokenP99Ms },
});

function featureToWire(each: FeatureSla): Json {
  const { coherence } = each;
  return {
    feature: each.feature,
    title: each.title,
    requests: each.requests,
    failed: each.failed,
    availability: each.availability,
    ...latencyToWire(each),
    objective: each.objective,
    error_budget_left: each.budgetLeft,
    minutes: { ...each.minutes },
    promised: each.promised,
    coherence: {
      verdict: coherence.verdict,
      careful: coherence.careful,
      independent: coherence.independent,
      pairs: coherence.pairs.map(({ one, other, value, windows }) => ({
        one,
        other,
        correlation: value,
        windows,
      })),
      words: coherence.words,
    },
  };
}

const targetToWire = (each: TargetSla): Json => ({
  provider: each.provider,
  model: each.model,
  tries: each.tries,
  failed: each.failed,
  availability: each.availability,
  ...latencyToWire(each),
  promised: each.promised,
  keeps_promise: each.keepsPromise,
});

export function slaToWire(report: SlaReport): Json {
  return {
    month: report.month,
    from: timeText(report.from),
    until: timeText(report.until),
    cut: report.isCut,
    features: report.features.map(featureToWire),
    providers: report.providers.map(targetToWire),
    models: report.models.map(targetToWire),
  };
}

const incidentToWire = (each: ContinuityReport['incidents'][number]): Json => ({
  id: each.id,
  title: each.title,
  failure_class: each.failureClass,
  state: each.state,
  opened_at: timeText(each.openedAt),
  switched_at: timeText(each.switchedAt),
  normal_at: timeText(each.normalAt),
  requests: each.requests,
  failed: each.failed,
  rescued: each.rescued,
  data_left_to: each.leftTo,
});

export function continuityToWire(report: ContinuityReport): Json {
  const { recorded } = report;
  return {
    at: timeText(report.at),
    since: timeText(report.since),
    snapshot: report.snapshot,
    fallbacks: report.fallbacks.map(({ feature, title, route, modes, midStream }) => ({
      feature,
      title,
      route,
      modes: { ...modes },
      mid_stream: midStream,
    })),
    told: report.told.map(({ told, requests }) => ({ told, requests })),
    reasons: report.reasons.map(({ reason, requests }) => ({ reason, requests })),
    recorded: {
      records: recorded.records,
      mode: recorded.mode,
      retention_days: recorded.retentionDays,
      retention_by_class: recorded.retentionByClass.map(({ dataClass, days }) => ({
        data_class: dataClass,
        retention_days: days,
      })),
      ledger: recorded.ledger,
    },
    providers: report.providers.map(({ expiresAt, ...facts }) => ({
      provider: facts.provider,
      entity: facts.entity,
      regions: facts.regions,
      retention: facts.retention,
      training: facts.training,
      agreement: facts.agreement,
      expires_at: timeText(expiresAt),
      local: facts.local,
      sla: facts.sla,
    })),
    processing: report.processing.map(({ dataClass, providers }) => ({
      data_class: dataClass,
      providers: providers.map(({ provider, objection }) => ({
        provider,
        allowed: objection === null,
        objection,
      })),
    })),
    losses: report.losses.map(({ provider, features }) => ({
      provider,
      features: features.map(({ feature, title, verdict, by }) => ({ feature, title, verdict, by })),
    })),
    incidents: report.incidents.map(incidentToWire),
  };
}
