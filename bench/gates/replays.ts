/** Replays in the virtual world: right scope, right targets, time to act. */
import type { RunTally, Transitioned } from '../../src/simulation/tally.ts';
import { compiled, errorShare, played, scenarioFile, scenarioOf } from '../../test/simulation/house.ts';

const minute = 60_000;
const snapshot = compiled();

const after = (report: RunTally, ms: number): Transitioned[] =>
  report.transitions.filter(({ atMs }) => atMs >= ms);

const out = (report: RunTally, to: 'shedding' | 'ejected', ms: number): string[] => [
  ...new Set(
    after(report, ms)
      .filter((each) => each.to === to)
      .map(({ target }) => String(target)),
  ),
];

export type Replay = {
  readonly name: string;
  /** Whether the scope was right, run by run. */
  readonly right: readonly boolean[];
  /** Seconds from the onset to the first move, run by run. */
  readonly seconds: readonly number[];
  readonly userErrors: readonly number[];
};

type Case = {
  readonly name: string;
  readonly onsetMs: number;
  readonly run: (seed: number) => RunTally;
  readonly isRight: (report: RunTally) => boolean;
};

const scopeOf = (report: RunTally, ms: number): string[] =>
  after(report, ms).flatMap(({ scope, to }) =>
    scope === null || to === 'healthy' || to === 'ramping' ? [] : [`${scope.kind} ${scope.name}`],
  );

const same = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && other.every((each) => one.includes(each));

function quick(name: string, fault: object, lasts = '6m'): (seed: number) => RunTally {
  const scenario = scenarioOf({
    name,
    duration: '12m',
    traffic: { '*': { rate: 5 } },
    usual: { failures: '0.5%' },
    faults: [{ at: '5m', for: lasts, ...fault }],
  });
  return (seed) => played(scenario, seed, snapshot);
}

const file = (name: string) => (seed: number) => played(scenarioFile(name), seed, snapshot);
const onset = 5 * minute;
const opus = ['anthropic/claude-opus-4-7', 'anthropic/claude-opus-4-8'];
const provider = 'provider anthropic';
const fail = { kind: 'fail', class: 'server_error' };

const cases: readonly Case[] = [
  {
    name: '7 June: two versions, siblings well',
    onsetMs: 10 * minute,
    run: file('june-7'),
    isRight: (report) => same(out(report, 'ejected', 0), opus),
  },
  {
    name: '16 June: the provider, then one version',
    onsetMs: 23 * minute,
    run: file('june-16'),
    isRight: (report) => scopeOf(report, 23 * minute).includes(provider),
  },
  {
    name: '28 April: a storm of 401',
    onsetMs: 10 * minute,
    run: file('april-28'),
    isRight: (report) => scopeOf(report, 10 * minute).includes(provider),
  },
  {
    name: '3 June: false 429s',
    onsetMs: 10 * minute,
    run: file('june-3'),
    isRight: (report) => same(out(report, 'ejected', 0), ['openai/gpt-5.2']),
  },
  {
    name: '18 November: two providers at once, nothing declared',
    onsetMs: 10 * minute,
    run: file('november-18'),
    isRight: (report) =>
      out(report, 'ejected', 0).length === 0 && scopeOf(report, 10 * minute).includes('egress us'),
  },
  {
    name: 'one version, everything fails',
    onsetMs: onset,
    run: quick('one', { scope: { target: 'anthropic/claude-opus-4-8' }, effect: fail }),
    isRight: (report) => same(out(report, 'ejected', onset), ['anthropic/claude-opus-4-8']),
  },
  {
    name: 'the whole provider, 30 %',
    onsetMs: onset,
    run: quick('provider', { scope: { provider: 'anthropic' }, share: '30%', effect: fail }),
    isRight: (report) => scopeOf(report, onset).includes(provider),
  },
  {
    name: 'many slightly sick models, 8 %',
    onsetMs: onset,
    run: quick('slightly', { scope: { provider: 'anthropic' }, share: '8%', effect: fail }),
    isRight: (report) => scopeOf(report, onset).includes(provider),
  },
  {
    name: 'one key of two is revoked: no gate moves',
    onsetMs: onset,
    run: quick('key', {
      scope: { key: 'anthropic#2' },
      effect: { kind: 'fail', class: 'credential_rejected', status: 401 },
    }),
    isRight: (report) => out(report, 'ejected', onset).length === 0,
  },
  {
    name: 'everything of one model hangs',
    onsetMs: onset,
    run: quick('hang', { scope: { target: 'openai/gpt-5.2' }, effect: { kind: 'hang' } }),
    isRight: (report) => same(out(report, 'shedding', onset), ['openai/gpt-5.2']),
  },
  {
    name: '40 % slow first tokens',
    onsetMs: onset,
    run: quick('slow', {
      scope: { target: 'openai/gpt-5.2' },
      share: '40%',
      effect: { kind: 'slow', factor: 8 },
    }),
    isRight: (report) => same(out(report, 'shedding', onset), ['openai/gpt-5.2']),
  },
  {
    name: 'answers cut in the middle, 30 %',
    onsetMs: onset,
    run: quick('cut', {
      scope: { target: 'anthropic/claude-sonnet-4-6' },
      share: '30%',
      effect: { kind: 'cut' },
    }),
    isRight: (report) => same(out(report, 'ejected', onset), ['anthropic/claude-sonnet-4-6']),
  },
  {
    name: 'broken tool calls, 30 %: a warning, no gate',
    onsetMs: onset,
    run: quick('soft', {
      scope: { target: 'openai/gpt-5.2' },
      share: '30%',
      effect: { kind: 'soft', signal: 'tool_call_invalid' },
    }),
    isRight: (report) => out(report, 'shedding', onset).length === 0,
  },
];

export function replays(seeds: number): Replay[] {
  return cases.map(({ name, onsetMs, run, isRight }) => {
    const reports = Array.from({ length: seeds }, (_, seed) => run(seed + 1));
    return {
      name,
      right: reports.map(isRight),
      seconds: reports.map((report) => {
        const first = after(report, onsetMs).find(({ to }) => to === 'shedding');
        return first === undefined ? Number.NaN : (first.atMs - onsetMs) / 1_000;
      }),
      userErrors: reports.map(errorShare),
    };
  });
}
