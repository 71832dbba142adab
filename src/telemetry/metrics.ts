/**
 * Metrics for Prometheus. The model a caller requested, the one that was sent and the one the provider reports are
 * separate labels. A label that callers can invent is used only when the name is configured, `other` otherwise, and
 * every metric has a cap on its combinations, so that nobody outside can fill the memory.
 */
import { isCallersOwn } from '../core/errors.ts';
import { modelIn, providerIn } from '../core/ids.ts';
import { tokensPerSecond } from '../core/pace.ts';
import type { AttemptRecord, RequestRecord } from '../core/record.ts';
import { Family } from './series.ts';
import type { Definition, MetricKind } from './series.ts';

const tokenCounts = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536];
const paces = [1, 5, 10, 20, 40, 60, 80, 120, 200, 500];

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
  breakwater_warnings_total:            { kind: 'counter',   labels: ['target', 'signal'], help: 'Warnings that answers are not like they were, by what is odd about them. They move no request.' },
  breakwater_warning:                   { kind: 'gauge',     labels: ['target', 'signal'], help: '1 while such a warning stands.' },
  breakwater_probes_total:              { kind: 'counter',   labels: ['provider', 'model', 'outcome'], help: 'Requests that Breakwater sent to targets of its own accord, by outcome: ok, or the failure class.' },
  breakwater_probe_usd_total:           { kind: 'counter',   labels: ['provider', 'model'], help: 'What probes cost at list price, in US dollars.' },
  breakwater_canaries_total:            { kind: 'counter',   labels: ['provider', 'model', 'outcome'], help: 'Fixed questions asked to notice a model that changed under its name, by outcome: ok, or the failure class.' },
  breakwater_canary_usd_total:          { kind: 'counter',   labels: ['provider', 'model'], help: 'What they cost at list price, in US dollars.' },
  breakwater_identity_news_total:       { kind: 'counter',   labels: ['provider', 'model', 'what'], help: 'A model or fingerprint reported that this target never reported before. The log names it.' },
  breakwater_output_tokens:             { kind: 'histogram', labels: ['provider', 'model'], buckets: tokenCounts, help: 'Tokens of an answer.' },
  breakwater_tokens_per_second:         { kind: 'histogram', labels: ['provider', 'model'], buckets: paces, help: 'Pace of streamed answers of 32 tokens or more, from the first token to the last.' },
  breakwater_gate_state:                 { kind: 'gauge',     labels: ['target', 'state'], help: '1 for the state a gate is in.' },
  breakwater_gate_transitions_total:    { kind: 'counter',   labels: ['target', 'to', 'cause'], help: 'Moves of a gate, by where to and on what evidence.' },
  breakwater_egress_suspected_total:    { kind: 'counter',   labels: [], help: 'Unrelated providers failed together: look at our own network first. Nothing is declared meanwhile.' },
  breakwater_gate_trouble_attempts:     { kind: 'gauge',     labels: ['target'], help: 'Attempts in the trouble that a gate is acting on; 0 when there is none.' },
  breakwater_gate_trouble_failed:       { kind: 'gauge',     labels: ['target'], help: 'Those of them that failed.' },
  breakwater_gate_usual_rate:           { kind: 'gauge',     labels: ['target'], help: 'The failure rate learned as usual, as a fraction of 1.' },
  breakwater_gate_suspicion:            { kind: 'gauge',     labels: ['target'], help: 'How far the evidence is on its way to an alarm: 0 as usual, 1 an alarm.' },
  breakwater_in_flight:                  { kind: 'gauge',     labels: ['target'], help: 'Calls open now.' },
  breakwater_concurrency_limit:         { kind: 'gauge',     labels: ['target'], help: 'Calls that may be open at once: what the provider allows, or less where overload showed a limit.' },
  breakwater_waiting:                   { kind: 'gauge',     labels: ['target'], help: 'Requests waiting for a place.' },
  breakwater_shed_total:                { kind: 'counter',   labels: ['feature'], help: 'Requests refused because every target was at its limit.' },
  breakwater_switches_in_force:          { kind: 'gauge',     labels: [], help: 'Switches in force now.' },
  breakwater_records_written_total:      { kind: 'counter',   labels: [], help: 'Records written to the store.' },
  breakwater_records_dropped_total:      { kind: 'counter',   labels: [], help: 'Records that could not be kept. Anything above 0 needs attention.' },
  breakwater_records_pending:            { kind: 'gauge',     labels: [], help: 'Records waiting to be written.' },
  breakwater_records_spooled:            { kind: 'gauge',     labels: [], help: 'Records on local disk that wait for the store.' },
  breakwater_content_kept_total:         { kind: 'counter',   labels: [], help: 'Requests whose content was captured and kept.' },
  breakwater_content_lost_total:         { kind: 'counter',   labels: [], help: 'Requests whose content was to be captured and could not be kept. Their records say so.' },
  breakwater_config_reloads_total:       { kind: 'counter',   labels: ['result'], help: 'Reloads of the configuration.' },
  breakwater_incidents:                 { kind: 'gauge',     labels: ['state'], help: 'Incidents that are open, by state.' },
  breakwater_incidents_opened_total:    { kind: 'counter',   labels: ['source'], help: 'Incidents opened since the start, by who opened them: system, person or playbook.' },
  breakwater_messages_total:            { kind: 'counter',   labels: ['stage', 'by'], help: 'Messages to users published since the start, by stage: of a person or playbook, or automatic.' },
  breakwater_playbook_runs:             { kind: 'gauge',     labels: ['state'], help: 'Runs of playbooks that have not ended, by state.' },
  breakwater_playbook_runs_ended_total: { kind: 'counter',   labels: ['playbook'], help: 'Runs of playbooks that ended since the start.' },
  breakwater_feed_status:               { kind: 'gauge',     labels: ['provider', 'status'], help: '1 for what the status feed of a provider says last; unknown where it could not be read.' },
  breakwater_feed_readings_total:       { kind: 'counter',   labels: ['provider', 'result'], help: 'Readings of status feeds: read, or unknown.' },
  breakwater_channel_gone:              { kind: 'gauge',     labels: ['channel'], help: '1 for a channel that has said that it wants nothing any more (410).' },
  breakwater_deliveries_total:           { kind: 'counter',   labels: ['channel', 'result'], help: 'Attempts to tell a channel: delivered, failed (tried again) or dead.' },
  breakwater_stream_batches_total:       { kind: 'counter',   labels: ['stream', 'result'], help: 'Batches of the ledger sent elsewhere: sent, or failed and tried again.' },
  breakwater_stream_behind:              { kind: 'gauge',     labels: ['stream'], help: 'Entries of the ledger that a stream has not sent yet.' },
  breakwater_unauthenticated_total:      { kind: 'counter',   labels: [], help: 'Requests with a key that is not known.' },
  breakwater_unhandled_errors_total:     { kind: 'counter',   labels: [], help: 'Bugs of ours that were caught.' },
} as const satisfies Record<string, Definition>;

type MetricName = keyof typeof metricTable;
type NameOf<K extends MetricKind> = {
  [N in MetricName]: (typeof metricTable)[N]['kind'] extends K ? N : never;
}[MetricName];
type Labels = Readonly<Record<string, string>>;

export type Metrics = {
  observeRequest(record: RequestRecord): void;
  count(name: NameOf<'counter'>, labels?: Labels, by?: number): void;
  /** A counter that somebody else keeps: what it has come to. */
  total(name: NameOf<'counter'>, value: number): void;
  set(name: NameOf<'gauge'>, labels: Labels, value: number): void;
  expose(): string;
};

/** The values of a metric's labels, in their order. */
function valuesOf(name: MetricName, labels: Labels): readonly string[] {
  return metricTable[name].labels.map((label) => labels[label] ?? '');
}

type TargetParts = { readonly provider: string; readonly model: string };

/** Targets are few, and asked for with every attempt. */
const targetPartsMax = 1_000;

/** Names that providers report and no configuration holds. */
const reportedNamesMax = 200;

class PrometheusMetrics implements Metrics {
  readonly #reportedNames = new Set<string>();
  readonly #partsOf = new Map<string, TargetParts>();
  readonly #families: Readonly<Record<MetricName, Family>>;
  readonly #isKnown: (name: string) => boolean;

  constructor(isKnown: (name: string) => boolean) {
    this.#isKnown = isKnown;
    const made = Object.entries(metricTable).map(([name, definition]) => [
      name,
      new Family(name, definition),
    ]);
    this.#families = Object.fromEntries(made) as Record<MetricName, Family>;
  }

  count(name: NameOf<'counter'>, labels: Labels = {}, by = 1): void {
    this.#families[name].add(valuesOf(name, labels), by);
  }

  total(name: NameOf<'counter'>, value: number): void {
    this.#families[name].set([], value);
  }

  set(name: NameOf<'gauge'>, labels: Labels, value: number): void {
    this.#families[name].set(valuesOf(name, labels), value);
  }

  #named(name: string | null): string {
    if (name === null) return 'none';
    return this.#isKnown(name) ? name : 'other';
  }

  /** Providers call a model by the date of its snapshot, which no configuration names; of those, some are kept apart. */
  #reported(name: string | null): string {
    if (name === null) return 'unreported';
    if (this.#isKnown(name) || this.#reportedNames.has(name)) return name;
    if (this.#reportedNames.size >= reportedNamesMax) return 'other';
    this.#reportedNames.add(name);
    return name;
  }

  #parts(target: string): TargetParts {
    const known = this.#partsOf.get(target);
    if (known !== undefined) return known;
    if (this.#partsOf.size >= targetPartsMax) this.#partsOf.clear();
    const made = { provider: providerIn(target), model: modelIn(target) };
    this.#partsOf.set(target, made);
    return made;
  }

  observeRequest(record: RequestRecord): void {
    const { feature } = record;
    const families = this.#families;
    families.breakwater_requests_total.add(
      [
        feature,
        this.#named(record.requested),
        this.#named(record.served),
        this.#reported(record.modelReported),
        record.outcome,
        record.hop ?? 'none',
        record.fallback ?? 'none',
        record.dialect,
        record.stream ? 'true' : 'false',
      ],
      1,
    );
    if (record.outcome === 'refused' && !isCallersOwn(record))
      families.breakwater_policy_refusals_total.add([feature, record.errorCode ?? 'none'], 1);
    if (record.errorCode === 'overloaded') families.breakwater_shed_total.add([feature], 1);
    families.breakwater_request_seconds.observe([feature], record.durationMs / 1_000);
    for (const attempt of record.attempts) this.#observeAttempt(attempt, record.stream);
  }

  #observeAnswer(attempt: AttemptRecord, target: readonly string[], isStream: boolean): void {
    const { outputTokens, firstTokenMs, durationMs } = attempt;
    if (outputTokens === null) return;
    this.#families.breakwater_output_tokens.observe(target, outputTokens);
    const pace =
      isStream && firstTokenMs !== null ? tokensPerSecond(outputTokens, durationMs - firstTokenMs) : null;
    if (pace !== null) this.#families.breakwater_tokens_per_second.observe(target, pace);
  }

  #observeAttempt(attempt: AttemptRecord, isStream: boolean): void {
    const families = this.#families;
    const { provider, model } = this.#parts(attempt.target);
    const target = [provider, this.#isKnown(attempt.target) ? model : 'other'];
    families.breakwater_attempts_total.add([...target, attempt.outcome, attempt.failure ?? 'none'], 1);
    if (attempt.failure === 'unclassified') families.breakwater_unclassified_total.add(target, 1);
    families.breakwater_attempt_seconds.observe(target, attempt.durationMs / 1_000);
    if (attempt.firstTokenMs !== null)
      families.breakwater_first_token_seconds.observe(target, attempt.firstTokenMs / 1_000);
    if (attempt.inputTokens !== null)
      families.breakwater_tokens_total.add([...target, 'input'], attempt.inputTokens);
    if (attempt.outputTokens !== null)
      families.breakwater_tokens_total.add([...target, 'output'], attempt.outputTokens);
    if (attempt.outcome === 'ok') this.#observeAnswer(attempt, target, isStream);
    if (attempt.malformedEvents > 0)
      families.breakwater_malformed_events_total.add(target, attempt.malformedEvents);
  }

  expose(): string {
    return Object.values(this.#families)
      .map((family) => family.expose())
      .join('');
  }
}

/** `isKnown`: whether a feature, model or target of this name is configured. */
export function createMetrics(isKnown: (name: string) => boolean): Metrics {
  return new PrometheusMetrics(isKnown);
}
