/** Answers for a request that nobody made. */
import { classDemand } from '../core/data-class.ts';
import { resolveRequested } from '../core/default-route.ts';
import { explainCandidates, explainDecision } from '../core/explain.ts';
import type { TargetName } from '../core/ids.ts';
import { keyLimits } from '../core/keys.ts';
import { partsOf } from '../core/parts.ts';
import { countedShare } from '../core/percent.ts';
import { decide, everyRule } from '../core/routing.ts';
import type { RoutingDecision } from '../core/routing.ts';
import { plainRequest } from '../core/rules.ts';
import type { Conditions, Standing } from '../core/rules.ts';
import { capabilities } from '../core/target.ts';
import type { Target } from '../core/target.ts';
import type { Engine } from '../engine.ts';
import type { Explained, ExplainInput } from '../http/admin-dependencies.ts';
import { candidateToWire, ruleToWire } from '../http/wire.ts';

const isList = (value: unknown): value is readonly string[] => Array.isArray(value);

function asksFor(needs: ExplainInput['needs'], capability: string): boolean {
  if (needs === undefined) return false;
  return isList(needs) ? needs.includes(capability) : needs[capability] === true;
}

const planNames = (decision: RoutingDecision): readonly TargetName[] =>
  decision.kind === 'route' ? decision.plan.map((target) => target.name) : [];

type Part = {
  readonly share: number;
  readonly conditions: Conditions;
  readonly decision: RoutingDecision;
};

/** Parts that meet the same are one: a switch for some that changes nothing for them is not worth a sentence. */
function merged(parts: readonly Part[]): readonly Part[] {
  const met = new Map<string, Part>();
  for (const part of parts) {
    const outcome = JSON.stringify([planNames(part.decision), explainDecision(part.decision)]);
    const earlier = met.get(outcome) ?? { ...part, share: 0 };
    met.set(outcome, { ...earlier, share: earlier.share + part.share });
  }
  return [...met.values()];
}

/** What routing would do with a hypothetical request, with every rule that spoke. */
export function explain(input: ExplainInput, engine: Engine): Explained {
  const { snapshot, switches } = engine.state;
  const name = input.model ?? input.feature;
  if (name === undefined) return { kind: 'invalid', message: 'Neither a feature nor a model is named.' };
  const resolved = resolveRequested(snapshot, name, input.feature ?? null);
  if (resolved.kind !== 'resolved') return { kind: 'invalid', message: resolved.message };
  const keys = [...engine.state.keys.byHash.values()];
  const key =
    keys.find(({ id }) => id === input.key) ?? keys.find(({ name: called }) => called === input.key) ?? null;
  // Without its key a request would be judged by wider permissions than it has.
  if (input.key !== undefined && key === null)
    return { kind: 'invalid', message: `There is no usable key ${input.key}.` };
  const request = plainRequest(resolved.feature, {
    route: resolved.route,
    needs: new Set(capabilities.filter((capability) => asksFor(input.needs, capability))),
    inputTokensEstimate: input.input_tokens ?? 0,
    demand: classDemand(snapshot, resolved.feature, input.data_class ?? null, {
      tenant: key?.tenant ?? null,
      keyNames: key === null ? [] : [key.id, key.name],
    }),
    ...keyLimits(key, snapshot),
  });
  const now = engine.clock.now();
  const standings = new Map(request.route.map((target) => [target, engine.board.standing(target)]));
  const standing = (target: Target): Standing => standings.get(target) ?? engine.board.standing(target);
  const parts = partsOf(request, switches, now).map(({ share, random }) => {
    const conditions: Conditions = { switches, standing, now, random };
    return { share, conditions, decision: decide(request, conditions) };
  });
  // What most of such requests would meet; of equal parts, what those meet that are let through.
  const [main, ...others] = merged(parts.toReversed()).toSorted((one, other) => other.share - one.share);
  if (main === undefined) throw new Error('requests without a part');
  const { decision } = main;
  const spoken = everyRule(request, main.conditions);
  return {
    kind: 'explained',
    value: {
      decision: decision.kind,
      plan: planNames(decision),
      shares: [main, ...others].map((part) => ({
        share: part.share,
        decision: part.decision.kind,
        plan: planNames(part.decision),
      })),
      candidates: decision.candidates.map((candidate) => ({
        ...candidateToWire(candidate),
        rules: (spoken.get(candidate.target) ?? []).map(ruleToWire),
      })),
      words: [
        explainDecision(decision),
        ...others.map(
          (part) =>
            `A switch for a part of the requests decides otherwise for ${countedShare(part.share)} of them: ${explainDecision(part.decision)}`,
        ),
        ...explainCandidates(decision.candidates),
        ...request.route.flatMap((target) =>
          engine.board
            .view(target)
            .warnings.map(({ words }) => `Answers of ${target.name} are not like they were: ${words}.`),
        ),
      ].join(' '),
    },
  };
}
