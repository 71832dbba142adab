/** Records in pages and by every filter; what is erased when its time is over, what a hold keeps. */
import { describe, expect, test } from 'bun:test';

import { incidentId, instant, keyId } from '../../src/core/ids.ts';
import type { Change, RequestRecord } from '../../src/core/record.ts';
import type { Hit } from '../../src/core/incident-hits.ts';
import { pageSizeMax } from '../../src/store/store.ts';
import type { RecordFilter } from '../../src/store/store.ts';
import {
  aChange,
  aHold,
  anAttempt,
  aRecord,
  aRescue,
  gpt,
  heldScope,
  opus,
  start,
} from '../record-fixture.ts';
import type { Given } from './fixture.ts';

export function listingConforms(given: Given): void {
  describe('listing records', () => {
    const rescue = aRescue({ at: instant(start + 1_000), user: 'u2' });
    const plain = aRecord({ at: instant(start + 2_000), tenant: 'other', key: keyId('key_2') });
    const cut = aRecord({
      at: instant(start + 3_000),
      feature: 'chat',
      requested: 'chat',
      outcome: 'partial',
      attempts: [anAttempt({ outcome: 'failed', failure: 'stream_stalled' })],
    });
    const all: readonly RequestRecord[] = [rescue, plain, cut];

    test.each([
      [{}, [cut, plain, rescue]],
      [{ feature: 'chat' }, [cut]],
      [{ target: gpt }, [rescue]],
      [{ attempted: gpt }, [rescue]],
      [{ attempted: opus }, [cut, plain, rescue]],
      [{ attempted: 'claude-opus-4-8' }, []],
      [{ requested: 'chat' }, [cut]],
      [{ hop: 'other_vendor' }, [rescue]],
      [{ boundary: 'retention' }, [rescue]],
      [{ boundary: 'region' }, []],
      [{ boundary: 'none' }, [cut, plain]],
      [{ failure: 'server_error' }, [rescue]],
      [{ failure: 'server' }, []],
      [{ failure: 'stream_stalled', target: opus }, [cut]],
      [{ outcome: 'partial' }, [cut]],
      [{ outcome: 'answered' }, [plain, rescue]],
      [{ tenant: 'other' }, [plain]],
      [{ user: 'u2' }, [rescue]],
      [{ key: 'key_2' }, [plain]],
      [{ since: instant(start + 2_000) }, [cut, plain]],
      [{ until: instant(start + 2_000) }, [rescue]],
      [{ since: instant(start + 1_001), until: instant(start + 3_000) }, [plain]],
      [{ tenant: 'acme', outcome: 'answered', hop: 'other_vendor', since: start }, [rescue]],
    ] as [Omit<RecordFilter, 'limit'>, RequestRecord[]][])('%j', async (filter, expected) => {
      await given.store.appendRecords(all);
      expect(await given.idsOf(filter)).toEqual(expected.map(({ id }) => id));
    });

    test('pages hold still while records arrive', async () => {
      const older = Array.from({ length: 25 }, (_, index) => aRecord({ at: instant(start + index) }));
      await given.store.appendRecords(older);
      const seen: string[] = [];
      let cursor: string | null = null;
      for (let pages = 0; pages < 4 && (pages === 0 || cursor !== null); pages++) {
        const page = await given.store.listRecords({ limit: 10, ...(cursor === null ? {} : { cursor }) });
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
        await given.store.appendRecords([aRecord({ at: instant(start + 1_000 + pages) })]);
      }
      expect(cursor).toBeNull();
      expect(seen).toEqual(older.map(({ id }) => id).toReversed());
    });

    test('no page is larger than agreed', async () => {
      await given.store.appendRecords(Array.from({ length: pageSizeMax + 1 }, () => aRecord()));
      const page = await given.store.listRecords({ limit: 1_000_000 });
      expect(page.items).toHaveLength(pageSizeMax);
      expect(page.nextCursor).toBe(page.items.at(-1)?.id ?? '');
    });

    test('a page that ends exactly has no next', async () => {
      await given.store.appendRecords(all);
      expect((await given.store.listRecords({ limit: 3 })).nextCursor).toBeNull();
      expect((await given.store.listRecords({ limit: 2 })).nextCursor).toBe(plain.id);
    });

    test('records whose time is over are erased, the oldest first, so many at a time; which they were is written down', async () => {
      await given.store.appendRecords(all);
      const over = [{ dataClass: null, before: instant(start + 3_000) }];
      const change = (): Change => aChange({ kind: 'records.expired', after: null });
      expect(await given.store.expire(over, 1, change())).toBe(1);
      expect(await given.idsOf({})).toEqual([cut.id, plain.id]);
      expect(await given.store.expire(over, 100, change())).toBe(1);
      expect(await given.store.expire(over, 100, change())).toBe(0);
      expect(await given.idsOf({})).toEqual([cut.id]);
      const changes = (await given.store.listChanges(null, 10)).items.map(({ after }) => after);
      expect(changes).toEqual([
        { records: 1, leaves: [[1, 1]] },
        { records: 1, leaves: [[0, 0]] },
      ]);
    });

    test('a class may have a time of its own, longer or shorter', async () => {
      const kept = aRecord({ dataClass: 'long', at: instant(start + 1) });
      const gone = aRecord({ dataClass: 'short', at: instant(start + 2) });
      const other = aRecord({ dataClass: null, at: instant(start + 3) });
      await given.store.appendRecords([kept, gone, other]);
      const change = aChange({ kind: 'records.expired' });
      const over = (dataClass: string | null, before: number) => ({ dataClass, before: instant(before) });
      expect(await given.store.expire([over('short', start + 9), over('long', start)], 10, change)).toBe(1);
      expect(await given.idsOf({})).toEqual([other.id, kept.id]);
      const later = aChange({ kind: 'records.expired' });
      expect(await given.store.expire([over(null, start + 9), over('long', start)], 10, later)).toBe(1);
      expect(await given.idsOf({})).toEqual([kept.id]);
    });

    test.each([
      ['a tenant', { tenant: 'other' }, ['other']],
      ['a user', { user: 'u7' }, ['user']],
      ['a tenant and a user: both', { tenant: 'other', user: 'u7' }, []],
      ['a span of time', { since: instant(start + 20), until: instant(start + 30) }, ['time']],
      ['the rest of time', { since: instant(start + 20) }, ['time', 'hit']],
      ['an incident', { incident: incidentId('inc_1') }, ['hit']],
    ] as const)('a hold on %s keeps what it covers until it is released', async (_what, scope, names) => {
      const records = {
        plain: aRecord({ at: instant(start + 1) }),
        other: aRecord({ at: instant(start + 2), tenant: 'other' }),
        user: aRecord({ at: instant(start + 3), user: 'u7' }),
        nobody: aRecord({ at: instant(start + 4), user: null, tenant: null }),
        time: aRecord({ at: instant(start + 25) }),
        hit: aRecord({ at: instant(start + 40) }),
      };
      await given.store.appendRecords(Object.values(records));
      const hit: Hit = {
        incident: incidentId('inc_1'),
        request: records.hit.id,
        at: records.hit.at,
        feature: 'notes',
        preferred: opus,
        how: 'failed',
        served: null,
        leftTo: [],
      };
      await given.store.addHits([hit]);
      const hold = aHold({ scope: { ...heldScope, ...scope } });
      await given.store.insertHold(hold, aChange({ kind: 'hold.placed' }));
      const over = [{ dataClass: null, before: instant(start + 100) }];
      const expire = (): Promise<number> =>
        given.store.expire(over, 100, aChange({ kind: 'records.expired' }));
      expect(await expire()).toBe(6 - names.length);
      expect(await expire()).toBe(0);
      expect((await given.idsOf({})).toReversed()).toEqual(names.map((name) => records[name].id));
      const released = { ...hold, release: { at: start, by: 'kim', reason: 'it is over' } };
      expect(await given.store.releaseHold(released, aChange({ kind: 'hold.released' }))).toBe(true);
      expect(await given.store.releaseHold(released, aChange({ kind: 'hold.released' }))).toBe(false);
      expect(await expire()).toBe(names.length);
      expect([await given.store.loadHolds(), (await given.store.listHolds(null, 10)).items]).toEqual([
        [],
        [released],
      ]);
    });

    test('one record under hold keeps all of a user, and says which hold', async () => {
      await given.store.appendRecords(all);
      const hold = aHold({ scope: { ...heldScope, since: instant(0) } });
      await given.store.insertHold(hold, aChange({ kind: 'hold.placed' }));
      const elsewhere = aHold({ scope: { ...heldScope, user: 'u1' } });
      await given.store.insertHold(elsewhere, aChange({ kind: 'hold.placed' }));
      const change = aChange({ kind: 'records.erased' });
      expect(await given.store.eraseUser('u2', change)).toEqual({ kind: 'held', holds: [hold.id] });
      expect(await given.idsOf({ user: 'u2' })).toHaveLength(1);
      expect((await given.store.listChanges(null, 10)).items.map(({ kind }) => kind)).not.toContain(
        change.kind,
      );
    });

    test('the records of one user are erased; the tree stands, and their leaves are known', async () => {
      await given.store.appendRecords(all);
      const before = await given.store.treeHead();
      expect(await given.store.eraseUser('u2', aChange({ kind: 'records.erased' }))).toEqual({
        kind: 'erased',
        records: 1,
      });
      expect(await given.idsOf({})).toEqual([cut.id, plain.id]);
      expect(await given.store.findRecord(rescue.id)).toBeNull();
      expect(await given.idsOf({ user: 'u2' })).toEqual([]);
      expect(await given.store.rootAt(3)).toBe(before.root);
      expect(await given.store.leafOf(rescue.id)).toMatchObject({ index: 0, text: null });
      expect(await given.store.eraseUser('u2', aChange())).toEqual({ kind: 'erased', records: 0 });
    });
  });
}
