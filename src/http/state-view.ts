/** The answer of `GET /admin/v1/state`: targets with their gates, features with their status, switches in force. */
import { isTouched } from '../core/health-cell.ts';
import type { Instant } from '../core/ids.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { isOpen } from '../core/incident.ts';
import type { Incident } from '../core/incident.ts';
import type { ProviderSays } from '../core/provider-word.ts';
import { viewFeature } from '../core/status.ts';
import type { FeatureView } from '../core/status.ts';
import { covers, isForEverybody, isInForce } from '../core/switches.ts';
import type { Switch } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import { timeText } from '../core/moment.ts';
import type { Capacity } from '../gateway/capacity.ts';
import type { HealthBoard } from '../gateway/board.ts';
import { agreedToWire, gateToWire, probesToWire, warningsToWire } from './gate-view.ts';
import { switchToWire } from './wire.ts';
import { incidentToWire } from './incident-view.ts';
import type { Json } from './wire.ts';

export type StateSources = {
  /** How a feature is, with what its callers have lately met. */
  readonly felt: (view: FeatureView) => FeatureView;
  readonly snapshot: Snapshot;
  readonly switches: readonly Switch[];
  readonly board: HealthBoard;
  readonly capacity: Capacity;
  readonly now: Instant;
  readonly replica: string;
  readonly rev: number;
  readonly incidents: readonly Incident[];
  readonly says: (target: Target) => ProviderSays | null;
};

function capacityToWire(target: Target, capacity: Capacity): Json {
  const { limit, learnt, waiting } = capacity.view(target);
  return { limit, learnt, waiting };
}

function targetToWire(target: Target, sources: StateSources): Json {
  const { cell, mode, warnings } = sources.board.view(target);
  const { traffic, probes } = sources.board.columns(target.name);
  const { regions } = target.provider.terms;
  return {
    target: target.name,
    provider: target.provider.id,
    model: target.model.name,
    vendor: target.model.vendor,
    family: target.model.family,
    region: regions === 'unknown' ? null : regions.join(','),
    gate: gateToWire(cell.health, mode),
    agreement: agreedToWire(sources.board.agreement(target), sources.now),
    off_by: sources.switches
      .filter(
        (entry) =>
          entry.effect.kind === 'off' &&
          entry.mode === 'enforce' &&
          isInForce(entry, sources.now) &&
          isForEverybody(entry) &&
          covers(entry.scope, target, null),
      )
      .map((entry) => entry.id),
    traffic: { ok: traffic.ok, failed: traffic.failed, in_flight: sources.board.inFlight(target.name) },
    capacity: capacityToWire(target, sources.capacity),
    probes: probesToWire(probes),
    warnings: warningsToWire(warnings),
    provider_says: saysToWire(sources.says(target)),
  };
}

function saysToWire(says: ProviderSays | null): Json | null {
  return says === null
    ? null
    : {
        status: says.status,
        words: says.words,
        since: timeText(says.since),
        checked_at: timeText(says.checkedAt),
        incidents: says.incidents.map(({ id, title, url, status, declaredAt }) => ({
          id,
          title,
          url,
          status,
          declared_at: timeText(declaredAt),
        })),
      };
}

/** Targets of features, and every other one with traffic or trouble. */
function shownTargets({ snapshot, board }: StateSources): readonly Target[] {
  const routed = new Map(
    [...snapshot.features.values()]
      .flatMap((feature) => feature.route)
      .map((target) => [target.name, target]),
  );
  for (const target of snapshot.targets.values()) {
    if (routed.has(target.name)) continue;
    const { cell } = board.view(target);
    if (cell.health.state !== 'healthy' || board.inFlight(target.name) > 0 || isTouched(cell))
      routed.set(target.name, target);
  }
  return [...routed.values()];
}

export function stateToWire(sources: StateSources): Json {
  const { snapshot, switches, board, now } = sources;
  const standing = (target: Target): ReturnType<HealthBoard['standing']> => board.standing(target);
  return {
    snapshot: snapshot.hash,
    rev: sources.rev,
    replicas: [{ id: sources.replica, rev: sources.rev }],
    targets: shownTargets(sources).map((target) => targetToWire(target, sources)),
    features: [...snapshot.features.values()].map((feature) =>
      sources.felt(viewFeature(feature, snapshot, { switches, standing, now })),
    ),
    switches: switches.filter((entry) => isInForce(entry, now)).map(switchToWire),
    incidents: sources.incidents.filter(({ state }) => isOpen(state)).map(incidentToWire),
  };
}
