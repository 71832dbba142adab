/** Targets: what can be asked, and what is known about it. Built once, when the configuration is compiled. */
import type { TargetName } from './ids.ts';
import type { TokenPrice } from './cost.ts';
import type { GrowthRule } from './growth.ts';
import type { Secret } from './secret.ts';

/** A wire format. */
export const dialects = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'] as const;
export type Dialect = (typeof dialects)[number];

/** Which adapter in `providers/` speaks to it. */
export const providerApis = [
  'anthropic',
  'openai',
  'google',
  'openai-compatible',
  'bedrock',
  'vertex',
  'azure-openai',
] as const;
export type ProviderApi = (typeof providerApis)[number];

/** Where in a cloud, and as whom. Null fields are what the configuration does not say. */
export type Cloud = {
  readonly region: string | null;
  readonly project: string | null;
  /** Azure: a dated version means deployment addresses; none means the v1 API. */
  readonly apiVersion: string | null;
  /** `default`, `environment`, `profile:NAME` or `role:ARN`; null when `keys` are given. */
  readonly auth: string | null;
};

/** What a request can need and a target can lack. */
export const capabilities = [
  'tools',
  'vision',
  'documents',
  'audio',
  'structured_output',
  'thinking',
  'streaming',
] as const;
export type Capability = (typeof capabilities)[number];

export type Retention = { readonly days: number } | 'unknown';
/** The dated facts of a provider's agreement. `unknown` (missing or expired) counts as worst. */
export type Terms = {
  /** Legal entity; null when unknown. */
  readonly entity: string | null;
  readonly regions: readonly string[] | 'unknown';
  readonly retention: Retention;
  readonly training: 'no' | 'yes' | 'unknown';
  readonly agreement: string | null;
  /** The availability it promises, as a share of 1; null when none is known. */
  readonly sla: number | null;
  /** Epoch ms after which every fact is unknown; null when the terms do not expire. */
  readonly expiresAt: number | null;
};

export type ProviderKey = {
  /** `anthropic#1`: never part of the secret. */
  readonly name: string;
  /** Empty where the cloud's own credential source is asked (`Cloud.auth`). */
  readonly secret: Secret;
};

export type Provider = {
  readonly id: string;
  readonly api: ProviderApi;
  readonly baseUrl: string;
  /** Empty when the provider needs none (a local model). */
  readonly keys: readonly ProviderKey[];
  readonly local: boolean;
  /** Null for a provider that is no cloud. */
  readonly cloud: Cloud | null;
  readonly terms: Terms;
  /** Where it says how it is; null when nobody said where. */
  readonly statusFeed: { readonly url: string; readonly allowPrivate: boolean } | null;
  /** Most calls open at once. */
  readonly concurrencyMax: number;
  /** Rates agreed with the provider; null when none is configured. */
  /** How fast its use may grow; null when the provider asks for nothing. */
  readonly growth: GrowthRule | null;
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
};

/** A model version: who made it, its family, and every name it goes by. */
export type Model = {
  readonly name: string;
  readonly vendor: string;
  readonly family: string;
  /** Other names that lead here: aliases and dated snapshots. */
  readonly aliases: readonly string[];
  /** What the entries of other providers call it as well: switches know it by these names too. */
  readonly aliasesElsewhere: readonly string[];
  readonly contextTokens: number;
  readonly outputTokens: number;
  /** False where the limit above of that name is a careful assumption. */
  readonly contextKnown: boolean;
  readonly outputKnown: boolean;
  /** US dollars per million tokens; null when unknown. */
  readonly price: TokenPrice | null;
  /** The day until which the vendor promises to keep it; null when none is known. */
  readonly keptUntil: string | null;
  readonly capabilities: ReadonlySet<Capability>;
};

export type Target = {
  readonly name: TargetName;
  readonly provider: Provider;
  readonly model: Model;
  /** The model name sent upstream. */
  readonly upstream: string;
  /** Formats this target speaks, preferred first. */
  readonly dialects: readonly Dialect[];
};

/** The step from the preferred target to another one. */
export type Hop = 'same_model' | 'same_vendor' | 'other_vendor' | 'local';
export const hops = ['same_model', 'same_vendor', 'other_vendor', 'local'] as const satisfies readonly Hop[];

/** Which hop leads from one target to another; null when they are the same. Compares models, not providers. */
export function hopBetween(preferred: Target, other: Target): Hop | null {
  if (preferred.name === other.name) return null;
  if (other.provider.local && !preferred.provider.local) return 'local';
  if (preferred.model.name === other.model.name) return 'same_model';
  return preferred.model.vendor === other.model.vendor ? 'same_vendor' : 'other_vendor';
}

export const boundaryCrossings = ['entity', 'region', 'retention'] as const;
export type BoundaryCrossing = (typeof boundaryCrossings)[number];

/** The terms as they count at this moment: all unknown once they expired. */
export function termsAt(terms: Terms, now: number): Terms {
  if (terms.expiresAt === null || now < terms.expiresAt) return terms;
  return { ...terms, entity: null, regions: 'unknown', retention: 'unknown', training: 'unknown' };
}

function retentionDays(retention: Retention): number {
  return retention === 'unknown' ? Number.POSITIVE_INFINITY : retention.days;
}

/** What content crosses when it goes to `other` instead of `preferred`; unknown facts count as crossed, unless it is the same provider. */
export function boundaryBetween(preferred: Target, other: Target, now: number): readonly BoundaryCrossing[] {
  if (preferred.provider.id === other.provider.id) return [];
  const from = termsAt(preferred.provider.terms, now);
  const to = termsAt(other.provider.terms, now);
  const crossings: BoundaryCrossing[] = [];
  if (to.entity === null || to.entity !== from.entity) crossings.push('entity');
  if (to.regions === 'unknown' || from.regions === 'unknown') crossings.push('region');
  else if (to.regions.some((region) => !from.regions.includes(region))) crossings.push('region');
  if (to.retention === 'unknown' || retentionDays(to.retention) > retentionDays(from.retention))
    crossings.push('retention');
  return crossings;
}

/** `none`, `30d` or `unknown`. */
export function retentionWords(terms: Terms): string {
  if (terms.retention === 'unknown') return 'unknown';
  return terms.retention.days === 0 ? 'none' : `${terms.retention.days}d`;
}
