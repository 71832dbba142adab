/**
 * What evidence costs and how fast it answers, each figure by one command on one machine:
 *
 *   bun bench/audit.ts [--records 1000000] [--seconds 10] [--rounds 3] [--keep] [--write]
 *
 * It fills a store (`--keep` uses the one from before), asks it, verifies it, and measures what recording costs.
 */
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { instant } from '../src/core/ids.ts';
import { createRecordPump } from '../src/sync/push-records.ts';
import { openStore } from '../src/store/open-store.ts';
import type { RecordFilter, Store } from '../src/store/store.ts';
import { verifyStore } from '../src/store/verify.ts';
import { gatewayFigures } from './audit-gateway.ts';
import { recordMaker } from './audit-records.ts';
import { machine } from './processes.ts';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    keep: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const loadNow = (): string => (loadavg()[0] ?? 0).toFixed(1);
const loadAtStart = loadNow();
const root = resolve(import.meta.dir, '..');
const folder = join(root, 'node_modules', '.cache', 'bench-audit');
mkdirSync(folder, { recursive: true });
const path = join(folder, `audit-${values.records}.db`);
const count = Number(values.records);
const batch = 256;
/** Ten records a millisecond would be more than one process makes; the store then spans hours. */
const perMs = 1;
const began = Date.UTC(2026, 5, 7);

const remove = (file: string): void => {
  for (const ending of ['', '-wal', '-shm', '.lock']) rmSync(`${file}${ending}`, { force: true });
};

async function open(file: string): Promise<Store> {
  const opened = await openStore(`sqlite:${file}`);
  if (opened.kind === 'failed') throw new Error(opened.message);
  return opened.store;
}

const ids: string[] = [];

async function fill(): Promise<string> {
  if (values.keep && existsSync(path)) return 'the store of before';
  remove(path);
  const store = await open(path);
  const make = recordMaker(7);
  const start = performance.now();
  for (let made = 0; made < count; made += batch) {
    const records = Array.from({ length: Math.min(batch, count - made) }, (_, index) =>
      make(began + Math.floor((made + index) / perMs)),
    );
    await store.appendRecords(records);
  }
  const seconds = (performance.now() - start) / 1_000;
  await store.close();
  return `${Math.round(count / seconds)} records/s in batches of ${batch}, making them included`;
}

const quantile = (list: readonly number[], share: number): number =>
  list.toSorted((one, other) => one - other)[Math.min(list.length - 1, Math.floor(list.length * share))] ??
  Number.NaN;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

type Row = readonly [what: string, figure: string, promise: string];
const rows: Row[] = [];

async function reads(store: Store): Promise<void> {
  const opening: number[] = [];
  for (let page = 0; page < 20; page++) {
    const filter: RecordFilter = {
      until: instant(began + Math.floor((count / perMs) * Math.random())),
      limit: 5,
    };
    ids.push(...(await store.listRecords(filter)).items.map(({ id }) => id));
  }
  for (const id of ids) opening.push(await timed(() => store.findRecord(id)));
  rows.push([
    'one record by id',
    `${quantile(opening, 0.5).toFixed(2)} ms median, ${Math.max(...opening).toFixed(1)} ms worst of ${opening.length}`,
    '≤ 10 ms',
  ]);
  const middle = began + count / perMs / 2;
  const filters: Readonly<Record<string, Omit<RecordFilter, 'limit'>>> = {
    'feature, newest': { feature: 'chat' },
    'one user': { user: 'user-77' },
    'one tenant': { tenant: 'tenant-77' },
    'left the vendor': { hop: 'other_vendor' },
    'one failure class': { failure: 'server_error' },
    'failed, one tenant': { outcome: 'failed', tenant: 'tenant-7' },
    'a time long ago': { until: instant(began + 60_000) },
    'a feature in the middle': { feature: 'mail', until: instant(middle) },
    'no such user': { user: 'nobody' },
    'boundary and feature': { boundary: 'entity', feature: 'code' },
  };
  for (const [name, filter] of Object.entries(filters)) {
    const times: number[] = [];
    for (let round = 0; round < 5; round++)
      times.push(await timed(() => store.listRecords({ ...filter, limit: 50 })));
    rows.push([
      `a page of 50: ${name}`,
      `${quantile(times, 0.5).toFixed(1)} ms, worst ${Math.max(...times).toFixed(1)} ms`,
      '≤ 100 ms',
    ]);
  }
  const inMillions = Math.min(count, 1_000_000) / 1_000_000;
  const window = { since: instant(middle - 500_000), until: instant(middle + 500_000) };
  const hit = await timed(() =>
    store.countRecords({ preferred: 'anthropic/claude-opus-4-8', hop: 'other_vendor', ...window }),
  );
  const all = await timed(() => store.countRecords({ preferred: 'anthropic/claude-opus-4-8', ...window }));
  rows.push([
    'an incident of a million requests: those that left, all',
    `${hit.toFixed(0)} ms, ${all.toFixed(0)} ms${inMillions < 1 ? ` (of ${inMillions} million)` : ''}`,
    '≤ 1 s a million',
  ]);
}

/** Comparing rows reads every entry as a record, which takes long for many. */
const deepMax = 1_000_000;

function verified(withRows: boolean): string {
  const [start, before] = [performance.now(), process.cpuUsage()];
  const { size, findings } = verifyStore(path, { notes: [], rows: withRows, onProgress: () => {} });
  if (findings.length > 0) throw new Error('the store does not verify');
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - start) / 1_000;
  return `${Math.round((size / (user + system)) * 1e6)} records for a second of CPU (${Math.round(size / seconds)} a second here and now)`;
}

function verification(): void {
  rows.push(['verify entries and tree', verified(false), '≥ 150,000 records/s']);
  if (count <= deepMax) rows.push(['verify, rows compared too', verified(true), '']);
}

async function gateway(): Promise<void> {
  const asked = { rounds: Number(values.rounds), seconds: Number(values.seconds), callers: 32 };
  const figures = await gatewayFigures(folder, asked);
  const of = (mode: keyof typeof figures, what: 'microseconds' | 'perSecond' | 'p50Ms' | 'p99Ms'): string =>
    quantile(
      figures[mode].map((round) => round[what]),
      0.5,
    ).toFixed(what === 'p50Ms' || what === 'p99Ms' ? 1 : 0);
  const row = (mode: keyof typeof figures): string =>
    `${of(mode, 'microseconds')} µs of CPU, ${of(mode, 'perSecond')} answers a second, ${of(mode, 'p50Ms')} ms median, ${of(mode, 'p99Ms')} ms p99`;
  rows.push(['a whole server without recording (fingerprints and all)', row('off'), '']);
  rows.push(['the same server, recording', row('best_effort'), 'p99 within noise']);
  rows.push([
    'the same, each answer waiting for its record',
    row('strict'),
    'at most one commit more than the line above',
  ]);
}

async function recorder(
  mode: 'on' | 'off',
  round: number,
): Promise<{ microseconds: number; dropped: number }> {
  const file = join(folder, `recorder-${mode}-${round}.db`);
  remove(file);
  const child = Bun.spawn(
    [process.execPath, join(root, 'bench/audit-recorder.ts'), `sqlite:${file}`, mode, values.seconds, '1000'],
    { stdout: 'pipe', stderr: 'inherit' },
  );
  const result = JSON.parse(await new Response(child.stdout).text()) as {
    microseconds: number;
    dropped: number;
  };
  remove(file);
  return result;
}

async function cost(): Promise<void> {
  const on: number[] = [];
  const off: number[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    off.push((await recorder('off', round)).microseconds);
    on.push((await recorder('on', round)).microseconds);
  }
  const extra = on.map((each, round) => each - (off[round] ?? 0));
  rows.push([
    'recording at 1,000 requests/s, tree and disk included',
    `${quantile(extra, 0.5).toFixed(1)} µs of CPU a request (${on.map((each) => each.toFixed(1)).join(', ')} on; ${off.map((each) => each.toFixed(1)).join(', ')} off)`,
    '≤ 15 µs',
  ]);
}

async function strict(): Promise<void> {
  const file = join(folder, 'strict.db');
  remove(file);
  const store = await open(file);
  const pump = createRecordPump({ store, onTrouble: ({ kind }) => console.error(kind) });
  const make = recordMaker(3);
  const until = performance.now() + Number(values.seconds) * 1_000;
  const waits: number[] = [];
  const answer = async (): Promise<void> => {
    while (performance.now() < until) waits.push(await timed(() => pump.durable(make(Date.now()))));
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: 256 }, answer));
  const seconds = (performance.now() - start) / 1_000;
  await pump.stop(10_000);
  await store.close();
  remove(file);
  rows.push([
    'strict: answers that wait for their record, 256 at a time',
    `${Math.round(waits.length / seconds)} a second, waiting ${quantile(waits, 0.5).toFixed(1)} ms median, ${quantile(waits, 0.99).toFixed(1)} ms p99`,
    '≥ 5,000 a second',
  ]);
}

const filled = await fill();
rows.push(['bytes a record, indexes included', `${(statSync(path).size / count).toFixed(0)} B`, '≤ 1,000 B']);
rows.push(['filling', filled, '']);
const openedIn = performance.now();
const store = await open(path);
await store.treeHead();
rows.push(['opening and reading the tree', `${(performance.now() - openedIn).toFixed(0)} ms`, '≤ 2 s']);
await reads(store);
await store.close();
verification();
await strict();
await cost();
await gateway();
const report = [
  '# Evidence',
  '',
  `Machine: ${machine()}, load average ${loadAtStart} at the start and ${loadNow()} at the end. A store of ${count.toLocaleString('en')} records.`,
  `Command: \`npm run bench:audit -- --records ${values.records} --seconds ${values.seconds} --rounds ${values.rounds}\``,
  '',
  '| what | measured | promised |',
  '|---|---|---|',
  ...rows.map((row) => `| ${row.join(' | ')} |`),
  '',
].join('\n');
console.log(report);
if (values.write) writeFileSync(join(root, 'bench/results/audit.md'), report);
process.exit(0);
