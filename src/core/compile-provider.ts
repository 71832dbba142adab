/** One provider of a configuration → its compiled form and the targets it offers. Part of `policy.ts`. */
import { catalogue, modelNamed, vendorOf } from './catalogue.ts';
import type { GrowthRule } from './growth.ts';
import type { ProviderConfiguration } from './configuration.ts';
import { durationMs, rate } from './duration.ts';
import { epochOf } from './moment.ts';
import { targetName } from './ids.ts';
import type { Report } from './snapshot.ts';
import { undatedModel } from './models.ts';
import { Secret } from './secret.ts';
import type { MissingSecret } from './secret.ts';
import { cloudOf, hostUrl } from './cloud.ts';
import { hostName, isHosted } from './host-models.ts';
import type {
  Capability,
  Dialect,
  Model,
  Provider,
  ProviderApi,
  ProviderKey,
  Target,
  Terms,
} from './target.ts';

/** Finds the text behind `env:NAME` or `file:PATH`; a string says why it cannot. */
export type SecretSource = (reference: string) => Secret | MissingSecret;

const baseUrls: Record<ProviderApi, string | null> = {
  anthropic: 'https://api.anthropic.com',
  openai: 'https://api.openai.com/v1',
  google: 'https://generativelanguage.googleapis.com',
  'openai-compatible': null,
  bedrock: null,
  vertex: null,
  'azure-openai': null,
};
const nativeDialects: Record<ProviderApi, readonly Dialect[]> = {
  anthropic: ['anthropic-messages'],
  openai: ['openai-chat', 'openai-responses'],
  google: ['gemini'],
  'openai-compatible': ['openai-chat'],
  bedrock: ['anthropic-messages'],
  vertex: ['anthropic-messages'],
  'azure-openai': ['openai-chat', 'openai-responses'],
};
/** The formats a model is spoken to in, preferred first: a cloud speaks each publisher's own. */
function dialectsOf(api: ProviderApi, model: Model): readonly Dialect[] {
  return api === 'vertex' && model.vendor === 'google' ? ['gemini'] : nativeDialects[api];
}

/** Publishers whose models can be asked at a cloud; null where that is not for us to say. */
const hostedVendors: Partial<Record<ProviderApi, readonly string[]>> = {
  vertex: ['anthropic', 'google'],
};

/** Whose catalogue models an API serves by itself. */
const nativeVendors: Record<ProviderApi, string | null> = {
  anthropic: 'anthropic',
  openai: 'openai',
  google: 'google',
  'openai-compatible': null,
  bedrock: 'anthropic',
  vertex: 'anthropic',
  'azure-openai': null,
};

const defaultConcurrency = 5_000;

function termsOf(given: ProviderConfiguration['terms']): Terms {
  const { entity, regions, retention, training, agreement, expires, sla } = given ?? {};
  return {
    entity: entity ?? null,
    regions: regions ?? 'unknown',
    retention:
      retention === undefined
        ? 'unknown'
        : { days: retention === 'none' ? 0 : (durationMs(retention) ?? 0) / 86_400_000 },
    training: training === undefined ? 'unknown' : training === 'no' || training === false ? 'no' : 'yes',
    agreement: agreement ?? null,
    sla: rate(sla ?? ''),
    expiresAt: expires === undefined ? null : epochOf(expires),
  };
}

function feedOf(given: ProviderConfiguration['statusFeed']): Provider['statusFeed'] {
  if (given === undefined) return null;
  if (typeof given === 'string') return { url: given, allowPrivate: false };
  return { url: given.url, allowPrivate: given.allowPrivate === true || given.allowPrivate === 'yes' };
}

function keysOf(
  id: string,
  given: ProviderConfiguration,
  secrets: SecretSource,
  report: Report,
): readonly ProviderKey[] {
  const references = given.keys ?? [];
  const keys: ProviderKey[] = [];
  const missing: (MissingSecret & { readonly index: number })[] = [];
  references.forEach((reference, index) => {
    const found = secrets(reference);
    if ('why' in found) missing.push({ index, ...found });
    // Where a secret may be missing, its place is kept: how many keys there are decides what a rehearsal does.
    const secret = 'why' in found ? (found.severity === 'warning' ? new Secret('') : null) : found;
    if (secret !== null) keys.push({ name: `${id}#${index + 1}`, secret });
  });
  for (const { index, why, severity } of missing) {
    report({
      path: ['providers', id, 'keys', index],
      message: why,
      remedy: 'set it, or remove the reference',
      severity: keys.length > 0 ? 'warning' : severity,
    });
  }
  if (given.keys === undefined && given.auth === undefined && needsKeys(given.api)) {
    report({
      path: ['providers', id],
      message: `has no keys, but api ${given.api} needs one`,
      remedy: 'add keys: [env:NAME]',
      severity: 'error',
    });
  }
  return keys;
}

/** Bedrock and Vertex find a credential of their own when no key is given; a local server needs none. */
function needsKeys(api: ProviderApi): boolean {
  return api !== 'openai-compatible' && api !== 'bedrock' && api !== 'vertex';
}

type ModelEntry = NonNullable<NonNullable<ProviderConfiguration['models']>[string]>;

/** A list of capabilities says what a model can do with content; that it streams goes without saying. */
function capabilitiesOf(given: ModelEntry, known: ReadonlySet<Capability>): ReadonlySet<Capability> {
  const able = new Set<Capability>(given.capabilities ?? known).add('streaming');
  if (given.streaming === false || given.streaming === 'no') able.delete('streaming');
  return able;
}

function modelOf(name: string, given: ModelEntry, provider: string): Model {
  const known = modelNamed(name, provider);
  return {
    name: catalogue.has(name) ? name : known.name === name ? name : known.name,
    vendor: given.vendor ?? known.vendor,
    family: given.family ?? known.family,
    aliases: [...known.aliases, ...(given.aliases ?? [])],
    aliasesElsewhere: [],
    contextTokens: given.context ?? known.contextTokens,
    outputTokens: given.output ?? known.outputTokens,
    contextKnown: known.contextKnown || given.context !== undefined,
    outputKnown: known.outputKnown || given.output !== undefined,
    price: given.price ?? known.price,
    keptUntil: known.keptUntil,
    capabilities: capabilitiesOf(given, known.capabilities),
  };
}

/** A target for a model that the provider's entry does not list. */
export function unlistedTarget(provider: Provider, name: string): Target {
  const model = modelNamed(name, provider.id);
  return {
    name: targetName(provider.id, name),
    provider,
    model,
    upstream: hostName(provider.api, name, provider.cloud?.region ?? null),
    dialects: dialectsOf(provider.api, model),
  };
}

/** Whether a provider serves a model of this name without being told. */
export function servesUnlisted(provider: Provider, name: string): boolean {
  const vendor = nativeVendors[provider.api];
  if (provider.cloud !== null && !isHosted(undatedModel(name))) return false;
  return vendor !== null && vendorOf(name) === vendor;
}

const growthDefaults: GrowthRule = { fromTokens: 1_000_000, share: 0.5, perMs: 900_000 };

/** What the provider asks of growth; what is not said is as OpenAI advises it. */
function growthOf(given: NonNullable<ProviderConfiguration['limits']>['growth']): GrowthRule | null {
  if (given === undefined) return null;
  const { from, share, per } = given;
  return {
    fromTokens: from ?? growthDefaults.fromTokens,
    share: rate(share ?? '') ?? growthDefaults.share,
    perMs: durationMs(per ?? '') ?? growthDefaults.perMs,
  };
}

export function compileProvider(
  id: string,
  given: ProviderConfiguration,
  secrets: SecretSource,
  report: Report,
): { readonly provider: Provider; readonly targets: readonly Target[] } {
  const cloud = cloudOf(id, given, report);
  const baseUrl = given.baseUrl ?? (cloud === null ? baseUrls[given.api] : hostUrl(given.api, cloud));
  if (baseUrl === null && (cloud === null || given.api === 'azure-openai'))
    report({
      path: ['providers', id],
      message: `api ${given.api} needs a baseUrl`,
      remedy: 'add baseUrl, for example http://127.0.0.1:11434/v1',
      severity: 'error',
    });
  const provider: Provider = {
    id,
    api: given.api,
    baseUrl: (baseUrl ?? '').replace(/\/+$/, ''),
    keys:
      cloud?.auth === undefined || cloud.auth === null
        ? keysOf(id, given, secrets, report)
        : [{ name: `${id}#${cloud.auth}`, secret: new Secret('') }],
    cloud,
    local: given.local === true || given.local === 'yes' || (given.local === undefined && id === 'local'),
    terms: termsOf(given.terms),
    statusFeed: feedOf(given.statusFeed),
    concurrencyMax: given.limits?.concurrency ?? defaultConcurrency,
    growth: growthOf(given.limits?.growth),
    requestsPerMinute: given.limits?.rpm ?? null,
    tokensPerMinute: given.limits?.tpm ?? null,
  };
  const targets = new Map<string, Target>();
  const vendor = nativeVendors[given.api];
  for (const model of catalogue.values()) {
    if (vendor !== null && model.vendor === vendor && (cloud === null || isHosted(model.name)))
      targets.set(model.name, unlistedTarget(provider, model.name));
  }
  for (const [name, entry] of Object.entries(given.models ?? {})) {
    const model = modelOf(name, entry ?? {}, id);
    const publishers = hostedVendors[given.api];
    if (publishers !== undefined && !publishers.includes(model.vendor))
      report({
        path: ['providers', id, 'models', name],
        message: `${name} is of ${model.vendor}, and api ${given.api} asks models of ${publishers.join(' and ')} only`,
        remedy: 'reach it through another provider, or give its vendor when the name misleads',
        severity: 'error',
      });
    targets.set(name, {
      name: targetName(id, name),
      provider,
      model,
      upstream: entry?.upstream ?? hostName(given.api, name, cloud?.region ?? null),
      dialects: entry?.dialects ?? dialectsOf(given.api, model),
    });
  }
  return { provider, targets: [...targets.values()] };
}
