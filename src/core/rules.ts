/**
 * The rules of routing, in the order in which they speak: data policy → switches → key permissions → capability and
 * context → consent → gates. Each is a function of one request and one target that says nothing (it may), or why not.
 *
 * Data policy speaks first, so that nothing can override it; gates speak last, so that they only choose among what is
 * permitted. Routing takes the first objection (`routing.ts`), an explanation takes all of them (`rulesSpoken`), and
 * both read the same list, so that neither can say what the other would not do.
 */
import { adaptationFor } from './adaptation.ts';
import { isAtLeastAsStrict, unclassified } from './data-class.ts';
import type { ClassDemand } from './data-class.ts';
import type { Instant, KeyId, NonEmpty, TargetName } from './ids.ts';
import type { ExclusionReason } from './record.ts';
import type { DataClass, FallbackMode, Feature } from './snapshot.ts';
import { offBy } from './switches.ts';
import type { Switch } from './switches.ts';
import { hopBetween, termsAt } from './target.ts';
import { countWords } from './words.ts';
import type { Capability, Hop, Target } from './target.ts';

export type RoutingRequest = {
  readonly feature: Feature;
  /** What the caller asked for first, then the rest of the route. */
  readonly route: NonEmpty<Target>;
  readonly needs: ReadonlySet<Capability>;
  readonly inputTokensEstimate: number;
  readonly demand: ClassDemand;
  readonly tenant: string | null;
  readonly key: KeyId | null;
  /** What people call the key. */
  readonly keyName: string | null;
  /** Features the key may use; null for all. */
  readonly keyFeatures: ReadonlySet<string> | null;
  /** The most sensitive class the key may send; null for no limit. */
  readonly keyClassMax: DataClass | 'undefined_class' | null;
  /** The caller's own wish, which may only tighten the policy. */
  readonly fallbackLimit: FallbackMode | null;
  /** The target a consent token was given for; nothing else may answer then. */
  readonly consentedTarget: TargetName | null;
  /** Targets the user agreed to for longer than one request. */
  readonly agreed: ReadonlySet<TargetName>;
};

const nothing: ReadonlySet<never> = new Set();

/** A request of a feature with nothing special about it; `changes` says what is. */
export function plainRequest(feature: Feature, changes: Partial<RoutingRequest> = {}): RoutingRequest {
  return {
    feature,
    route: feature.route,
    needs: nothing,
    inputTokensEstimate: 0,
    demand: unclassified,
    tenant: null,
    key: null,
    keyName: null,
    keyFeatures: null,
    keyClassMax: null,
    fallbackLimit: null,
    consentedTarget: null,
    agreed: nothing,
    ...changes,
  };
}

/** Whether a target can take a request now, as its gate, keys and capacity see it. */
export type Standing =
  | { readonly kind: 'open' }
  | { readonly kind: 'probe' }
  | {
      readonly kind: 'out';
      readonly reason: Extract<
        ExclusionReason,
        'ejected' | 'probe_in_flight' | 'ramping' | 'credential_unavailable' | 'rate_limited' | 'at_capacity'
      >;
      readonly words: string;
      /** When it may be asked again, if that is known. */
      readonly until: Instant | null;
      readonly badness: number;
    };

export type Conditions = {
  readonly switches: readonly Switch[];
  readonly standing: (target: Target) => Standing;
  readonly now: Instant;
  /** In [0, 1). */
  readonly random: number;
};

/** What a rule says against a target: it is out, or it may answer only if the user agrees. */
export type Objection =
  | { readonly kind: 'offer'; readonly hop: Hop }
  | {
      readonly kind: 'excluded';
      readonly reason: ExclusionReason;
      readonly rule: string;
      readonly standing: Extract<Standing, { kind: 'out' }> | null;
    };

const excluded = (reason: ExclusionReason, rule: string): Objection => ({
  kind: 'excluded',
  reason,
  rule,
  standing: null,
});

/**
 * An estimate of input tokens (characters / 4) may be this much too high, and excludes a target only beyond it. Long
 * words of one token each are the worst of what was measured against a real tokenizer (`test/estimate.test.ts`).
 */
export const estimateErrorBound = 0.75;

const tightness: Record<FallbackMode, number> = { auto: 0, notify: 1, reduce: 1, ask: 2, never: 3 };

/** The policy for a hop after the caller's wish: the tighter of the two. */
export function modeFor(
  feature: Pick<Feature, 'fallback'>,
  hop: Hop | null,
  limit: FallbackMode | null,
): FallbackMode {
  if (hop === null) return 'auto';
  const mode = feature.fallback[hop];
  return limit !== null && tightness[limit] > tightness[mode] ? limit : mode;
}

/** Why a target may not process a data class; null when it may. Unknown facts count as worst. */
export function dataPolicyObjection(
  target: Target,
  dataClass: DataClass | 'undefined_class' | null,
  now: Instant,
): string | null {
  if (dataClass === null) return null;
  if (dataClass === 'undefined_class') return 'the data class is not defined';
  const terms = termsAt(target.provider.terms, now);
  if (dataClass.training !== null && terms.training !== 'no') return 'training is not excluded';
  if (dataClass.retentionDaysMax !== null) {
    if (terms.retention === 'unknown') return 'retention is unknown';
    if (terms.retention.days > dataClass.retentionDaysMax)
      return `retention of ${countWords(terms.retention.days, 'day')} is too long`;
  }
  if (dataClass.regions !== null) {
    const allowed = dataClass.regions;
    if (terms.regions === 'unknown') return 'region is unknown';
    const foreign = terms.regions.find((region) => !allowed.has(region));
    if (foreign !== undefined) return `region ${foreign} is not allowed`;
  }
  if (dataClass.entities !== null && (terms.entity === null || !dataClass.entities.has(terms.entity)))
    return `company ${terms.entity ?? 'unknown'} is not allowed`;
  return null;
}

/** Why a key may not send this class; null when it may. */
export function keyClassObjection({ demand, keyClassMax }: Pick<RoutingRequest, 'demand' | 'keyClassMax'>) {
  if (keyClassMax === null) return null;
  if (keyClassMax === 'undefined_class') return 'its highest data class is not defined';
  const { dataClass, name } = demand;
  if (dataClass === null) return null;
  return dataClass !== 'undefined_class' && isAtLeastAsStrict(keyClassMax, dataClass)
    ? null
    : `data of class ${name ?? ''} is above ${keyClassMax.name}`;
}

function dataPolicy({ demand }: RoutingRequest, target: Target, { now }: Conditions): Objection | null {
  const objection = dataPolicyObjection(target, demand.dataClass, now);
  return objection === null ? null : excluded('data_policy', `${demand.name ?? ''}: ${objection}`);
}

function switchesObject(
  _request: RoutingRequest,
  _target: Target,
  { random }: Conditions,
  spoke: readonly Switch[],
): Objection | null {
  const off = offBy(spoke);
  if (off !== null) return excluded('switched_off', off.id);
  const shed = spoke.find(
    ({ mode, effect }) => mode === 'enforce' && effect.kind === 'shed' && random * 100 < effect.percent,
  );
  return shed === undefined ? null : excluded('shed', shed.id);
}

function keyPermission(request: RoutingRequest): Objection | null {
  const { keyFeatures, feature } = request;
  if (keyFeatures !== null && !keyFeatures.has(feature.name))
    return excluded('not_permitted_for_key', feature.name);
  const tooSensitive = keyClassObjection(request);
  return tooSensitive === null ? null : excluded('not_permitted_for_key', tooSensitive);
}

function capability(request: RoutingRequest, target: Target): Objection | null {
  const waived = adaptationFor(request.feature, request.route[0], target)?.waives ?? nothing;
  for (const needs of [request.needs, request.feature.needs.capabilities])
    for (const needed of needs)
      if (!target.model.capabilities.has(needed) && !waived.has(needed))
        return excluded('lacks_capability', needed);
  return null;
}

function context({ feature, inputTokensEstimate }: RoutingRequest, { model }: Target): Objection | null {
  if (model.contextTokens < feature.needs.contextTokens)
    return excluded('context_too_small', `needs ${feature.needs.contextTokens} tokens`);
  const surely = inputTokensEstimate / (1 + estimateErrorBound);
  // An assumed window refuses nothing: the provider knows, and says so.
  return model.contextKnown && surely > model.contextTokens
    ? excluded('context_too_small', `about ${inputTokensEstimate} tokens, window ${model.contextTokens}`)
    : null;
}

export function consentObjection(request: RoutingRequest, target: Target): Objection | null {
  const { feature, consentedTarget, agreed, fallbackLimit } = request;
  const hop = hopBetween(request.route[0], target);
  const mode = modeFor(feature, hop, fallbackLimit);
  // A policy that has become "never" since the user was asked is not overridden by the answer.
  if (hop !== null && mode === 'never') return excluded('fallback_never', `${hop}: never`);
  if (consentedTarget !== null)
    return consentedTarget === target.name
      ? null
      : excluded('consent_required', 'the user agreed to another target');
  return hop === null || mode !== 'ask' || agreed.has(target.name) ? null : { kind: 'offer', hop };
}

function gate(_request: RoutingRequest, target: Target, { standing }: Conditions): Objection | null {
  const now = standing(target);
  return now.kind === 'out' ? { kind: 'excluded', reason: now.reason, rule: now.words, standing: now } : null;
}

export const ruleNames = [
  'data_policy',
  'switches',
  'key_permissions',
  'capability',
  'context',
  'consent',
  'gates',
] as const;
export type RuleName = (typeof ruleNames)[number];

type Rule = (
  request: RoutingRequest,
  target: Target,
  conditions: Conditions,
  spoke: readonly Switch[],
) => Objection | null;

const rules: Readonly<Record<RuleName, Rule>> = {
  data_policy: dataPolicy,
  switches: switchesObject,
  key_permissions: keyPermission,
  capability,
  context,
  consent: consentObjection,
  gates: gate,
};

/** The rules in force over a target, in order; a list, so that a request walks it without a lookup. */
const inOrder: readonly Rule[] = ruleNames.map((name) => rules[name]);

/** The first exclusion; else that the user must be asked; else nothing. `spoke`: the switches that cover the target. */
export function firstObjection(
  request: RoutingRequest,
  target: Target,
  conditions: Conditions,
  spoke: readonly Switch[],
): Objection | null {
  let offer: Objection | null = null;
  for (const rule of inOrder) {
    const objection = rule(request, target, conditions, spoke);
    if (objection === null) continue;
    if (objection.kind === 'excluded') return objection;
    offer = objection;
  }
  return offer;
}

/** What one rule says of one target. */
export type RuleSpoken = {
  readonly rule: RuleName;
  readonly says: 'allows' | 'excludes' | 'asks' | 'notes';
  readonly reason: ExclusionReason | null;
  /** For people: a switch id, a data class, the name of what is lacking; null where there is nothing to add. */
  readonly words: string | null;
};

/** Switches that changed nothing here: watched only, a last resort, or shedding that let this one through. */
function noted(spoke: readonly Switch[]): string | null {
  const notes = spoke.map(({ id, mode, effect }) => {
    if (mode === 'observe') return `${id} is only observing`;
    return effect.kind === 'last_resort' ? `${id} makes it the last resort` : `${id} let this one through`;
  });
  return notes.length === 0 ? null : notes.join('; ');
}

function passed(
  rule: RuleName,
  request: RoutingRequest,
  target: Target,
  spoke: readonly Switch[],
): RuleSpoken {
  const allows = (words: string | null): RuleSpoken => ({ rule, says: 'allows', reason: null, words });
  switch (rule) {
    case 'data_policy':
      return allows(request.demand.name === null ? 'the data has no class' : request.demand.name);
    case 'switches': {
      const words = noted(spoke);
      return words === null ? allows(null) : { rule, says: 'notes', reason: null, words };
    }
    case 'consent': {
      const hop = hopBetween(request.route[0], target);
      return allows(hop === null ? null : `${hop}: ${modeFor(request.feature, hop, request.fallbackLimit)}`);
    }
    case 'key_permissions':
    case 'capability':
    case 'context':
    case 'gates':
      return allows(null);
  }
}

/** Everything every rule says of a target, in order, whoever came first. */
export function rulesSpoken(
  request: RoutingRequest,
  target: Target,
  conditions: Conditions,
  spoke: readonly Switch[],
): readonly RuleSpoken[] {
  return ruleNames.map((rule): RuleSpoken => {
    const objection = rules[rule](request, target, conditions, spoke);
    if (objection === null) return passed(rule, request, target, spoke);
    return objection.kind === 'offer'
      ? { rule, says: 'asks', reason: 'consent_required', words: `${objection.hop}: ask` }
      : { rule, says: 'excludes', reason: objection.reason, words: objection.rule };
  });
}
