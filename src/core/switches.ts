/**
 * Switches: a person's decision to take a scope out.
 *
 * A scope matches by AND over what it names; any matching `off` wins, and a more specific switch never re-allows.
 * A model is caught by every name it goes by, so that an alias or a dated snapshot is no way around. A switch that
 * has expired does nothing; whoever keeps the list removes it later.
 *
 * It refuses to consider health: panic mode has no way to undo what is decided here.
 */
import { classNames } from './data-class.ts';
import type { Instant, SwitchId } from './ids.ts';
import { undatedModel } from './models.ts';
import type { Snapshot } from './snapshot.ts';
import type { Target } from './target.ts';

export const scopeKeys = [
  'provider',
  'region',
  'vendor',
  'family',
  'model',
  'target',
  'feature',
  'data_class',
  'tenant',
  'key',
] as const;
export type ScopeKey = (typeof scopeKeys)[number];
/** At least one key; values may hold `*`. */
export type Scope = { readonly [key in ScopeKey]?: string };
/** `vendor:anthropic family:claude-opus`: as the command line takes it. */
export function scopeText(scope: Scope): string {
  return Object.entries(scope)
    .map(([key, value]) => `${key}:${value}`)
    .join(' ');
}

export type Effect =
  | { readonly kind: 'off' }
  | { readonly kind: 'last_resort' }
  | { readonly kind: 'shed'; readonly percent: number };
export type InFlight = 'finish' | 'cancel_uncommitted' | 'cancel';

export type Switch = {
  readonly id: SwitchId;
  readonly rev: number;
  readonly scope: Scope;
  readonly effect: Effect;
  readonly reason: string;
  readonly failureClass: string | null;
  readonly actor: string;
  readonly createdAt: Instant;
  readonly expiresAt: Instant | null;
  readonly atExpiry: 'ramp' | 'stay';
  readonly inFlight: InFlight;
  readonly mode: 'enforce' | 'observe';
  readonly release: {
    readonly at: Instant;
    readonly actor: string;
    readonly reason: string;
    readonly ramp: boolean;
  } | null;
};

/** Who is asking; the part of a scope that is not about the target. */
export type Asker = {
  readonly feature: string;
  readonly dataClass: string | null;
  readonly tenant: string | null;
  readonly key: string | null;
  readonly keyName: string | null;
};

/** True while the switch does something: not released, not expired (`stay` outlives its expiry and only reminds). */
export function isInForce(entry: Switch, now: Instant): boolean {
  if (entry.release !== null) return false;
  return entry.expiresAt === null || entry.atExpiry === 'stay' || now < entry.expiresAt;
}

const patterns = new Map<string, RegExp>();
const patternsMax = 1_000;

function matchesPattern(pattern: string, value: string): boolean {
  if (!pattern.includes('*')) return pattern === value;
  let expression = patterns.get(pattern);
  if (expression === undefined) {
    const escaped = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
    expression = new RegExp(`^${escaped.join('.*')}$`);
    if (patterns.size >= patternsMax) patterns.clear();
    patterns.set(pattern, expression);
  }
  return expression.test(value);
}

const namesKnown = new WeakMap<Target, readonly string[]>();

/** Every name a target's model goes by, its undated forms included. Asked with every request, so it is put together once. */
function modelNames(target: Target): readonly string[] {
  let names = namesKnown.get(target);
  if (names === undefined) {
    const { name, aliases, aliasesElsewhere } = target.model;
    const given = [name, target.upstream, ...aliases, ...aliasesElsewhere];
    names = [...new Set([...given, ...given.map(undatedModel)])];
    namesKnown.set(target, names);
  }
  return names;
}

const undatedKnown = new Map<string, string>();

function undated(pattern: string): string {
  let name = undatedKnown.get(pattern);
  if (name === undefined) {
    name = undatedModel(pattern);
    if (undatedKnown.size >= patternsMax) undatedKnown.clear();
    undatedKnown.set(pattern, name);
  }
  return name;
}

function matchesModel(pattern: string, target: Target): boolean {
  const names = modelNames(target);
  return names.some((name) => matchesPattern(pattern, name)) || names.includes(undated(pattern));
}

function matchesTarget(pattern: string, target: Target): boolean {
  if (matchesPattern(pattern, target.name)) return true;
  const slash = pattern.indexOf('/');
  if (slash < 0) return false;
  return (
    matchesPattern(pattern.slice(0, slash), target.provider.id) &&
    matchesModel(pattern.slice(slash + 1), target)
  );
}

function matchesKey(key: ScopeKey, pattern: string, target: Target, asker: Asker | null): boolean {
  switch (key) {
    case 'provider':
      return matchesPattern(pattern, target.provider.id);
    case 'region':
      return (
        target.provider.terms.regions !== 'unknown' &&
        target.provider.terms.regions.some((region) => matchesPattern(pattern, region))
      );
    case 'vendor':
      return matchesPattern(pattern, target.model.vendor);
    case 'family':
      return matchesPattern(pattern, target.model.family);
    case 'model':
      return matchesModel(pattern, target);
    case 'target':
      return matchesTarget(pattern, target);
    case 'feature':
      return asker === null || matchesPattern(pattern, asker.feature);
    case 'data_class':
      return (
        asker === null ||
        (asker.dataClass !== null &&
          classNames(asker.dataClass).some((word) => matchesPattern(pattern, word)))
      );
    case 'tenant':
      return asker === null || (asker.tenant !== null && matchesPattern(pattern, asker.tenant));
    case 'key':
      return (
        asker === null ||
        [asker.key, asker.keyName].some((name) => name !== null && matchesPattern(pattern, name))
      );
  }
}

/** Whether a scope covers a target for an asker; with no asker, whether it could cover it for anyone. */
export function covers(scope: Scope, target: Target, asker: Asker | null): boolean {
  return scopeKeys.every((key) => {
    const pattern = scope[key];
    return pattern === undefined || matchesKey(key, pattern, target, asker);
  });
}

/** The targets a scope covers today: of the features it names, and none where no feature or data class fits it. */
export function reach(scope: Scope, snapshot: Snapshot): readonly Target[] {
  const { feature, data_class: dataClass } = scope;
  const isKnown =
    dataClass === undefined ||
    [...snapshot.dataClasses.keys()].some((name) => matchesPattern(dataClass, name));
  const every = [...snapshot.targets.values()];
  const routed =
    feature === undefined || matchesPattern(feature, snapshot.defaults.name)
      ? every
      : every.filter((target) =>
          [...snapshot.features.values()].some(
            ({ name, route }) =>
              matchesPattern(feature, name) && route.some((each) => each.name === target.name),
          ),
        );
  return isKnown ? routed.filter((target) => covers(scope, target, null)) : [];
}

/** The switches that speak about a target for an asker right now, in the order they were made. */
export function speaking(
  switches: readonly Switch[],
  target: Target,
  asker: Asker | null,
  now: Instant,
): readonly Switch[] {
  if (switches.length === 0) return switches;
  return switches.filter((entry) => isInForce(entry, now) && covers(entry.scope, target, asker));
}

/** Whether one of them takes the target out in earnest. */
export function offBy(switches: readonly Switch[]): Switch | null {
  return switches.find((entry) => entry.mode === 'enforce' && entry.effect.kind === 'off') ?? null;
}

/** Whether nobody could use its targets: only such come back by a ramp. What was out for some, or in part, is back at once. */
export function tookOut(entry: Switch): boolean {
  return entry.mode === 'enforce' && entry.effect.kind !== 'shed' && isForEverybody(entry);
}

/** A switch for one feature or tenant does not take the target out as such. */
export function isForEverybody(entry: Switch): boolean {
  const { feature, data_class: dataClass, tenant, key } = entry.scope;
  return feature === undefined && dataClass === undefined && tenant === undefined && key === undefined;
}
