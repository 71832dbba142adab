/** Scenarios beyond the fifteen: the right scope is named, be it an egress, a version or a provider, and noise is not. */
import { houseDocument, compiled, scenarioOf } from '../../test/simulation/house.ts';
import { Outage, minutes } from './outages.ts';
import { aCase } from './case.ts';
import type { Case } from './case.ts';
import {
  back,
  ejected,
  end,
  fail,
  fault,
  file,
  gpt,
  onset,
  opus7,
  opus8,
  provider,
  providerNamed,
  same,
  sonnet,
  visible,
} from './outage-measures.ts';

const backup = compiled({
  ...houseDocument,
  features: { search: { route: [gpt, 'google/gemini-2.5-flash'] } },
});
export const scopeScenarios: readonly Case[] = [
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
