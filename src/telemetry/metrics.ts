/**
 * Metrics for Prometheus. The model a caller requested, the one that was sent and the one the provider reports are
 * separate labels. A label that callers can invent is used only when the name is configured, `other` otherwise, and
 * every metric has a cap on its combinations, so that nobody outside can fill the memory.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

import type { RequestRecord } from '../core/record.ts';

type MetricKind = 'counter' | 'gauge' | 'histogram';
type Definition = { readonly kind: MetricKind; readonly labels: readonly string[]; readonly help: string };

const seconds = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120];

// oxfmt-ignore
export const metricTable = {
  breakwater_requests_total:             { kind: 'counter',   labels: ['feature', 'requested', 'served', 'reported', 'outcome', 'hop', 'fallback', 'dialect', 'stream'], help: 'Requests by what was asked, who served, and how it ended.' },
  breakwater_policy_refusals_total:      { kind: 'counter',   labels: ['feature', 'code'], help: 'Requests refused as the policy says: the policy at work, not an error.' },
  breakwater_attempts_total:             { kind: 'counter',   labels: ['provider', 'model', 'outcome', 'failure'], help: 'Calls to providers by outcome and failure class.' },
  breakwater_request_seconds:            { kind: 'histogram', labels: ['feature'], help: 'Time from arrival to the end of the answer.' },
  breakwater_first_token_seconds:        { kind: 'histogram', labels: ['provider', 'model'], help: 'Time from the start of an attempt to its first content.' },
  breakwater_attempt_seconds:            { kind: 'histogram', labels: ['provider', 'model'], help: 'Time of an attempt.' },
  breakwater_tokens_total:               { kind: 'counter',   labels: ['provider', 'model', 'direction'], help: 'Tokens as providers counted them.' },
  breakwater_malformed_events_total:     { kind: 'counter',   labels: ['provider', 'model'], help: 'Stream events that could not be read and were left out.' },
  breakwater_unclassified_total:        { kind: 'counter',   labels: ['provider', 'model'], help: 'Failures that are in no table. Anything above 0 needs attention: the log names status and code.' },
  breakwater_disbelieved_total:         { kind: 'counter',   labels: ['provider', 'failure'], help: 'Failures that blame our credential, taken for the trouble of the provider.' },
  breakwater_soft_failures_total:       { kind: 'counter',   labels: ['provider', 'model', 'signal'], help: 'Answers that arrived and were empty, cut by a limit, refused, slow, or did not fit what was asked.' },
  breakwater_gate_state:                 { kind: 'gauge',     labels: ['target', 'state'], help: '1 for the state a gate is in.' },
  breakwater_in_flight:                  { kind: 'gauge',     labels: ['target'], help: 'Calls open now.' },
  breakwater_concurrency_limit:         { kind: 'gauge',     labels: ['target'], help: 'Calls that may be open at once: what the provider allows, or less where overload showed a limit.' },
  breakwater_waiting:                   { kind: 'gauge',     labels: ['target'], help: 'Requests waiting for a place.' },
  breakwater_shed_total:                { kind: 'counter',   labels: ['feature'], help: 'Requests refused because every target was at its limit.' },
  breakwater_switches_in_force:          { kind: 'gauge',     labels: [], help: 'Switches in force now.' },
  breakwater_records_written_total:      { kind: 'gauge',     labels: [], help: 'Records written to the store.' },
  breakwater_records_dropped_total:      { kind: 'gauge',     labels: [], help: 'Records that could not be kept. Anything above 0 needs attention.' },
  breakwater_records_pending:            { kind: 'gauge',     labels: [], help: 'Records waiting to be written.' },
  breakwater_config_reloads_total:       { kind: 'counter',   labels: ['result'], help: 'Reloads of the configuration.' },
  breakwater_unauthenticated_total:      { kind: 'counter',   labels: [], help: 'Requests with a key that is not known.' },
  breakwater_unhandled_errors_total:     { kind: 'counter',   labels: [], help: 'Bugs of ours that were caught.' },
} as const satisfies Record<string, Definition>;

type MetricName = keyof typeof metricTable;
type NameOf<K extends MetricKind> = {
  [N in MetricName]: (typeof metricTable)[N]['kind'] extends K ? N : never;
}[MetricName];
type Labels = Readonly<Record<string, string>>;

/** Label combinations kept per metric. */
export const combinationsMax = 2_000;

export type Metrics = {
  observeRequest(record: RequestRecord): void;
  count(name: NameOf<'counter'>, labels?: Labels): void;
  set(name: NameOf<'gauge'>, labels: Labels, value: number): void;
  expose(): Promise<string>;
};

function splitTarget(target: string): { readonly provider: string; readonly model: string } {
  const slash = target.indexOf('/');
  return { provider: target.slice(0, slash), model: target.slice(slash + 1) };
}

class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();
  readonly #combinations = new Map<string, Set<string>>();
  readonly #isKnown: (name: string) => boolean;

  constructor(isKnown: (name: string) => boolean) {
    this.#isKnown = isKnown;
    for (const [name, { kind, labels, help }] of Object.entries(metricTable)) {
      const common = { name, help, labelNames: [...labels], registers: [this.#registry] };
      switch (kind) {
        case 'counter':
          this.#counters.set(name, new Counter(common));
          break;
        case 'gauge':
          this.#gauges.set(name, new Gauge(common));
          break;
        case 'histogram':
          this.#histograms.set(name, new Histogram({ ...common, buckets: seconds }));
          break;
      }
    }
  }

  /** The labels, or all `other` when the metric has as many combinations as it may. */
  #bounded(name: string, labels: Labels): Labels {
    const values = Object.values(labels);
    if (values.length === 0) return labels;
    const combination = values.join('\u0000');
    let known = this.#combinations.get(name);
    if (known === undefined) this.#combinations.set(name, (known = new Set()));
    if (known.has(combination)) return labels;
    if (known.size >= combinationsMax)
      return Object.fromEntries(Object.keys(labels).map((label) => [label, 'other']));
    known.add(combination);
    return labels;
  }

  count(name: NameOf<'counter'>, labels: Labels = {}): void {
    this.#add(name, labels, 1);
  }

  #add(name: NameOf<'counter'>, labels: Labels, value: number): void {
    this.#counters.get(name)?.inc(this.#bounded(name, labels), value);
  }

  set(name: NameOf<'gauge'>, labels: Labels, value: number): void {
    this.#gauges.get(name)?.set(this.#bounded(name, labels), value);
  }

  #observe(name: NameOf<'histogram'>, labels: Labels, ms: number): void {
    this.#histograms.get(name)?.observe(this.#bounded(name, labels), ms / 1_000);
  }

  #named(name: string | null): string {
    if (name === null) return 'none';
    return this.#isKnown(name) ? name : 'other';
  }

  observeRequest(record: RequestRecord): void {
    const { feature } = record;
    this.count('breakwater_requests_total', {
      feature,
      requested: this.#named(record.requested),
      served: this.#named(record.served),
      reported: record.modelReported === null ? 'unreported' : this.#named(record.modelReported),
      outcome: record.outcome,
      hop: record.hop ?? 'none',
      fallback: record.fallback ?? 'none',
      dialect: record.dialect,
      stream: String(record.stream),
    });
    if (record.outcome === 'refused')
      this.count('breakwater_policy_refusals_total', { feature, code: record.errorCode ?? 'none' });
    if (record.errorCode === 'overloaded') this.count('breakwater_shed_total', { feature });
    this.#observe('breakwater_request_seconds', { feature }, record.durationMs);
    for (const attempt of record.attempts) {
      const labels = this.#isKnown(attempt.target)
        ? splitTarget(attempt.target)
        : { provider: splitTarget(attempt.target).provider, model: 'other' };
      this.count('breakwater_attempts_total', {
        ...labels,
        outcome: attempt.outcome,
        failure: attempt.failure ?? 'none',
      });
      if (attempt.failure === 'unclassified') this.count('breakwater_unclassified_total', labels);
      this.#observe('breakwater_attempt_seconds', labels, attempt.durationMs);
      if (attempt.firstTokenMs !== null)
        this.#observe('breakwater_first_token_seconds', labels, attempt.firstTokenMs);
      if (attempt.inputTokens !== null)
        this.#add('breakwater_tokens_total', { ...labels, direction: 'input' }, attempt.inputTokens);
      if (attempt.outputTokens !== null)
        this.#add('breakwater_tokens_total', { ...labels, direction: 'output' }, attempt.outputTokens);
      if (attempt.malformedEvents > 0)
        this.#add('breakwater_malformed_events_total', labels, attempt.malformedEvents);
    }
  }

  expose(): Promise<string> {
    return this.#registry.metrics();
  }
}

/** `isKnown`: whether a feature, model or target of this name is configured. */
export function createMetrics(isKnown: (name: string) => boolean): Metrics {
  return new PrometheusMetrics(isKnown);
}
