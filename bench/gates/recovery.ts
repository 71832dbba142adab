/** Thin traffic, the way back, flapping: single incidents at one target with a backup. */
import { contenders, ourGate } from './contenders.ts';
import type { Contender } from './contenders.ts';
import { median } from '../figures.ts';
import { during, run } from './traffic.ts';
import type { Noise } from './traffic.ts';

const minute = 60_000;

/** Seconds from the first failure of a total outage to the declared ejection, and the probes it took. */
export function thinOutage(
  perSecond: number,
  seed: number,
): { seconds: number; probes: number; users: number } {
  const from = 12 * 3_600_000;
  let first: number | null = null;
  let users = 0;
  let probes = 0;
  const gate = ourGate();
  const noise: Noise = {
    fails: (now, _caller, _chance, probe) => {
      if (now < from) return false;
      first ??= now;
      if (gate.standing() !== 'declared') {
        if (probe) probes++;
        else users++;
      }
      return true;
    },
  };
  const outcome = run(gate, {
    perSecond,
    untilMs: from + 12 * 3_600_000,
    seed,
    noise,
    stopWhen: (rule) => rule.standing() === 'declared',
  });
  return {
    seconds: ((outcome.declaredAt ?? Number.POSITIVE_INFINITY) - (first ?? 0)) / 1_000,
    probes,
    users,
  };
}

export type Incident = {
  readonly outSeconds: number;
  readonly backSeconds: number;
  readonly transitions: number;
  /** Share of all requests of the incident whose attempt failed at the target. */
  readonly exposed: number;
  readonly visible: number;
};

const incidentMs = 117 * minute;

/** A fault of 117 minutes: how soon out, how soon back after its end, how many requests met it. */
export function incident(make: () => Contender, perSecond: number, rate: number, seed: number): Incident {
  const from = 30 * minute;
  const to = from + incidentMs;
  const rule = make();
  let exposed = 0;
  const fault = during(0.005, [{ from, to, rate }]);
  const noise: Noise = {
    fails: (now, caller, chance, probe) => {
      const failed = fault.fails(now, caller, chance, probe);
      if (failed && !probe && now >= from && now < to) exposed++;
      return failed;
    },
  };
  const outcome = run(rule, { perSecond, untilMs: to + 20 * minute, seed, noise });
  const stillOut = rule.standing() !== 'in';
  return {
    outSeconds: ((outcome.outAt ?? Number.POSITIVE_INFINITY) - from) / 1_000,
    backSeconds: stillOut ? Number.POSITIVE_INFINITY : Math.max(0, ((outcome.lastOutAt ?? to) - to) / 1_000),
    transitions: rule.transitions(),
    exposed: exposed / (perSecond * (incidentMs / 1_000)),
    visible: outcome.visible,
  };
}

/** Medians over seeds. */
export function incidents(make: () => Contender, perSecond: number, rate: number, seeds: number): Incident {
  const all = Array.from({ length: seeds }, (_, seed) => incident(make, perSecond, rate, seed + 1));
  const of = (name: keyof Incident): number => median(all.map((each) => each[name]));
  return {
    outSeconds: of('outSeconds'),
    backSeconds: of('backSeconds'),
    transitions: of('transitions'),
    exposed: of('exposed'),
    visible: of('visible'),
  };
}

/** A minute bad, a minute good, for an hour. */
export function flapping(
  make: () => Contender,
  perSecond: number,
  seed: number,
): { transitions: number; share: number } {
  const from = 30 * minute;
  const rule = make();
  let during60 = 0;
  const noise: Noise = {
    fails: (now, _caller, chance, probe) => {
      const age = now - from;
      const inside = age >= 0 && age < 60 * minute;
      if (inside && !probe) during60++;
      return chance() < (inside && age % (2 * minute) < minute ? 1 : 0.005);
    },
  };
  run(rule, { perSecond, untilMs: from + 60 * minute, seed, noise });
  return { transitions: rule.transitions(), share: during60 / (perSecond * 3_600) };
}

/** The same incidents for every rule. */
export function comparison(
  seeds: number,
  cases: readonly { readonly perSecond: number; readonly rate: number }[],
): { name: string; results: Incident[] }[] {
  return contenders.map(({ name, make }) => ({
    name,
    results: cases.map(({ perSecond, rate }) => incidents(make, perSecond, rate, seeds)),
  }));
}
