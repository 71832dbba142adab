/**
 * What an incident did to requests, in numbers: every one of them is a count of the incident's own set of requests, so
 * that whoever asks for the set can count again and finds the same.
 */
import { instant } from './ids.ts';
import type { Instant } from './ids.ts';
import type { IncidentFeature } from './incident.ts';
import { hitKinds } from './incident-hits.ts';
import type { HitKind } from './incident-hits.ts';

/** So many requests of an incident are alike in these. */
export type HitCount = {
  readonly feature: string;
  readonly how: HitKind;
  readonly served: string | null;
  /** Other companies that received content. */
  readonly leftTo: readonly string[];
  readonly count: number;
  /** When the first and the last of them arrived. */
  readonly first: Instant;
  readonly last: Instant;
};

export type Impact = FeatureImpact & {
  readonly features: ReadonlyMap<string, FeatureImpact>;
};

export type FeatureImpact = {
  readonly total: number;
  readonly by: Readonly<Record<HitKind, number>>;
  /** Who answered instead, with how many requests. */
  readonly backups: ReadonlyMap<string, number>;
  /** Companies that received content because of it, with how many requests. */
  readonly leftTo: ReadonlyMap<string, number>;
  /** When the first and the last of them arrived; null without any. */
  readonly first: Instant | null;
  readonly last: Instant | null;
};

const empty = (): Record<HitKind, number> =>
  Object.fromEntries(hitKinds.map((kind) => [kind, 0])) as Record<HitKind, number>;

function add(counts: Map<string, number>, name: string, count: number): void {
  counts.set(name, (counts.get(name) ?? 0) + count);
}

function featureImpact(counts: readonly HitCount[]): FeatureImpact {
  const by = empty();
  const backups = new Map<string, number>();
  const leftTo = new Map<string, number>();
  for (const each of counts) {
    const { how, served, count } = each;
    by[how] += count;
    if (how === 'rescued' && served !== null) add(backups, served, count);
    for (const company of each.leftTo) add(leftTo, company, count);
  }
  return {
    total: counts.reduce((sum, { count }) => sum + count, 0),
    by,
    backups,
    leftTo,
    first: counts.length === 0 ? null : instant(Math.min(...counts.map(({ first }) => first))),
    last: counts.length === 0 ? null : instant(Math.max(...counts.map(({ last }) => last))),
  };
}

export function impactOf(counts: readonly HitCount[]): Impact {
  const names = [...new Set(counts.map(({ feature }) => feature))].sort();
  return {
    ...featureImpact(counts),
    features: new Map(
      names.map((name) => [name, featureImpact(counts.filter(({ feature }) => feature === name))]),
    ),
  };
}

/** During which time all requests of a feature are the whole that those hit are a part of. */
export function askedDuring(
  felt: FeatureImpact | undefined,
  began: Instant,
  ended: Instant,
): { readonly since: Instant; readonly until: Instant } {
  return {
    since: instant(Math.min(began, felt?.first ?? began)),
    until: instant(Math.max(ended, felt?.last ?? ended) + 1),
  };
}

/** The part of a feature's requests that a backup answered. Records may have been deleted by now: the part stays one. */
export function rescuedShare(felt: FeatureImpact | undefined, asked: number): number {
  const whole = Math.max(asked, felt?.total ?? 0);
  return whole === 0 ? 0 : Math.round(((felt?.by.rescued ?? 0) / whole) * 10_000) / 10_000;
}

/** What of a feature only its requests tell: they were hit, and routing never moved it. */
function hitOnly(feature: string, title: string, felt: FeatureImpact): IncidentFeature {
  const { by, last, backups } = felt;
  const isBad = by.failed + by.asked + by.refused + by.cut > 0;
  const worst = isBad ? 'partial' : by.rescued > 0 ? 'backup' : 'slow';
  const backup = [...backups.keys()].at(-1) ?? null;
  return { feature, title, status: 'normal', worst, backup, normalAt: last };
}

/** The features of an incident: those that routing moved, and those whose requests met it all the same. */
export function affectedFeatures(
  known: readonly IncidentFeature[],
  impact: Impact,
  titleOf: (feature: string) => string,
): readonly IncidentFeature[] {
  const more = [...impact.features].filter(([name]) => !known.some(({ feature }) => feature === name));
  return [...known, ...more.map(([name, felt]) => hitOnly(name, titleOf(name), felt))];
}
