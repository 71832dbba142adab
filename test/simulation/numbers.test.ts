/** The numbers of the gates in small: the full ones are `npm run bench:gates`. Seeds are fixed, so nothing here is left to luck. */
import { describe, expect, test } from 'bun:test';

import { contenders, ourGate } from '../../bench/gates/contenders.ts';
import { median } from '../../bench/figures.ts';
import { delayTable } from '../../bench/gates/delay.ts';
import { blips, bursts, poison } from '../../bench/gates/noise.ts';
import { flapping, incident, thinOutage } from '../../bench/gates/recovery.ts';
import { heightFor, meanRun } from '../../bench/gates/reference.ts';
import { run, steady } from '../../bench/gates/traffic.ts';
import type { Noise } from '../../bench/gates/traffic.ts';

const day = 86_400_000;

test('the reference needs what the theory says at ten requests a second', () => {
  const height = heightFor(10 * 30 * 86_400);
  expect(meanRun(height, 0.2)).toBeCloseTo(26.5, 0);
  expect(meanRun(height, 0.5)).toBeCloseTo(9, 0);
  expect(meanRun(height, 1)).toBe(4);
});

test('it sheds within its factor of the reference, without knowing the background', () => {
  for (const { perSecond, rate, ours, reference, most } of delayTable(60, [1, 100]))
    expect(`${perSecond}/s ${rate}: ${ours / reference <= most}`).toBe(`${perSecond}/s ${rate}: true`);
}, 600_000);

test('a total outage of a target that is hardly asked is declared within 20 s of its first failure', () => {
  for (const perSecond of [1 / 600, 0.1]) {
    const all = Array.from({ length: 10 }, (_, seed) => thinOutage(perSecond, seed + 1));
    expect(median(all.map((each) => each.seconds))).toBeLessThan(20);
    expect(Math.max(...all.map((each) => each.probes))).toBeLessThanOrEqual(10);
  }
}, 300_000);

describe('what is no outage is not declared', () => {
  const quiet: [string, number, Noise][] = [
    ['independent noise of 2 %', 1, steady(0.02)],
    ['blips', 2, blips(0.005, 4, 1)],
    ['bursts', 1, bursts(0.005, 0.5, 10, 1)],
    ['a poisonous caller', 0, poison(0.005)],
  ];
  test.each(quiet)(
    '%s',
    (_name, most, noise) => {
      const gate = ourGate();
      run(gate, { perSecond: 0.5, untilMs: 4 * day, seed: 1, noise });
      expect(gate.ejections()).toBeLessThanOrEqual(most);
    },
    60_000,
  );
});

test('an incident: out soon, back within five minutes of its end, two transitions, hardly anybody met it', () => {
  for (const rate of [0.3, 1]) {
    const found = incident(() => ourGate(), 5, rate, 3);
    expect(found.backSeconds).toBeLessThanOrEqual(300);
    expect(found.transitions).toBe(2);
    expect(found.exposed).toBeLessThanOrEqual(0.002);
  }
}, 300_000);

test('flapping does not carry traffic to and fro', () => {
  const found = flapping(() => ourGate(), 5, 1);
  expect(found.transitions).toBeLessThanOrEqual(6);
  expect(found.share).toBeLessThanOrEqual(0.1);
}, 300_000);

test('every rule common elsewhere lets more of a brown-out through', () => {
  const [ours, ...others] = contenders.map(({ make }) => incident(make, 5, 0.1, 1).visible);
  for (const other of others) expect(other).toBeGreaterThan(ours ?? Number.POSITIVE_INFINITY);
}, 600_000);
