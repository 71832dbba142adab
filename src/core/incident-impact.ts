/**
 * What an incident did to requests, in numbers: every one of them is a count of the incident's own set of requests, so
 * that whoever asks for the set can count again and finds the same.
 */
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
};

export type Impact = {
  readonly total: number;
  readonly by: Readonly<Record<HitKind, number>>;
  /** Companies that received content because of it, with how many requests. */
  readonly leftTo: ReadonlyMap<string, number>;
  readonly features: ReadonlyMap<string, FeatureImpact>;
};

export type FeatureImpact = {
  readonly total: number;
  readonly by: Readonly<Record<HitKind, number>>;
  /** Who answered instead, with how many requests. */
  readonly backups: ReadonlyMap<string, number>;
};

const empty = (): Record<HitKind, number> =>
  Object.fromEntries(hitKinds.map((kind) => [kind, 0])) as Record<HitKind, number>;

function add(counts: Map<string, number>, name: string, count: number): void {
  counts.set(name, (counts.get(name) ?? 0) + count);
}

function featureImpact(counts: readonly HitCount[]): FeatureImpact {
  const by = empty();
  const backups = new Map<string, number>();
  for (const { how, served, count } of counts) {
    by[how] += count;
    if (how === 'rescued' && served !== null) add(backups, served, count);
  }
  return { total: counts.reduce((sum, { count }) => sum + count, 0), by, backups };
}

export function impactOf(counts: readonly HitCount[]): Impact {
  const { total, by } = featureImpact(counts);
  const leftTo = new Map<string, number>();
  for (const each of counts) for (const company of each.leftTo) add(leftTo, company, each.count);
  const names = [...new Set(counts.map(({ feature }) => feature))].sort();
  return {
    total,
    by,
    leftTo,
    features: new Map(
      names.map((name) => [name, featureImpact(counts.filter(({ feature }) => feature === name))]),
    ),
  };
}
