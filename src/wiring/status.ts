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
import { createStatusCopy } from './status-copy.ts';
import type { Engine } from '../engine.ts';
import type { GatewayDependencies } from '../gateway/handle.ts';
import { copyOf } from '../site/files.ts';
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
  readonly copy: () => ReadonlyMap<string, string>;
  /** Looks at how features are and writes it down. */
  readonly look: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export async function createStatusDesk(
  { gateway, pulse }: Engine,
  store: Store,
  messages: MessageDesk,
  onTrouble: (words: string) => void,
): Promise<StatusDesk> {
  const { now } = gateway.clock;
  const features = (at: Instant): readonly FeatureView[] =>
    featuresNow(gateway, at).map((view) => pulse.felt(view, at));
  const recorder = await createStatusRecorder(store, now());
  let site: Site | null = null;
  let switches = gateway.state.switches;
  let rev = -1;
  const make = (at: Instant): Site => {
    const { snapshot } = gateway.state;
    const { statusPage } = snapshot;
    const page = buildStatusPage({
      features: features(at),
      targets: routedTargets(gateway).map((target) => targetNow(target, gateway, at)),
      history: recorder.history(),
      stories: messages.stories(),
      planned: plannedOf(statusPage.maintenance, [...snapshot.features.values()], at),
      now: at,
    });
    return {
      page,
      said: messages.said(),
      locales: snapshot.messages.locales,
      settings: statusPage,
      flavour: 'served',
    };
  };
  const siteNow = (): Site => {
    const isMoved = switches !== gateway.state.switches || rev !== messages.rev();
    const at = now();
    if (site === null || isMoved || at - site.page.generatedAt >= freshMs) {
      switches = gateway.state.switches;
      rev = messages.rev();
      site = make(at);
    }
    return site;
  };
  const copy = createStatusCopy(siteNow, () => gateway.state.snapshot.statusPage.exportDir, onTrouble);
  return {
    site: siteNow,
    copy: () => copyOf(siteNow()),
    look: async () => {
      // A store that is away does not keep the copy from being written.
      try {
        await recorder.look(features(now()), now());
      } finally {
        await copy.look();
      }
    },
    stop: () => recorder.flush(),
  };
}
