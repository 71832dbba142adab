/** How routing stands, for incidents to follow: gates, switches for everybody, and what each feature would do next. */
import type { Incident } from '../core/incident.ts';
import type { World } from '../core/incident-follow.ts';
import type { FailedTarget } from '../core/incident-steps.ts';
import type { Instant, TargetName } from '../core/ids.ts';
import { viewFeature } from '../core/status.ts';
import { covers, isForEverybody, isInForce, scopeText } from '../core/switches.ts';
import type { Effect, Switch } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import type { Engine } from '../engine.ts';

export function failedTarget(target: Target): FailedTarget {
  return {
    target: target.name,
    model: target.model.name,
    vendor: target.model.vendor,
    provider: target.provider.id,
  };
}

export function routedTargets({ state }: Engine): ReadonlyMap<TargetName, Target> {
  const routes = [...state.snapshot.features.values()].flatMap((feature) => feature.route);
  return new Map(routes.map((target) => [target.name, target]));
}

const isOffFor = (entry: Switch, now: Instant): boolean =>
  entry.effect.kind === 'off' && entry.mode === 'enforce' && isInForce(entry, now) && isForEverybody(entry);

function effectWords(effect: Effect): string {
  switch (effect.kind) {
    case 'off':
      return 'Switched off';
    case 'last_resort':
      return 'Made a last resort:';
    case 'shed':
      return `Relieved of ${effect.percent} % of its requests:`;
  }
}

/** How routing stands for what incidents can be about. */
export function worldOf(engine: Engine, incidents: readonly Incident[]): World {
  const { snapshot, switches } = engine.state;
  const now = engine.clock.now();
  const off = switches.filter((entry) => isOffFor(entry, now));
  const targets = new Map(routedTargets(engine));
  for (const { target } of incidents.flatMap((incident) => [...incident.targets, ...incident.moved])) {
    const known = snapshot.targets.get(target);
    if (known !== undefined) targets.set(target, known);
  }
  return {
    now,
    targets: new Map(
      [...targets].map(([name, target]) => {
        const { health } = engine.board.view(target).cell;
        const offBy = off.filter((entry) => covers(entry.scope, target, null)).map(({ id }) => id);
        return [name, { gate: health.state, since: 'since' in health ? health.since : null, offBy }];
      }),
    ),
    features: [...snapshot.features.values()].map((feature) =>
      viewFeature(feature, snapshot, { switches, standing: (target) => engine.board.standing(target), now }),
    ),
    switches: switches
      .filter((entry) => entry.mode === 'enforce' && isInForce(entry, now))
      .map((entry) => ({
        id: entry.id,
        at: entry.createdAt,
        actor: entry.actor,
        reason: entry.reason,
        words: `${effectWords(entry.effect)} ${scopeText(entry.scope)}`,
        failureClass: entry.failureClass,
        covers: [...targets.values()].filter((target) => covers(entry.scope, target, null)).map(failedTarget),
      })),
  };
}
