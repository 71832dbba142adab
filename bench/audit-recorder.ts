/**
 * A process that makes a thousand records a second and says what that costs it, recorded or thrown away.
 * Usage: bun bench/audit-recorder.ts STORE on|off SECONDS RATE
 */
import { createRecordPump } from '../src/sync/push-records.ts';
import { openStore } from '../src/store/open-store.ts';
import { recordMaker } from './audit-records.ts';

const [address = '', mode = 'on', seconds = '10', rate = '1000'] = process.argv.slice(2);
const opened = await openStore(address);
if (opened.kind === 'failed') throw new Error(opened.message);
const pump = createRecordPump({ store: opened.store, onTrouble: ({ kind }) => console.error(kind) });
const make = recordMaker(1);
const tickMs = 5;
/** Records made before anything is measured, so that the compiler is done with what is measured. */
const warmRate = 4_000;
const warmMs = 20_000;

async function run(forMs: number, perSecond: number): Promise<number> {
  const perTick = (perSecond * tickMs) / 1_000;
  const began = performance.now();
  let made = 0;
  while (performance.now() - began < forMs) {
    const due = Math.floor(((performance.now() - began) / tickMs) * perTick);
    for (; made < due; made++) {
      const record = make(Date.now());
      if (mode === 'on') pump.push(record);
    }
    await Bun.sleep(tickMs);
  }
  return made;
}

await run(warmMs, warmRate);
const before = process.cpuUsage();
const made = await run(Number(seconds) * 1_000, Number(rate));
const { user, system } = process.cpuUsage(before);
await pump.flush();
const { dropped } = pump.counts();
await opened.store.close();
console.log(JSON.stringify({ made, dropped, microseconds: (user + system) / made }));
process.exit(0);
