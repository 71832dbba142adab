/** Records in runs: what filters and statistics say of full runs and of the one that is being written, and how they age. */
import { Database } from 'bun:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { recordMaker } from '../bench/audit-records.ts';
import { instant } from '../src/core/ids.ts';
import type { RequestRecord } from '../src/core/record.ts';
import { insertRows } from '../src/store/first-ledger.ts';
import { Ledger } from '../src/store/ledger.ts';
import { migrate, migrations } from '../src/store/migrations.ts';
import { RecordPacker } from '../src/store/record-packer.ts';
import type { RecordFilter, Store } from '../src/store/store.ts';
import { verifyStore } from '../src/store/verify.ts';
import { answeredWord, WordTable } from '../src/store/words.ts';
import { aChange, aRecord, aRescue, start } from './record-fixture.ts';
import { openInMemory, openOrThrow } from './store-fixture.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-runs-'));
  path = join(folder, 'x.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('runs', () => {
  /** More than two runs: the last is still being written, the others are asked by their sets. */
  const many = 2 * 4_096 + 700;
  const made: RequestRecord[] = [];
  let store: Store;
  beforeAll(async () => {
    const make = recordMaker(11);
    made.length = 0;
    store = await openInMemory();
    for (let at = 0; at < many; at += 300) {
      const batch = Array.from({ length: Math.min(300, many - at) }, (_, index) => make(start + at + index));
      made.push(...batch);
      await store.appendRecords(batch);
      if (at % 900 === 0) await store.appendChange(aChange());
    }
  });
  afterAll(() => store.close());

  type Asked = readonly [Omit<RecordFilter, 'limit'>, (record: RequestRecord) => boolean];
  const someUser = (): string => made[4_000]?.user ?? '';
  const filters: readonly (() => Asked)[] = [
    () => [{}, () => true],
    () => [{ feature: 'mail' }, (record) => record.feature === 'mail'],
    () => [{ tenant: 'tenant-7' }, (record) => record.tenant === 'tenant-7'],
    () => [{ user: someUser() }, (record) => record.user === someUser()],
    () => [{ hop: 'other_vendor' }, (record) => record.hop === 'other_vendor'],
    () => [{ boundary: 'entity' }, (record) => record.boundary.includes('entity')],
    () => [{ boundary: 'none' }, (record) => record.boundary.length === 0],
    () => [
      { failure: 'server_error', feature: 'chat' },
      ({ attempts, feature }) =>
        feature === 'chat' && attempts.some(({ failure }) => failure === 'server_error'),
    ],
    () => [{ outcome: 'failed' }, (record) => record.outcome === 'failed'],
    () => [
      { attempted: 'openai/gpt-5.2' },
      (record) => record.attempts.some(({ target }) => target === 'openai/gpt-5.2'),
    ],
    () => [
      { feature: 'code', since: instant(start + 3_000), until: instant(start + 8_500) },
      ({ feature, at }) => feature === 'code' && at >= start + 3_000 && at < start + 8_500,
    ],
    () => [{ feature: 'unheard of' }, () => false],
    () => [{ outcome: 'answered', hop: 'local' }, () => false],
  ];

  test.each(filters)('what a filter gives is what the records say (%#)', async (asked) => {
    const [filter, fits] = asked();
    const expected = made.filter(fits).map(({ id }) => id);
    expect(await store.countRecords(filter)).toBe(expected.length);
    const found: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await store.listRecords({
        ...filter,
        limit: 200,
        ...(cursor !== undefined && { cursor }),
      });
      found.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(found).toEqual(expected.toReversed());
  });

  test('statistics count every record once', async () => {
    let [rows, answered, below]: [number, number, number | null] = [0, 0, null];
    do {
      const part = await store.tallyRecords({ by: ['feature'], filter: { outcome: 'answered' }, below });
      rows += part.rows;
      for (const tally of part.groups.values()) answered += tally.requests;
      ({ below } = part);
    } while (below !== null);
    const expected = made.filter(({ outcome }) => outcome === 'answered').length;
    expect([rows, answered]).toEqual([expected, expected]);
  });

  test('erasing a user, and what is over, takes them out of full runs too', async () => {
    const own = await openOrThrow(`sqlite:${path}`);
    const records = Array.from({ length: 5_000 }, (_, index) =>
      aRecord({ at: instant(start + index), user: `u${index % 5}` }),
    );
    for (let at = 0; at < 5_000; at += 500) await own.appendRecords(records.slice(at, at + 500));
    const change = (kind: 'records.erased' | 'records.expired') => aChange({ kind, after: null });
    expect(await own.eraseUser('u3', change('records.erased'))).toEqual({ kind: 'erased', records: 1_000 });
    const before = instant(start + 2_500);
    expect(await own.expire([{ dataClass: null, before }], 10_000, change('records.expired'))).toBe(2_000);
    expect(await own.countRecords({})).toBe(2_000);
    expect(await own.countRecords({ user: 'u3' })).toBe(0);
    expect((await own.leafOf(records[4_998]?.id ?? ''))?.text).toBeNull();
    expect(await own.leafOf(records[0]?.id ?? '')).toBeNull();
    await own.close();
    expect(verifyStore(path, { notes: [], rows: true, onProgress: () => {} }).findings).toEqual([]);
  });
});

test('a database with a row for each record goes into runs', async () => {
  const old = new Database(path, { create: true, strict: true });
  const steps = migrations.findIndex(
    (step) => typeof step === 'string' && step.includes('CREATE TABLE runs'),
  );
  migrate(old, { ledger: new Ledger(old) }, migrations.slice(0, steps));
  const words = new WordTable([[answeredWord, 'answered']]);
  const records = Array.from({ length: 5_000 }, (_, index) =>
    index % 50 === 0 ? aRescue({ at: instant(start + index) }) : aRecord({ at: instant(start + index) }),
  );
  const batch = new RecordPacker(words).pack(records);
  const word = old.query('INSERT OR IGNORE INTO words (id, text) VALUES (?, ?)');
  for (const [id, text] of batch.words) word.run(id, text);
  old.transaction(() =>
    insertRows(old, batch, new Ledger(old).append(new Uint8Array(batch.inputs), batch.count)),
  )();
  old.close();
  const store = await openOrThrow(`sqlite:${path}`);
  expect(await store.countRecords({ hop: 'other_vendor' })).toBe(100);
  const page = await store.listRecords({ hop: 'other_vendor', limit: 1 });
  expect(page.items[0]).toMatchObject({ ...records[4_950], leaf: { index: 4_950 } });
  await store.appendRecords([aRecord({ at: instant(start + 6_000) })]);
  await store.close();
  expect(verifyStore(path, { notes: [], rows: true, onProgress: () => {} }).findings).toEqual([]);
});
