/** Which gate speaks for a target: the first whose match fits, as they are written. */
import { defaultGate } from './snapshot.ts';
import type { GateRule } from './snapshot.ts';
import type { Target } from './target.ts';

export function matchesGate({ match }: Pick<GateRule, 'match'>, target: Target): boolean {
  return (
    (match.provider ?? target.provider.id) === target.provider.id &&
    (match.vendor ?? target.model.vendor) === target.model.vendor &&
    (match.family ?? target.model.family) === target.model.family &&
    (match.model ?? target.model.name) === target.model.name &&
    (match.target ?? target.name) === target.name
  );
}

export function gateFor(gates: readonly GateRule[], target: Target): GateRule {
  return gates.find((gate) => matchesGate(gate, target)) ?? defaultGate;
}
