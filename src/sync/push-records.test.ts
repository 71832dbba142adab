import { describe, expect, test } from 'bun:test';

import { aRecord } from '../../test/record-fixture.ts';
import type { RequestRecord } from '../core/record.ts';
import { createRecordPump } from './push-records.ts';
import type { RecordPumpOptions, RecordTrouble } from './push-records.ts';

/** A store that fails as many times as told, and can be made to hang. */
class FakeStore {
  readonly batches: (readonly RequestRecord[])[] = [];
  failures = 0;
  calls = 0;
  hold: Promise<void> | null = null;

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
    expect(pump.counts()).toEqual({ pending: 10, written: 0, dropped: 0 });
    await pump.flush();
    expect(store.batches.map((batch) => batch.length)).toEqual([4, 4, 2]);
    expect(store.ids).toEqual(pushed.map(({ id }) => id));
    expect(pump.counts()).toEqual({ pending: 0, written: 10, dropped: 0 });
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
    expect(pump.counts()).toEqual({ pending: 4, written: 0, dropped: 6 });
    expect(troubles).toEqual([{ kind: 'dropped', count: 1 }]);
    resolve();
    await pump.flush();
    expect(troubles).toEqual([
      { kind: 'dropped', count: 1 },
      { kind: 'dropped', count: 5 },
    ]);
    expect(pump.counts()).toEqual({ pending: 0, written: 4, dropped: 6 });
  });

  test('stop writes what is left', async () => {
    const store = new FakeStore();
    const { pump } = pumpOn(store, { lingerMs: 1_000_000 });
    for (const record of records(3)) pump.push(record);
    await pump.stop(1_000);
    expect(pump.counts()).toEqual({ pending: 0, written: 3, dropped: 0 });
  });

  test('stop does not wait for a store that hangs; what was not tried is counted as lost', async () => {
    const store = new FakeStore();
    store.hold = new Promise(() => {});
    const { pump, troubles } = pumpOn(store, { batchMax: 1 });
    for (const record of records(3)) pump.push(record);
    await pump.stop(1);
    expect(pump.counts()).toEqual({ pending: 1, written: 0, dropped: 2 });
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
    expect(pump.counts()).toEqual({ pending: 0, written: 0, dropped: 1 });
  });
});
