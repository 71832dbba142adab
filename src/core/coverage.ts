/**
 * What each feature can survive: for every scope that could be lost, what would answer instead. It asks `decide` the
 * same question a request would, with the scope switched off, so that it cannot promise what routing would not do.
 */
import { classDemand } from './data-class.ts';
import { scopeText } from './switches.ts';
import type { Instant } from './ids.ts';
import { switchId } from './ids.ts';
import { decide } from './routing.ts';
import type { RoutingDecision } from './routing.ts';
import { modeFor, plainRequest } from './rules.ts';
import type { Expectation, Feature, Snapshot } from './snapshot.ts';
import type { Scope, Switch } from './switches.ts';
import { hopBetween, termsAt } from './target.ts';
import type { Hop, Target } from './target.ts';

/** `survives`: answered by itself. `reduced`: by the limited mode. `asks`: only if the user agrees. `stops`: not at all. */
export type Verdict = 'survives' | 'reduced' | 'asks' | 'stops';

export type LossCoverage = {
  readonly loss: Scope;
  readonly verdict: Verdict;
  readonly by: string | null;
  readonly hop: Hop | null;
  readonly left: readonly string[];
};
export type ClaimResult = { readonly claim: string; readonly holds: boolean; readonly why: string };
/** What data of one class can count on in a feature. */
export type ClassCoverage = {
  readonly dataClass: string;
  readonly normal: Verdict;
  readonly by: string | null;
  readonly losses: readonly LossCoverage[];
};
export type FeatureCoverage = {
  readonly feature: string;
  readonly title: string;
  /** For data of the feature's own class. */
  readonly normal: Verdict;
  readonly losses: readonly LossCoverage[];
  /** For data of each class that the configuration defines, on top of the feature's own. */
  readonly dataClasses: readonly ClassCoverage[];
  readonly claims: readonly ClaimResult[];
};

function switchOff(scope: Scope, now: Instant): Switch {
  return {
    id: switchId('sw_hypothetical'),
    rev: 1,
    scope,
    effect: { kind: 'off' },
    reason: 'hypothetical',
    failureClass: null,
    actor: 'coverage',
    createdAt: now,
    expiresAt: null,
    atExpiry: 'stay',
    inFlight: 'finish',
    mode: 'enforce',
    release: null,
  };
}

function decideWithout(
  snapshot: Snapshot,
  feature: Feature,
  scope: Scope | null,
  now: Instant,
  dataClass: string | null = null,
): RoutingDecision {
  const demand = classDemand(snapshot, feature, dataClass, { tenant: null, keyNames: [] });
  return decide(plainRequest(feature, { demand }), {
    switches: scope === null ? [] : [switchOff(scope, now)],
    standing: () => ({ kind: 'open' }),
    now,
    random: 0,
  });
}

function verdictOf(feature: Feature, decision: RoutingDecision): Verdict {
  switch (decision.kind) {
    case 'route':
      return modeFor(feature, hopBetween(feature.route[0], decision.plan[0]), null) === 'reduce'
        ? 'reduced'
        : 'survives';
    case 'ask':
      return 'asks';
    case 'refuse':
      return 'stops';
  }
}

function answering(decision: RoutingDecision): readonly Target[] {
  switch (decision.kind) {
    case 'route':
      return decision.plan;
    case 'ask':
      return decision.offers.map(({ target }) => target);
    case 'refuse':
      return [];
  }
}

/** Every scope whose loss touches the route: providers, vendors, families, models, regions. */
function lossesOf(feature: Feature, now: Instant): readonly Scope[] {
  const scopes = new Map<string, Scope>();
  const add = (key: keyof Scope, value: string): void => void scopes.set(`${key}:${value}`, { [key]: value });
  for (const target of feature.route) add('provider', target.provider.id);
  for (const target of feature.route) add('vendor', target.model.vendor);
  for (const target of feature.route) add('family', target.model.family);
  for (const target of feature.route) add('model', target.model.name);
  for (const target of feature.route) {
    const { regions } = termsAt(target.provider.terms, now);
    if (regions !== 'unknown') for (const region of regions) add('region', region);
  }
  return [...scopes.values()];
}

function judgeClaim(snapshot: Snapshot, feature: Feature, claim: Expectation, now: Instant): ClaimResult {
  switch (claim.kind) {
    case 'survives': {
      const decision = decideWithout(snapshot, feature, claim.scope, now);
      const verdict = verdictOf(feature, decision);
      return {
        claim: `survives ${scopeText(claim.scope)}`,
        holds: verdict === 'survives' || verdict === 'reduced',
        why:
          verdict === 'stops'
            ? 'nothing is left that may answer'
            : `${verdict}: ${answering(decision)[0]?.name ?? ''}`,
      };
    }
    case 'never_leaves_region': {
      const decision = decideWithout(snapshot, feature, null, now);
      const outside = [...answering(decision), ...decision.offers.map(({ target }) => target)].find(
        (target) => {
          const { regions } = termsAt(target.provider.terms, now);
          return regions === 'unknown' || regions.some((region) => region !== claim.region);
        },
      );
      return {
        claim: `never leaves region ${claim.region}`,
        holds: outside === undefined,
        why:
          outside === undefined
            ? `every target that may answer is in ${claim.region}`
            : `${outside.name} may answer and is elsewhere`,
      };
    }
  }
}

function lossesFor(
  snapshot: Snapshot,
  feature: Feature,
  now: Instant,
  dataClass: string | null,
): readonly LossCoverage[] {
  return lossesOf(feature, now).map((loss): LossCoverage => {
    const decision = decideWithout(snapshot, feature, loss, now, dataClass);
    const left = answering(decision);
    return {
      loss,
      verdict: verdictOf(feature, decision),
      by: left[0]?.name ?? null,
      hop: left[0] === undefined ? null : hopBetween(feature.route[0], left[0]),
      left: left.map((target) => target.name),
    };
  });
}

function classCoverage(snapshot: Snapshot, feature: Feature, now: Instant, dataClass: string): ClassCoverage {
  const decision = decideWithout(snapshot, feature, null, now, dataClass);
  return {
    dataClass,
    normal: verdictOf(feature, decision),
    by: answering(decision)[0]?.name ?? null,
    losses: lossesFor(snapshot, feature, now, dataClass),
  };
}

/** Targets that answer for a feature by themselves, preferred first, when everything is well. */
export function answersByItself(snapshot: Snapshot, feature: Feature, now: Instant): readonly Target[] {
  const decision = decideWithout(snapshot, feature, null, now);
  return decision.kind === 'route' ? decision.plan : [];
}

/** Coverage of every feature of a snapshot, for its own data and for data of each class. */
export function coverage(snapshot: Snapshot, now: Instant): readonly FeatureCoverage[] {
  return [...snapshot.features.values()].map((feature) => ({
    feature: feature.name,
    title: feature.title,
    normal: verdictOf(feature, decideWithout(snapshot, feature, null, now)),
    losses: lossesFor(snapshot, feature, now, null),
    dataClasses: [...snapshot.dataClasses.keys()].map((name) => classCoverage(snapshot, feature, now, name)),
    claims: feature.expect.map((claim) => judgeClaim(snapshot, feature, claim, now)),
  }));
}
