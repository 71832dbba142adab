/** What the status page is made from: features, models and switches as they are now, and the past as it was written down. */
import type { Instant } from '../core/ids.ts';
import { buildStatusPage } from '../core/status-page.ts';
import { plannedOf } from '../core/status-planned.ts';
import type { StatusFacts, TargetNow } from '../core/status-page.ts';
import { english } from '../core/message-texts.ts';
import type { Tongue } from '../core/incident-story.ts';
import { viewFeature } from '../core/status.ts';
import type { FeatureView } from '../core/status.ts';
import { covers, isForEverybody, isInForce } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import type { MessageDesk } from './messages.ts';
import { createStatusCopy } from './status-copy.ts';
import type { Engine } from '../engine.ts';
import type { GatewayDependencies } from '../gateway/handle.ts';
import { copiesOf } from '../site/files.ts';
import { usualLocale } from '../site/site.ts';
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
  /** In a language, the usual one unless said. */
  readonly site: (locale?: string) => Site;
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
  let sites = new Map<string, Site>();
  let switches = gateway.state.switches;
  let rev = -1;
  const make = (at: Instant, tongue: Tongue): Site => {
    const { snapshot } = gateway.state;
    const { statusPage, messages: told } = snapshot;
    const facts: StatusFacts = {
      features: features(at),
      targets: routedTargets(gateway).map((target) => targetNow(target, gateway, at)),
      history: recorder.history(),
      stories: messages.stories(tongue),
      planned: plannedOf(statusPage.maintenance, [...snapshot.features.values()], at, tongue.texts),
      now: at,
    };
    return {
      page: buildStatusPage(facts, tongue.texts),
      said: messages.said(),
      locales: told.locales,
      ...tongue,
      isChosen: false,
      settings: statusPage,
      flavour: 'served',
      origin: null,
    };
  };
  /** As it is now, in a language there is; in the usual one where there is no such language. */
  const siteNow = (asked: string = usualLocale): Site => {
    const { locales } = gateway.state.snapshot.messages;
    const locale = locales.has(asked) ? asked : usualLocale;
    const isMoved = switches !== gateway.state.switches || rev !== messages.rev();
    const at = now();
    const known = sites.get(locale);
    if (known !== undefined && !isMoved && at - known.page.generatedAt < freshMs) return known;
    if (isMoved) sites = new Map();
    switches = gateway.state.switches;
    rev = messages.rev();
    const site = make(at, { locale, texts: locales.get(locale) ?? english });
    sites.set(locale, site);
    return site;
  };
  const allSites = (): readonly Site[] =>
    [...gateway.state.snapshot.messages.locales.keys()].map((locale) => siteNow(locale));
  const copy = createStatusCopy(allSites, () => gateway.state.snapshot.statusPage.exportDir, onTrouble);
  return {
    site: siteNow,
    copy: () => copiesOf(allSites()),
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
