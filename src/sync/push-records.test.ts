import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { aRecord, plainPacking } from '../../test/record-fixture.ts';
import type { RequestRecord } from '../core/record.ts';
import type { PackedRecords } from '../store/store.ts';
import { createRecordPump } from './push-records.ts';
import type { RecordPumpOptions, RecordTrouble } from './push-records.ts';
import { openSpool } from './spool.ts';

/** A store that fails as many times as told, and can be made to hang. */
class FakeStore {
  readonly batches: (readonly RequestRecord[])[] = [];
  failures = 0;
  calls = 0;
  hold: Promise<void> | null = null;

  readonly packRecords = plainPacking;

  appendPacked(packed: PackedRecords): Promise<void> {
    return this.appendRecords(packed.records());
  }

  async appendRecords(records: readonly RequestRecord[]): Promise<void> {
    this.calls++;
    if (this.hold !== null) await this.hold;
    if (this.failures > 0) {
      this.failures--;
      throw new Error('disk full');
    }
    this.batches.push(records);
  }

  get ids(): readonly string[] {
    return this.batches.flat().map(({ id }) => id);
  }
}

const records = (count: number): RequestRecord[] => Array.from({ length: count }, () => aRecord());

function pumpOn(store: FakeStore, options: Partial<RecordPumpOptions> = {}) {
  const troubles: RecordTrouble[] = [];
  const pump = createRecordPump({
    store,
    lingerMs: 1,
    onTrouble: (trouble) => troubles.push(trouble),
    ...options,
  });
  return { pump, troubles };
}

describe('record pump', () => {
  test('writes everything, in order, in batches no larger than agreed', async () => {
    const store = new FakeStore();
    const { pump } = pumpOn(store, { batchMax: 4 });
    const pushed = records(10);
    for (const record of pushed) pump.push(record);
    expect(pump.counts()).toMatchObject({ pending: 10, written: 0, dropped: 0 });
    await pump.flush();
    expect(store.batches.map((batch) => batch.length)).toEqual([4, 4, 2]);
    expect(store.ids).toEqual(pushed.map(({ id }) => id));
    expect(pump.counts()).toMatchObject({ pending: 0, written: 10, dropped: 0 });
  });

  test('a batch that is not full waits for company; a full one does not', async () => {
    const store = new FakeStore();
    const { pump } = pumpOn(store, { batchMax: 3, lingerMs: 1_000_000 });
    for (const record of records(2)) pump.push(record);
    await Bun.sleep(0);
    expect(store.calls).toBe(0);
    pump.push(aRecord());
    await Bun.sleep(0);
    expect(store.batches.map((batch) => batch.length)).toEqual([3]);
  });

  test('flush waits for what was pushed before it, not for what comes after', async () => {
    const store = new FakeStore();
    let more = 1_000;
    const { pump } = pumpOn(store, { batchMax: 1 });
    const append = store.appendRecords.bind(store);
    store.appendRecords = (batch) => {
      if (more-- > 0) pump.push(aRecord());
      return append(batch);
    };
    const [first] = records(1) as [RequestRecord];
    pump.push(first);
    await pump.flush();
    expect(store.ids[0]).toBe(first.id);
    expect(store.ids.length).toBeLessThan(10);
    expect(pump.counts().pending).toBeGreaterThan(0);
    more = 0;
    await pump.flush();
    expect(pump.counts().pending).toBe(0);
  });

  test('a failing store is tried again with the same records, and the order is kept', async () => {
    const store = new FakeStore();
    store.failures = 1;
    const { pump, troubles } = pumpOn(store, { batchMax: 2 });
    const pushed = records(4);
    for (const record of pushed) pump.push(record);
    await pump.flush();
    expect(store.ids).toEqual(pushed.map(({ id }) => id));
    expect(troubles).toEqual([{ kind: 'store_failed', count: 2 }]);
    expect(pump.isFailing()).toBe(false);
  });

  test('records that arrive do not shorten the wait before a store is tried again', async () => {
    const store = new FakeStore();
    store.failures = 1_000_000;
    const { pump } = pumpOn(store, { batchMax: 1 });
    pump.push(aRecord());
    await Bun.sleep(0);
    for (const record of records(200)) {
      pump.push(record);
      await Promise.resolve();
    }
    expect(store.calls).toBe(1);
    await pump.stop(0);
  });

  test('a full queue drops and says so: at once, then together', async () => {
    const store = new FakeStore();
    const { promise, resolve } = Promise.withResolvers<void>();
    store.hold = promise;
    const { pump, troubles } = pumpOn(store, { batchMax: 2, pendingMax: 4 });
    for (const record of records(10)) pump.push(record);
    expect(pump.counts()).toMatchObject({ pending: 4, written: 0, dropped: 6 });
    expect(troubles).toEqual([{ kind: 'dropped', count: 1 }]);
    resolve();
    await pump.flush();
    expect(troubles).toEqual([
      { kind: 'dropped', count: 1 },
      { kind: 'dropped', count: 5 },
    ]);
    expect(pump.counts()).toMatchObject({ pending: 0, written: 4, dropped: 6 });
  });

  test('stop writes what is left', async () => {
    const store = new FakeStore();
    const { pump } = pumpOn(store, { lingerMs: 1_000_000 });
    for (const record of records(3)) pump.push(record);
    await pump.stop(1_000);
    expect(pump.counts()).toMatchObject({ pending: 0, written: 3, dropped: 0 });
  });

  test('stop does not wait for a store that hangs; what was not tried is counted as lost', async () => {
    const store = new FakeStore();
    store.hold = new Promise(() => {});
    const { pump, troubles } = pumpOn(store, { batchMax: 1 });
    for (const record of records(3)) pump.push(record);
    await pump.stop(1);
    expect(pump.counts()).toMatchObject({ pending: 1, written: 0, dropped: 2 });
    expect(troubles).toEqual([{ kind: 'dropped', count: 2 }]);
    pump.push(aRecord());
    expect(pump.counts().dropped).toBe(3);
  });

  test('stop gives a failing store one more try', async () => {
    const store = new FakeStore();
    store.failures = 1_000_000;
    const { pump } = pumpOn(store, { batchMax: 1 });
    pump.push(aRecord());
    await pump.stop(1);
    await Bun.sleep(0);
    expect(pump.counts()).toMatchObject({ pending: 0, written: 0, dropped: 1 });
  });

  test('who waits is told when the record is on disk, together with those of the same batch', async () => {
    const store = new FakeStore();
    const { pump } = pumpOn(store, { lingerMs: 1_000_000 });
    const kept = await Promise.all(records(5).map((record) => pump.durable(record)));
    expect(kept).toEqual([true, true, true, true, true]);
    expect(store.batches.map((batch) => batch.length)).toEqual([5]);
  });

  test.each([
    ['many wait: the next batch gathers more of them', 8, [8, 2]],
    ['few wait: the next batch goes at once', 7, [7, 1, 1]],
  ])('%s', async (_name, count, sizes) => {
    const store = new FakeStore();
    const { promise, resolve } = Promise.withResolvers<void>();
    store.hold = promise;
    const { pump } = pumpOn(store);
    const first = records(count).map((record) => pump.durable(record));
    await Bun.sleep(0);
    const second = pump.durable(aRecord());
    resolve();
    await Promise.all(first);
    const third = pump.durable(aRecord());
    await Promise.all([second, third]);
    expect(store.batches.map((batch) => batch.length)).toEqual(sizes);
  });

  test('who waits for a record that is lost is told so', async () => {
    const store = new FakeStore();
    store.failures = 1_000_000;
    const { pump } = pumpOn(store, { pendingMax: 1 });
    const first = pump.durable(aRecord());
    expect(await pump.durable(aRecord())).toBe(false);
    await pump.stop(1);
    expect(await first).toBe(false);
  });
});

describe('with a spool', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'breakwater-spool-'));
    path = join(folder, 'x.spool');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const until = async (isSo: () => boolean): Promise<void> => {
    for (let tries = 0; tries < 2_000 && !isSo(); tries++) await Bun.sleep(5);
    expect(isSo()).toBe(true);
  };

  test('a failing store is passed by, and caught up with when it is back', async () => {
    const store = new FakeStore();
    store.failures = 4;
    const { spool } = await openSpool(path, 1_000_000);
    const { pump, troubles } = pumpOn(store, { spool });
    const pushed = records(3);
    expect(await Promise.all(pushed.map((record) => pump.durable(record)))).toEqual([true, true, true]);
    expect(pump.counts()).toMatchObject({ written: 0, spooled: 3, dropped: 0 });
    expect([pump.accepts(), pump.isFailing()]).toEqual([true, true]);
    await until(() => pump.counts().spooled === 0 && troubles.length === 2);
    expect(store.ids).toEqual(pushed.map(({ id }) => id));
    expect(troubles.map(({ kind }) => kind)).toEqual(['store_failed', 'caught_up']);
    expect(pump.isFailing()).toBe(false);
    expect(statSync(path).size).toBe(0);
    await pump.stop(1);
  });

  test('a store that hangs is passed by', async () => {
    const store = new FakeStore();
    store.hold = new Promise(() => {});
    const { spool } = await openSpool(path, 1_000_000);
    const { pump, troubles } = pumpOn(store, { spool, slowMs: 1 });
    expect(await pump.durable(aRecord())).toBe(true);
    expect(troubles[0]).toEqual({ kind: 'store_slow', count: 1 });
    expect(pump.counts()).toMatchObject({ spooled: 1 });
    await pump.stop(1);
  });

  test('when the spool is full too, new work is not taken; it is again when the store is back', async () => {
    const store = new FakeStore();
    store.failures = 1_000_000;
    const { spool } = await openSpool(path, 10);
    const { pump, troubles } = pumpOn(store, { spool });
    const kept = pump.durable(aRecord());
    await until(() => !pump.accepts());
    expect(troubles.map(({ kind }) => kind)).toContain('spool_full');
    store.failures = 0;
    expect(await kept).toBe(true);
    expect(pump.accepts()).toBe(true);
    await pump.stop(1);
  });

  test('what was spooled by a process that died goes to the store when the next one starts', async () => {
    const first = await openSpool(path, 1_000_000);
    const left = records(5);
    await first.spool.append(left.slice(0, 2));
    await first.spool.append(left.slice(2));
    await first.spool.close();
    const store = new FakeStore();
    const { spool, found } = await openSpool(path, 1_000_000);
    expect(found).toEqual({ records: 5, cutBytes: 0 });
    const { pump } = pumpOn(store, { spool });
    await until(() => pump.counts().spooled === 0);
    expect(store.batches).toEqual([left.slice(0, 2), left.slice(2)]);
    await pump.stop(1);
  });

  test('a batch that was cut is taken off, wherever it was cut; whole ones stay', async () => {
    const first = await openSpool(path, 1_000_000);
    await first.spool.append(records(2));
    const whole = statSync(path).size;
    await first.spool.append(records(3));
    await first.spool.close();
    const bytes = readFileSync(path);
    for (let size = whole; size < bytes.length; size += 7) {
      writeFileSync(path, bytes.subarray(0, size));
      const { spool, found } = await openSpool(path, 1_000_000);
      expect(found).toEqual({ records: 2, cutBytes: size - whole });
      await spool.close();
      expect(statSync(path).size).toBe(whole);
    }
  });

  test('a byte that was turned over is found by its checksum', async () => {
    const first = await openSpool(path, 1_000_000);
    await first.spool.append(records(2));
    await first.spool.close();
    const bytes = readFileSync(path);
    const last = bytes.length - 1;
    bytes[last] = (bytes[last] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const { spool, found } = await openSpool(path, 1_000_000);
    expect(found).toEqual({ records: 0, cutBytes: bytes.length });
    await spool.close();
  });

  test('stopping while the store is away leaves the rest in the spool', async () => {
    const store = new FakeStore();
    store.hold = new Promise(() => {});
    const { spool } = await openSpool(path, 1_000_000);
    const { pump } = pumpOn(store, { spool, slowMs: 1_000_000, batchMax: 1 });
    for (const record of records(3)) pump.push(record);
    await pump.stop(1);
    expect(pump.counts()).toMatchObject({ spooled: 2, dropped: 0 });
  });
});
