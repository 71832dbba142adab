/**
 * The report of one month: availability, latency, error budget and time on a backup, for each feature, provider and model
 * version, and whether what customers are promised can be kept. Every number is counted from records and from how features
 * were watched to be; time that nobody watched is said, not filled in.
 */
import { modelIn, providerIn } from './ids.ts';
import { coherence } from './coherence.ts';
import type { Coherence } from './coherence.ts';
import { isCallersOwn } from './errors.ts';
import type { Instant } from './ids.ts';
import { isCount } from './record.ts';
import { epochOf } from './moment.ts';
import { addGroups, groupKey, noValue, percentileMs, statisticsOf } from './statistics.ts';
import type { Groups, Statistic, Tally } from './statistics.ts';
import type { FeatureStatus } from './status.ts';
import type { StatusInterval } from './status-history.ts';
import { correlation, sumWindows } from './target-outcomes.ts';
import type { TargetWindows } from './target-outcomes.ts';

export type SlaFeature = {
  readonly feature: string;
  readonly title: string;
  /** Targets that may answer by themselves, preferred first. */
  readonly route: readonly {
    readonly target: string;
    readonly provider: string;
    readonly sla: number | null;
  }[];
  readonly availability: number | null;
  readonly promised: number | null;
};

export type SlaInput = {
  /** `2026-06` */
  readonly month: string;
  readonly from: Instant;
  readonly until: Instant;
  readonly features: readonly SlaFeature[];
  readonly slaOf: (provider: string) => number | null;
  readonly byFeature: ReadonlyMap<string, Tally>;
  /** Answers that arrived whole, by feature and target: how long one waits is read from these alone. */
  readonly answers: readonly Statistic[];
  readonly windows: TargetWindows;
  readonly intervals: readonly StatusInterval[];
  /** Not all records of the month were counted. */
  readonly isCut: boolean;
};

type Latency = {
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly firstTokenP50Ms: number | null;
  readonly firstTokenP99Ms: number | null;
};

export type FeatureSla = Latency & {
  readonly feature: string;
  readonly title: string;
  readonly requests: number;
  readonly failed: number;
  readonly availability: number | null;
  readonly objective: number | null;
  /** As a share of the budget: 1 untouched, 0 used up, below 0 overdrawn; null without objective or requests. */
  readonly budgetLeft: number | null;
  readonly minutes: Readonly<Record<FeatureStatus, number>> & { readonly unwatched: number };
  readonly promised: number | null;
  readonly coherence: Coherence;
};

export type TargetSla = Latency & {
  readonly provider: string;
  /** Null: all of the provider's. */
  readonly model: string | null;
  readonly tries: number;
  readonly failed: number;
  readonly availability: number | null;
  readonly promised: number | null;
  readonly keepsPromise: boolean | null;
};

export type SlaReport = {
  readonly month: string;
  readonly from: Instant;
  readonly until: Instant;
  readonly isCut: boolean;
  readonly features: readonly FeatureSla[];
  readonly providers: readonly TargetSla[];
  readonly models: readonly TargetSla[];
};

/**
 * Requests of each feature, from those counted by feature, error and operation. What failed by its caller's own doing is a request, but
 * no failure of the feature; a count of tokens is no answer that anybody was promised.
 */
export function tallyByFeature(groups: readonly Statistic[]): ReadonlyMap<string, Tally> {
  const features: Groups = new Map();
  for (const { values, tally } of groups) {
    const [feature = noValue, errorCode = noValue, operation] = values;
    if (isCount(operation)) continue;
    const isOwn = isCallersOwn({ errorCode, attempts: ['what failed was tried'] });
    const counted = isOwn ? { ...tally, outcomes: { ...tally.outcomes, failed: 0, partial: 0 } } : tally;
    addGroups(features, new Map([[groupKey([feature]), counted]]));
  }
  return new Map(statisticsOf(features).map(({ values, tally }) => [values[0] ?? noValue, tally]));
}

/** The tallies that fit, as one. */
function together(
  groups: readonly Statistic[],
  fits: (values: readonly string[]) => boolean,
): Tally | undefined {
  const sum: Groups = new Map();
  for (const { values, tally } of groups)
    if (fits(values)) addGroups(sum, new Map([[groupKey([noValue]), tally]]));
  return statisticsOf(sum)[0]?.tally;
}

const none: ReadonlyMap<number, number> = new Map();
const share = (ok: number, failed: number): number | null => (ok + failed === 0 ? null : ok / (ok + failed));

function latencyOf(tally: Pick<Tally, 'duration' | 'firstToken'> | undefined): Latency {
  const [duration, firstToken] = [tally?.duration ?? none, tally?.firstToken ?? none];
  return {
    p50Ms: percentileMs(duration, 0.5),
    p99Ms: percentileMs(duration, 0.99),
    firstTokenP50Ms: percentileMs(firstToken, 0.5),
    firstTokenP99Ms: percentileMs(firstToken, 0.99),
  };
}

const minuteMs = 60_000;

function minutesOf(feature: string, { from, until, intervals }: SlaInput): FeatureSla['minutes'] {
  const ms = { normal: 0, backup: 0, slow: 0, partial: 0, paused: 0, unavailable: 0 };
  for (const interval of intervals)
    if (interval.feature === feature)
      ms[interval.status] += Math.max(0, Math.min(interval.until, until) - Math.max(interval.since, from));
  const watched = Object.values(ms).reduce((sum, value) => sum + value, 0);
  const minutes = (value: number): number => Math.round(value / minuteMs);
  return {
    normal: minutes(ms.normal),
    backup: minutes(ms.backup),
    slow: minutes(ms.slow),
    partial: minutes(ms.partial),
    paused: minutes(ms.paused),
    unavailable: minutes(ms.unavailable),
    unwatched: minutes(Math.max(0, until - from - watched)),
  };
}

function budgetLeft(objective: number | null, ok: number, failed: number): number | null {
  if (objective === null || ok + failed === 0) return null;
  const allowed = (1 - objective) * (ok + failed);
  if (allowed === 0) return failed === 0 ? 1 : -failed;
  return 1 - failed / allowed;
}

function featureSla(feature: SlaFeature, input: SlaInput): FeatureSla {
  const tally = input.byFeature.get(feature.feature);
  const ok = tally?.outcomes.answered ?? 0;
  const failed = (tally?.outcomes.failed ?? 0) + (tally?.outcomes.partial ?? 0);
  const windowsOf = (target: string) => input.windows.get(target) ?? new Map();
  const promise = feature.promised ?? feature.availability;
  return {
    feature: feature.feature,
    title: feature.title,
    requests: tally?.requests ?? 0,
    failed,
    availability: share(ok, failed),
    objective: feature.availability,
    budgetLeft: budgetLeft(feature.availability, ok, failed),
    minutes: minutesOf(feature.feature, input),
    promised: promise,
    coherence: coherence(promise, feature.route, (one, other) =>
      correlation(windowsOf(one), windowsOf(other)),
    ),
    ...latencyOf(together(input.answers, ([name]) => name === feature.feature)),
  };
}

function targetSla(targets: readonly string[], model: string | null, input: SlaInput): TargetSla {
  const sums = targets.map((target) => sumWindows(input.windows.get(target) ?? new Map()));
  const ok = sums.reduce((sum, each) => sum + each.ok, 0);
  const failed = sums.reduce((sum, each) => sum + each.failed, 0);
  const provider = providerIn(targets[0] ?? '');
  const promised = input.slaOf(provider);
  const availability = share(ok, failed);
  return {
    provider,
    model,
    tries: ok + failed,
    failed,
    availability,
    promised,
    keepsPromise: promised === null || availability === null ? null : availability >= promised,
    ...latencyOf(together(input.answers, ([, target = noValue]) => targets.includes(target))),
  };
}

/** What was asked for and is not in the configuration in force: taken out since, or named by its model alone. */
function unlisted(input: SlaInput): readonly FeatureSla[] {
  const { features, byFeature } = input;
  const listed = new Set(features.map(({ feature }) => feature));
  return [...byFeature.keys()]
    .filter((feature) => !listed.has(feature))
    .sort()
    .map((feature): FeatureSla => {
      const none = { title: feature, route: [], availability: null, promised: null };
      const counted = featureSla({ feature, ...none }, input);
      const words = 'It is not in the configuration in force, so nothing can be said.';
      return { ...counted, coherence: { ...counted.coherence, words } };
    });
}

export function slaReport(input: SlaInput): SlaReport {
  const targets = [...input.windows.keys()].sort();
  const providers = [...new Set(targets.map(providerIn))];
  return {
    month: input.month,
    from: input.from,
    until: input.until,
    isCut: input.isCut,
    features: [...input.features.map((feature) => featureSla(feature, input)), ...unlisted(input)],
    providers: providers.map((provider) =>
      targetSla(
        targets.filter((target) => providerIn(target) === provider),
        null,
        input,
      ),
    ),
    models: targets.map((target) => targetSla([target], modelIn(target), input)),
  };
}

/** `2026-06` → its first moment and the first of the next month; null for other text. */
export function monthBounds(text: string): { readonly from: number; readonly until: number } | null {
  const match = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text);
  if (match === null) return null;
  const [year, month] = [Number(match[1]), Number(match[2])];
  const next = month === 12 ? `${year + 1}-01` : `${year}-${String(month + 1).padStart(2, '0')}`;
  return { from: epochOf(`${text}-01`), until: epochOf(`${next}-01`) };
}
