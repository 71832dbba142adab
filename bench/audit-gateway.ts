/**
 * What recording costs a request, and an answer, in whole servers side by side in one run: one without recording, one that
 * records, one that waits for every record, one that keeps content as well. Rounds in turn, so that what else the machine does falls on all alike; the one
 * without recording has two rounds each time, and what lies between those two is noise.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { keyOf, root, startGateway, startUpstream } from './gateway.ts';
import type { Gateway, Upstream } from './gateway.ts';
import { cpuSeconds, pinSelf } from './processes.ts';
import { rawLoad } from './raw-load.ts';
import type { Loaded } from './raw-load.ts';

const captureKey = Buffer.alloc(32, 7).toString('base64');
const modes = ['off', 'best_effort', 'strict', 'captured'] as const;
type Mode = (typeof modes)[number];

/** What one server did in one round. */
export type Round = {
  readonly perSecond: number;
  readonly microseconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};
type Side = {
  readonly mode: Mode;
  readonly server: Pick<Gateway, 'process'>;
  readonly url: string;
  readonly key: string;
};

const quantile = (list: readonly number[], share: number): number =>
  list.toSorted((one, other) => one - other)[Math.min(list.length - 1, Math.floor(list.length * share))] ??
  Number.NaN;

const prompt = 'Please summarise the harbour log of last night. '.repeat(42).slice(0, 1_900);
const body = JSON.stringify({ model: 'bench', messages: [{ role: 'user', content: prompt }] });

async function side(folder: string, upstream: Upstream, mode: Mode, core: number | null): Promise<Side> {
  const server = await startGateway({
    folder,
    name: `gateway-${mode}`,
    upstream,
    core,
    configuration: {
      ...(mode === 'strict' && { audit: { mode } }),
      ...(mode === 'captured' && { audit: { capture: { key: 'env:CAPTURE_KEY', features: ['bench'] } } }),
    },
    ...(mode === 'off' && { preload: join(root, 'bench/without-records.ts') }),
    environment: { CAPTURE_KEY: captureKey },
  });
  return { mode, server, url: server.url, key: await keyOf(server) };
}

async function load(
  { url, key, server }: Side,
  asked: { readonly seconds: number; readonly perSecond: number | null; readonly connections: number },
): Promise<Round> {
  const before = cpuSeconds(server.process.pid);
  const loaded = await rawLoad({ url, key, body, ...asked });
  return roundOf(loaded, cpuSeconds(server.process.pid) - before);
}

function roundOf({ waitsMs, seconds }: Loaded, cpu: number): Round {
  return {
    perSecond: waitsMs.length / seconds,
    microseconds: (cpu / waitsMs.length) * 1e6,
    p50Ms: quantile(waitsMs, 0.5),
    p99Ms: quantile(waitsMs, 0.99),
  };
}

export type GatewayFigures = {
  /** Rounds at the rate that was asked; `again` is the server without recording a second time. */
  readonly rounds: readonly Readonly<Record<Mode | 'again', Round>>[];
  /** As fast as answers come: the load alone against the upstream, then through the server that waits for records. */
  readonly most: { readonly load: Round; readonly strict: Round };
};

export type RoundsAsked = {
  readonly rounds: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Whether a server has one core to itself, or shares all of them with the load and the upstream, as threads like. */
  readonly isPinned: boolean;
};

/** Connections that are enough to keep a server busy while records are waited for. */
const busyConnections = 256;
const warmPerSecond = 2_500;

export async function gatewayFigures(folder: string, asked: RoundsAsked): Promise<GatewayFigures> {
  if (asked.isPinned) pinSelf(1);
  const [ours, theirs] = asked.isPinned ? [0, 1] : [null, null];
  // A checkpoint or a spool of the run before would make the stores of this one look cut.
  const servers = join(folder, 'servers');
  rmSync(servers, { recursive: true, force: true });
  mkdirSync(servers, { recursive: true });
  const upstream = await startUpstream(theirs);
  const [off, on, strict, capturing] = await Promise.all(
    modes.map((mode) => side(servers, upstream, mode, ours)),
  );
  if (off === undefined || on === undefined || strict === undefined || capturing === undefined)
    throw new Error('a server is missing');
  const { seconds, perSecond } = asked;
  const paced = { seconds, perSecond, connections: busyConnections };
  // Long enough for the compiler to be done with what is measured.
  for (const each of [off, on, strict, capturing])
    await load(each, { ...paced, seconds: seconds * 3, perSecond: warmPerSecond });
  const rounds: Record<Mode | 'again', Round>[] = [];
  for (let round = 0; round < asked.rounds; round++)
    rounds.push({
      off: await load(off, paced),
      best_effort: await load(on, paced),
      again: await load(off, paced),
      strict: await load(strict, paced),
      captured: await load(capturing, paced),
    });
  const busy = { seconds, perSecond: null, connections: busyConnections };
  const most = {
    load: await load({ mode: 'off', server: upstream, url: upstream.url, key: 'k' }, busy),
    strict: await load(strict, busy),
  };
  for (const { server } of [off, on, strict, capturing]) server.process.kill();
  upstream.process.kill();
  return { rounds, most };
}

type Row = readonly [what: string, figure: string, promise: string];

/** What the rounds say of one figure: with recording less without, and how far two rounds without lie apart. */
function compared(
  rounds: GatewayFigures['rounds'],
  mode: Exclude<Mode, 'off'>,
  what: keyof Round,
): { readonly more: number; readonly noise: number } {
  const without = rounds.map(({ off, again }) => (off[what] + again[what]) / 2);
  return {
    more: quantile(
      rounds.map((round, at) => round[mode][what] - (without[at] ?? Number.NaN)),
      0.5,
    ),
    noise: quantile(
      rounds.map(({ off, again }) => Math.abs(off[what] - again[what])),
      0.5,
    ),
  };
}

export function gatewayRows({ rounds, most }: GatewayFigures, asked: RoundsAsked): readonly Row[] {
  const { perSecond, isPinned } = asked;
  const of = (modesOf: readonly (Mode | 'again')[], what: keyof Round): readonly number[] =>
    rounds.flatMap((round) => modesOf.map((mode) => round[mode][what]));
  const line = (...of_: readonly (Mode | 'again')[]): string => {
    const figure = (what: keyof Round, digits: number): string => {
      const all = of(of_, what);
      const [least, middle, highest] = [0, 0.5, 1].map((share) => quantile(all, share).toFixed(digits));
      return `${middle} (${least} to ${highest})`;
    };
    return `${figure('microseconds', 0)} µs of CPU, ${figure('p50Ms', 2)} ms median, ${figure('p99Ms', 1)} ms p99`;
  };
  const [cpu, p99] = [
    compared(rounds, 'best_effort', 'microseconds'),
    compared(rounds, 'best_effort', 'p99Ms'),
  ];
  const wait = compared(rounds, 'strict', 'p50Ms');
  const isWithin = Math.abs(p99.more) <= p99.noise;
  return [
    [
      `whole servers at ${perSecond} requests/s, ${rounds.length} rounds in turn, ${isPinned ? 'on one core' : 'on every core, shared with the load and the upstream'}: without recording`,
      line('off', 'again'),
      '',
    ],
    ['the same, recording', line('best_effort'), ''],
    ['the same, each answer waiting for its record', line('strict'), ''],
    [
      'recording costs a request there, fingerprints included',
      `${cpu.more.toFixed(1)} µs of CPU (two rounds without it lie ${cpu.noise.toFixed(1)} apart)`,
      '≤ 15 µs',
    ],
    [
      'recording moves the p99 of answers',
      `by ${p99.more.toFixed(2)} ms (two rounds without it lie ${p99.noise.toFixed(2)} apart): ${isWithin ? 'within' : 'beyond'} noise`,
      'within noise',
    ],
    [
      'keeping content as well (2 KB asked, 1 KB answered) costs a request there',
      `${(compared(rounds, 'captured', 'microseconds').more - cpu.more).toFixed(1)} µs of CPU more`,
      '',
    ],
    ['strict: answers wait', `${wait.more.toFixed(2)} ms more in the median`, 'one commit'],
    [
      `strict: answers of a whole server on ${isPinned ? 'one core' : 'these cores'}, ${busyConnections} at a time`,
      `${most.strict.perSecond.toFixed(0)} a second at ${most.strict.microseconds.toFixed(0)} µs of CPU each; the load itself makes ${most.load.perSecond.toFixed(0)} a second`,
      '≥ 5,000 a second',
    ],
  ];
}
