/**
 * What a buyer asks about continuity, answered from the configuration in force and from what was recorded: are fallbacks
 * automatic, visible, configurable, recorded; who may process which class of data; what remains when a provider is lost;
 * what happened in each incident. It says what is so, never that it is enough, and what is not known is said to be.
 */
import { coverage } from './coverage.ts';
import type { Verdict } from './coverage.ts';
import type { Instant } from './ids.ts';
import type { Incident } from './incident.ts';
import type { Impact } from './incident-impact.ts';
import { dataPolicyObjection } from './rules.ts';
import type { FallbackMode, Snapshot } from './snapshot.ts';
import type { Tally } from './statistics.ts';
import { retentionWords, termsAt } from './target.ts';
import type { Hop, Provider } from './target.ts';

export type ContinuityInput = {
  readonly snapshot: Snapshot;
  readonly now: Instant;
  /** Since when records are counted. */
  readonly since: Instant;
  readonly told: ReadonlyMap<string, Tally>;
  readonly fallbacks: ReadonlyMap<string, Tally>;
  readonly incidents: readonly { readonly incident: Incident; readonly impact: Impact }[];
  readonly records: number;
  readonly ledger: string;
};

export type ContinuityReport = {
  readonly at: Instant;
  readonly since: Instant;
  readonly snapshot: string;
  readonly fallbacks: readonly {
    readonly feature: string;
    readonly title: string;
    readonly route: readonly string[];
    readonly modes: Readonly<Record<Hop, FallbackMode>>;
    readonly midStream: 'error' | 'continue';
  }[];
  /** How many requests were told of a fallback, and how. */
  readonly told: readonly { readonly told: string; readonly requests: number }[];
  readonly reasons: readonly { readonly reason: string; readonly requests: number }[];
  readonly recorded: {
    readonly records: number;
    readonly mode: 'best_effort' | 'strict';
    readonly retentionDays: number;
    /** Of classes of data that have a time of their own. */
    readonly retentionByClass: readonly { readonly dataClass: string; readonly days: number }[];
    readonly ledger: string;
  };
  readonly providers: readonly {
    readonly provider: string;
    readonly entity: string | null;
    readonly regions: readonly string[];
    readonly retention: string;
    readonly training: string;
    readonly agreement: string | null;
    readonly expiresAt: Instant | null;
    readonly local: boolean;
    readonly sla: number | null;
  }[];
  readonly processing: readonly {
    readonly dataClass: string;
    readonly providers: readonly { readonly provider: string; readonly objection: string | null }[];
  }[];
  readonly losses: readonly {
    readonly provider: string;
    readonly features: readonly {
      readonly feature: string;
      readonly title: string;
      readonly verdict: Verdict;
      readonly by: string | null;
    }[];
  }[];
  readonly incidents: readonly {
    readonly id: string;
    readonly title: string;
    readonly failureClass: string;
    readonly state: string;
    readonly openedAt: Instant;
    readonly switchedAt: Instant | null;
    readonly normalAt: Instant | null;
    readonly requests: number;
    readonly failed: number;
    readonly rescued: number;
    readonly leftTo: readonly string[];
  }[];
};

const counts = (
  groups: ReadonlyMap<string, Tally>,
): readonly { readonly name: string; readonly requests: number }[] =>
  [...groups]
    .map(([name, { requests }]) => ({ name, requests }))
    .sort((one, other) => other.requests - one.requests);

function providerFacts(provider: Provider, now: Instant): ContinuityReport['providers'][number] {
  const terms = termsAt(provider.terms, now);
  return {
    provider: provider.id,
    entity: terms.entity,
    regions: terms.regions === 'unknown' ? [] : terms.regions,
    retention: retentionWords(terms),
    training: terms.training,
    agreement: terms.agreement,
    expiresAt: terms.expiresAt as Instant | null,
    local: provider.local,
    sla: terms.sla,
  };
}

/** Which provider may process which class, as the data policy itself would say of any of its targets. */
function processing({ snapshot, now }: ContinuityInput): ContinuityReport['processing'] {
  return [...snapshot.dataClasses.values()].map((dataClass) => ({
    dataClass: dataClass.name,
    providers: [...snapshot.providers.values()].flatMap((provider) => {
      const target = [...snapshot.targets.values()].find((each) => each.provider.id === provider.id);
      return target === undefined
        ? []
        : [{ provider: provider.id, objection: dataPolicyObjection(target, dataClass, now) }];
    }),
  }));
}

function lossesOf({ snapshot, now }: ContinuityInput): ContinuityReport['losses'] {
  const features = coverage(snapshot, now);
  return [...snapshot.providers.keys()].map((provider) => ({
    provider,
    features: features.flatMap(({ feature, title, losses }) => {
      const loss = losses.find((each) => each.loss.provider === provider);
      return loss === undefined ? [] : [{ feature, title, verdict: loss.verdict, by: loss.by }];
    }),
  }));
}

const dayMs = 86_400_000;

export function continuityReport(input: ContinuityInput): ContinuityReport {
  const { snapshot, now, since } = input;
  return {
    at: now,
    since,
    snapshot: snapshot.hash,
    fallbacks: [...snapshot.features.values()].map((feature) => ({
      feature: feature.name,
      title: feature.title,
      route: feature.route.map(({ name }) => name),
      modes: feature.fallback,
      midStream: feature.midStream,
    })),
    told: counts(input.told).map(({ name, requests }) => ({ told: name, requests })),
    reasons: counts(input.fallbacks).map(({ name, requests }) => ({ reason: name, requests })),
    recorded: {
      records: input.records,
      mode: snapshot.audit.mode,
      retentionDays: Math.round(snapshot.audit.retentionMs / dayMs),
      retentionByClass: [...snapshot.audit.retentionByClassMs].map(([dataClass, keptMs]) => ({
        dataClass,
        days: Math.round(keptMs / dayMs),
      })),
      ledger: input.ledger,
    },
    providers: [...snapshot.providers.values()].map((provider) => providerFacts(provider, now)),
    processing: processing(input),
    losses: lossesOf(input),
    incidents: input.incidents.map(({ incident, impact }) => ({
      id: incident.id,
      title: incident.title,
      failureClass: incident.failureClass,
      state: incident.state,
      openedAt: incident.openedAt,
      switchedAt: incident.times.switched,
      normalAt: incident.times.normalRoutingResumed,
      requests: impact.total,
      failed: impact.by.failed + impact.by.cut,
      rescued: impact.by.rescued,
      leftTo: [...impact.leftTo.keys()],
    })),
  };
}
