/**
 * Many streams open at once through one process: none lost, none stalled.
 *
 *   bun bench/streams.ts [COUNT]
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { machine, residentMb, start } from './processes.ts';

const count = Number(process.argv[2] ?? 2_000);
const root = resolve(import.meta.dir, '..');
const folder = join(root, 'node_modules', '.cache', 'bench-streams');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const upstream = await start([process.execPath, join(root, 'bench/upstream.ts'), '0', '100'], 1, 'ready');
writeFileSync(
  join(folder, 'breakwater.yaml'),
  JSON.stringify({
    providers: {
      openai: {
        api: 'openai',
        baseUrl: `http://127.0.0.1:${upstream.ready['ready'] as number}/v1`,
        keys: ['env:BENCH_KEY'],
      },
    },
    features: { bench: { route: ['openai/gpt-5.2'], timeouts: { firstToken: '30s', stall: '10s' } } },
  }),
);
const gateway = await start(
  [
    process.execPath,
    join(root, 'src/main.ts'),
    'serve',
    '--config',
    join(folder, 'breakwater.yaml'),
    '--listen',
    '127.0.0.1:0',
    '--store',
    `sqlite:${join(folder, 'bench.db')}`,
  ],
  0,
  'address',
  { BENCH_KEY: 'k', BREAKWATER_ADMIN_TOKEN: 'bench' },
);

let open = 0;
let openMost = 0;
let whole = 0;
let longestGapMs = 0;

async function one(): Promise<void> {
  const response = await fetch(`${gateway.ready['address'] as string}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'bench', stream: true, messages: [{ role: 'user', content: 'hello' }] }),
  });
  open++;
  openMost = Math.max(openMost, open);
  const decoder = new TextDecoder();
  let text = '';
  let last = performance.now();
  for await (const bytes of response.body ?? []) {
    longestGapMs = Math.max(longestGapMs, performance.now() - last);
    last = performance.now();
    text += decoder.decode(bytes, { stream: true });
  }
  open--;
  if (response.status === 200 && text.split('\n\n').length === 51 && text.endsWith('data: [DONE]\n\n'))
    whole++;
}

await Promise.all(Array.from({ length: count }, one));
console.log(`Machine: ${machine()}`);
console.log(
  `${count} streams of 50 events: ${whole} whole, ${count - whole} lost, ${openMost} open at once, longest gap ${longestGapMs.toFixed(0)} ms (the provider pauses 100 ms), gateway ${residentMb(gateway.process.pid).toFixed(0)} MB resident`,
);
upstream.process.kill();
gateway.process.kill();
process.exit(whole === count ? 0 : 1);
