/**
 * What a caller may name as `model`, and whether it answers right now: enough to draw a model picker from.
 *
 * Availability is what routing would do with the caller's next request (`decide`), so that the list cannot show a model
 * as usable that would refuse. A name that answers through a backup is available and says so. It refuses to guess
 * about what a request will need: a model may still lack a capability for one request.
 */
import { classDemand } from './data-class.ts';
import { resolveRequested } from './default-route.ts';
import type { Instant, KeyId } from './ids.ts';
import type { Candidate, ExclusionReason } from './record.ts';
import { decide } from './routing.ts';
import type { RoutingDecision, Standing } from './routing.ts';
import { plainRequest } from './rules.ts';
import type { Feature, Snapshot } from './snapshot.ts';
import type { Switch } from './switches.ts';
import type { Target } from './target.ts';

export type ModelView = {
  readonly name: string;
  readonly kind: 'feature' | 'model';
  /** For people: the feature's title, or the model's name. */
  readonly title: string;
  readonly vendor: string;
  /** Null when not known. */
  readonly contextTokens: number | null;
  readonly outputTokens: number | null;
  readonly price: Target['model']['price'];
  readonly keptUntil: string | null;
  readonly available: boolean;
  /** Why the preferred target does not answer; null when it does. */
  readonly reason: ExclusionReason | null;
  /** Since when, where that is known. */
  readonly since: Instant | null;
  /** Who answers instead, or could if the user agrees; null when the preferred target answers or nobody can. */
  readonly backup: string | null;
};

export type ListAsker = {
  readonly key: KeyId | null;
  readonly keyName: string | null;
  readonly tenant: string | null;
  /** Features the key may use; null for all. */
  readonly features: ReadonlySet<string> | null;
};

export type ListConditions = {
  readonly switches: readonly Switch[];
  readonly standing: (target: Target) => Standing;
  /** Since when the gate of a target is in its state. */
  readonly gateSince: (target: Target) => Instant | null;
  readonly now: Instant;
};

function decisionFor(
  snapshot: Snapshot,
  feature: Feature,
  route: readonly [Target, ...Target[]],
  asker: ListAsker,
  conditions: ListConditions,
): RoutingDecision {
  const { tenant, key, keyName, features: keyFeatures } = asker;
  return decide(
    plainRequest(feature, {
      route,
      demand: classDemand(snapshot, feature, null, {
        tenant,
        keyNames: [key, keyName].filter((name) => name !== null),
      }),
      tenant,
      key,
      keyName,
      keyFeatures,
    }),
    // The least lucky draw: what is shown as available is so for everybody.
    { ...conditions, random: 0 },
  );
}

function sinceOf(candidate: Candidate, preferred: Target, conditions: ListConditions): Instant | null {
  if (candidate.reason === 'switched_off')
    return conditions.switches.find((entry) => entry.id === candidate.rule)?.createdAt ?? null;
  return candidate.reason === 'ejected' || candidate.reason === 'ramping'
    ? conditions.gateSince(preferred)
    : null;
}

function backupOf(decision: RoutingDecision, preferred: Target): string | null {
  switch (decision.kind) {
    case 'route':
      return decision.plan[0].name === preferred.name ? null : decision.plan[0].name;
    case 'ask':
      return decision.offers[0]?.target.name ?? null;
    case 'refuse':
      return null;
  }
}

/** One name as the caller may use it; null when nothing here is called that, or the key may not use it. */
export function viewModel(
  snapshot: Snapshot,
  name: string,
  feature: string | null,
  asker: ListAsker,
  conditions: ListConditions,
): ModelView | null {
  const resolved = resolveRequested(snapshot, name, feature);
  if (resolved.kind !== 'resolved') return null;
  if (asker.features !== null && !asker.features.has(resolved.feature.name)) return null;
  const { preferred } = resolved;
  const decision = decisionFor(snapshot, resolved.feature, resolved.route, asker, conditions);
  const own = decision.candidates.find((candidate) => candidate.target === preferred.name);
  const backup = backupOf(decision, preferred);
  const serves = decision.kind === 'route' && backup === null;
  const isFeature = snapshot.features.has(name);
  return {
    name,
    kind: isFeature ? 'feature' : 'model',
    title: isFeature ? resolved.feature.title : preferred.model.name,
    vendor: preferred.model.vendor,
    contextTokens: preferred.model.contextKnown ? preferred.model.contextTokens : null,
    outputTokens: preferred.model.outputKnown ? preferred.model.outputTokens : null,
    price: preferred.model.price,
    keptUntil: preferred.model.keptUntil,
    available: decision.kind === 'route',
    reason: serves ? null : (own?.reason ?? null),
    since: serves || own === undefined ? null : sinceOf(own, preferred, conditions),
    backup,
  };
}

/** Every name the caller may use: of one feature, or features first and then models. */
export function listModels(
  snapshot: Snapshot,
  feature: string | null,
  asker: ListAsker,
  conditions: ListConditions,
): readonly ModelView[] {
  const names =
    feature === null
      ? [...snapshot.features.keys(), ...snapshot.targetsByModel.keys()]
      : [...(snapshot.features.get(feature)?.models ?? [])];
  return names.flatMap((name) => viewModel(snapshot, name, feature, asker, conditions) ?? []);
}
