/**
 * What Breakwater adds: CPU per request against the smallest proxy one would write by hand, in one run on one machine.
 * The gateway runs on one core with key, policy and records on; load and upstream run on another.
 *
 * Each is asked twice: the same number of requests a second for both, which keeps the gateway's core about half busy; and
 * as many as each can answer. The second is kinder to the one that is faster: with twice the requests, its neighbours seldom
 * sleep, and it seldom pays for waking them.
 *
 *   bun bench/overhead.ts [--seconds 8] [--rounds 3] [--warm SECONDS] [--soak SECONDS] [--write]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { emptyFolder, keyOf, root, startGateway, startUpstream } from './gateway.ts';
import { cpuSeconds, machine, residentMb, start } from './processes.ts';
import { median } from './figures.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
    // Long enough for the compiler to be done with the paths that are measured.
    warm: { type: 'string', default: '10' },
    soak: { type: 'string', default: '0' },
    write: { type: 'boolean', default: false },
  },
});
const workers = 16;
const loadAtStart = (loadavg()[0] ?? 0).toFixed(1);

type Side = { readonly name: string; readonly url: string; readonly pid: number; readonly key: string };
type Figure = { readonly requests: number; readonly errors: number; readonly microseconds: number };

const prompt = 'Please summarise the harbour log of last night. '.repeat(42).slice(0, 1_900);

function bodyOf(stream: boolean): string {
  return JSON.stringify({ model: 'gpt-5.2', stream, messages: [{ role: 'user', content: prompt }] });
}

type Asked = {
  readonly stream: boolean;
  /** Null: as many as are answered. */
  readonly perSecond: number | null;
};

const kinds: readonly Asked[] = [
  { stream: false, perSecond: 1_000 },
  { stream: false, perSecond: null },
  { stream: true, perSecond: 400 },
  { stream: true, perSecond: null },
];
const answerOf = ({ stream }: Asked): string => (stream ? 'streamed, 50 events' : 'whole, 2 KB in, 1 KB out');
const loadOf = ({ perSecond }: Asked): string => (perSecond === null ? 'all it can' : `${perSecond}/s`);

async function load(side: Side, { stream, perSecond }: Asked, seconds: number): Promise<Figure> {
  const body = bodyOf(stream);
  const began = performance.now();
  const end = began + seconds * 1_000;
  let sent = 0;
  let requests = 0;
  let errors = 0;
  const before = cpuSeconds(side.pid);
  /** Resolves when the next request is due. */
  const due = (): Promise<void> | null => {
    if (perSecond === null) return null;
    const inMs = began + (sent++ * 1_000) / perSecond - performance.now();
    return inMs > 0 ? Bun.sleep(inMs) : null;
  };
  const work = async (): Promise<void> => {
    while (performance.now() < end) {
      await due();
      const response = await fetch(`${side.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${side.key}` },
        body,
      });
      const text = await response.text();
      requests++;
      if (response.status !== 200 || (stream && !text.endsWith('data: [DONE]\n\n'))) errors++;
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return { requests, errors, microseconds: ((cpuSeconds(side.pid) - before) / requests) * 1e6 };
}

const folder = emptyFolder('bench');
const upstream = await startUpstream(1);
const naive = await start(
  [process.execPath, join(root, 'bench/naive-proxy.ts'), '0', upstream.url],
  0,
  'ready',
);
const gateway = await startGateway({ folder, upstream, core: 0 });
const key = await keyOf(gateway);

const breakwater: Side = { name: 'breakwater', url: gateway.url, pid: gateway.process.pid, key };
const sides: readonly Side[] = [
  {
    name: 'naive proxy',
    url: `http://127.0.0.1:${naive.ready['ready'] as number}`,
    pid: naive.process.pid,
    key: 'k',
  },
  breakwater,
];

async function compare(asked: Asked): Promise<readonly string[]> {
  const figures = new Map<string, Figure[]>(sides.map((side) => [side.name, []]));
  for (let round = 0; round < Number(values.rounds); round++)
    for (const side of sides) figures.get(side.name)?.push(await load(side, asked, Number(values.seconds)));
  const of = (name: string): readonly Figure[] => figures.get(name) ?? [];
  const ratio = median(
    of(breakwater.name).map(
      (figure, round) => figure.microseconds / (of('naive proxy')[round]?.microseconds ?? Number.NaN),
    ),
  );
  return sides.map(({ name, pid }) => {
    const list = of(name);
    const sum = (pick: (figure: Figure) => number): number =>
      list.reduce((total, figure) => total + pick(figure), 0);
    const cpu = median(list.map(({ microseconds }) => microseconds)).toFixed(1);
    const times = name === breakwater.name ? ratio.toFixed(2) : '1';
    return `| ${answerOf(asked)} | ${loadOf(asked)} | ${name} | ${cpu} | ${times} | ${sum(({ requests }) => requests)} | ${sum(({ errors }) => errors)} | ${residentMb(pid).toFixed(0)} |`;
  });
}

async function soak(side: Side, asked: Asked, seconds: number): Promise<string> {
  const { requests, errors } = await load(side, asked, seconds);
  return `After ${seconds} s more of ${answerOf(asked)}: ${loadOf(asked)} (${requests} requests, ${errors} errors): ${residentMb(side.pid).toFixed(0)} MB resident.`;
}

/** Warm, then every load in turn: memory is looked at before a harder load has made it grow. */
const rows: string[] = [];
const soaks: string[] = [];
for (const asked of kinds) {
  for (const side of sides) await load(side, asked, Number(values.warm));
  rows.push(...(await compare(asked)));
  if (Number(values.soak) > 0 && !asked.stream)
    soaks.push(await soak(breakwater, asked, Number(values.soak)));
}
const report = [
  '# Overhead',
  '',
  `Machine: ${machine()}, load average at the start ${loadAtStart}. Gateway on one core, load generator and upstream on another, ${workers} callers, rounds in turn.`,
  `Command: \`npm run bench:overhead -- --seconds ${values.seconds} --rounds ${values.rounds} --warm ${values.warm} --soak ${values.soak}\``,
  '',
  '| answer | load | proxy | CPU µs per request (median) | ratio (median of rounds) | requests | errors | resident MB |',
  '|---|---|---|---|---|---|---|---|',
  ...rows,
  '',
  ...soaks,
  '',
].join('\n');
console.log(report);
mkdirSync(join(root, 'bench/results'), { recursive: true });
if (values.write) writeFileSync(join(root, 'bench/results/overhead.md'), report);
for (const started of [upstream, naive, gateway]) started.process.kill();
process.exit(0);
