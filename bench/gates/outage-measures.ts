/** The house that outages meet, the faults that befall it, and what is measured of every outage. */
import type { Snapshot } from '../../src/core/snapshot.ts';
import type { Scenario } from '../../src/simulation/scenario.ts';
import { compiled, scenarioFile, scenarioOf } from '../../test/simulation/house.ts';
import { Outage, minutes } from './outages.ts';
import type { Measure } from './case.ts';

export const house = compiled();
export const opus8 = 'anthropic/claude-opus-4-8';
export const opus7 = 'anthropic/claude-opus-4-7';
export const opus6 = 'anthropic/claude-opus-4-6';
export const sonnet = 'anthropic/claude-sonnet-4-6';
export const gpt = 'openai/gpt-5.2';
export const provider = 'provider anthropic';
export const fail = { kind: 'fail', class: 'server_error' };

export const file = (name: string) => (seed: number) => new Outage(house, scenarioFile(name), seed);

/** A fault from minute 5 on for as long as it says, then time to come back. */
export const onset = minutes(5);
/** When those end that last as long as most. */
export const end = minutes(11);
export function fault(
  name: string,
  given: object,
  options: {
    readonly minutes?: number;
    readonly rate?: number;
    readonly snapshot?: Snapshot;
    readonly traffic?: object;
  } = {},
): (seed: number) => Outage {
  const { minutes: lasts = 6, rate = 5, snapshot = house, traffic = {} } = options;
  const scenario: Scenario = scenarioOf({
    name,
    duration: `${lasts + 12}m`,
    traffic: { '*': { rate, callers: 20 }, ...traffic },
    usual: { failures: '0.5%' },
    faults: [{ at: '5m', for: `${lasts}m`, ...given }],
  });
  return (seed) => new Outage(snapshot, scenario, seed);
}

export const same = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && other.every((each) => one.includes(each));
export const worst = (values: readonly number[]): number => Math.max(...values);
export const visible = (most: number): Measure<Outage> => ({
  what: 'errors that callers saw',
  unit: '%',
  most,
  of: (outage) => outage.errorShare,
});
export const ejected = (target: string, most: number): Measure<Outage> => ({
  what: `${target} declared out after`,
  unit: 's',
  most,
  of: (outage) => outage.secondsUntil('ejected', onset, target),
});
/** Whoever was out, when full traffic is there again. */
export const back = (targets: readonly string[], endMs: number): Measure<Outage> => ({
  what: 'in full use again after its end',
  unit: 's',
  most: 300,
  of: (outage) => targets.map((each) => outage.secondsBack(endMs, each)),
});
export const providerNamed = (most: number, since = onset): Measure<Outage> => ({
  what: 'the provider named after',
  unit: 's',
  most,
  of: (outage) => outage.secondsNamed(provider, since),
});
