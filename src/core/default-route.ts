/**
 * Which feature and which target a request means. `model` may name a feature, a model or a target; a header may name
 * the feature when `model` is a user's pick. Names are case-sensitive; aliases and dated snapshots lead to their model,
 * and a snapshot asked for by name is sent upstream by that name.
 */
import { servesUnlisted, unlistedTarget } from './compile-provider.ts';
import { isNonEmpty, targetName } from './ids.ts';
import type { NonEmpty } from './ids.ts';
import { knownAs } from './known-as.ts';
import { undatedModel } from './models.ts';
import { didYouMean } from './nearest.ts';
import type { Feature, Snapshot } from './snapshot.ts';
import type { Provider, Target } from './target.ts';

export type Resolved =
  | {
      readonly kind: 'resolved';
      readonly feature: Feature;
      readonly preferred: Target;
      /** The preferred target, then the rest of the route. */ readonly route: NonEmpty<Target>;
    }
  | { readonly kind: 'unknown_model' | 'model_not_allowed' | 'unknown_feature'; readonly message: string };

const unknownModel = (message: string): Resolved => ({ kind: 'unknown_model', message });

/** Names come from callers: no more than this is repeated back. */
const shownLengthMax = 100;
const shown = (name: string): string => name.slice(0, shownLengthMax);

/** A target that sends the very snapshot the caller named, when that is another name of its model. */
function asNamed(target: Target, name: string): Target {
  const dated =
    name !== target.model.name &&
    name !== target.upstream &&
    undatedModel(name) === undatedModel(target.model.name) &&
    !target.model.aliases.includes(name);
  return dated ? { ...target, upstream: name } : target;
}

function means(target: Target, name: string): boolean {
  const { model } = target;
  return (
    model.name === name ||
    target.upstream === name ||
    model.aliases.includes(name) ||
    model.name === undatedModel(name) ||
    target.name === name
  );
}

function inFeature(feature: Feature, pick: string): Resolved {
  const chosen = feature.route.find((target) => means(target, pick));
  if (chosen === undefined || !feature.models.has(chosen.model.name)) {
    const hint = didYouMean(pick, feature.models);
    return {
      kind: 'model_not_allowed',
      message: `${feature.title} does not offer the model ${shown(pick)}. It offers ${[...feature.models].join(', ')}${hint === '' ? '.' : `; ${hint}`}`,
    };
  }
  const preferred = asNamed(
    chosen,
    pick.startsWith(`${chosen.provider.id}/`) ? pick.slice(chosen.provider.id.length + 1) : pick,
  );
  return {
    kind: 'resolved',
    feature,
    preferred,
    route: [preferred, ...feature.route.filter((target) => target.name !== chosen.name)],
  };
}

function byDefault(snapshot: Snapshot, route: NonEmpty<Target>): Resolved {
  const feature: Feature = {
    ...snapshot.defaults,
    route,
    models: new Set(route.map((target) => target.model.name)),
  };
  return { kind: 'resolved', feature, preferred: route[0], route };
}

/** A target that nothing lists; its model goes by the names that entries of other providers give it. */
const madeUp = ({ aliases }: Snapshot, provider: Provider, name: string): Target =>
  knownAs(unlistedTarget(provider, name), aliases);

/** Every configured provider's target for a model, in configuration order. */
function targetsFor(snapshot: Snapshot, name: string): readonly Target[] {
  const model = snapshot.models.get(name) ?? snapshot.models.get(undatedModel(name));
  const listed = model === undefined ? [] : (snapshot.targetsByModel.get(model.name) ?? []);
  if (listed.length > 0) return listed.map((target) => asNamed(target, name));
  return [...snapshot.providers.values()]
    .filter((provider) => servesUnlisted(provider, name))
    .map((provider) => madeUp(snapshot, provider, name));
}

function targetNamed(snapshot: Snapshot, name: string): Target | null {
  const slash = name.indexOf('/');
  const provider = slash < 0 ? undefined : snapshot.providers.get(name.slice(0, slash));
  if (provider === undefined) return null;
  const model = name.slice(slash + 1);
  if (model === '') return null;
  const listed = snapshot.targets.get(targetName(provider.id, model));
  if (listed !== undefined) return listed;
  const same = [...snapshot.targets.values()].find(
    (target) => target.provider.id === provider.id && means(target, model),
  );
  return same === undefined ? madeUp(snapshot, provider, model) : asNamed(same, model);
}

function resolvedByName(snapshot: Snapshot, name: string): Resolved {
  const target = targetNamed(snapshot, name);
  if (target !== null) {
    const others = targetsFor(snapshot, target.model.name).filter((other) => other.name !== target.name);
    return byDefault(snapshot, [target, ...others]);
  }
  const route = targetsFor(snapshot, name);
  if (isNonEmpty(route)) return byDefault(snapshot, route);
  const known = [...snapshot.features.keys(), ...snapshot.targetsByModel.keys()];
  const hint = didYouMean(name, known);
  return unknownModel(
    `No feature, model or target here is called ${shown(name)}${hint === '' ? '.' : `; ${hint}`}`,
  );
}

/** What a snapshot says of a name never changes, so it is worked out once. Callers can invent names: hence the limit. */
const known = new WeakMap<Snapshot, Map<string, Resolved>>();
const namesMax = 1_000;

function withoutFeature(snapshot: Snapshot, name: string): Resolved {
  let names = known.get(snapshot);
  if (names === undefined) known.set(snapshot, (names = new Map()));
  const found = names.get(name);
  if (found !== undefined) return found;
  const made = resolvedByName(snapshot, name);
  if (made.kind === 'resolved' && names.size < namesMax) names.set(name, made);
  return made;
}

/** Resolves what a caller named. `feature` is the header's value, null when there is none. */
export function resolveRequested(snapshot: Snapshot, name: string, feature: string | null): Resolved {
  const named = snapshot.features.get(name);
  if (feature === null)
    return named === undefined
      ? withoutFeature(snapshot, name)
      : { kind: 'resolved', feature: named, preferred: named.route[0], route: named.route };
  if (feature === snapshot.defaults.name) return withoutFeature(snapshot, name);
  const wanted = snapshot.features.get(feature);
  if (wanted === undefined) {
    const hint = didYouMean(feature, snapshot.features.keys());
    return {
      kind: 'unknown_feature',
      message: `There is no feature ${shown(feature)}${hint === '' ? '.' : `; ${hint}`}`,
    };
  }
  if (name === feature)
    return { kind: 'resolved', feature: wanted, preferred: wanted.route[0], route: wanted.route };
  return inFeature(wanted, name);
}
