/**
 * Settings that read well one by one and cannot be meant together: a budget above its breach, a claim that survives
 * the loss of nothing, a rule about a feature that does not exist. Part of `policy.ts`.
 *
 * What cannot be meant is an error; what is true of no target today is a warning, because a provider may join tomorrow.
 */
import { lostScope } from './compile-feature.ts';
import { attemptsLimitMax } from './configuration.ts';
import type { Configuration, FeatureConfiguration } from './configuration.ts';
import { gateFaults, gateOf } from './configure-gates.ts';
import { matchesGate } from './gate-match.ts';
import { didYouMean } from './nearest.ts';
import type { Report } from './snapshot.ts';
import { covers } from './switches.ts';
import type { Target } from './target.ts';

export type SenseContext = {
  readonly providers: { has(name: string): boolean; keys(): Iterable<string> };
  readonly targets: readonly Target[];
  readonly features: readonly string[];
  readonly attemptsMax: number;
};

function checkGates(gates: Configuration['gates'], { targets }: SenseContext, report: Report): void {
  (gates ?? []).forEach((given, index) => {
    const path = ['gates', index];
    for (const fault of gateFaults(given))
      report({ ...fault, path: [...path, ...fault.path], severity: 'error' });
    if (targets.length > 0 && !targets.some((target) => matchesGate(gateOf(given), target)))
      report({
        path: [...path, 'match'],
        message: 'is true of no target',
        remedy: 'correct it, or take the gate out',
        severity: 'warning',
      });
  });
}

function checkClaims(
  name: string,
  claims: FeatureConfiguration['expect'],
  { providers, targets }: SenseContext,
  report: Report,
): void {
  (claims ?? []).forEach((claim, index) => {
    if (!('survives' in claim)) return;
    const path = ['features', name, 'expect', index, 'survives'];
    const scope = lostScope(claim);
    const { provider } = scope;
    if (Object.keys(scope).length === 0)
      report({
        path,
        message: 'names nothing that could be lost',
        remedy: 'name a provider, vendor, family, model or region',
        severity: 'error',
      });
    else if (provider !== undefined && !provider.includes('*') && !providers.has(provider))
      report({
        path: [...path, 'provider'],
        message: `unknown provider "${provider}"`,
        remedy: didYouMean(provider, providers.keys()) || 'add it under providers',
        severity: 'error',
      });
    else if (!targets.some((target) => covers(scope, target, null)))
      report({
        path,
        message: 'is true of no target, so it holds whatever happens',
        remedy: 'correct it, or take it out',
        severity: 'warning',
      });
  });
}

function checkDataRules(rules: Configuration['dataRules'], { features }: SenseContext, report: Report): void {
  (rules ?? []).forEach(({ match: { feature } }, index) => {
    if (feature === undefined || features.includes(feature)) return;
    report({
      path: ['dataRules', index, 'match', 'feature'],
      message: `unknown feature "${feature}"`,
      remedy: didYouMean(feature, features) || 'add it under features',
      severity: 'error',
    });
  });
}

/** Targets that a request has no attempt left for, once each before them has failed. */
function checkRoute(
  name: string,
  { route }: FeatureConfiguration,
  attemptsMax: number,
  report: Report,
): void {
  if (route.length <= attemptsMax) return;
  const toLengthen = `set limits: { attempts: ${route.length} }, or shorten the route`;
  report({
    path: ['features', name, 'route', attemptsMax],
    message: `comes after as many targets as a request makes attempts (${attemptsMax}): it is never asked when they all fail`,
    remedy: route.length > attemptsLimitMax ? 'shorten the route' : toLengthen,
    severity: 'warning',
  });
}

export function checkSense(configuration: Configuration, context: SenseContext, report: Report): void {
  checkGates(configuration.gates, context, report);
  checkDataRules(configuration.dataRules, context, report);
  for (const [name, feature] of Object.entries(configuration.features ?? {})) {
    checkClaims(name, feature.expect, context, report);
    checkRoute(name, feature, context.attemptsMax, report);
  }
  if (configuration.store?.startsWith('postgres') === true)
    report({
      path: ['store'],
      message: 'PostgreSQL is not available in this version',
      remedy: 'use sqlite:PATH',
      severity: 'warning',
    });
}
