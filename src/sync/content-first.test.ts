import { describe, expect, test } from 'bun:test';

import { aRecord, plainPacking } from '../../test/record-fixture.ts';
import type { RequestRecord } from '../core/record.ts';
import type { PackedRecords } from '../store/store.ts';
import { contentFirst } from './content-first.ts';
import { createRecordPump } from './push-records.ts';

/** A pump on a store that only remembers, and content that is kept when the test says so. */
function pumpWith(keeping: Promise<boolean> | null) {
  const written: RequestRecord[] = [];
  const appendRecords = (records: readonly RequestRecord[]): Promise<void> => {
    written.push(...records);
    return Promise.resolve();
  };
  const store = {
    appendRecords,
    appendPacked: (packed: PackedRecords) => appendRecords(packed.records()),
    packRecords: plainPacking,
  };
  const inner = createRecordPump({ store, lingerMs: 1, onTrouble: () => {} });
  return { written, pump: contentFirst(inner, () => keeping) };
}

describe('a record of a captured request', () => {
  test('is written after its content, and whoever waits for records waits for it', async () => {
    const content = Promise.withResolvers<boolean>();
    const { pump, written } = pumpWith(content.promise);
    const [plain, captured] = [aRecord(), aRecord({ captured: 'whole' })];
    pump.push(captured);
    await pump.durable(plain);
    expect(written).toEqual([plain]);
    expect(pump.counts()).toMatchObject({ pending: 1 });
    const flushed = pump.flush();
    content.resolve(true);
    await flushed;
    expect(written).toEqual([plain, captured]);
    expect(pump.counts()).toMatchObject({ pending: 0, written: 2 });
  });

  test('says that its content is lost where it could not be kept', async () => {
    const { pump, written } = pumpWith(Promise.resolve(false));
    const record = aRecord({ captured: 'cut' });
    expect(await pump.durable(record)).toBe(true);
    expect(written).toEqual([{ ...record, captured: 'lost' }]);
  });

  test('is written as it is where nothing is on its way', async () => {
    const { pump, written } = pumpWith(null);
    const record = aRecord({ captured: 'whole' });
    await pump.durable(record);
    expect(written).toEqual([record]);
  });

  test('is not forgotten at the end when its content does not come', async () => {
    const { pump, written } = pumpWith(new Promise(() => {}));
    const record = aRecord({ captured: 'whole' });
    pump.push(record);
    await pump.stop(1);
    expect(pump.counts()).toMatchObject({ pending: 0, dropped: 0 });
    expect(written).toEqual([{ ...record, captured: 'lost' }]);
  });
});
