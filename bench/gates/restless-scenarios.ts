/** Scenarios that must leave gates alone: blips, flapping, one poisonous caller; and answers that get worse: a warning. */
import { houseDocument, compiled, scenarioOf } from '../../test/simulation/house.ts';
import { ourGate } from './contenders.ts';
import { blips } from './noise.ts';
import { Outage, minutes } from './outages.ts';
import { flapping } from './recovery.ts';
import { run } from './traffic.ts';
import { aCase } from './case.ts';
import type { Case, Measure } from './case.ts';
import { fail, fault, gpt, house, onset, visible } from './outage-measures.ts';

type Noticed = { readonly target: string; readonly atMs: number };

/** From a time until something of a target's answers was first noticed. */
function sinceMs<T extends Noticed>(list: readonly T[], fromMs: number, is: (each: T) => boolean): number {
  const found = list.find((each) => each.target === gpt && each.atMs >= fromMs && is(each));
  return found === undefined ? Number.POSITIVE_INFINITY : found.atMs - fromMs;
}

const gatesMoved = (fromMs: number): Measure<Outage> => ({
  what: 'gates that moved',
  most: 0,
  how: 'all',
  of: (outage) => outage.that('shedding', fromMs).length,
});
const answersUntilWarned = (signal: string, fromMs: number, most: number): Measure<Outage> => ({
  what: `answers until it was warned of: ${signal}`,
  most,
  of: (outage) => {
    const ms = sinceMs(
      outage.tally.warnings,
      fromMs,
      (each) => each.signal === signal && each.to === 'warned',
    );
    return outage.callsTo(gpt, fromMs, fromMs + ms);
  },
});
/** Of anything, before there was something to warn of. */
const falseWarnings = (untilMs: number): Measure<Outage> => ({
  what: 'warnings before that',
  most: 0,
  of: ({ tally }) => tally.warnings.filter(({ atMs, to }) => atMs < untilMs && to === 'warned').length,
});

const regression = minutes(120);
const soft = (signal: string): object => ({ kind: 'soft', signal });
/** Two hours of usual oddities at five requests a second, then more of them. */
function worseAnswers(seed: number): Outage {
  const scope = { target: gpt };
  const scenario = scenarioOf({
    name: 'worse-answers',
    duration: '135m',
    traffic: { '*': { rate: 0.1, callers: 20 }, search: { rate: 5, callers: 20 } },
    usual: { failures: '0.5%' },
    faults: [
      { at: '0s', for: '135m', scope, share: '1%', effect: soft('tool_call_invalid') },
      { at: '0s', for: '135m', scope, share: '0.5%', effect: soft('refused') },
      { at: '120m', for: '15m', scope, share: '4%', effect: soft('tool_call_invalid') },
      { at: '120m', for: '15m', scope, share: '4.5%', effect: soft('refused') },
    ],
  });
  return new Outage(house, scenario, seed);
}

const watched = compiled({ ...houseDocument, canaries: { every: '6h', targets: [gpt] } });
const changed = minutes(10 * 1_440);
/** Thin traffic for as long as canaries take to learn what is usual; then another model. */
function silentChange(seed: number): Outage {
  const scenario = scenarioOf({
    name: 'silent-change',
    duration: '12d',
    traffic: { '*': { rate: 0.001, callers: 20 }, search: { rate: 0.2, callers: 20 } },
    usual: { failures: '0.2%' },
    faults: [
      {
        at: '10d',
        for: '2d',
        scope: { target: gpt },
        effect: { kind: 'changed', model: 'gpt-5.2-mini', length: 0.66, otherWords: '10%' },
      },
    ],
  });
  return new Outage(watched, scenario, seed);
}

const days = 30;
export const restlessScenarios: readonly Case[] = [
  aCase('12', 'three blips a day, 3–10 s at 50 %, 30 days, 2 requests/s', {
    run: (seed) => {
      const gate = ourGate();
      const found = run(gate, {
        perSecond: 2,
        untilMs: days * 86_400_000,
        seed,
        noise: blips(0.005, days, seed),
        visible: 0,
      });
      return { ejections: gate.ejections(), visible: found.visible / found.requests };
    },
    measures: [{ what: 'times declared out', most: 2, how: 'all', of: ({ ejections }) => ejections }],
  }),
  aCase('13', 'flapping, 60 s bad and 60 s good for an hour', {
    run: (seed) => flapping(() => ourGate(), 5, seed),
    measures: [
      { what: 'transitions', most: 6, how: 'all', of: ({ transitions }) => transitions },
      { what: 'traffic to the sick target', unit: '%', most: 0.1, how: 'all', of: ({ share }) => share },
    ],
  }),
  aCase('14', 'one caller of three fails wherever it is sent, 10 requests/s', {
    run: fault(
      'poison',
      { scope: { target: 'none' }, effect: fail },
      { traffic: { search: { rate: 10, callers: 3, poison: true } } },
    ),
    isRight: (outage) => outage.that('ejected').length === 0,
    measures: [
      { what: 'targets declared out', most: 0, how: 'all', of: (outage) => outage.that('ejected').length },
      { ...visible(0.001), what: 'errors that other callers saw' },
    ],
  }),
  aCase('15', 'broken tool calls, 30 %: a warning, no gate', {
    run: fault('soft', {
      scope: { target: gpt },
      share: '30%',
      effect: { kind: 'soft', signal: 'tool_call_invalid' },
    }),
    isRight: (outage) => outage.that('shedding', onset).length === 0,
    measures: [gatesMoved(onset), answersUntilWarned('tool_call_invalid', onset, 300)],
  }),
  aCase('15', 'tool calls broken 1 → 5 %, refusals 0.5 → 5 %, after two hours: warnings, no gate', {
    run: worseAnswers,
    isRight: (outage) => outage.that('shedding', regression).length === 0,
    measures: [
      gatesMoved(regression),
      // A test that knew both rates would need 335 at the agreed rate of false alarms: twice that.
      answersUntilWarned('tool_call_invalid', regression, 670),
      answersUntilWarned('refused', regression, 300),
      falseWarnings(regression),
    ],
  }),
  aCase('15', 'another model answers under the old name after ten days, a third shorter: told, no gate', {
    run: silentChange,
    isRight: (outage) => outage.moves.length === 0,
    measures: [
      gatesMoved(0),
      {
        what: 'its new name told after',
        unit: 's',
        most: 3_600,
        of: ({ tally }) => sinceMs(tally.news, changed, () => true) / 1_000,
      },
      {
        what: 'found by the canary, asked every six hours, after',
        unit: 's',
        most: 2 * 86_400,
        of: ({ tally }) =>
          sinceMs(
            tally.warnings,
            changed,
            ({ signal, to }) => signal === 'changed_answers' && to === 'warned',
          ) / 1_000,
      },
      falseWarnings(changed),
    ],
  }),
];
