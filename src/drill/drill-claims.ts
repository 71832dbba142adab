/**
 * Whether a feature's continuity claims (`expect`) held in a drill. A claim about a loss is judged only by a drill that
 * loses all of it, and fails only by one in which nothing else goes wrong for the feature; a claim about a region by every call that was made, failed ones included.
 */
import type { Scope } from '../core/switches.ts';
import { countedShare, writtenShare } from '../core/percent.ts';
import type { Expectation, Feature } from '../core/snapshot.ts';
import { covers, scopeText } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import { strikes } from '../simulation/provider-model.ts';
import type { Scenario } from '../simulation/scenario.ts';
import type { FeatureTally } from '../simulation/tally.ts';
import { routedTargets } from './drill-plan.ts';
import type { Snapshot } from '../core/snapshot.ts';

export type ClaimResult = {
  readonly claim: string;
  readonly outcome: 'holds' | 'fails' | 'not_rehearsed';
  readonly why: string;
};

/** The share of requests that must be answered for a feature to have survived. */
const survivedShare = 0.99;

export type Window = { readonly from: number; readonly to: number };

/** The minutes of the drill in which something is wrong. */
export function troubleWindow({ faults, operator, durationMs }: Scenario): Window {
  const acts = [...faults, ...operator];
  if (acts.length === 0) return { from: 0, to: Math.ceil(durationMs / 60_000) };
  const from = Math.min(...acts.map(({ at }) => at));
  const to = Math.max(...acts.map((each) => each.at + each.for));
  return { from: Math.floor(from / 60_000), to: Math.ceil(Math.min(to, durationMs) / 60_000) };
}

/** Whether the drill takes a target out entirely. */
function isLost(target: Target, scenario: Scenario): boolean {
  return (
    scenario.faults.some(
      (fault) =>
        (fault.share ?? 1) === 1 &&
        (fault.effect.kind === 'fail' || fault.effect.kind === 'hang') &&
        strikes(fault, target, null),
    ) || scenario.operator.some(({ off }) => covers(defined(off), target, null))
  );
}

function defined(scope: Readonly<Record<string, string | undefined>>): Scope {
  return Object.fromEntries(Object.entries(scope).filter(([, value]) => value !== undefined));
}

/** A target of the feature that has trouble in this drill although the claim does not speak of it. */
function otherTrouble({ route }: Feature, scope: Scope, { faults, operator }: Scenario): Target | undefined {
  return route.find(
    (target) =>
      !covers(scope, target, null) &&
      (faults.some((fault) => strikes(fault, target, fault.scope.key ?? null)) ||
        operator.some(({ off }) => covers(defined(off), target, null))),
  );
}

type Seen = {
  readonly feature: Feature;
  readonly tally: FeatureTally;
  readonly scenario: Scenario;
  readonly snapshot: Snapshot;
};

function judge(claim: Expectation, { feature, tally, scenario, snapshot }: Seen): ClaimResult {
  switch (claim.kind) {
    case 'survives': {
      const words = `survives ${scopeText(claim.scope)}`;
      const meant = routedTargets(snapshot).filter((target) => covers(claim.scope, target, null));
      if (meant.length === 0 || !meant.every((target) => isLost(target, scenario)))
        return { claim: words, outcome: 'not_rehearsed', why: 'this drill does not lose it' };
      const { from, to } = troubleWindow(scenario);
      const { answered, backup, limited, agreed, ...rest } = tally.outcomes(from, to);
      const good = answered + backup + limited + agreed;
      const total = good + Object.values(rest).reduce((sum, count) => sum + count, 0);
      const share = total === 0 ? 1 : good / total;
      const other = share >= survivedShare ? undefined : otherTrouble(feature, claim.scope, scenario);
      if (other !== undefined)
        return { claim: words, outcome: 'not_rehearsed', why: `${other.name} has trouble here as well` };
      return {
        claim: words,
        outcome: share >= survivedShare ? 'holds' : 'fails',
        why: `${countedShare(share)} were answered; ${writtenShare(survivedShare)} must be`,
      };
    }
    case 'never_leaves_region': {
      const outside = [...tally.called.values()].find(({ provider: { terms } }) =>
        terms.regions === 'unknown' ? true : terms.regions.some((region) => region !== claim.region),
      );
      return {
        claim: `never leaves region ${claim.region}`,
        outcome: outside === undefined ? 'holds' : 'fails',
        why: outside === undefined ? 'no call left it' : `${outside.name} was called, and is elsewhere`,
      };
    }
  }
}

export function judgeClaims(
  feature: Feature,
  tally: FeatureTally,
  scenario: Scenario,
  snapshot: Snapshot,
): readonly ClaimResult[] {
  return feature.expect.map((claim) => judge(claim, { feature, tally, scenario, snapshot }));
}
