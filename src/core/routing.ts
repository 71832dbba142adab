/**
 * Routing: which targets may answer this request, in which order, and why the others may not.
 *
 * The rules speak in a fixed order: data policy → switches → key permissions → capability and context → consent →
 * gates → preference. The first that excludes a target is the reason on its candidate. Data policy comes first so that
 * nothing can override it; gates come last so that they only choose among what is permitted. When every permitted
 * target is out by its gate, the least bad one is tried all the same (panic): refusing every request because of a
 * statistic would be worse than asking. What a person switched off, or policy forbids, stays out even then.
 *
 * Everything it needs is an argument; the same arguments give the same decision, which is how `explain` can repeat it.
 */
import type { ErrorCode } from './errors.ts';
import { isNonEmpty } from './ids.ts';
import type { Instant, KeyId, NonEmpty, SwitchId, TargetName } from './ids.ts';
import type { Candidate, ExclusionReason } from './record.ts';
import type { DataClass, FallbackMode, Feature } from './snapshot.ts';
import { offBy, speaking } from './switches.ts';
import type { Asker, Switch } from './switches.ts';
import { hopBetween, hops, termsAt } from './target.ts';
import type { Capability, Hop, Target } from './target.ts';

export type RoutingRequest = {
  readonly feature: Feature;
  /** What the caller asked for first, then the rest of the route. */
  readonly route: NonEmpty<Target>;
  readonly needs: ReadonlySet<Capability>;
  readonly inputTokensEstimate: number;
  /** `undefined_class`: the caller named a class that the configuration does not define. */
  readonly dataClass: DataClass | 'undefined_class' | null;
  readonly dataClassName: string | null;
  readonly tenant: string | null;
  readonly key: KeyId | null;
  /** Features the key may use; null for all. */
  readonly keyFeatures: ReadonlySet<string> | null;
  /** The caller's own wish, which may only tighten the policy. */
  readonly fallbackLimit: FallbackMode | null;
  /** The target a consent token was given for; nothing else may answer then. */
  readonly consentedTarget: TargetName | null;
};

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

export type Offer = { readonly target: Target; readonly hop: Hop };

export type RoutingDecision = {
  readonly candidates: readonly Candidate[];
  /** Permitted but for consent. */
  readonly offers: readonly Offer[];
  /** Switches that spoke about any target of the route. */
  readonly switches: readonly SwitchId[];
} & (
  | { readonly kind: 'route'; readonly plan: NonEmpty<Target>; readonly panic: boolean }
  | { readonly kind: 'ask' }
  | {
      readonly kind: 'refuse';
      readonly code: Extract<
        ErrorCode,
        | 'data_policy_denied'
        | 'fallback_not_allowed'
        | 'no_eligible_target'
        | 'context_exceeded'
        | 'forbidden'
      >;
      readonly retryAt: Instant | null;
    }
);

/** An estimate of input tokens may be this much too high before it excludes a target. */
export const estimateErrorBound = 0.25;

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
      return `retention of ${terms.retention.days} days is too long`;
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

type Verdict =
  | { readonly kind: 'in'; readonly probe: boolean; readonly lastResort: boolean }
  | { readonly kind: 'offer'; readonly hop: Hop }
  | {
      readonly kind: 'excluded';
      readonly reason: ExclusionReason;
      readonly rule: string;
      readonly standing: Extract<Standing, { kind: 'out' }> | null;
    };

const excluded = (reason: ExclusionReason, rule: string): Verdict => ({
  kind: 'excluded',
  reason,
  rule,
  standing: null,
});

function capabilityObjection(request: RoutingRequest, target: Target): Verdict | null {
  const { model } = target;
  for (const needed of [...request.needs, ...request.feature.needs.capabilities]) {
    if (!model.capabilities.has(needed)) return excluded('lacks_capability', needed);
  }
  if (model.contextTokens < request.feature.needs.contextTokens)
    return excluded('context_too_small', `needs ${request.feature.needs.contextTokens} tokens`);
  const surely = request.inputTokensEstimate / (1 + estimateErrorBound);
  if (surely > model.contextTokens)
    return excluded(
      'context_too_small',
      `about ${request.inputTokensEstimate} tokens, window ${model.contextTokens}`,
    );
  return null;
}

function consentObjection(request: RoutingRequest, target: Target): Verdict | null {
  if (request.consentedTarget !== null) {
    return request.consentedTarget === target.name
      ? null
      : excluded('consent_required', 'the user agreed to another target');
  }
  const hop = hopBetween(request.route[0], target);
  const mode = modeFor(request.feature, hop, request.fallbackLimit);
  if (hop === null) return null;
  switch (mode) {
    case 'auto':
    case 'notify':
    case 'reduce':
      return null;
    case 'ask':
      return { kind: 'offer', hop };
    case 'never':
      return excluded('fallback_never', `${hop}: never`);
  }
}

function gateVerdict(standing: Standing, lastResort: boolean): Verdict {
  switch (standing.kind) {
    case 'open':
      return { kind: 'in', probe: false, lastResort };
    case 'probe':
      return { kind: 'in', probe: true, lastResort };
    case 'out':
      return { kind: 'excluded', reason: standing.reason, rule: standing.words, standing };
  }
}

function judge(
  request: RoutingRequest,
  target: Target,
  spoke: readonly Switch[],
  conditions: Conditions,
): Verdict {
  const objection = dataPolicyObjection(target, request.dataClass, conditions.now);
  if (objection !== null) return excluded('data_policy', `${request.dataClassName ?? ''}: ${objection}`);
  const off = offBy(spoke);
  if (off !== null) return excluded('switched_off', off.id);
  const enforced = spoke.filter((entry) => entry.mode === 'enforce');
  const shed = enforced.find(
    (entry) => entry.effect.kind === 'shed' && conditions.random * 100 < entry.effect.percent,
  );
  if (shed !== undefined) return excluded('shed', shed.id);
  if (request.keyFeatures !== null && !request.keyFeatures.has(request.feature.name))
    return excluded('not_permitted_for_key', request.feature.name);
  const lastResort = enforced.some((entry) => entry.effect.kind === 'last_resort');
  const reached = capabilityObjection(request, target) ?? consentObjection(request, target);
  if (reached !== null && reached.kind === 'excluded') return reached;
  const gate = gateVerdict(conditions.standing(target), lastResort);
  return reached !== null && gate.kind === 'in' ? reached : gate;
}

function candidateOf(target: Target, verdict: Verdict): Candidate {
  switch (verdict.kind) {
    case 'in':
      return { target: target.name, eligible: true, reason: null, rule: null };
    case 'offer':
      return {
        target: target.name,
        eligible: false,
        reason: 'consent_required',
        rule: `${verdict.hop}: ask`,
      };
    case 'excluded':
      return { target: target.name, eligible: false, reason: verdict.reason, rule: verdict.rule };
  }
}

type Judged = { readonly target: Target; readonly verdict: Verdict };

/** Targets that may answer, those held back by a `last_resort` switch at the end. */
function planOf(judged: readonly Judged[]): readonly Target[] {
  const first: Target[] = [];
  const last: Target[] = [];
  for (const { target, verdict } of judged) {
    if (verdict.kind === 'in') (verdict.lastResort ? last : first).push(target);
  }
  return [...first, ...last];
}

const panicReasons: ReadonlySet<ExclusionReason> = new Set([
  'ejected',
  'probe_in_flight',
  'ramping',
  'credential_unavailable',
]);

/** The permitted target that is least bad; null when none is out merely by its gate. */
function leastBad(judged: readonly Judged[], request: RoutingRequest): Target | null {
  let best: { target: Target; badness: number } | null = null;
  for (const { target, verdict } of judged) {
    if (verdict.kind !== 'excluded' || verdict.standing === null || !panicReasons.has(verdict.reason))
      continue;
    if (consentObjection(request, target) !== null) continue;
    if (best === null || verdict.standing.badness < best.badness)
      best = { target, badness: verdict.standing.badness };
  }
  return best === null ? null : best.target;
}

function refusalCode(
  request: RoutingRequest,
  judged: readonly Judged[],
): Extract<RoutingDecision, { kind: 'refuse' }>['code'] {
  const reasons = judged.map(({ verdict }) => (verdict.kind === 'excluded' ? verdict.reason : null));
  if (reasons.every((reason) => reason === 'data_policy')) return 'data_policy_denied';
  if (
    reasons.every((reason) => reason === 'data_policy' || reason === 'not_permitted_for_key') &&
    reasons.includes('not_permitted_for_key')
  )
    return 'forbidden';
  if (reasons.every((reason) => reason === 'context_too_small')) return 'context_exceeded';
  if (reasons.includes('fallback_never') || neverFallsBack(request)) return 'fallback_not_allowed';
  return 'no_eligible_target';
}

/** True when the policy allows no hop at all. */
export function neverFallsBack(request: Pick<RoutingRequest, 'feature' | 'fallbackLimit'>): boolean {
  return hops.every((hop) => modeFor(request.feature, hop, request.fallbackLimit) === 'never');
}

function earliest(judged: readonly Judged[]): Instant | null {
  const times = judged.flatMap(({ verdict }) =>
    verdict.kind === 'excluded' && verdict.standing !== null && verdict.standing.until !== null
      ? [verdict.standing.until]
      : [],
  );
  return times.length === 0 ? null : (Math.min(...times) as Instant);
}

/** Decides where a request may go. Never fails: a refusal is a decision. */
export function decide(request: RoutingRequest, conditions: Conditions): RoutingDecision {
  const spokeIds = new Set<SwitchId>();
  const asker: Asker = {
    feature: request.feature.name,
    dataClass: request.dataClassName,
    tenant: request.tenant,
    key: request.key,
  };
  const judged = request.route.map((target): Judged => {
    const spoke = speaking(conditions.switches, target, asker, conditions.now);
    for (const entry of spoke) spokeIds.add(entry.id);
    return { target, verdict: judge(request, target, spoke, conditions) };
  });
  const facts = {
    candidates: judged.map(({ target, verdict }) => candidateOf(target, verdict)),
    offers: judged.flatMap(({ target, verdict }): Offer[] =>
      verdict.kind === 'offer' ? [{ target, hop: verdict.hop }] : [],
    ),
    switches: [...spokeIds],
  };
  const plan = planOf(judged);
  if (isNonEmpty(plan)) return { ...facts, kind: 'route', plan, panic: false };
  if (facts.offers.length > 0) return { ...facts, kind: 'ask' };
  const panic = leastBad(judged, request);
  if (panic !== null) return { ...facts, kind: 'route', plan: [panic], panic: true };
  return { ...facts, kind: 'refuse', code: refusalCode(request, judged), retryAt: earliest(judged) };
}
