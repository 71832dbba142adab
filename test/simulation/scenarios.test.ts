/** The replays of real outages: what must hold in each of them, whatever the seed. */
import { expect, test } from 'bun:test';

import type { WorldReport } from '../../src/simulation/report.ts';
import { readScenario } from '../../src/simulation/scenario.ts';
import { runWorld } from '../../src/simulation/world.ts';
import { compiled, scenarioFile, scenarioOf } from './house.ts';

const snapshot = compiled();

/** Targets that were declared out. */
const ejected = ({ moves }: WorldReport): string[] =>
  [
    ...new Set(
      moves.filter(({ transition }) => transition.to === 'ejected').map(({ target }) => String(target)),
    ),
  ].sort();

const errorShare = ({ features }: WorldReport): number => {
  let requests = 0;
  let errors = 0;
  for (const { totals } of features.values()) {
    requests += totals.requests;
    errors += totals.failed + totals.cut + totals.refused;
  }
  return errors / requests;
};

test('7 June: exactly the two sick versions are out, nobody sees an error, both come back', () => {
  const report = runWorld(snapshot, scenarioFile('june-7'), 7);
  expect(ejected(report)).toEqual(['anthropic/claude-opus-4-7', 'anthropic/claude-opus-4-8']);
  expect(errorShare(report)).toBeLessThan(0.001);
  const end = report.start + 50 * 60_000;
  for (const name of ejected(report)) {
    const back = report.moves.find(
      ({ target, transition }) => target === name && transition.to === 'healthy' && transition.at > end,
    );
    expect((back?.transition.at ?? Number.POSITIVE_INFINITY) - end).toBeLessThan(10 * 60_000);
  }
}, 60_000);

test('7 June as long as it was, twelve hours: the two versions only, no error that users see, both back within half an hour', () => {
  const minuteMs = 60_000;
  const faultFor = {
    scope: { provider: 'anthropic' },
    share: '30%',
    effect: { kind: 'fail', class: 'overloaded' },
  };
  const scenario = scenarioOf({
    name: 'twelve-hours',
    duration: '14h',
    traffic: { '*': { rate: 0.5, callers: 20 } },
    usual: { failures: '0.5%' },
    faults: ['claude-opus-4-7', 'claude-opus-4-8'].map((model) => ({
      ...faultFor,
      at: '10m',
      for: '12h',
      scope: { ...faultFor.scope, model },
    })),
  });
  const report = runWorld(snapshot, scenario, 7);
  expect(ejected(report)).toEqual(['anthropic/claude-opus-4-7', 'anthropic/claude-opus-4-8']);
  expect(errorShare(report)).toBeLessThan(0.001);
  const end = report.start + 730 * minuteMs;
  for (const name of ejected(report)) {
    const moves = report.moves.filter(({ target }) => target === name).map(({ transition }) => transition);
    const normal = moves.filter(({ to, at }) => to === 'healthy' && at > end);
    expect((normal.at(-1)?.at ?? Number.POSITIVE_INFINITY) - end).toBeLessThan(30 * minuteMs);
    expect(moves.at(-1)?.to).toBe('healthy');
  }
}, 120_000);

test('the same seed gives the same history, another one another', () => {
  const scenario = scenarioOf({
    name: 'short',
    duration: '5m',
    faults: [
      {
        at: '1m',
        for: '2m',
        scope: { provider: 'openai' },
        share: '50%',
        effect: { kind: 'fail', class: 'server_error' },
      },
    ],
  });
  const story = (seed: number): unknown => runWorld(snapshot, scenario, seed).moves;
  expect(story(1)).toEqual(story(1));
  expect(story(1)).not.toEqual(story(2));
});

test('a scenario with a word that is not understood is refused', () => {
  const read = readScenario({
    name: 'x',
    duration: '1m',
    faults: [{ at: '0s', for: '1s', scop: {}, effect: {} }],
  });
  expect(read.ok).toBe(false);
});
