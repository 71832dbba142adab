/**
 * The fifteen fault scenarios, each with the thresholds that it must hold (more than fifteen cases: some are measured at
 * two rates, and some are only there to see that the right scope is named). Five requests a second and feature, a
 * background of 0.5 %, two backups, unless said otherwise.
 */
import type { Snapshot } from '../../src/core/snapshot.ts';
import type { Scenario } from '../../src/simulation/scenario.ts';
import { houseDocument, compiled, scenarioFile, scenarioOf } from '../../test/simulation/house.ts';
import { answeredShare, attemptsPerRequest, minutes as overload, on, runCase } from '../overload/case.ts';
import { ourGate } from './contenders.ts';
import { median } from '../figures.ts';
import { blips } from './noise.ts';
import { Outage, minutes } from './outages.ts';
import { flapping, thinOutage } from './recovery.ts';
import { run } from './traffic.ts';

type Unit = 's' | '%' | '';

export type Measured = {
  readonly what: string;
  readonly unit: Unit;
  readonly most: number;
  /** Over the seeds. */
  readonly how: 'median' | 'p95' | 'all';
  readonly value: number;
  readonly holds: boolean;
};

export type CaseResult = {
  readonly number: string;
  readonly name: string;
  /** Runs in which what was found sick is what was sick, and all runs; null where nothing is to be named. */
  readonly right: { readonly runs: number; readonly of: number } | null;
  readonly measured: readonly Measured[];
};

type Measure<T> = {
  readonly what: string;
  readonly most: number;
  readonly unit?: Unit;
  readonly how?: Measured['how'];
  /** One value, or one for each version. */
  readonly of: (run: T) => number | readonly number[];
};

type Case = {
  readonly number: string;
  readonly name: string;
  readonly play: (seeds: number) => CaseResult;
};

function over(values: readonly number[], how: Measured['how']): number {
  const sorted = [...values].sort((one, other) => one - other);
  switch (how) {
    case 'median':
      return median(sorted);
    case 'p95':
      return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN;
    case 'all':
      return sorted.at(-1) ?? Number.NaN;
  }
}

function aCase<T>(
  number: string,
  name: string,
  given: {
    readonly run: (seed: number) => T;
    readonly isRight?: (run: T) => boolean;
    readonly measures: readonly Measure<T>[];
  },
): Case {
  const { run: once, isRight, measures } = given;
  return {
    number,
    name,
    play: (seeds) => {
      // One run at a time: each is looked at and forgotten.
      let right = 0;
      const values = measures.map((): number[] => []);
      for (let seed = 1; seed <= seeds; seed++) {
        const played = once(seed);
        if (isRight?.(played) === true) right++;
        measures.forEach(({ of }, index) => values[index]?.push(...[of(played)].flat()));
      }
      return {
        number,
        name,
        right: isRight === undefined ? null : { runs: right, of: seeds },
        measured: measures.map(({ what, most, unit = '', how = 'median' }, index) => {
          const value = over(values[index] ?? [], how);
          return { what, unit, most, how, value, holds: value <= most };
        }),
      };
    },
  };
}

const house = compiled();
const opus8 = 'anthropic/claude-opus-4-8';
const opus7 = 'anthropic/claude-opus-4-7';
const opus6 = 'anthropic/claude-opus-4-6';
const sonnet = 'anthropic/claude-sonnet-4-6';
const gpt = 'openai/gpt-5.2';
const provider = 'provider anthropic';
const fail = { kind: 'fail', class: 'server_error' };

const file = (name: string) => (seed: number) => new Outage(house, scenarioFile(name), seed);

/** A fault from minute 5 on for as long as it says, then time to come back. */
const onset = minutes(5);
/** When those end that last as long as most. */
const end = minutes(11);
function fault(
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

const same = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && other.every((each) => one.includes(each));
const worst = (values: readonly number[]): number => Math.max(...values);
const visible = (most: number): Measure<Outage> => ({
  what: 'errors that callers saw',
  unit: '%',
  most,
  of: (outage) => outage.errorShare,
});
const ejected = (target: string, most: number): Measure<Outage> => ({
  what: `${target} declared out after`,
  unit: 's',
  most,
  of: (outage) => outage.secondsUntil('ejected', onset, target),
});
/** Whoever was out, when full traffic is there again. */
const back = (targets: readonly string[], endMs: number): Measure<Outage> => ({
  what: 'in full use again after its end',
  unit: 's',
  most: 300,
  of: (outage) => targets.map((each) => outage.secondsBack(endMs, each)),
});
const providerNamed = (most: number, since = onset): Measure<Outage> => ({
  what: 'the provider named after',
  unit: 's',
  most,
  of: (outage) => outage.secondsNamed(provider, since),
});

const brownouts: readonly Case[] = [
  aCase('1', '16 June: the provider at 10 %, then one version', {
    run: file('june-16'),
    isRight: (outage) =>
      outage.secondsNamed(provider, minutes(23)) < 600 && same(outage.that('ejected', minutes(70)), [opus8]),
    measures: [
      {
        what: 'shed after',
        unit: 's',
        most: 45,
        of: (outage) =>
          worst([opus8, opus7, sonnet].map((each) => outage.secondsUntil('shedding', minutes(23), each))),
      },
      {
        what: 'shed after',
        unit: 's',
        most: 90,
        how: 'p95',
        of: (outage) =>
          worst([opus8, opus7, sonnet].map((each) => outage.secondsUntil('shedding', minutes(23), each))),
      },
      {
        what: 'the siblings back after their end',
        unit: 's',
        most: 300,
        of: (outage) => [opus7, opus6, sonnet].map((each) => outage.secondsBack(minutes(60), each)),
      },
      {
        what: 'Opus 4.8 back after its end',
        unit: 's',
        most: 300,
        of: (outage) => outage.secondsBack(minutes(140), opus8),
      },
      {
        what: 'transitions of a version',
        most: 2,
        of: (outage) => [opus8, opus7, opus6, sonnet].map((each) => outage.transitions(each)),
      },
      visible(0.001),
    ],
  }),
  aCase('2', '7 June: two versions at 30 %, siblings well', {
    run: file('june-7'),
    isRight: (outage) => same(outage.that('ejected'), [opus7, opus8]),
    measures: [
      {
        what: 'both declared out after',
        unit: 's',
        most: 25,
        of: (outage) => [opus8, opus7].map((each) => outage.secondsUntil('ejected', minutes(10), each)),
      },
      {
        what: 'traffic that a sibling lost',
        unit: '%',
        most: 0.01,
        of: (outage) => 1 - outage.preferredShare('review', 10, 50),
      },
      {
        what: 'both back after the end',
        unit: 's',
        most: 300,
        of: (outage) => [opus8, opus7].map((each) => outage.secondsBack(minutes(50), each)),
      },
      visible(0.001),
    ],
  }),
];

const lyingCodes: readonly Case[] = [
  aCase('3', '28 April: 401 on every key', {
    run: file('april-28'),
    isRight: (outage) => outage.secondsNamed(provider, minutes(10)) <= 15,
    measures: [
      providerNamed(15, minutes(10)),
      {
        what: 'every model and key back after the end',
        unit: 's',
        most: 300,
        of: (outage) => [opus8, opus7, sonnet].map((each) => outage.secondsBack(minutes(88), each)),
      },
      {
        what: 'requests not answered by their model after that',
        unit: '%',
        most: 0.02,
        of: (outage) => 1 - outage.preferredShare('notes', 94, 110),
      },
      visible(0.001),
    ],
  }),
  aCase('4', 'one key of two is revoked', {
    run: fault('key', {
      scope: { key: 'anthropic#2' },
      effect: { kind: 'fail', class: 'credential_rejected', status: 401 },
    }),
    isRight: (outage) => outage.that('shedding', onset).length === 0,
    measures: [
      {
        what: 'rejections before it is left alone',
        most: 3,
        of: (outage) =>
          outage.made.filter(
            ({ at, failure }) => failure?.class === 'credential_rejected' && at < onset + 10_000,
          ).length,
      },
      {
        what: 'gates that moved',
        most: 0,
        how: 'all',
        of: (outage) => outage.that('shedding', onset).length,
      },
      visible(0.001),
    ],
  }),
  aCase('5', '3 June: false 429s, first tokens ten times later', {
    run: file('june-3'),
    isRight: (outage) => same(outage.that('ejected'), [gpt]),
    measures: [
      {
        what: 'taken for overload after',
        unit: 's',
        most: 60,
        of: (outage) => outage.secondsUntil('shedding', minutes(10), gpt),
      },
      back([gpt], minutes(145)),
      visible(0.01),
    ],
  }),
  aCase('6', 'a true rate limit, Retry-After 20 s', {
    run: fault(
      'limit',
      {
        scope: { provider: 'openai' },
        effect: { kind: 'fail', class: 'rate_limited', status: 429, retryAfter: '20s' },
      },
      { minutes: 3 },
    ),
    isRight: (outage) => outage.that('shedding', onset).length === 0,
    measures: [
      {
        what: 'requests there before the 20 s were over',
        most: 0,
        how: 'all',
        of: (outage) => {
          const told = outage.made.filter(({ failure }) => failure?.class === 'rate_limited');
          return outage.made.filter(
            ({ at, target }) => target === gpt && told.some(({ ended }) => at > ended && at < ended + 20_000),
          ).length;
        },
      },
      {
        what: 'gates that moved',
        most: 0,
        how: 'all',
        of: (outage) => outage.that('shedding', onset).length,
      },
      visible(0.01),
    ],
  }),
];

const hang = { scope: { target: gpt }, effect: { kind: 'hang' } };
const silences: readonly Case[] = [
  aCase('7', 'everything of one model hangs, 5 requests/s', {
    run: fault('hang', hang),
    isRight: (outage) => same(outage.that('shedding', onset), [gpt]),
    measures: [
      { what: 'shed after', unit: 's', most: 6, of: (outage) => outage.secondsUntil('shedding', onset, gpt) },
      {
        what: 'first token, 95 % within',
        unit: 's',
        most: 10,
        of: (outage) => (outage.tally.feature('search').waitMs(0.95, 5, 11) ?? 0) / 1_000,
      },
      back([gpt], end),
      { what: 'calls open at the end', most: 0, how: 'all', of: (outage) => outage.client.open },
      visible(0.001),
    ],
  }),
  aCase('7', 'everything of one model hangs, 0.2 requests/s', {
    run: fault('hang', hang, { rate: 0.2 }),
    isRight: (outage) => same(outage.that('shedding', onset), [gpt]),
    measures: [
      {
        what: 'shed after the first that hangs',
        unit: 's',
        most: 20,
        of: (outage) => {
          const first = outage.made.find(({ at, target }) => at >= onset && target === gpt);
          return first === undefined ? 0 : outage.secondsUntil('shedding', first.at, gpt);
        },
      },
    ],
  }),
  aCase('', '40 % slow first tokens, eight times later', {
    run: fault('slow', { scope: { target: gpt }, share: '40%', effect: { kind: 'slow', factor: 8 } }),
    isRight: (outage) => same(outage.that('shedding', onset), [gpt]),
    measures: [
      {
        what: 'requests sent there until it is shed',
        most: 40,
        of: (outage) => {
          const seconds = outage.secondsUntil('shedding', onset, gpt);
          return Number.isFinite(seconds) ? outage.callsTo(gpt, onset, onset + seconds * 1_000) : seconds;
        },
      },
      back([gpt], end),
      visible(0.001),
    ],
  }),
  aCase('8', 'one request in ten minutes, everything fails', {
    run: (seed) => thinOutage(1 / 600, seed),
    measures: [
      { what: 'declared out after the first failure', unit: 's', most: 20, of: ({ seconds }) => seconds },
      { what: 'users that met it', most: 1, of: ({ users }) => users },
      { what: 'probes until then', most: 10, how: 'all', of: ({ probes }) => probes },
    ],
  }),
];

const early: readonly object[] = [
  { kind: 'fail', class: 'server_error', status: 500 },
  { kind: 'fail', class: 'overloaded', status: 529 },
  { kind: 'fail', class: 'connect_failed' },
  { kind: 'fail', class: 'stream_error_event' },
  { kind: 'fail', class: 'empty_completion' },
  { kind: 'hang' },
];
const broken: readonly Case[] = [
  aCase('9', 'answers that break off, 30 % (wire formats: test/e2e/faults.test.ts)', {
    run: fault('cut', { scope: { target: sonnet }, share: '30%', effect: { kind: 'cut' } }),
    isRight: (outage) => same(outage.that('ejected', onset), [sonnet]),
    measures: [
      {
        what: 'broken answers that passed for whole',
        most: 0,
        how: 'all',
        of: (outage) => {
          const cut = outage.made.filter(({ failure }) => failure?.class === 'stream_truncated').length;
          let seen = 0;
          for (const each of outage.tally.features.values()) seen += each.outcomes().cut;
          return Math.abs(cut - seen);
        },
      },
      ejected(sonnet, 60),
      back([sonnet], end),
    ],
  }),
  aCase('10', 'failures before the first token, of six kinds, all at once', {
    run: (seed) => {
      const scenario = scenarioOf({
        name: 'early',
        duration: '18m',
        traffic: { '*': { rate: 5, callers: 20 } },
        usual: { failures: '0%' },
        faults: early.map((effect, index) => ({
          at: '5m',
          for: '6m',
          scope: { provider: 'anthropic' },
          share: `${Math.round(100 / (early.length - index))}%`,
          effect,
        })),
      });
      return new Outage(house, scenario, seed);
    },
    isRight: (outage) => outage.secondsNamed(provider, onset) < 60,
    measures: [visible(0)].map((each) => ({ ...each, how: 'all' as const })),
  }),
];

const load: readonly Case[] = [
  aCase('11', 'the backup is a quarter over capacity for 300 s', {
    run: (seed) => runCase(seed, on).tally,
    measures: [
      {
        what: 'its own requests not answered',
        unit: '%',
        most: 0.02,
        of: (tally) => 1 - answeredShare(tally, 'own', overload.moved, overload.back),
      },
      {
        what: 'interactive requests not answered',
        unit: '%',
        most: 0.07,
        of: (tally) => 1 - answeredShare(tally, 'interactive', overload.moved, overload.back),
      },
      { what: 'attempts per request', most: 1.1, of: attemptsPerRequest },
      {
        what: 'own requests not answered in the minute after',
        unit: '%',
        most: 0.02,
        of: (tally) => 1 - answeredShare(tally, 'own', overload.back, overload.back + 1),
      },
    ],
  }),
];

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
const restless: readonly Case[] = [
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

const backup = compiled({
  ...houseDocument,
  features: { search: { route: [gpt, 'google/gemini-2.5-flash'] } },
});
const others: readonly Case[] = [
  aCase('', '18 November: two providers behind one edge', {
    run: file('november-18'),
    isRight: (outage) => outage.secondsNamed('egress us', minutes(10)) <= 60,
    measures: [
      { what: 'targets declared out', most: 0, how: 'all', of: (outage) => outage.that('ejected').length },
      {
        what: 'ourselves suspected after',
        unit: 's',
        most: 60,
        of: (outage) => outage.secondsNamed('egress us', minutes(10)),
      },
      back([opus8, opus7, sonnet, gpt], minutes(200)),
    ],
  }),
  aCase('', 'one version, everything fails', {
    run: fault('one', { scope: { target: opus8 }, effect: fail }),
    isRight: (outage) => same(outage.that('ejected', onset), [opus8]),
    measures: [ejected(opus8, 20), back([opus8], end), visible(0.001)],
  }),
  aCase('', 'the whole provider, 30 %', {
    run: fault('provider', { scope: { provider: 'anthropic' }, share: '30%', effect: fail }),
    isRight: (outage) => outage.secondsNamed(provider, onset) < 60,
    measures: [providerNamed(15), back([opus8, opus7, sonnet], end), visible(0.001)],
  }),
  aCase('', 'many slightly sick models, 8 %', {
    run: fault('slightly', { scope: { provider: 'anthropic' }, share: '8%', effect: fail }),
    isRight: (outage) => outage.secondsNamed(provider, onset) < 300,
    measures: [providerNamed(60), back([opus8, opus7, sonnet], end), visible(0.001)],
  }),
  aCase('', 'background noise of 0.5 %, one healthy backup, 5 requests/s, three hours', {
    run: (seed) =>
      new Outage(
        backup,
        scenarioOf({
          name: 'noise',
          duration: '3h',
          traffic: { '*': { rate: 5, callers: 20 } },
          usual: { failures: '0.5%' },
          targets: { 'google/gemini-2.5-flash': { failures: '0%' } },
        }),
        seed,
      ),
    isRight: (outage) => outage.moves.length === 0,
    measures: [
      { what: 'errors that callers saw', most: 0, how: 'all', of: (outage) => outage.errors },
      {
        what: 'requests with a second attempt',
        unit: '%',
        most: 0.006,
        of: (outage) => outage.secondAttempts / outage.requests,
      },
    ],
  }),
];

export const scenarios: readonly Case[] = [
  ...brownouts,
  ...lyingCodes,
  ...silences,
  ...broken,
  ...load,
  ...restless,
  ...others,
];
