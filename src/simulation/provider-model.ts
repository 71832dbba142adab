/** What providers of a scenario do to an attempt: usual noise and times, and the faults in force at that moment. */
import type { SoftSignal } from '../core/evidence.ts';
import { failureOf } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { Target } from '../core/target.ts';
import type { Effect, Fault, Scenario } from './scenario.ts';

/** How an attempt will go: decided when it starts, seen when it happens. */
export type Fate = {
  /** Null: a good answer. */
  readonly failure: Failure | null;
  readonly soft: SoftSignal | null;
  /** When the first content comes; null when none does. */
  readonly firstTokenMs: number | null;
  readonly durationMs: number;
};

export type Called = {
  readonly target: Target;
  readonly key: string | null;
  readonly firstTokenMsMax: number;
  readonly stallMs: number;
  /** The request fails wherever it goes. */
  readonly poisonous: boolean;
};

export function strikes({ scope }: Fault, target: Target, key: string | null): boolean {
  const { provider, region, vendor, family, model, target: name } = scope;
  const { regions } = target.provider.terms;
  return (
    (provider === undefined || provider === target.provider.id) &&
    (vendor === undefined || vendor === target.model.vendor) &&
    (family === undefined || family === target.model.family) &&
    (model === undefined || model === target.model.name) &&
    (name === undefined || name === target.name) &&
    (region === undefined || (regions !== 'unknown' && regions.includes(region))) &&
    (scope.key === undefined || scope.key === key)
  );
}

/** When a fault is over, fading included. */
export function endOf({ at, for: lasts, fades = 0 }: Fault): number {
  return at + lasts + fades;
}

/** The share of attempts that a fault strikes at this time since the start. */
export function shareAt(fault: Fault, sinceMs: number): number {
  const age = sinceMs - fault.at;
  const { flapping, fades = 0, share = 1 } = fault;
  if (age < 0 || sinceMs >= endOf(fault)) return 0;
  if (flapping !== undefined && age % (flapping.bad + flapping.good) >= flapping.bad) return 0;
  return age < fault.for ? share : share * (1 - (age - fault.for) / fades);
}

/** A time around `median`, lognormal: the longest in a hundred are about five times as long. */
function around(median: number, random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return median * Math.exp(0.5 * normal);
}

const quickMs = 120;

function struck(effect: Effect, called: Called, usual: Fate, random: () => number): Fate {
  switch (effect.kind) {
    case 'fail': {
      const { status = null, retryAfter = null, remaining = false } = effect;
      const failure = {
        ...failureOf(remaining ? 'overloaded' : effect.class),
        status: status ?? (effect.class === 'rate_limited' ? 429 : null),
        retryAfterMs: retryAfter,
      };
      return { failure, soft: null, firstTokenMs: null, durationMs: around(quickMs, random) };
    }
    case 'hang':
      return {
        failure: failureOf('first_token_timeout'),
        soft: null,
        firstTokenMs: null,
        durationMs: called.firstTokenMsMax,
      };
    case 'slow': {
      const firstTokenMs = (usual.firstTokenMs ?? 0) * effect.factor;
      return firstTokenMs >= called.firstTokenMsMax
        ? struck({ kind: 'hang' }, called, usual, random)
        : { ...usual, firstTokenMs, durationMs: usual.durationMs * effect.factor };
    }
    case 'cut':
      return { ...usual, failure: failureOf('stream_truncated') };
    case 'stall':
      return {
        ...usual,
        failure: failureOf('stream_stalled'),
        durationMs: (usual.firstTokenMs ?? 0) + called.stallMs,
      };
    case 'shrink':
      return usual;
    case 'soft':
      return { ...usual, soft: effect.signal };
  }
}

export type ProviderModel = (called: Called, sinceMs: number) => Fate;

export function createProviderModel(
  { faults }: Pick<Scenario, 'faults'>,
  usual: Scenario['usual'],
  random: () => number,
): ProviderModel {
  // Few faults are in force at any time: the list is made anew only when that may have changed.
  let active: readonly Fault[] = [];
  let validUntil = Number.NEGATIVE_INFINITY;
  const activeAt = (sinceMs: number): readonly Fault[] => {
    if (sinceMs < validUntil) return active;
    active = faults.filter((fault) => sinceMs >= fault.at && sinceMs < endOf(fault));
    validUntil = Math.min(
      ...faults.flatMap((fault) => [fault.at, endOf(fault)]).filter((at) => at > sinceMs),
      Number.POSITIVE_INFINITY,
    );
    return active;
  };
  return (called, sinceMs) => {
    const firstTokenMs = around(usual.firstTokenMs, random);
    const good: Fate = {
      failure: null,
      soft: null,
      firstTokenMs,
      durationMs: firstTokenMs + around(usual.answerMs, random),
    };
    if (called.poisonous)
      return struck({ kind: 'fail', class: 'server_error', status: 500 }, called, good, random);
    for (const fault of activeAt(sinceMs)) {
      if (fault.effect.kind === 'shrink' || !strikes(fault, called.target, called.key)) continue;
      const share = shareAt(fault, sinceMs);
      if (share > 0 && random() < share) return struck(fault.effect, called, good, random);
    }
    return random() < usual.failures
      ? struck({ kind: 'fail', class: 'server_error', status: 500 }, called, good, random)
      : good;
  };
}
