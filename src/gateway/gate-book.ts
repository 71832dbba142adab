/** Which agreement holds for a target: the first gate of the configuration that matches, looked up once for each snapshot. */
import { gateFor } from '../core/gate-match.ts';
import { healthRuleOf } from '../core/health-rule.ts';
import type { HealthRule } from '../core/health-rule.ts';
import type { TargetName } from '../core/ids.ts';
import type { GateRule } from '../core/snapshot.ts';
import type { Target } from '../core/target.ts';

/** Here probes are sent by the gateway; a user's request serves as one only when none was to be had. */
const userProbeAfterMs = 3_000;

function ruleOf(gate: GateRule): HealthRule {
  const rule = healthRuleOf(gate);
  return { ...rule, userProbeAfterMs: Math.max(userProbeAfterMs, rule.probeSpacingMs * 2) };
}

export type Agreed = {
  readonly gate: GateRule;
  readonly rule: HealthRule;
  readonly mode: GateRule['mode'];
};

/** Names that requests make up are bounded elsewhere; this is the backstop. */
const remembered = 10_000;

export class GateBook {
  readonly #gates: () => readonly GateRule[];
  readonly #rules = new WeakMap<readonly GateRule[], Map<TargetName, Agreed>>();

  constructor(gates: () => readonly GateRule[]) {
    this.#gates = gates;
  }

  of(target: Target): Agreed {
    const gates = this.#gates();
    let known = this.#rules.get(gates);
    if (known === undefined) this.#rules.set(gates, (known = new Map()));
    let found = known.get(target.name);
    if (found === undefined) {
      const gate = gateFor(gates, target);
      found = { gate, rule: ruleOf(gate), mode: gate.mode };
      if (known.size < remembered) known.set(target.name, found);
    }
    return found;
  }
}
