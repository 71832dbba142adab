/**
 * Routing: which targets may answer this request, in which order, and why the others may not.
 *
 * The rules speak in a fixed order (`rules.ts`), and the first that excludes a target is the reason on its candidate.
 * What is left goes by preference. When every permitted target is out by its gate, the least bad one is tried all the
 * same (panic): refusing every request because of a statistic would be worse than asking. What a person switched off,
 * or policy forbids, stays out even then.
 *
 * Everything it needs is an argument; the same arguments give the same decision, which is how `explain` can repeat it.
 */
import type { ErrorCode } from './errors.ts';
import { isNonEmpty } from './ids.ts';
import type { Instant, NonEmpty, SwitchId, TargetName } from './ids.ts';
import type { Candidate, ExclusionReason } from './record.ts';
import { consentObjection, firstObjection, modeFor, rulesSpoken } from './rules.ts';
import type { Conditions, Objection, RoutingRequest, RuleSpoken } from './rules.ts';
export type { Conditions, RoutingRequest, Standing } from './rules.ts';
import { speaking } from './switches.ts';
import type { Asker, Switch } from './switches.ts';
import { hops } from './target.ts';
import type { Hop, Target } from './target.ts';

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

type Verdict = Objection | { readonly kind: 'in'; readonly lastResort: boolean };

function judge(
  request: RoutingRequest,
  target: Target,
  spoke: readonly Switch[],
  conditions: Conditions,
): Verdict {
  const objection = firstObjection(request, target, conditions, spoke);
  if (objection !== null) return objection;
  const lastResort = spoke.some(({ mode, effect }) => mode === 'enforce' && effect.kind === 'last_resort');
  return { kind: 'in', lastResort };
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

/** Who asks, as switches see it. */
export function askerOf({ feature, demand, tenant, key, keyName }: RoutingRequest): Asker {
  return { feature: feature.name, dataClass: demand.name, tenant, key, keyName };
}

/** Every rule's word on every target of the route, whoever decided. */
export function everyRule(
  request: RoutingRequest,
  conditions: Conditions,
): ReadonlyMap<TargetName, readonly RuleSpoken[]> {
  const asker = askerOf(request);
  return new Map(
    request.route.map((target) => {
      const spoke = speaking(conditions.switches, target, asker, conditions.now);
      return [target.name, rulesSpoken(request, target, conditions, spoke)];
    }),
  );
}

/** Decides where a request may go. Never fails: a refusal is a decision. */
export function decide(request: RoutingRequest, conditions: Conditions): RoutingDecision {
  const spokeIds = new Set<SwitchId>();
  const asker = askerOf(request);
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
  if (panic !== null)
    return {
      ...facts,
      candidates: facts.candidates.map((candidate) =>
        candidate.target === panic.name
          ? { ...candidate, rule: `tried all the same, because nothing better is left: ${candidate.rule}` }
          : candidate,
      ),
      kind: 'route',
      plan: [panic],
      panic: true,
    };
  return { ...facts, kind: 'refuse', code: refusalCode(request, judged), retryAt: earliest(judged) };
}
