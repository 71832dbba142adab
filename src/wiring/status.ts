/** What the status page is made from: features, models and switches as they are now, and the past as it was written down. */
import type { Instant } from '../core/ids.ts';
import { buildStatusPage } from '../core/status-page.ts';
import type { StatusPage, TargetNow } from '../core/status-page.ts';
import { viewFeature } from '../core/status.ts';
import type { FeatureView } from '../core/status.ts';
import { covers, isForEverybody, isInForce } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import type { Engine } from '../engine.ts';
import type { GatewayDependencies } from '../gateway/handle.ts';
import type { Store } from '../store/store.ts';
import { createStatusRecorder } from '../sync/status-recorder.ts';

/** A page is made again after this long; what a person switched shows at once. */
const freshMs = 1_000;

function targetNow(target: Target, { state, board }: GatewayDependencies, now: Instant): TargetNow {
  const { health } = board.view(target).cell;
  const off = state.switches.find(
    (entry) =>
      entry.effect.kind === 'off' &&
      entry.mode === 'enforce' &&
      isInForce(entry, now) &&
      isForEverybody(entry) &&
      covers(entry.scope, target, null),
  );
  return {
    target: target.name,
    model: target.model.name,
    vendor: target.model.vendor,
    gate: health.state,
    gateSince: health.state === 'healthy' ? null : health.since,
    pausedSince: off?.createdAt ?? null,
  };
}

/** How each feature's next request would fare. */
function featuresNow({ state, board }: GatewayDependencies, now: Instant): readonly FeatureView[] {
  const { snapshot, switches } = state;
  return [...snapshot.features.values()].map((feature) =>
    viewFeature(feature, snapshot, { switches, standing: (target) => board.standing(target), now }),
  );
}

function routedTargets({ state }: GatewayDependencies): readonly Target[] {
  const routes = [...state.snapshot.features.values()].flatMap((feature) => feature.route);
  return [...new Map(routes.map((target) => [target.name, target])).values()];
}

export type StatusDesk = {
  readonly page: () => StatusPage;
  /** Looks at how features are and writes it down. */
  readonly look: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export async function createStatusDesk({ gateway }: Engine, store: Store): Promise<StatusDesk> {
  const { now } = gateway.clock;
  const recorder = await createStatusRecorder(store, now());
  let page: StatusPage | null = null;
  let switches = gateway.state.switches;
  return {
    page: () => {
      const isSwitched = switches !== gateway.state.switches;
      const at = now();
      if (page === null || isSwitched || at - page.generatedAt >= freshMs) {
        switches = gateway.state.switches;
        const targets = routedTargets(gateway).map((target) => targetNow(target, gateway, at));
        page = buildStatusPage(featuresNow(gateway, at), targets, recorder.history(), at);
      }
      return page;
    },
    look: () => recorder.look(featuresNow(gateway, now()), now()),
    stop: () => recorder.flush(),
  };
}
