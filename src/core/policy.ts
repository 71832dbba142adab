/**
 * Policy compilation: a configuration document → one immutable, indexed snapshot, or every problem at once.
 *
 * All checks of meaning are here, so that a request never meets a name that leads nowhere. Settings that are accepted
 * but change nothing are warned of: a safety setting that is silently inert is worse than an error. Secrets are
 * resolved by a function that is passed in; this module never sees where they come from and never prints them.
 */
import type { Configuration, ProviderConfiguration } from './configuration.ts';
import { auditSettings } from './configure-audit.ts';
import { isYes } from './configure-fields.ts';
import { compileFeature } from './compile-feature.ts';
import type { FeatureContext } from './compile-feature.ts';
import { compileProvider } from './compile-provider.ts';
import type { SecretSource } from './compile-provider.ts';
import { catalogue } from './catalogue.ts';
import { compileCanaries } from './configure-canaries.ts';
import { compileChannels } from './configure-channels.ts';
import { compileMessages } from './configure-messages.ts';
import type { LocaleFiles } from './configure-messages.ts';
import { gateOf } from './configure-gates.ts';
import { checkSense } from './configure-sense.ts';
import { compileStatusPage } from './configure-status.ts';
import { durationMs, sizeBytes } from './duration.ts';
import { isNonEmpty } from './ids.ts';
import type { NonEmpty, TargetName } from './ids.ts';
import { aliasesByModel, knownAs } from './known-as.ts';
import { undatedModel } from './models.ts';
import { didYouMean } from './nearest.ts';
import { readConfiguration } from './read-configuration.ts';
import { defaultGate, defaultTimeouts } from './snapshot.ts';
import type {
  DataClass,
  DataRule,
  Feature,
  GateRule,
  Limits,
  Problem,
  Report,
  Snapshot,
} from './snapshot.ts';

import type { Model, Provider, Target } from './target.ts';

export type CompileContext = {
  readonly hash: string;
  readonly secrets: SecretSource;
  /** Where the configuration names a folder of languages: what stands in it. */
  readonly locales?: LocaleFiles;
};
export type Compiled =
  | { readonly ok: true; readonly snapshot: Snapshot; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: NonEmpty<Problem> };

const defaultLimits: Limits = {
  bodyBytesMax: 32 * 1_048_576,
  jsonDepthMax: 128,
  requestsMax: 20_000,
  attemptsMax: 4,
  retryAfterMaxMs: 3_000,
  bodyPauseMs: 30_000,
  answerBytesMax: 64 * 1_048_576,
  eventBytesMax: 8 * 1_048_576,
  keepAliveMs: 10_000,
  holdHeadersMs: 25_000,
};

function limitsOf(configuration: Configuration): Limits {
  const given = configuration.limits ?? {};
  const ms = (text: string | undefined, otherwise: number): number =>
    text === undefined ? otherwise : (durationMs(text) ?? otherwise);
  const bytes = (text: string | undefined, otherwise: number): number =>
    text === undefined ? otherwise : (sizeBytes(text) ?? otherwise);
  return {
    bodyBytesMax: bytes(given.body, defaultLimits.bodyBytesMax),
    jsonDepthMax: given.jsonDepth ?? defaultLimits.jsonDepthMax,
    requestsMax: given.requests ?? defaultLimits.requestsMax,
    attemptsMax: given.attempts ?? defaultLimits.attemptsMax,
    retryAfterMaxMs: ms(configuration.retryAfterMax, defaultLimits.retryAfterMaxMs),
    bodyPauseMs: ms(given.bodyPause, defaultLimits.bodyPauseMs),
    answerBytesMax: bytes(given.answer, defaultLimits.answerBytesMax),
    eventBytesMax: bytes(given.event, defaultLimits.eventBytesMax),
    keepAliveMs: ms(given.keepAlive, defaultLimits.keepAliveMs),
    holdHeadersMs: ms(given.holdHeaders, defaultLimits.holdHeadersMs),
  };
}

function gatesOf(configuration: Configuration): readonly GateRule[] {
  return [...(configuration.gates ?? []).map(gateOf), defaultGate];
}

function dataClassesOf(configuration: Configuration): ReadonlyMap<string, DataClass> {
  const classes = Object.entries(configuration.dataClasses ?? {}).map(
    ([name, given]): [string, DataClass] => {
      const { training, retention, regions, entities, capture } = given ?? {};
      const days =
        retention === undefined || retention === 'any'
          ? null
          : retention === 'none'
            ? 0
            : (durationMs(retention) ?? 0) / 86_400_000;
      return [
        name,
        {
          name,
          training: training === 'no' || training === false ? 'no' : null,
          retentionDaysMax: days,
          regions: regions === undefined ? null : new Set(regions),
          entities: entities === undefined ? null : new Set(entities),
          ...(capture === undefined || isYes(capture) ? {} : { noCapture: true }),
        },
      ];
    },
  );
  return new Map(classes);
}

const defaultConsentMs = 600_000;

function dataRulesOf(
  configuration: Configuration,
  dataClasses: ReadonlyMap<string, DataClass>,
  report: Report,
): readonly DataRule[] {
  return (configuration.dataRules ?? []).map(({ match, dataClass }, index): DataRule => {
    if (!dataClasses.has(dataClass))
      report({
        path: ['dataRules', index, 'dataClass'],
        message: `unknown data class "${dataClass}"`,
        remedy: didYouMean(dataClass, dataClasses.keys()) || 'define it under dataClasses',
        severity: 'error',
      });
    const { feature, tenant, key } = match;
    return {
      match: {
        ...(feature === undefined ? {} : { feature }),
        ...(tenant === undefined ? {} : { tenant }),
        ...(key === undefined ? {} : { key }),
      },
      dataClass,
    };
  });
}

/** The HTTP server's own limit, which it lets nobody change. */
function warnOfFixed({ limits }: Configuration, report: Report): void {
  if (limits?.headers === undefined) return;
  report({
    path: ['limits', 'headers'],
    message: 'cannot be changed: headers that take longer than 10 to 15 s are cut off',
    remedy: 'take it out',
    severity: 'warning',
  });
}

type ListenKey = 'listen' | 'adminListen' | 'statusListen';

function addressOf(text: string, key: ListenKey, report: Report): Snapshot['listen'] {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  if (port > 65_535)
    report({
      path: [key],
      message: `port ${port} does not exist`,
      remedy: 'use a port from 0 to 65535',
      severity: 'error',
    });
  return { host: text.slice(0, colon).replaceAll(/^\[|\]$/g, '') || '0.0.0.0', port: Math.min(port, 65_535) };
}

type Listens = Pick<Snapshot, ListenKey>;

function listensOf(configuration: Configuration, report: Report): Listens {
  const { listen = '127.0.0.1:4100', adminListen, statusListen } = configuration;
  const other = (text: string | undefined, key: 'adminListen' | 'statusListen'): Snapshot['adminListen'] => {
    if (text === undefined) return null;
    const isSame = text === listen || (key === 'statusListen' && text === adminListen);
    if (isSame && !text.endsWith(':0'))
      report({
        path: [key],
        message: 'is an address that something else listens on already',
        remedy: 'leave it out, or use an address of its own',
        severity: 'error',
      });
    return addressOf(text, key, report);
  };
  return {
    listen: addressOf(listen, 'listen', report),
    adminListen: other(adminListen, 'adminListen'),
    statusListen: other(statusListen, 'statusListen'),
  };
}

type Built = Pick<FeatureContext, 'providers' | 'targets' | 'aliases'>;

/** A list of no keys is none; one that is empty because its entries could not be read has been told of. */
function withoutEmptyKeys(
  id: string,
  given: ProviderConfiguration,
  formProblems: readonly Problem[],
): ProviderConfiguration {
  const { keys, ...rest } = given;
  const isTold = formProblems.some(
    ({ path }) => path[0] === 'providers' && path[1] === id && path[2] === 'keys',
  );
  return keys?.length === 0 && !isTold ? rest : given;
}

function providersOf(
  configuration: Configuration,
  formProblems: readonly Problem[],
  context: CompileContext,
  report: Report,
): Built {
  const providers = new Map<string, Provider>();
  const targets = new Map<TargetName, Target>();
  for (const [id, given] of Object.entries(configuration.providers ?? {})) {
    const whole = withoutEmptyKeys(id, given, formProblems);
    const built = compileProvider(id, whole, context.secrets, report);
    providers.set(id, built.provider);
    for (const target of built.targets) targets.set(target.name, target);
  }
  const aliases = aliasesByModel(targets.values());
  for (const [name, target] of targets) targets.set(name, knownAs(target, aliases));
  return { providers, targets, aliases };
}

function modelIndex(targets: Iterable<Target>): ReadonlyMap<string, Model> {
  const index = new Map<string, Model>();
  const add = (name: string, model: Model): void => {
    if (!index.has(name)) index.set(name, model);
  };
  const models = [...[...targets].map((target) => target.model), ...catalogue.values()];
  for (const model of models) add(model.name, model);
  for (const model of models) for (const alias of model.aliases) add(alias, model);
  return index;
}

function targetsByModel(targets: Iterable<Target>): ReadonlyMap<string, readonly Target[]> {
  const index = new Map<string, Target[]>();
  for (const target of targets)
    index.set(target.model.name, [...(index.get(target.model.name) ?? []), target]);
  return index;
}

const anyHop = { same_model: 'auto', same_vendor: 'auto', other_vendor: 'auto', local: 'auto' } as const;

const defaults: Snapshot['defaults'] = {
  name: 'default',
  title: 'This product',
  fallback: anyHop,
  dataClass: null,
  needs: { capabilities: new Set(), contextTokens: 0 },
  timeouts: defaultTimeouts,
  priority: 'normal',
  warmShare: 0,
  hedge: null,
  equals: 'order',
  midStream: 'error',
  adapt: new Map(),
  expect: [],
  sla: { availability: null, promised: null },
};

function checkFeatureNames(
  features: ReadonlyMap<string, Feature>,
  models: ReadonlyMap<string, Model>,
  report: Report,
): void {
  for (const name of features.keys()) {
    if (models.has(name) || models.has(undatedModel(name)))
      report({
        path: ['features', name],
        message: 'has the name of a model',
        remedy: 'rename the feature: a request could not tell which one it means',
        severity: 'error',
      });
    if (name === defaults.name)
      report({
        path: ['features', name],
        message: 'is the name of requests without a feature',
        remedy: 'rename the feature',
        severity: 'error',
      });
  }
}

/** Compiles a document. Total: any value gives a snapshot or problems, never a throw. */
export function compile(document: unknown, context: CompileContext): Compiled {
  const { configuration, problems: formProblems } = readConfiguration(document);
  const problems: Problem[] = [...formProblems];
  const report: Report = (problem) => void problems.push(problem);
  const { providers, targets, aliases } = providersOf(configuration, formProblems, context, report);
  const dataClasses = dataClassesOf(configuration);
  const features = new Map<string, Feature>();
  const names = new Set(Object.keys(configuration.features ?? {}));
  const around = { providers, targets, aliases, dataClasses, brokenProviders: formProblems };
  for (const [name, given] of Object.entries(configuration.features ?? {})) {
    const feature = compileFeature(name, given, around, report);
    if (feature !== null) features.set(name, feature);
  }
  const models = modelIndex(targets.values());
  const limits = limitsOf(configuration);
  checkFeatureNames(features, models, report);
  warnOfFixed(configuration, report);
  checkSense(
    configuration,
    {
      providers,
      targets: [...targets.values()],
      features: [...names, defaults.name],
      attemptsMax: limits.attemptsMax,
    },
    report,
  );
  const { secrets } = context;
  const statusPage = compileStatusPage(configuration.statusPage ?? {}, names, secrets, report);
  const messages = compileMessages(configuration.messages ?? {}, report, context.locales);
  const channels = compileChannels(configuration.channels ?? {}, secrets, report);
  const audit = auditSettings(configuration.audit, {
    secrets,
    features: new Set([...names, 'default']),
    classes: dataClasses,
    report,
  });
  const canaries = compileCanaries(configuration.canaries, { features: features.values(), targets }, report);
  const listens = listensOf(configuration, report);
  const dataRules = dataRulesOf(configuration, dataClasses, report);
  const errors = problems.filter((problem) => problem.severity === 'error');
  if (isNonEmpty(errors))
    return { ok: false, problems: [errors[0], ...problems.filter((problem) => problem !== errors[0])] };
  const snapshot: Snapshot = {
    hash: context.hash,
    ...listens,
    playbooks: configuration.playbooks ?? null,
    store: configuration.store ?? 'sqlite:./data/breakwater.db',
    audit,
    providers,
    targets,
    features,
    models,
    aliases: aliasesByModel(targets.values()),
    targetsByModel: targetsByModel(targets.values()),
    dataClasses,
    dataRules,
    consentMs: durationMs(configuration.consent?.expires ?? '') ?? defaultConsentMs,
    gates: gatesOf(configuration),
    canaries,
    limits,
    statusPage,
    messages,
    channels,
    defaults,
  };
  return { ok: true, snapshot, warnings: problems };
}
