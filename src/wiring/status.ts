/** What the status page is made from: features, models and switches as they are now, and the past as it was written down. */
import type { Instant } from '../core/ids.ts';
import { buildStatusPage } from '../core/status-page.ts';
import { plannedOf } from '../core/status-planned.ts';
import type { TargetNow } from '../core/status-page.ts';
import { viewFeature } from '../core/status.ts';
import type { FeatureView } from '../core/status.ts';
import { covers, isForEverybody, isInForce } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import type { MessageDesk } from './messages.ts';
import type { Engine } from '../engine.ts';
import type { GatewayDependencies } from '../gateway/handle.ts';
import type { Site } from '../site/site.ts';
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
  readonly site: () => Site;
  /** Looks at how features are and writes it down. */
  readonly look: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export async function createStatusDesk(
  { gateway }: Engine,
  store: Store,
  messages: MessageDesk,
): Promise<StatusDesk> {
  const { now } = gateway.clock;
  const recorder = await createStatusRecorder(store, now());
  let site: Site | null = null;
  let switches = gateway.state.switches;
  let rev = -1;
  const make = (at: Instant): Site => {
    const { features, statusPage } = gateway.state.snapshot;
    const page = buildStatusPage({
      features: featuresNow(gateway, at),
      targets: routedTargets(gateway).map((target) => targetNow(target, gateway, at)),
      history: recorder.history(),
      stories: messages.stories(),
      planned: plannedOf(statusPage.maintenance, [...features.values()], at),
      now: at,
    });
    return { page, said: messages.said(), settings: statusPage, flavour: 'served' };
  };
  return {
    site: () => {
      const isMoved = switches !== gateway.state.switches || rev !== messages.rev();
      const at = now();
      if (site === null || isMoved || at - site.page.generatedAt >= freshMs) {
        switches = gateway.state.switches;
        rev = messages.rev();
        site = make(at);
      }
      return site;
    },
    look: () => recorder.look(featuresNow(gateway, now()), now()),
    stop: () => recorder.flush(),
  };
}
