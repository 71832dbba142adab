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
  #read: readonly GateRule[] | null = null;
  #rules = new Map<TargetName, Agreed>();
  /** One for each gate, not one for each target. */
  #agreed = new Map<GateRule, Agreed>();

  constructor(gates: () => readonly GateRule[]) {
    this.#gates = gates;
  }

  of(target: Target): Agreed {
    const gates = this.#gates();
    if (gates !== this.#read) {
      this.#read = gates;
      this.#rules = new Map();
      this.#agreed = new Map();
    }
    let found = this.#rules.get(target.name);
    if (found === undefined) {
      const gate = gateFor(gates, target);
      found = this.#agreed.get(gate) ?? { gate, rule: ruleOf(gate), mode: gate.mode };
      this.#agreed.set(gate, found);
      if (this.#rules.size < remembered) this.#rules.set(target.name, found);
    }
    return found;
  }
}
