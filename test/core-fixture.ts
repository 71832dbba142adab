/** Small hand-made targets and features for the tests of core. */
import type { Scope, Switch } from '../src/core/switches.ts';
import { instant, switchId, targetName } from '../src/core/ids.ts';
import type { NonEmpty } from '../src/core/ids.ts';
import { Secret } from '../src/core/secret.ts';
import type { Feature } from '../src/core/snapshot.ts';
import type { Model, Provider, Target, Terms } from '../src/core/target.ts';

export const openTerms: Terms = {
  entity: 'Acme Inc',
  regions: ['us'],
  retention: { days: 30 },
  training: 'no',
  agreement: null,
  sla: null,
  expiresAt: null,
};

export function aProvider(id: string, changes: Partial<Provider> = {}): Provider {
  return {
    id,
    api: 'anthropic',
    baseUrl: `http://${id}.test`,
    keys: [{ name: `${id}#1`, secret: new Secret('k') }],
    local: false,
    terms: { ...openTerms, entity: id },
    cloud: null,
    statusFeed: null,
    concurrencyMax: 100,
    growth: null,
    requestsPerMinute: null,
    tokensPerMinute: null,
    ...changes,
  };
}

export function aModel(name: string, changes: Partial<Model> = {}): Model {
  const vendor = name.startsWith('gpt') ? 'openai' : name.startsWith('claude') ? 'anthropic' : 'meta';
  return {
    name,
    vendor,
    family: name.split('-').slice(0, 2).join('-'),
    aliases: [],
    aliasesElsewhere: [],
    contextTokens: 200_000,
    contextKnown: true,
    outputKnown: true,
    price: null,
    keptUntil: null,
    outputTokens: 8_000,
    capabilities: new Set(['tools', 'vision']),
    ...changes,
  };
}

export function aTarget(provider: Provider, model: Model): Target {
  return {
    name: targetName(provider.id, model.name),
    provider,
    model,
    upstream: model.name,
    dialects: ['anthropic-messages'],
  };
}

export const opus = aModel('claude-opus-4-8');
export const opusAtAnthropic = aTarget(aProvider('anthropic'), opus);
export const opusAtAws = aTarget(aProvider('aws-us'), opus);
export const gptAtOpenai = aTarget(aProvider('openai', { api: 'openai' }), aModel('gpt-5.2'));
export const llamaAtLocal = aTarget(
  aProvider('local', {
    api: 'openai-compatible',
    local: true,
    keys: [],
    terms: { ...openTerms, entity: 'us', regions: ['eu'], retention: { days: 0 } },
  }),
  aModel('llama-3.2-3b', { contextTokens: 8_000, capabilities: new Set() }),
);

export function aFeature(route: NonEmpty<Target>, changes: Partial<Feature> = {}): Feature {
  return {
    name: 'notes',
    title: 'Meeting notes',
    route,
    fallback: { same_model: 'auto', same_vendor: 'auto', other_vendor: 'auto', local: 'auto' },
    dataClass: null,
    models: new Set(route.map((target) => target.model.name)),
    needs: { capabilities: new Set(), contextTokens: 0 },
    timeouts: { connectMs: 3_000, firstTokenMs: 10_000, stallMs: 15_000, totalMs: 120_000 },
    priority: 'normal',
    warmShare: 0,
    hedge: null,
    equals: 'order',
    midStream: 'error',
    adapt: new Map(),
    expect: [],
    sla: { availability: null, promised: null },
    ...changes,
  };
}

/** In force from the beginning of time, with no end. */
export function aSwitchOver(scope: Scope, changes: Partial<Switch> = {}): Switch {
  return {
    id: switchId('sw_1'),
    rev: 1,
    scope,
    effect: { kind: 'off' },
    reason: 'test',
    failureClass: null,
    actor: 'me',
    createdAt: instant(0),
    expiresAt: null,
    atExpiry: 'ramp',
    inFlight: 'finish',
    mode: 'enforce',
    release: null,
    ...changes,
  };
}
