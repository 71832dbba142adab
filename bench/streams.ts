/**
 * Many streams open at once through one process: none lost, none stalled.
 *
 *   bun bench/streams.ts [COUNT]
 */
import { emptyFolder, startGateway, startUpstream } from './gateway.ts';
import { machine, residentMb } from './processes.ts';

const count = Number(process.argv[2] ?? 2_000);
const upstream = await startUpstream(1, 100);
const gateway = await startGateway({
  folder: emptyFolder('bench-streams'),
  upstream,
  core: 0,
  feature: { timeouts: { firstToken: '30s', stall: '10s' } },
});

let open = 0;
let openMost = 0;
let whole = 0;
let longestGapMs = 0;

async function one(): Promise<void> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
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
