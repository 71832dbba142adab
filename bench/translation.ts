/**
 * What translating costs: the same gateway, the same upstream, the same question, asked in the upstream's own dialect
 * and in another, in one run on one machine. The gateway runs on one core; load and upstream run on another.
 *
 *   bun bench/translation.ts [--seconds 6] [--rounds 3] [--write]
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { median } from './figures.ts';
import { emptyFolder, root, startGateway, startUpstream } from './gateway.ts';
import { cpuSeconds, machine } from './processes.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
  },
});
const workers = 16;
const eventsPerAnswer = 50;

const prompt = 'Please summarise the harbour log of last night. '.repeat(42).slice(0, 1_900);
const messages = [{ role: 'user', content: prompt }];

type Way = {
  readonly name: string;
  readonly path: string;
  readonly body: (stream: boolean) => string;
  readonly ends: string;
};
const ways: readonly Way[] = [
  {
    name: 'same dialect (openai-chat)',
    path: '/v1/chat/completions',
    body: (stream) => JSON.stringify({ model: 'gpt-5.2', stream, messages }),
    ends: 'data: [DONE]\n\n',
  },
  {
    name: 'translated (anthropic-messages)',
    path: '/v1/messages',
    body: (stream) => JSON.stringify({ model: 'gpt-5.2', max_tokens: 1_000, stream, messages }),
    ends: '{"type":"message_stop"}\n\n',
  },
];

const upstream = await startUpstream(1);
const gateway = await startGateway({ folder: emptyFolder('bench-translation'), upstream, core: 0 });

/** CPU of the gateway per request, in µs. */
async function load(way: Way, stream: boolean, seconds: number): Promise<number> {
  const body = way.body(stream);
  const end = performance.now() + seconds * 1_000;
  const before = cpuSeconds(gateway.process.pid);
  let requests = 0;
  const work = async (): Promise<void> => {
    while (performance.now() < end) {
      const response = await fetch(`${gateway.url}${way.path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
        body,
      });
      const text = await response.text();
      if (response.status !== 200 || (stream && !text.endsWith(way.ends)))
        throw new Error(`${way.name}: ${response.status} ${text.slice(-200)}`);
      requests++;
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return ((cpuSeconds(gateway.process.pid) - before) / requests) * 1e6;
}

async function compare(stream: boolean): Promise<readonly string[]> {
  const figures = new Map<string, number[]>(ways.map((way) => [way.name, []]));
  for (const way of ways) await load(way, stream, 2);
  for (let round = 0; round < Number(values.rounds); round++)
    for (const way of ways) figures.get(way.name)?.push(await load(way, stream, Number(values.seconds)));
  const [own = [], other = []] = ways.map((way) => figures.get(way.name) ?? []);
  const ratio = median(other.map((figure, round) => figure / (own[round] ?? Number.NaN)));
  const row = (name: string, list: readonly number[], words: string): string =>
    `| ${stream ? `streamed, ${eventsPerAnswer} events` : 'whole, 2 KB in, 1 KB out'} | ${name} | ${median(list).toFixed(1)} | ${words} |`;
  return [row(ways[0]?.name ?? '', own, '1'), row(ways[1]?.name ?? '', other, ratio.toFixed(2))];
}

const report = [
  '# Translation',
  '',
  `Machine: ${machine()}. Gateway on one core, load generator and upstream on another, ${workers} callers, rounds in turn.`,
  `Command: \`npm run bench:translation -- --seconds ${values.seconds} --rounds ${values.rounds}\``,
  '',
  '| answer | way | CPU µs per request (median) | ratio, median of rounds |',
  '|---|---|---|---|',
  ...(await compare(false)),
  ...(await compare(true)),
  '',
].join('\n');
console.log(report);
if (values.write) writeFileSync(join(root, 'bench/results/translation.md'), report);
upstream.process.kill();
gateway.process.kill();
process.exit(0);
