/** Scenarios in which something is sick: brownouts, codes that lie, silence, broken answers, and a backup over capacity. */
import { scenarioOf } from '../../test/simulation/house.ts';
import { answeredShare, attemptsPerRequest, minutes as overload, on, runCase } from '../overload/case.ts';
import { Outage, minutes } from './outages.ts';
import { thinOutage } from './recovery.ts';
import { aCase } from './case.ts';
import type { Case } from './case.ts';
import {
  back,
  ejected,
  end,
  fault,
  file,
  gpt,
  house,
  onset,
  opus6,
  opus7,
  opus8,
  provider,
  providerNamed,
  same,
  sonnet,
  visible,
  worst,
} from './outage-measures.ts';

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

export const sickScenarios: readonly Case[] = [...brownouts, ...lyingCodes, ...silences, ...broken, ...load];
