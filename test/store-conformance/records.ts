/** Records come back, are counted and found; each once. */
import { describe, expect, test } from 'bun:test';

import { collectStatistics } from '../../src/control/statistics.ts';
import { instant } from '../../src/core/ids.ts';
import { aRecord, aRescue, gpt, opus, start } from '../record-fixture.ts';
import type { Given } from './fixture.ts';

export function recordsConform(given: Given): void {
  describe('records', () => {
    test('come back as they went in, also after a restart', async () => {
      const records = [aRecord(), aRescue(), aRecord({ tenant: null, key: null, user: null, attempts: [] })];
      await given.store.appendRecords(records);
      await given.reopen();
      for (const record of records) expect(await given.store.findRecord(record.id)).toMatchObject(record);
      expect(await given.store.findRecord('req_none')).toBeNull();
    });

    test('the same id twice is written once, and the first stays', async () => {
      const record = aRecord();
      await given.store.appendRecords([record]);
      await given.store.appendRecords([{ ...record, finish: 'other' }, aRecord()]);
      expect(await given.store.findRecord(record.id)).toMatchObject(record);
      expect(await given.idsOf({})).toHaveLength(2);
    });

    test('are found by why the preferred target did not answer', async () => {
      const rescued = aRescue();
      await given.store.appendRecords([aRecord(), rescued, aRescue({ fallback: 'overloaded' })]);
      expect(await given.idsOf({ fallback: 'server_error' })).toEqual([rescued.id]);
      expect(await given.idsOf({ fallback: 'rate_limited' })).toEqual([]);
    });

    test('are counted by two of their properties, part by part', async () => {
      const many = Array.from({ length: 20_000 }, (_, index) =>
        index % 10 === 0 ? aRescue({ tenant: `t${index % 3}` }) : aRecord({ tenant: `t${index % 3}` }),
      );
      for (let from = 0; from < many.length; from += 2_000)
        await given.store.appendRecords(many.slice(from, from + 2_000));
      const found = await collectStatistics(['target', 'tenant'], {}, given.store);
      expect(found).toMatchObject({ records: many.length, isCut: false });
      expect(found.groups).toHaveLength(6);
      const expected = many.filter(({ served, tenant }) => served === gpt && tenant === 't1').length;
      expect(found.groups.find(({ values }) => values[0] === gpt && values[1] === 't1')?.tally).toMatchObject(
        { requests: expected, rescued: expected },
      );
      const first = await given.store.tallyRecords({ by: ['feature'], filter: {}, below: null });
      expect(first.below).not.toBeNull();
    });

    test('are counted as the filter says, under each of several values', async () => {
      await given.store.appendRecords([
        aRecord({ user: 'ann' }),
        aRescue({ user: 'ann' }),
        aRescue({ user: 'bob', at: instant(start + 3_600_000) }),
      ]);
      const count = async (
        ...asked: Parameters<typeof collectStatistics> extends [...infer A, unknown] ? A : never
      ) =>
        Object.fromEntries(
          (await collectStatistics(...asked, given.store)).groups.map(({ values, tally }) => [
            values.join(' '),
            tally.requests,
          ]),
        );
      expect(await count(['attempted'], { user: 'ann' })).toEqual({ [opus]: 2, [gpt]: 1 });
      expect(await count(['failure', 'model'], {})).toEqual({
        '(none) claude-opus-4-8': 1,
        'server_error gpt-5.2': 2,
      });
      expect(await count(['hour'], { hop: 'other_vendor' })).toEqual({
        '2026-06-07T09:00Z': 1,
        '2026-06-07T10:00Z': 1,
      });
      expect(await count(['provider'], { tenant: 'nobody' })).toEqual({});
    });

    test('an empty batch is nothing', async () => {
      await given.store.appendRecords([]);
      expect(await given.idsOf({})).toEqual([]);
    });

    test('strange text is text', async () => {
      const strange = `'; DROP TABLE records; -- "%_\\| 雪🙂`;
      const record = aRecord({ user: strange, requested: strange, feature: strange });
      await given.store.appendRecords([record, aRecord({ user: 'x' })]);
      expect(await given.store.findRecord(record.id)).toMatchObject(record);
      for (const filter of [{ user: strange }, { requested: strange }, { feature: strange }])
        expect(await given.idsOf(filter)).toEqual([record.id]);
      expect(await given.idsOf({ failure: '%' })).toEqual([]);
    });
  });
}
