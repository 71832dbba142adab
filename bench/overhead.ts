/**
 * What Breakwater adds: CPU per request against the smallest proxy one would write by hand, in one run on one machine.
 * The gateway runs on one core with key, policy and records on; load and upstream run on another.
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

async function load(side: Side, stream: boolean, seconds: number): Promise<Figure> {
  const body = bodyOf(stream);
  const end = performance.now() + seconds * 1_000;
  let requests = 0;
  let errors = 0;
  const before = cpuSeconds(side.pid);
  const work = async (): Promise<void> => {
    while (performance.now() < end) {
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

const sides: readonly Side[] = [
  {
    name: 'naive proxy',
    url: `http://127.0.0.1:${naive.ready['ready'] as number}`,
    pid: naive.process.pid,
    key: 'k',
  },
  { name: 'breakwater', url: gateway.url, pid: gateway.process.pid, key },
];

async function compare(
  stream: boolean,
): Promise<{ readonly rows: readonly string[]; readonly ratio: number }> {
  const figures = new Map<string, Figure[]>(sides.map((side) => [side.name, []]));
  for (const side of sides) await load(side, stream, Number(values.warm));
  for (let round = 0; round < Number(values.rounds); round++)
    for (const side of sides) figures.get(side.name)?.push(await load(side, stream, Number(values.seconds)));
  const of = (name: string): readonly Figure[] => figures.get(name) ?? [];
  const ratio = median(
    of('breakwater').map(
      (figure, round) => figure.microseconds / (of('naive proxy')[round]?.microseconds ?? Number.NaN),
    ),
  );
  const rows = sides.map(({ name, pid }) => {
    const list = of(name);
    return `| ${stream ? 'streamed, 50 events' : 'whole, 2 KB in, 1 KB out'} | ${name} | ${median(list.map((figure) => figure.microseconds)).toFixed(1)} | ${list.reduce((sum, figure) => sum + figure.requests, 0)} | ${list.reduce((sum, figure) => sum + figure.errors, 0)} | ${residentMb(pid).toFixed(0)} |`;
  });
  return { rows, ratio };
}

const whole = await compare(false);
const streamed = await compare(true);
const gatewaySide = sides[1];
let soak = '';
if (Number(values.soak) > 0 && gatewaySide !== undefined) {
  const figure = await load(gatewaySide, false, Number(values.soak));
  soak = `After ${values.soak} s of load (${figure.requests} requests, ${figure.errors} errors): ${residentMb(gatewaySide.pid).toFixed(0)} MB resident.\n`;
}
const report = [
  '# Overhead',
  '',
  `Machine: ${machine()}, load average at the start ${loadAtStart}. Gateway on one core, load generator and upstream on another, ${workers} callers, rounds in turn.`,
  `Command: \`npm run bench:overhead -- --seconds ${values.seconds} --rounds ${values.rounds} --warm ${values.warm} --soak ${values.soak}\``,
  '',
  '| answer | proxy | CPU µs per request (median) | requests | errors | resident MB |',
  '|---|---|---|---|---|---|',
  ...whole.rows,
  ...streamed.rows,
  '',
  `Ratio to the naive proxy, median of rounds: whole ${whole.ratio.toFixed(2)}, streamed ${streamed.ratio.toFixed(2)}.`,
  soak,
].join('\n');
console.log(report);
mkdirSync(join(root, 'bench/results'), { recursive: true });
if (values.write) writeFileSync(join(root, 'bench/results/overhead.md'), report);
for (const started of [upstream, naive, gateway]) started.process.kill();
process.exit(0);
