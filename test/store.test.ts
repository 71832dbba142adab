/** The store on SQLite: the conformance suite, and what happens to files that cannot be used. */
import { Database } from 'bun:sqlite';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { instant } from '../src/core/ids.ts';
import { migrations } from '../src/store/migrations.ts';
import { openStore } from '../src/store/open-store.ts';
import { verifyStore } from '../src/store/verify.ts';
import type { SqliteDatabase } from '../src/store/database.ts';
import { callsPendingMax, WorkerClient } from '../src/store/worker-client.ts';
import { aChange, anIncident, aRecord, start } from './record-fixture.ts';
import { storeConformance } from './store-conformance/store.ts';
import { openInMemory, openOrThrow, openedOrThrow } from './store-fixture.ts';

async function problemOf(address: string): Promise<string> {
  const opened = await openStore(address);
  if (opened.kind === 'failed') return opened.message;
  await opened.store.close();
  return 'it was opened';
}

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-store-'));
  path = join(folder, 'data', 'breakwater.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

storeConformance('sqlite', async () => {
  const file = path;
  let store = await openOrThrow(`sqlite:${file}`);
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await openOrThrow(`sqlite:${file}`);
      return store;
    },
    remove: () => store.close(),
  };
});

describe('opening', () => {
  test('makes the folder; the file is for its owner alone', async () => {
    const store = await openOrThrow(`sqlite:${path}`);
    await store.appendRecords([aRecord()]);
    for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600);
    await store.close();
  });

  test('in memory, nothing is written and each is on its own', async () => {
    const [one, other] = [await openInMemory(), await openInMemory()];
    const record = aRecord();
    await one.appendRecords([record]);
    expect(await one.findRecord(record.id)).toMatchObject(record);
    expect(await other.findRecord(record.id)).toBeNull();
    await Promise.all([one.close(), other.close()]);
    expect(existsSync(':memory:')).toBe(false);
  });

  test('PostgreSQL is refused in words, without its password', async () => {
    expect(await problemOf('postgres://admin:hunter2@db/breakwater')).toBe(
      'PostgreSQL is not available in this version. Use sqlite:PATH.',
    );
  });

  test.each(['mysql://root:hunter2@db/x', 'sqlite:', './data/x.db', '', 'sqlite://data/x.db'])(
    'an address that is none: %p',
    async (address) => {
      const problem = await problemOf(address);
      expect(problem).toContain('Use sqlite:PATH');
      expect(problem).not.toContain('hunter2');
    },
  );

  test('a second one on the same file is told so, and the first goes on', async () => {
    const store = await openOrThrow(`sqlite:${path}`);
    expect(await problemOf(`sqlite:${path}`)).toContain(`${path} is in use by another process`);
    const record = aRecord();
    await store.appendRecords([record]);
    expect(await store.findRecord(record.id)).toMatchObject(record);
    await store.close();
    expect(await problemOf(`sqlite:${path}`)).toBe('it was opened');
  });

  test('another process on the same file is told so', async () => {
    const store = await openOrThrow(`sqlite:${path}`);
    const child = Bun.spawn(
      [
        process.execPath,
        '-e',
        `import { openStore } from '${join(import.meta.dir, '../src/store/open-store.ts')}'; console.log((await openStore('sqlite:${path}')).message)`,
      ],
      { stdout: 'pipe', stderr: 'inherit' },
    );
    expect(await new Response(child.stdout).text()).toContain(`${path} is in use by another process`);
    await store.close();
  });

  test('what is no database is left as it is, and stood in for', async () => {
    mkdirSync(join(folder, 'data'));
    writeFileSync(path, 'these are my holiday notes, '.repeat(100));
    const opened = await openedOrThrow(`sqlite:${path}`);
    expect(opened.damage).toEqual({ words: 'file is not a database', isKnown: false });
    await opened.store.close();
    expect(readFileSync(path, 'utf8')).toStartWith('these are my holiday notes');
  });

  test('the database of another program is left as it is', async () => {
    mkdirSync(join(folder, 'data'));
    const foreign = new Database(path, { create: true });
    foreign.run('CREATE TABLE holidays (day TEXT)');
    foreign.close();
    expect(await problemOf(`sqlite:${path}`)).toContain('it is the database of another program');
  });

  test('a newer schema is refused', async () => {
    await (await openOrThrow(`sqlite:${path}`)).close();
    const newer = new Database(path);
    newer.run('PRAGMA user_version = 99');
    newer.close();
    expect(await problemOf(`sqlite:${path}`)).toMatch(/written by a newer version \(schema 99/);
  });

  test('a folder in its place, or a file where its folder should be', async () => {
    mkdirSync(path, { recursive: true });
    expect(await problemOf(`sqlite:${path}`)).toContain(`${path} cannot be opened`);
    writeFileSync(join(folder, 'file'), '');
    expect(await problemOf(`sqlite:${join(folder, 'file', 'x.db')}`)).toContain('cannot be opened');
  });
});

describe('a batch that is tried again', () => {
  test('is written once, however far back it was', async () => {
    const store = await openOrThrow(`sqlite:${path}`);
    const early = Array.from({ length: 3 }, () => aRecord());
    await store.appendRecords(early);
    for (let at = 0; at < 4_096; at += 256)
      await store.appendRecords(
        Array.from({ length: 256 }, (_, n) => aRecord({ at: instant(start + 10 + at + n) })),
      );
    const late = aRecord({ at: instant(start + 9_000) });
    await store.appendRecords([...early, late], true);
    expect((await store.findRecord(late.id))?.leaf.index).toBe(3 + 4_096);
    for (const [index, { id }] of early.entries())
      expect((await store.findRecord(id))?.leaf.index).toBe(index);
    await store.close();
  });
});

describe('a database of the first schema', () => {
  test('goes into the ledger, records and changes, and reads as before', async () => {
    mkdirSync(join(folder, 'data'));
    const old = new Database(path, { create: true });
    for (const step of migrations.slice(0, 2)) if (typeof step === 'string') old.run(step);
    old.run('PRAGMA user_version = 2');
    const records = Array.from({ length: 300 }, (_, index) => aRecord({ at: instant(start + index) }));
    const insert = old.query(
      "INSERT INTO records VALUES (?, ?, 'notes', 'notes', NULL, NULL, 'answered', NULL, NULL, NULL, '', '', '', ?)",
    );
    for (const record of records) insert.run(record.id, record.at, JSON.stringify({ form: 1, ...record }));
    const change = aChange();
    old
      .query('INSERT INTO changes VALUES (?, ?, ?, ?)')
      .run(change.id, change.at, change.kind, JSON.stringify({ form: 1, ...change }));
    old.close();
    const store = await openOrThrow(`sqlite:${path}`);
    const [newest] = records.slice(-1);
    const page = await store.listRecords({ limit: 1 });
    expect(page.items[0]).toMatchObject({ ...newest, leaf: { index: 299 } });
    expect((await store.listChanges(null, 10)).items).toEqual([change]);
    await store.close();
  });
});

describe('the worker', () => {
  test('takes no more calls than agreed at a time, and says so', async () => {
    const store = await openInMemory();
    const calls = Array.from({ length: callsPendingMax + 1 }, () => store.findRecord('req_none'));
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect(outcomes.at(-1)).toMatchObject({ reason: { name: 'StoreUnavailable', reason: 'busy' } });
    expect(await store.findRecord('req_none')).toBeNull();
    await store.close();
  });
});

describe('after a power loss', () => {
  /** The files of a store as they were when the power went, with the last batch written so far. */
  async function lostPower(
    change: (log: Uint8Array) => Uint8Array,
  ): Promise<{ kept: string; lost: string; copy: string }> {
    const store = await openOrThrow(`sqlite:${path}`);
    const [kept, lost] = [aRecord(), aRecord()];
    await store.appendRecords([kept]);
    await store.appendRecords([lost]);
    const copy = join(folder, 'copy.db');
    writeFileSync(copy, readFileSync(path));
    writeFileSync(`${copy}-wal`, change(readFileSync(`${path}-wal`)));
    await store.close();
    return { kept: kept.id, lost: lost.id, copy };
  }

  const touched = (log: Uint8Array): Uint8Array => {
    const at = log.length - 100;
    return log.with(at, (log[at] ?? 0) ^ 1);
  };

  test.each([
    ['the end was not written', (log: Uint8Array) => log.subarray(0, log.length - 1_000)],
    ['the end was written wrongly', touched],
  ])('%s: the last whole batch stands, and what was taken off is said', async (_what, change) => {
    const { kept, lost, copy } = await lostPower(change);
    const opened = await openedOrThrow(`sqlite:${copy}`);
    expect(opened.cutBytes).toBeGreaterThan(0);
    expect(await opened.store.findRecord(kept)).not.toBeNull();
    expect(await opened.store.findRecord(lost)).toBeNull();
    await opened.store.appendRecords([aRecord()]);
    await opened.store.close();
    expect(verifyStore(copy, { notes: [], rows: true, onProgress: () => {} }).findings).toEqual([]);
  });

  test('when everything was written, nothing is taken off', async () => {
    const { lost, copy } = await lostPower((log) => log);
    const opened = await openedOrThrow(`sqlite:${copy}`);
    expect(opened.cutBytes).toBe(0);
    expect(await opened.store.findRecord(lost)).not.toBeNull();
    await opened.store.close();
  });
});

const mounted = mkdtempSync(join(tmpdir(), 'breakwater-mounted-'));
const mayMount =
  Bun.which('mount') !== null && Bun.spawnSync(['mount', '-t', 'tmpfs', 'tmpfs', mounted]).exitCode === 0;

describe.skipIf(!mayMount)('on a file system that is read only', () => {
  afterAll(() => {
    // The worker's files may be closed a moment after it said so: then the mount goes with its last one.
    if (Bun.spawnSync(['umount', mounted]).exitCode !== 0) Bun.spawnSync(['umount', '-l', mounted]);
    rmSync(mounted, { recursive: true, force: true });
  });

  test('what is there is read, and nothing can be written; it is no reason not to start', async () => {
    const file = join(mounted, 'x.db');
    const store = await openOrThrow(`sqlite:${file}`);
    const record = aRecord();
    await store.appendRecords([record]);
    await store.close();
    Bun.spawnSync(['mount', '-o', 'remount,ro', mounted]);
    const opened = await openedOrThrow(`sqlite:${file}`);
    expect(await opened.care?.reopen()).not.toBeNull();
    expect(await opened.store.findRecord(record.id)).toMatchObject({ id: record.id });
    const refused = await opened.store.appendRecords([aRecord()]).then(
      () => null,
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({ name: 'StoreUnavailable' });
    Bun.spawnSync(['mount', '-o', 'remount,rw', mounted]);
    expect(await opened.care?.reopen()).toBeNull();
    await opened.store.appendRecords([aRecord()]);
    await opened.store.close();
  });
});

describe('a worker that dies', () => {
  test('takes its calls with it and is replaced; what was kept is there', async () => {
    mkdirSync(join(folder, 'data'));
    const client = new WorkerClient<SqliteDatabase>(path, new URL('dying-worker.ts', import.meta.url).href);
    await client.open();
    await client.call('settingOr', 'kept', 'yes');
    const died = await client.call('setting', 'die').then(
      () => null,
      (error: unknown) => error,
    );
    expect(died).toMatchObject({ name: 'StoreUnavailable', reason: 'failed' });
    let kept: string | null = null;
    for (let tries = 0; tries < 1_000 && kept === null; tries++) {
      await Bun.sleep(5);
      kept = await client.call('setting', 'kept').catch(() => null);
    }
    expect(kept).toBe('yes');
    await client.close();
  });
});

test('a record of two classes, none the stricter, goes with the one that is kept for less', async () => {
  const store = await openOrThrow(`sqlite:${path}`);
  const records = ['internal', 'restricted', 'internal+restricted', null, 'unrestricted'].map((dataClass) =>
    aRecord({ dataClass }),
  );
  await store.appendRecords(records);
  const before = instant(Date.UTC(2200, 0, 1));
  const change = aChange({ kind: 'records.expired', after: null });
  expect(
    await store.expire(
      [
        { dataClass: null, before: instant(0) },
        { dataClass: 'restricted', before },
      ],
      10,
      change,
    ),
  ).toBe(2);
  const left = await Promise.all(records.map(({ id }) => store.findRecord(id)));
  expect(left.map((found) => found?.dataClass)).toEqual([
    'internal',
    undefined,
    undefined,
    null,
    'unrestricted',
  ]);
  await store.close();
});

test('where requests of merged incidents went is kept as long as their records are', async () => {
  const store = await openOrThrow(`sqlite:${path}`);
  const [one, other] = [anIncident(), anIncident()];
  const takes = { from: one.incident.id, preferred: null, at: instant(start + 10) };
  await store.saveIncidents([one, { ...other, takes }], aChange());
  const moves = (): number | undefined => {
    const database = new Database(path, { readonly: true });
    const counted = database.query<{ count: number }, []>('SELECT count(*) AS count FROM incident_moves');
    const found = counted.get();
    database.close();
    return found?.count;
  };
  const expire = (defaults: number, restricted: number): Promise<number> =>
    store.expire(
      [
        { dataClass: null, before: instant(start + defaults) },
        { dataClass: 'restricted', before: instant(start + restricted) },
      ],
      10,
      aChange({ kind: 'records.expired', after: null }),
    );
  const kept: (number | undefined)[] = [];
  for (const [defaults, restricted] of [
    [10, 100],
    [100, 10],
    [11, 100],
  ] as const) {
    await expire(defaults, restricted);
    kept.push(moves());
  }
  expect(kept).toEqual([1, 1, 0]);
  await store.close();
});
