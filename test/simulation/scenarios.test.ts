/** The replays of real outages: what must hold in each of them, whatever the seed. */
import { expect, test } from 'bun:test';

import { readScenario } from '../../src/simulation/scenario.ts';
import type { RunTally } from '../../src/simulation/tally.ts';
import { compiled, errorShare, played, scenarioFile, scenarioOf } from './house.ts';

const snapshot = compiled();

/** Targets that were declared out. */
const ejected = ({ transitions }: RunTally): string[] =>
  [...new Set(transitions.filter(({ to }) => to === 'ejected').map(({ target }) => String(target)))].sort();

test('7 June: exactly the two sick versions are out, nobody sees an error, both come back', () => {
  const report = played(scenarioFile('june-7'), 7, snapshot);
  expect(ejected(report)).toEqual(['anthropic/claude-opus-4-7', 'anthropic/claude-opus-4-8']);
  expect(errorShare(report)).toBeLessThan(0.001);
  const end = 50 * 60_000;
  for (const name of ejected(report)) {
    const back = report.transitions.find(
      ({ target, to, atMs }) => target === name && to === 'healthy' && atMs > end,
    );
    expect((back?.atMs ?? Number.POSITIVE_INFINITY) - end).toBeLessThan(10 * 60_000);
  }
}, 300_000);

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
  const report = played(scenario, 7, snapshot);
  expect(ejected(report)).toEqual(['anthropic/claude-opus-4-7', 'anthropic/claude-opus-4-8']);
  expect(errorShare(report)).toBeLessThan(0.001);
  const end = 730 * minuteMs;
  for (const name of ejected(report)) {
    const moves = report.transitions.filter(({ target }) => target === name);
    const normal = moves.filter(({ to, atMs }) => to === 'healthy' && atMs > end);
    expect((normal.at(-1)?.atMs ?? Number.POSITIVE_INFINITY) - end).toBeLessThan(30 * minuteMs);
    expect(moves.at(-1)?.to).toBe('healthy');
  }
}, 600_000);

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
  const story = (seed: number): unknown => played(scenario, seed, snapshot).transitions;
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
