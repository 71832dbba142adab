/**
 * The order in which the targets of a plan are asked, where policy leaves a choice.
 *
 * Hosts of one model that follow each other in a plan are equals: the answer is the same from each. Among them the
 * feature may prefer the cheapest, or the one with most room; a host that is nearly full by what is known of its limits
 * goes behind its equals in any case. Across models the route's order is the law, because it is the product's judgement
 * of quality.
 *
 * A small share of requests may go to the first backup although nothing is wrong, so that it is warm, and known to work,
 * when everything has to move: only where its hop is `auto`, so that nobody is asked, told or given less because of it.
 *
 * It refuses to add or drop a target: who may answer was decided before.
 */
import type { NonEmpty } from './ids.ts';
import type { Feature } from './snapshot.ts';
import { hopBetween } from './target.ts';
import type { Target } from './target.ts';

/** Why another than the preferred target answered although that one was neither out nor failed. */
export const arrangements = ['warm_share', 'equal_host', 'hedge'] as const;
export type ArrangedBecause = (typeof arrangements)[number];

export type Arrangement = {
  readonly plan: NonEmpty<Target>;
  /** Null: the first of the plan is still the first. */
  readonly because: ArrangedBecause | null;
};

/** Used so far, from 0 to 1, a host goes behind its equals. */
const nearlyFull = 0.8;

/** List price of a typical request; hosts without a price come last. */
function priceOf({ model: { price } }: Target): number {
  return price === null ? Number.POSITIVE_INFINITY : price.input * 3 + price.output;
}

function sorted(
  hosts: readonly Target[],
  equals: Feature['equals'],
  used: (target: Target) => number,
): readonly Target[] {
  const full = (target: Target): number => (used(target) >= nearlyFull ? 1 : 0);
  const rank = (target: Target): number => {
    switch (equals) {
      case 'order':
        return 0;
      case 'price':
        return priceOf(target);
      case 'room':
        return used(target);
    }
  };
  return hosts.toSorted((one, other) => {
    const byFullness = full(one) - full(other);
    if (byFullness !== 0) return byFullness;
    const [first, second] = [rank(one), rank(other)];
    return first === second ? 0 : first < second ? -1 : 1;
  });
}

/** Runs of hosts of one model, in the plan's order. */
function runsOf(plan: readonly Target[]): readonly (readonly Target[])[] {
  const runs: Target[][] = [];
  for (const target of plan) {
    const last = runs.at(-1);
    if (last?.[0]?.model.name === target.model.name) last.push(target);
    else runs.push([target]);
  }
  return runs;
}

function warmed(plan: readonly Target[], feature: Feature): readonly Target[] | null {
  const [preferred] = plan;
  if (preferred === undefined) return null;
  const backup = plan.find((target) => {
    const hop = hopBetween(preferred, target);
    return hop !== null && feature.fallback[hop] === 'auto';
  });
  return backup === undefined ? null : [backup, ...plan.filter((target) => target !== backup)];
}

/** Arranges a plan. `used`: how full a target is, as far as limits are known; `random` in [0, 1). */
export function arrange(
  plan: NonEmpty<Target>,
  feature: Feature,
  used: (target: Target) => number,
  random: number,
): Arrangement {
  const [first] = plan;
  if (plan.length === 1) return { plan, because: null };
  if (random < feature.warmShare && first === feature.route[0]) {
    const warm = warmed(plan, feature);
    if (warm !== null) return { plan: warm as NonEmpty<Target>, because: 'warm_share' };
  }
  if (!plan.some((target, index) => target.model.name === plan[index + 1]?.model.name))
    return { plan, because: null };
  const ordered = runsOf(plan).flatMap((run) =>
    run.length === 1 || !mayMove(run, feature) ? run : sorted(run, feature.equals, used),
  ) as unknown as NonEmpty<Target>;
  return { plan: ordered, because: ordered[0] === first ? null : 'equal_host' };
}

/** Nobody is to be told or asked because of a choice that was ours. */
function mayMove(run: readonly Target[], feature: Feature): boolean {
  const [first] = run;
  return first !== feature.route[0] || feature.fallback.same_model === 'auto';
}
