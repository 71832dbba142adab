/**
 * The status of a feature in the words of the status page, from what routing would do with its next request. It asks
 * `decide`, so that the page cannot show a feature as working that would refuse.
 */
import { classDemand } from './data-class.ts';
import type { Instant } from './ids.ts';
import { decide } from './routing.ts';
import type { RoutingDecision, Standing } from './routing.ts';
import { plainRequest } from './rules.ts';
import type { Feature, Snapshot } from './snapshot.ts';
import type { Switch } from './switches.ts';
import type { Target } from './target.ts';

export type FeatureStatus = 'normal' | 'backup' | 'slow' | 'partial' | 'paused' | 'unavailable';
export type FeatureView = {
  readonly feature: string;
  readonly title: string;
  readonly status: FeatureStatus;
  readonly preferred: string;
  readonly serving: string | null;
};

export type StatusConditions = {
  readonly switches: readonly Switch[];
  readonly standing: (target: Target) => Standing;
  readonly now: Instant;
};

function statusOf(feature: Feature, decision: RoutingDecision): FeatureStatus {
  const preferred = decision.candidates[0];
  switch (decision.kind) {
    case 'route':
      if (decision.panic) return 'partial';
      return decision.plan[0].name === feature.route[0].name ? 'normal' : 'backup';
    case 'ask':
      return 'partial';
    case 'refuse':
      return preferred?.reason === 'switched_off' ? 'paused' : 'unavailable';
  }
}

/** What a feature's next request would meet, with the least lucky draw: a switch that sheds a part sheds this one. */
export function viewFeature(feature: Feature, snapshot: Snapshot, conditions: StatusConditions): FeatureView {
  const demand = classDemand(snapshot, feature, null, { tenant: null, keyNames: [] });
  const decision = decide(plainRequest(feature, { demand }), { ...conditions, random: 0 });
  const serving = decision.kind === 'route' ? decision.plan[0].name : null;
  return {
    feature: feature.name,
    title: feature.title,
    status: statusOf(feature, decision),
    preferred: feature.route[0].name,
    serving,
  };
}
