/**
 * What evidence costs and how fast it answers, each figure by one command on one machine:
 *
 *   bun bench/audit.ts [--records 1000000] [--seconds 10] [--rounds 3] [--rate 1000] [--keep] [--write]
 *     [--parts reads,incident,strict,recorder,gateway,verify] [--cores one|every]
 *
 * It fills a store (`--keep` uses the one from before), asks it, verifies it, and measures what recording costs.
 */
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { instant } from '../src/core/ids.ts';
import { createRecordPump } from '../src/sync/push-records.ts';
import { SqliteDatabase } from '../src/store/database.ts';
import type { RecordBatch } from '../src/store/record-batch.ts';
import { RecordPacker } from '../src/store/record-packer.ts';
import { openStore } from '../src/store/open-store.ts';
import type { RecordFilter, Store } from '../src/store/store.ts';
import { verifyStore } from '../src/store/verify.ts';
import { gatewayFigures, gatewayRows } from './audit-gateway.ts';
import { incidentOf, withoutIncident } from './audit-incident.ts';
import { recordMaker } from './audit-records.ts';
import { WordTable } from '../src/store/words.ts';
import { machine } from './processes.ts';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    rate: { type: 'string', default: '1000' },
    // `one`: a server on a core of its own; `every`: on all of them, with the load and the upstream.
    cores: { type: 'string', default: 'one' },
    keep: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    parts: { type: 'string', default: 'reads,incident,strict,recorder,gateway,verify' },
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

/** Milliseconds on the clock, which count what others do on the machine, and of CPU. */
type Time = { readonly ms: number; readonly cpuMs: number };

async function timed(work: () => Promise<unknown>): Promise<Time> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { ms: performance.now() - start, cpuMs: (user + system) / 1_000 };
}

const both = (times: readonly Time[]): string => {
  const of = (what: keyof Time, share: number): string =>
    quantile(
      times.map((time) => time[what]),
      share,
    ).toFixed(1);
  return `${of('ms', 0.5)} ms median, ${of('ms', 1)} worst; CPU ${of('cpuMs', 0.5)} ms, ${of('cpuMs', 1)}`;
};

type Row = readonly [what: string, figure: string, promise: string];
const rows: Row[] = [];
/** Told at once, because the whole takes long. */
function tell(row: Row): void {
  rows.push(row);
  console.error(row.join(' | '));
}

async function reads(store: Store): Promise<void> {
  const opening: Time[] = [];
  for (let page = 0; page < 20; page++) {
    const filter: RecordFilter = {
      until: instant(began + Math.floor((count / perMs) * Math.random())),
      limit: 5,
    };
    ids.push(...(await store.listRecords(filter)).items.map(({ id }) => id));
  }
  for (const id of ids) opening.push(await timed(() => store.findRecord(id)));
  tell(['one record by id', `${both(opening)} (of ${opening.length})`, '≤ 10 ms']);
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
    const times: Time[] = [];
    for (let round = 0; round < 5; round++)
      times.push(await timed(() => store.listRecords({ ...filter, limit: 50 })));
    tell([`a page of 50: ${name}`, both(times), '≤ 100 ms']);
  }
  const inMillions = Math.min(count, 1_000_000) / 1_000_000;
  const window = { since: instant(middle - 500_000), until: instant(middle + 500_000) };
  const hit = await timed(() =>
    store.countRecords({ preferred: 'anthropic/claude-opus-4-8', hop: 'other_vendor', ...window }),
  );
  const all = await timed(() => store.countRecords({ preferred: 'anthropic/claude-opus-4-8', ...window }));
  tell([
    'an incident of a million requests: those that left, all',
    `${both([hit])}; ${both([all])}${inMillions < 1 ? ` (of ${inMillions} million)` : ''}`,
    '≤ 1 s a million',
  ]);
}

/** An incident as large as promises speak of, or as the store. */
async function incidentSet(store: Store): Promise<void> {
  const hits = Math.min(count, 1_000_000);
  for (const [what, work] of await incidentOf(store, path, hits)) {
    const times: Time[] = [];
    for (let round = 0; round < 3; round++) times.push(await timed(work));
    tell([`an incident of ${hits.toLocaleString('en')} requests: ${what}`, both(times), '≤ 1 s a million']);
  }
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
  tell(['verify entries and tree', verified(false), '≥ 150,000 records/s']);
  if (count <= deepMax) tell(['verify, rows compared too', verified(true), '']);
}

async function gateway(): Promise<void> {
  const asked = {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    perSecond: Number(values.rate),
    isPinned: values.cores !== 'every',
  };
  for (const row of gatewayRows(await gatewayFigures(folder, asked), asked)) tell(row);
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

/** The same work in one thread without pause, the least of some passes: what else the machine does counts least here. */
function alone(): void {
  const make = recordMaker(5);
  const batches = Array.from({ length: 200 }, (_, at) =>
    Array.from({ length: 200 }, (_each, index) => make(began + at * 200 + index)),
  );
  const file = join(folder, 'alone.db');
  const spent = (work: () => void): number => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / (200 * 200);
  };
  const passes = Array.from({ length: 8 }, () => {
    remove(file);
    const database = new SqliteDatabase(file, false);
    const [words, packed]: [WordTable, RecordBatch[]] = [new WordTable([]), []];
    const packer = new RecordPacker(words);
    const packing = spent(() => {
      for (const batch of batches) {
        packed.push(packer.pack(batch));
        // As if each was written before the next: words travel once.
        words.saved(packed.at(-1)?.words ?? []);
      }
    });
    const writing = spent(() => {
      for (const batch of packed) database.appendRecords(batch, false, []);
    });
    database.close();
    return { packing, writing };
  });
  remove(file);
  const least = (what: 'packing' | 'writing'): number => Math.min(...passes.map((pass) => pass[what]));
  tell([
    'recording without pause in batches of 200, tree and disk included',
    `${(least('packing') + least('writing')).toFixed(1)} µs of CPU a record: ${least('packing').toFixed(1)} to pack it, ${least('writing').toFixed(1)} to write it`,
    '≤ 15 µs',
  ]);
}

async function cost(): Promise<void> {
  const on: number[] = [];
  const off: number[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    off.push((await recorder('off', round)).microseconds);
    on.push((await recorder('on', round)).microseconds);
  }
  const extra = on.map((each, round) => each - (off[round] ?? 0));
  tell([
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
    while (performance.now() < until) waits.push((await timed(() => pump.durable(make(Date.now())))).ms);
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: 256 }, answer));
  const seconds = (performance.now() - start) / 1_000;
  await pump.stop(10_000);
  await store.close();
  remove(file);
  tell([
    'strict: answers that wait for their record, 256 at a time',
    `${Math.round(waits.length / seconds)} a second, waiting ${quantile(waits, 0.5).toFixed(1)} ms median, ${quantile(waits, 0.99).toFixed(1)} ms p99`,
    '≥ 5,000 a second',
  ]);
}

const filled = await fill();
tell(['bytes a record, indexes included', `${(statSync(path).size / count).toFixed(0)} B`, '≤ 1,000 B']);
tell(['filling', filled, '']);
const openedIn = performance.now();
const store = await open(path);
await store.treeHead();
tell(['opening and reading the tree', `${(performance.now() - openedIn).toFixed(0)} ms`, '≤ 2 s']);
const parts = values.parts.split(',');
if (parts.includes('reads')) await reads(store);
if (parts.includes('incident')) await incidentSet(store);
await store.close();
if (parts.includes('incident')) withoutIncident(path);
if (parts.includes('recorder')) alone();
if (parts.includes('strict')) await strict();
if (parts.includes('recorder')) await cost();
if (parts.includes('gateway')) await gateway();
if (parts.includes('verify')) verification();
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
