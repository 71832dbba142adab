/** One feature of a configuration → its compiled form. Part of `policy.ts`. */
import { compileAdapt } from './compile-adapt.ts';
import { isYes } from './configure-fields.ts';
import { unlistedTarget } from './compile-provider.ts';
import type { FeatureConfiguration } from './configuration.ts';
import { durationMs, rate } from './duration.ts';
import { instant, isNonEmpty, targetName } from './ids.ts';
import type { TargetName } from './ids.ts';
import { knownAs } from './known-as.ts';
import { undatedModel } from './models.ts';
import { didYouMean } from './nearest.ts';
import { dataPolicyObjection } from './rules.ts';
import { defaultTimeouts } from './snapshot.ts';
import type {
  DataClass,
  Expectation,
  FallbackMode,
  Feature,
  Needs,
  Problem,
  Report,
  Timeouts,
} from './snapshot.ts';
import type { Scope } from './switches.ts';
import { hops } from './target.ts';
import type { Capability, Hop, Provider, Target } from './target.ts';

export type FeatureContext = {
  readonly providers: ReadonlyMap<string, Provider>;
  /** Grows by targets that only a route names. */
  readonly targets: Map<TargetName, Target>;
  /** Of the models in the entries of all providers. */
  readonly aliases: ReadonlyMap<string, ReadonlySet<string>>;
  readonly dataClasses: ReadonlyMap<string, DataClass>;
  /** Problems of form, so that a provider that could not be read is not also called unknown. */
  readonly brokenProviders: readonly Problem[];
};

function isBroken(provider: string, context: FeatureContext): boolean {
  return context.brokenProviders.some(({ path }) => path[0] === 'providers' && path[1] === provider);
}

function routeOf(
  name: string,
  given: FeatureConfiguration,
  context: FeatureContext,
  report: Report,
): ReadonlyMap<string, Target> {
  const route = new Map<string, Target>();
  given.route.forEach((text, index) => {
    const path = ['features', name, 'route', index];
    const slash = text.indexOf('/');
    const [providerId, model] = [text.slice(0, slash), text.slice(slash + 1)];
    const provider = context.providers.get(providerId);
    if (provider === undefined) {
      if (!isBroken(providerId, context))
        report({
          path,
          message: `unknown provider "${providerId}"`,
          remedy: didYouMean(providerId, context.providers.keys()) || 'add it under providers',
          severity: 'error',
        });
      return;
    }
    const target = findTarget(provider, model, context);
    if ([...route.values()].some((earlier) => earlier.name === target.name))
      report({ path, message: `${text} is in the route twice`, remedy: 'remove one', severity: 'error' });
    else route.set(text, target);
  });
  return route;
}

/** The target a route means: by its name, by an alias of its model, or a new one for a model nobody listed. */
function findTarget(provider: Provider, model: string, context: FeatureContext): Target {
  const exact = context.targets.get(targetName(provider.id, model));
  if (exact !== undefined) return exact;
  for (const target of context.targets.values()) {
    if (target.provider.id === provider.id && target.model.aliases.includes(model)) return target;
  }
  const target = knownAs(unlistedTarget(provider, model), context.aliases);
  context.targets.set(target.name, target);
  return target;
}

function fallbackOf(given: FeatureConfiguration['fallback']): Readonly<Record<Hop, FallbackMode>> {
  const every = (mode: FallbackMode): Record<Hop, FallbackMode> => ({
    same_model: mode,
    same_vendor: mode,
    other_vendor: mode,
    local: mode,
  });
  if (given === undefined) return every('auto');
  if (typeof given === 'string') return every(given);
  const modes = every('never');
  for (const hop of hops) modes[hop] = given[hop] ?? 'never';
  return modes;
}

function needsOf(given: FeatureConfiguration['needs']): Needs {
  const capabilities = new Set<Capability>();
  if (isYes(given?.tools)) capabilities.add('tools');
  if (isYes(given?.vision)) capabilities.add('vision');
  if (isYes(given?.structuredOutput)) capabilities.add('structured_output');
  if (isYes(given?.thinking)) capabilities.add('thinking');
  return { capabilities, contextTokens: given?.context ?? 0 };
}

function timeoutsOf(given: FeatureConfiguration['timeouts']): Timeouts {
  const ms = (text: string | undefined, otherwise: number): number =>
    text === undefined ? otherwise : (durationMs(text) ?? otherwise);
  return {
    connectMs: ms(given?.connect, defaultTimeouts.connectMs),
    firstTokenMs: ms(given?.firstToken, defaultTimeouts.firstTokenMs),
    stallMs: ms(given?.stall, defaultTimeouts.stallMs),
    totalMs: ms(given?.total, defaultTimeouts.totalMs),
  };
}

type Claim = NonNullable<FeatureConfiguration['expect']>[number];

/** What a claim says may be lost. */
export function lostScope({ survives }: Extract<Claim, { survives: unknown }>): Scope {
  const { provider, vendor, family, model, region } = survives;
  return {
    ...(provider === undefined ? {} : { provider }),
    ...(vendor === undefined ? {} : { vendor }),
    ...(family === undefined ? {} : { family }),
    ...(model === undefined ? {} : { model }),
    ...(region === undefined ? {} : { region }),
  };
}

function expectationsOf(given: FeatureConfiguration['expect']): readonly Expectation[] {
  return (given ?? []).map((claim): Expectation =>
    'never' in claim
      ? { kind: 'never_leaves_region', region: claim.never.leavesRegion }
      : { kind: 'survives', scope: lostScope(claim) },
  );
}

/** Models a user may pick: every name of each model of the route, or those listed. */
function pickable(
  name: string,
  given: FeatureConfiguration,
  route: readonly Target[],
  report: Report,
): ReadonlySet<string> {
  const ofRoute = new Set(route.map((target) => target.model.name));
  if (given.models === undefined) return ofRoute;
  const picks = new Set<string>();
  given.models.forEach((model, index) => {
    const target = route.find((each) =>
      [each.model.name, each.upstream, ...each.model.aliases].some(
        (known) => known === model || known === undatedModel(model),
      ),
    );
    if (target === undefined)
      report({
        path: ['features', name, 'models', index],
        message: `${model} is not a model of the route`,
        remedy: didYouMean(model, ofRoute) || 'add a target with it to the route',
        severity: 'error',
      });
    else picks.add(target.model.name);
  });
  return picks;
}

function checkDataClass(
  name: string,
  given: FeatureConfiguration,
  route: readonly Target[],
  context: FeatureContext,
  report: Report,
): void {
  if (given.dataClass === undefined) return;
  const path = ['features', name, 'dataClass'];
  const dataClass = context.dataClasses.get(given.dataClass);
  if (dataClass === undefined) {
    report({
      path,
      message: `unknown data class "${given.dataClass}"`,
      remedy: didYouMean(given.dataClass, context.dataClasses.keys()) || 'define it under dataClasses',
      severity: 'error',
    });
    return;
  }
  // A warning: such a feature refuses every request, which is safe. Refusing to load would keep the configuration of
  // before, and with it permissions that somebody has just taken back.
  const objections = route.map((target) => dataPolicyObjection(target, dataClass, instant(0)));
  if (route.length > 0 && objections.every((objection) => objection !== null)) {
    report({
      path,
      message: `no target of the route may process class "${given.dataClass}" (${objections[0] ?? ''})`,
      remedy: 'add a target whose terms allow it, or state the terms of a provider',
      severity: 'warning',
    });
  }
}

const hedgeBudget = 0.05;

function hedgeOf(given: FeatureConfiguration['hedge']): Feature['hedge'] {
  if (given === undefined) return null;
  const budget = given.budget === undefined ? null : rate(given.budget);
  return { afterMs: durationMs(given.after) ?? 0, budget: budget ?? hedgeBudget };
}

export function compileFeature(
  name: string,
  given: FeatureConfiguration,
  context: FeatureContext,
  report: Report,
): Feature | null {
  const named = routeOf(name, given, context, report);
  const route = [...named.values()];
  const fallback = fallbackOf(given.fallback);
  const adapt = compileAdapt(name, { adapt: given.adapt, route: named, fallback }, report);
  checkDataClass(name, given, route, context, report);
  if (!isNonEmpty(route)) return null;
  return {
    name,
    title: given.title ?? name,
    route,
    fallback,
    dataClass: given.dataClass ?? null,
    models: pickable(name, given, route, report),
    needs: needsOf(given.needs),
    timeouts: timeoutsOf(given.timeouts),
    priority: given.priority ?? 'normal',
    warmShare: given.warm === undefined ? 0 : (rate(given.warm) ?? 0),
    hedge: hedgeOf(given.hedge),
    equals: given.equals ?? 'order',
    midStream: given.midStream ?? 'error',
    adapt,
    expect: expectationsOf(given.expect),
    sla: { availability: rate(given.sla?.availability ?? ''), promised: rate(given.sla?.promised ?? '') },
  };
}
