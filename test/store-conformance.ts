/** What every database behind the store's port must do. A new one is added by calling this with a way to open it. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';

import { collectStatistics } from '../src/control/statistics.ts';
import type { Delivery } from '../src/core/delivery.ts';
import type { ConsentGrant } from '../src/core/consent.ts';
import { incidentId, instant, keyId, switchId, targetName } from '../src/core/ids.ts';
import type { TargetName } from '../src/core/ids.ts';
import { hashLeaf, verifyConsistency, verifyInclusion } from '../src/core/merkle.ts';
import type { Hash } from '../src/core/merkle.ts';
import type { Change, RequestRecord } from '../src/core/record.ts';
import { sha256 } from '../src/store/ledger.ts';
import type { Incident } from '../src/core/incident.ts';
import type { Hit } from '../src/core/incident-hits.ts';
import type { FeatureStatus } from '../src/core/status.ts';
import type { StatusInterval } from '../src/core/status-history.ts';
import { pageSizeMax } from '../src/store/store.ts';
import type { IncidentWrite, RecordFilter, Store, StoredGate } from '../src/store/store.ts';
import { aDelivery, aBulletin } from './told-fixture.ts';
import {
  aChange,
  aHold,
  aKey,
  anAttempt,
  anIncident,
  aRecord,
  aRequestId,
  aRescue,
  aSwitch,
  gpt,
  heldScope,
  opus,
  start,
} from './record-fixture.ts';

export type OpenedForTest = {
  readonly store: Store;
  /** Closes the store and opens it again on the same data. */
  readonly reopen: () => Promise<Store>;
  readonly remove: () => Promise<void>;
};

/** Not `expect().rejects`: it stops the thread, and with it the messages of the worker that it waits for. */
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

function conformance(open: () => Promise<OpenedForTest>): void {
  let opened: OpenedForTest;
  let store: Store;
  beforeEach(async () => {
    opened = await open();
    ({ store } = opened);
  });
  afterEach(() => opened.remove());

  const idsOf = async (filter: Omit<RecordFilter, 'limit'>): Promise<readonly string[]> =>
    (await store.listRecords({ ...filter, limit: pageSizeMax })).items.map(({ id }) => id);
  const changeKinds = async (): Promise<readonly string[]> =>
    (await store.listChanges(null, pageSizeMax)).items.map(({ kind }) => kind);

  describe('records', () => {
    test('come back as they went in, also after a restart', async () => {
      const records = [aRecord(), aRescue(), aRecord({ tenant: null, key: null, user: null, attempts: [] })];
      await store.appendRecords(records);
      store = await opened.reopen();
      for (const record of records) expect(await store.findRecord(record.id)).toMatchObject(record);
      expect(await store.findRecord('req_none')).toBeNull();
    });

    test('the same id twice is written once, and the first stays', async () => {
      const record = aRecord();
      await store.appendRecords([record]);
      await store.appendRecords([{ ...record, finish: 'other' }, aRecord()]);
      expect(await store.findRecord(record.id)).toMatchObject(record);
      expect(await idsOf({})).toHaveLength(2);
    });

    test('are found by why the preferred target did not answer', async () => {
      const rescued = aRescue();
      await store.appendRecords([aRecord(), rescued, aRescue({ fallback: 'overloaded' })]);
      expect(await idsOf({ fallback: 'server_error' })).toEqual([rescued.id]);
      expect(await idsOf({ fallback: 'rate_limited' })).toEqual([]);
    });

    test('are counted by two of their properties, part by part', async () => {
      const many = Array.from({ length: 20_000 }, (_, index) =>
        index % 10 === 0 ? aRescue({ tenant: `t${index % 3}` }) : aRecord({ tenant: `t${index % 3}` }),
      );
      for (let from = 0; from < many.length; from += 2_000)
        await store.appendRecords(many.slice(from, from + 2_000));
      const found = await collectStatistics(['target', 'tenant'], {}, store);
      expect(found).toMatchObject({ records: many.length, isCut: false });
      expect(found.groups).toHaveLength(6);
      const expected = many.filter(({ served, tenant }) => served === gpt && tenant === 't1').length;
      expect(found.groups.find(({ values }) => values[0] === gpt && values[1] === 't1')?.tally).toMatchObject(
        { requests: expected, rescued: expected },
      );
      const first = await store.tallyRecords({ by: ['feature'], filter: {}, below: null });
      expect(first.below).not.toBeNull();
    });

    test('are counted as the filter says, under each of several values', async () => {
      await store.appendRecords([
        aRecord({ user: 'ann' }),
        aRescue({ user: 'ann' }),
        aRescue({ user: 'bob', at: instant(start + 3_600_000) }),
      ]);
      const count = async (
        ...asked: Parameters<typeof collectStatistics> extends [...infer A, unknown] ? A : never
      ) =>
        Object.fromEntries(
          (await collectStatistics(...asked, store)).groups.map(({ values, tally }) => [
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
      await store.appendRecords([]);
      expect(await idsOf({})).toEqual([]);
    });

    test('strange text is text', async () => {
      const strange = `'; DROP TABLE records; -- "%_\\| 雪🙂`;
      const record = aRecord({ user: strange, requested: strange, feature: strange });
      await store.appendRecords([record, aRecord({ user: 'x' })]);
      expect(await store.findRecord(record.id)).toMatchObject(record);
      for (const filter of [{ user: strange }, { requested: strange }, { feature: strange }])
        expect(await idsOf(filter)).toEqual([record.id]);
      expect(await idsOf({ failure: '%' })).toEqual([]);
    });
  });

  describe('incidents', () => {
    const one = anIncident();
    const hit = (record: RequestRecord, incident = one.incident.id): Hit => ({
      incident,
      request: record.id,
      at: record.at,
      feature: record.feature,
      preferred: opus,
      how: 'rescued',
      served: gpt,
      leftTo: ['OpenAI', 'Other'],
    });

    test('come back as they went in, with their timeline and their change, also after a restart', async () => {
      expect(await store.saveIncidents([one], aChange({ kind: 'incident.opened' }))).toBe(true);
      store = await opened.reopen();
      expect(await store.findIncident(one.incident.id)).toEqual(one.incident);
      expect(await store.timeline(one.incident.id)).toEqual(one.entries);
      expect(await store.findIncident('inc_none')).toBeNull();
      expect(await changeKinds()).toContain('incident.opened');
    });

    test('a step from a revision that is over changes nothing, of it or of the other in the same step', async () => {
      await store.saveIncidents([one], aChange());
      const stale = { ...one, from: 7, incident: { ...one.incident, rev: 8 } };
      const other = anIncident();
      expect(await store.saveIncidents([other, stale], aChange({ kind: 'incident.merged' }))).toBe(false);
      expect(await store.findIncident(other.incident.id)).toBeNull();
      expect(await changeKinds()).not.toContain('incident.merged');
    });

    test('are listed by state, newest first, in pages', async () => {
      const [first, second, third] = [anIncident(), anIncident({ state: 'resolved' }), anIncident()];
      for (const each of [first, second, third]) await store.saveIncidents([each], aChange());
      const page = await store.listIncidents(['active'], null, 1);
      expect(page.items).toEqual([third.incident]);
      expect((await store.listIncidents(['active'], page.nextCursor, 1)).items).toEqual([first.incident]);
      expect((await store.listIncidents(null, null, 10)).items).toHaveLength(3);
    });

    test('requests come with their records, or later, and each once', async () => {
      const marked = aRescue({ incidents: [one.incident.id] });
      const later = aRescue();
      await store.appendRecords([marked, later, aRecord()]);
      await store.addHits([hit(marked), hit(later)]);
      const { items } = await store.listHits(one.incident.id, {}, null, 10);
      expect(items.map(({ request }) => request)).toEqual([marked.id, later.id]);
      expect(items[1]).toEqual(hit(later));
      expect((await store.incidentsOf([later.id, 'req_none'])).get(later.id)).toEqual([one.incident.id]);
      expect(await idsOf({ incident: one.incident.id })).toEqual([later.id, marked.id]);
      expect(await idsOf({ incident: 'inc_none' })).toEqual([]);
      expect(await store.listHits(one.incident.id, { how: 'failed' }, null, 10)).toMatchObject({ items: [] });
      expect(await store.countHits(one.incident.id)).toContainEqual({
        feature: 'notes',
        how: 'rescued',
        served: gpt,
        leftTo: ['OpenAI', 'Other'],
        count: 1,
        first: marked.at,
        last: marked.at,
      });
      expect(await store.countRecords({ feature: 'notes', since: start, until: instant(start + 1) })).toBe(3);
      const lines = await store.hitLines(one.incident.id, null);
      expect(lines).toEqual({
        text: `${marked.id} rescued\n${later.id} rescued\n`,
        count: 2,
        last: later.id,
      });
      expect(await store.hitLines(one.incident.id, lines.last)).toEqual({ text: '', count: 0, last: null });
      expect(await store.hitLines(one.incident.id, marked.id)).toMatchObject({ count: 1, last: later.id });
    });

    test('are counted as they come, the same twice once', async () => {
      const [early, late] = [aRescue({ at: instant(start + 5) }), aRescue({ at: instant(start + 9) })];
      const nobody = { ...hit(aRescue({ at: start })), how: 'failed', served: null, leftTo: [] } as const;
      await store.addHits([hit(late), nobody]);
      await store.addHits([hit(late), hit(early)]);
      const counts = await store.countHits(one.incident.id);
      const rescued = { feature: 'notes', how: 'rescued', served: gpt, leftTo: ['OpenAI', 'Other'] } as const;
      expect(counts).toHaveLength(2);
      expect(counts).toContainEqual({ ...rescued, count: 2, first: early.at, last: late.at });
      expect(counts).toContainEqual({
        feature: 'notes',
        how: 'failed',
        served: null,
        leftTo: [],
        count: 1,
        first: start,
        last: start,
      });
    });

    test('that take others over take their requests along', async () => {
      const other = anIncident();
      await store.saveIncidents([one], aChange());
      const records = [aRescue(), aRescue({ preferred: gpt })];
      await store.appendRecords(records);
      await store.addHits(records.map((record) => ({ ...hit(record), preferred: record.preferred ?? opus })));
      const taking = { ...other, takes: { from: one.incident.id, preferred: [gpt], at: start } };
      await store.saveIncidents([taking], aChange());
      expect(
        (await store.listHits(other.incident.id, {}, null, 10)).items.map(({ request }) => request),
      ).toEqual([records[1]!.id]);
      expect(
        (await store.listHits(one.incident.id, {}, null, 10)).items.map(({ request }) => request),
      ).toEqual([records[0]!.id]);
      for (const { incident } of [one, other])
        expect((await store.countHits(incident.id)).map(({ count }) => count)).toEqual([1]);
    });

    test('that were reviewed keep the requests they had, until they are opened again', async () => {
      const counts = async (): Promise<number> =>
        (await store.listHits(one.incident.id, {}, null, 10)).items.length;
      const inState = (rev: number, state: Incident['state']): IncidentWrite => ({
        ...one,
        from: rev - 1,
        incident: { ...one.incident, rev, state },
        entries: [],
      });
      await store.saveIncidents([one], aChange());
      await store.addHits([hit(aRescue())]);
      await store.saveIncidents([inState(2, 'reviewed')], aChange());
      await store.addHits([hit(aRescue())]);
      const late = (): Promise<void> => store.appendRecords([aRescue({ incidents: [one.incident.id] })]);
      await late();
      expect(await counts()).toBe(1);
      expect((await store.countHits(one.incident.id)).map(({ count }) => count)).toEqual([1]);
      await store.saveIncidents([inState(3, 'active')], aChange());
      await late();
      expect(await counts()).toBe(2);
    });

    test('that took others over get what was under way then as well, and nothing that was asked later', async () => {
      const [first, second, third] = [one, anIncident(), anIncident()];
      const ofFirst = async (preferred: TargetName, at: number): Promise<Hit> => ({
        ...hit(aRescue({ at: instant(start + at) })),
        incident: first.incident.id,
        preferred,
      });
      const counts = async (): Promise<readonly number[]> =>
        Promise.all(
          [first, second, third].map(async ({ incident }) =>
            (await store.countHits(incident.id)).reduce((sum, { count }) => sum + count, 0),
          ),
        );
      const takes = (from: IncidentWrite, preferred: readonly TargetName[] | null, at: number) => ({
        takes: { from: from.incident.id, preferred, at: instant(start + at) },
      });
      await store.saveIncidents([first, { ...second, ...takes(first, [gpt], 10) }], aChange());
      await store.addHits([await ofFirst(gpt, 9), await ofFirst(opus, 9), await ofFirst(gpt, 11)]);
      expect(await counts()).toEqual([2, 1, 0]);
      await store.saveIncidents([{ ...third, ...takes(second, null, 20) }], aChange());
      await store.addHits([await ofFirst(gpt, 9)]);
      expect(await counts()).toEqual([2, 0, 2]);
      const rev = 2;
      const again = { ...first, from: 1, incident: { ...first.incident, rev }, entries: [] };
      await store.saveIncidents([{ ...again, ...takes(third, null, 30) }], aChange());
      await store.addHits([await ofFirst(gpt, 9)]);
      expect(await counts()).toEqual([5, 0, 0]);
    });
  });

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
      await store.appendRecords(all);
      expect(await idsOf(filter)).toEqual(expected.map(({ id }) => id));
    });

    test('pages hold still while records arrive', async () => {
      const older = Array.from({ length: 25 }, (_, index) => aRecord({ at: instant(start + index) }));
      await store.appendRecords(older);
      const seen: string[] = [];
      let cursor: string | null = null;
      for (let pages = 0; pages < 4 && (pages === 0 || cursor !== null); pages++) {
        const page = await store.listRecords({ limit: 10, ...(cursor === null ? {} : { cursor }) });
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
        await store.appendRecords([aRecord({ at: instant(start + 1_000 + pages) })]);
      }
      expect(cursor).toBeNull();
      expect(seen).toEqual(older.map(({ id }) => id).toReversed());
    });

    test('no page is larger than agreed', async () => {
      await store.appendRecords(Array.from({ length: pageSizeMax + 1 }, () => aRecord()));
      const page = await store.listRecords({ limit: 1_000_000 });
      expect(page.items).toHaveLength(pageSizeMax);
      expect(page.nextCursor).toBe(page.items.at(-1)?.id ?? '');
    });

    test('a page that ends exactly has no next', async () => {
      await store.appendRecords(all);
      expect((await store.listRecords({ limit: 3 })).nextCursor).toBeNull();
      expect((await store.listRecords({ limit: 2 })).nextCursor).toBe(plain.id);
    });

    test('records whose time is over are erased, the oldest first, so many at a time; which they were is written down', async () => {
      await store.appendRecords(all);
      const over = [{ dataClass: null, before: instant(start + 3_000) }];
      const change = (): Change => aChange({ kind: 'records.expired', after: null });
      expect(await store.expire(over, 1, change())).toBe(1);
      expect(await idsOf({})).toEqual([cut.id, plain.id]);
      expect(await store.expire(over, 100, change())).toBe(1);
      expect(await store.expire(over, 100, change())).toBe(0);
      expect(await idsOf({})).toEqual([cut.id]);
      const changes = (await store.listChanges(null, 10)).items.map(({ after }) => after);
      expect(changes).toEqual([
        { records: 1, leaves: [[1, 1]] },
        { records: 1, leaves: [[0, 0]] },
      ]);
    });

    test('a class may have a time of its own, longer or shorter', async () => {
      const kept = aRecord({ dataClass: 'long', at: instant(start + 1) });
      const gone = aRecord({ dataClass: 'short', at: instant(start + 2) });
      const other = aRecord({ dataClass: null, at: instant(start + 3) });
      await store.appendRecords([kept, gone, other]);
      const change = aChange({ kind: 'records.expired' });
      const over = (dataClass: string | null, before: number) => ({ dataClass, before: instant(before) });
      expect(await store.expire([over('short', start + 9), over('long', start)], 10, change)).toBe(1);
      expect(await idsOf({})).toEqual([other.id, kept.id]);
      const later = aChange({ kind: 'records.expired' });
      expect(await store.expire([over(null, start + 9), over('long', start)], 10, later)).toBe(1);
      expect(await idsOf({})).toEqual([kept.id]);
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
      await store.appendRecords(Object.values(records));
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
      await store.addHits([hit]);
      const hold = aHold({ scope: { ...heldScope, ...scope } });
      await store.insertHold(hold, aChange({ kind: 'hold.placed' }));
      const over = [{ dataClass: null, before: instant(start + 100) }];
      const expire = (): Promise<number> => store.expire(over, 100, aChange({ kind: 'records.expired' }));
      expect(await expire()).toBe(6 - names.length);
      expect(await expire()).toBe(0);
      expect((await idsOf({})).toReversed()).toEqual(names.map((name) => records[name].id));
      const released = { ...hold, release: { at: start, by: 'kim', reason: 'it is over' } };
      expect(await store.releaseHold(released, aChange({ kind: 'hold.released' }))).toBe(true);
      expect(await store.releaseHold(released, aChange({ kind: 'hold.released' }))).toBe(false);
      expect(await expire()).toBe(names.length);
      expect([await store.loadHolds(), (await store.listHolds(null, 10)).items]).toEqual([[], [released]]);
    });

    test('one record under hold keeps all of a user, and says which hold', async () => {
      await store.appendRecords(all);
      const hold = aHold({ scope: { ...heldScope, since: instant(0) } });
      await store.insertHold(hold, aChange({ kind: 'hold.placed' }));
      const elsewhere = aHold({ scope: { ...heldScope, user: 'u1' } });
      await store.insertHold(elsewhere, aChange({ kind: 'hold.placed' }));
      const change = aChange({ kind: 'records.erased' });
      expect(await store.eraseUser('u2', change)).toEqual({ kind: 'held', holds: [hold.id] });
      expect(await idsOf({ user: 'u2' })).toHaveLength(1);
      expect((await store.listChanges(null, 10)).items.map(({ kind }) => kind)).not.toContain(change.kind);
    });

    test('the records of one user are erased; the tree stands, and their leaves are known', async () => {
      await store.appendRecords(all);
      const before = await store.treeHead();
      expect(await store.eraseUser('u2', aChange({ kind: 'records.erased' }))).toEqual({
        kind: 'erased',
        records: 1,
      });
      expect(await idsOf({})).toEqual([cut.id, plain.id]);
      expect(await store.findRecord(rescue.id)).toBeNull();
      expect(await idsOf({ user: 'u2' })).toEqual([]);
      expect(await store.rootAt(3)).toBe(before.root);
      expect(await store.leafOf(rescue.id)).toMatchObject({ index: 0, text: null });
      expect(await store.eraseUser('u2', aChange())).toEqual({ kind: 'erased', records: 0 });
    });
  });

  describe('the ledger', () => {
    test('keeps records and changes in one tree, and proves each', async () => {
      const records = Array.from({ length: 600 }, () => aRecord());
      await store.appendRecords(records.slice(0, 300));
      await store.appendChange(aChange());
      const older = await store.treeHead();
      for (const record of records.slice(300)) await store.appendRecords([record]);
      store = await opened.reopen();
      const head = await store.treeHead();
      expect(head.size).toBe(601);
      const leaves = [...(await store.leavesFrom(0, 400)), ...(await store.leavesFrom(400, 400))];
      expect(leaves.map(({ index }) => index)).toEqual(Array.from({ length: 601 }, (_, index) => index));
      const hash = (hex: string): Hash => Uint8Array.fromHex(hex);
      for (const { index, hash: leaf, text } of leaves) {
        expect(hashLeaf(sha256, new TextEncoder().encode(text ?? '')).toHex()).toBe(leaf);
        if (index % 50 !== 0) continue;
        const path = (await store.inclusionPath(index, head.size)).map(hash);
        const given = { leaf: hash(leaf), index, size: head.size, path, root: hash(head.root) };
        expect(verifyInclusion(sha256, given)).toBe(true);
      }
      const path = (await store.consistencyPath(older.size, head.size)).map(hash);
      const sizes = { from: older.size, to: head.size, path };
      expect(
        verifyConsistency(sha256, { ...sizes, fromRoot: hash(older.root), toRoot: hash(head.root) }),
      ).toBe(true);
      expect(await store.rootAt(older.size)).toBe(older.root);
      expect(await store.rootAt(602)).toBeNull();
    });

    test('checkpoints are kept, newest first, one for each size', async () => {
      for (const size of [1, 5, 3]) await store.saveCheckpoint({ size, at: start, note: `note ${size}` });
      await store.saveCheckpoint({ size: 5, at: start, note: 'another' });
      expect((await store.loadCheckpoints(2)).map(({ note }) => note)).toEqual(['note 5', 'note 3']);
    });

    test('when it is read only nothing is written, and everything can be read', async () => {
      await store.appendRecords([aRecord(), aRecord(), aRecord()]);
      await store.setReadOnly(true);
      expect(await failureOf(store.appendRecords([aRecord()]))).toMatchObject({ reason: 'read_only' });
      expect(await failureOf(store.insertSwitch(aSwitch(), aChange()))).toMatchObject({
        reason: 'read_only',
      });
      expect(await idsOf({})).toHaveLength(3);
      await store.setReadOnly(false);
      await store.appendRecords([aRecord()]);
      expect((await store.treeHead()).size).toBe(4);
    });
  });

  describe('changes', () => {
    test('come back newest first, in pages', async () => {
      const changes = Array.from({ length: 5 }, (_, index) => aChange({ subject: `sw_${index}` }));
      for (const change of changes) await store.appendChange(change);
      store = await opened.reopen();
      const first = await store.listChanges(null, 3);
      const second = await store.listChanges(first.nextCursor, 3);
      expect([...first.items, ...second.items]).toEqual(changes.toReversed());
      expect(second.nextCursor).toBeNull();
    });
  });

  describe('switches', () => {
    test('are kept with their change, and their release with its', async () => {
      const entry = aSwitch();
      await store.insertSwitch(entry, aChange());
      expect(await store.loadSwitches()).toEqual([entry]);
      const release = { at: instant(start + 1), actor: 'admin', reason: 'back', ramp: true };
      const released = { ...entry, rev: 2, release };
      expect(await store.releaseSwitch(released, 1, aChange({ kind: 'switch.released' }))).toBe('released');
      store = await opened.reopen();
      expect(await store.loadSwitches()).toEqual([]);
      expect(await store.findSwitch(entry.id)).toEqual(released);
      expect(await changeKinds()).toEqual(['switch.released', 'switch.created']);
    });

    test('a release that does not happen leaves no change', async () => {
      const entry = aSwitch();
      await store.insertSwitch(entry, aChange());
      const released = {
        ...entry,
        rev: 2,
        release: { at: start, actor: 'admin', reason: 'back', ramp: false },
      };
      const change = (): ReturnType<typeof aChange> => aChange({ kind: 'switch.released' });
      expect(await store.releaseSwitch({ ...released, id: switchId('sw_none') }, 1, change())).toBe(
        'not_found',
      );
      expect(await store.releaseSwitch(released, 7, change())).toBe('stale');
      expect(await store.releaseSwitch(released, 1, change())).toBe('released');
      expect(await store.releaseSwitch({ ...released, rev: 3 }, 2, change())).toBe('already_released');
      expect(await changeKinds()).toEqual(['switch.released', 'switch.created']);
      expect(await store.findSwitch(switchId('sw_none'))).toBeNull();
    });

    test('a switch whose change cannot be written is not there either', async () => {
      const change = aChange();
      await store.appendChange(change);
      expect(await failureOf(store.insertSwitch(aSwitch(), change))).toMatchObject({ reason: 'failed' });
      expect(await store.loadSwitches()).toEqual([]);
    });
  });

  describe('keys, token, snapshots', () => {
    test('keys are kept; a revoked one stays known as revoked', async () => {
      const [one, other] = [aKey(), aKey({ features: null, rpm: null })];
      await store.insertKey(one, aChange({ kind: 'key.created' }));
      await store.insertKey(other, aChange({ kind: 'key.created' }));
      expect(await store.revokeKey(one.id, instant(start + 5), aChange({ kind: 'key.revoked' }))).toBe(true);
      expect(await store.revokeKey(one.id, instant(start + 6), aChange({ kind: 'key.revoked' }))).toBe(false);
      store = await opened.reopen();
      expect(await store.loadKeys()).toEqual([{ ...one, revokedAt: start + 5 }, other]);
      expect(await changeKinds()).toEqual(['key.revoked', 'key.created', 'key.created']);
    });

    test('the hash of the admin token is kept', async () => {
      expect(await store.adminTokenHash()).toBeNull();
      await store.setAdminTokenHash('abc', aChange({ kind: 'admin_token.created' }));
      store = await opened.reopen();
      expect(await store.adminTokenHash()).toBe('abc');
      expect(await changeKinds()).toEqual(['admin_token.created']);
    });

    test('the key of the fingerprints is made once and kept', async () => {
      const [key, again] = await Promise.all([store.fingerprintKey(), store.fingerprintKey()]);
      expect(key).toMatch(/^[0-9a-f]{64}$/);
      expect(again).toBe(key);
      store = await opened.reopen();
      expect(await store.fingerprintKey()).toBe(key);
    });

    test('snapshots are found by their hash', async () => {
      await store.saveSnapshot('h1', 'listen: x', start);
      await store.saveSnapshot('h1', 'listen: x', instant(start + 1));
      store = await opened.reopen();
      expect(await store.findSnapshot('h1')).toBe('listen: x');
      expect(await store.findSnapshot('h2')).toBeNull();
    });
  });

  describe('gates', () => {
    const gate = (target: string, at: number, cell: unknown): StoredGate => ({
      target: targetName('p', target),
      at: instant(start + at),
      cell,
    });

    test('the latest of each target outlives a restart; what is old is left behind', async () => {
      await store.saveGates([gate('a', 0, { state: 'healthy' }), gate('b', 1, null)]);
      await store.saveGates([gate('a', 9, { state: 'ejected', list: [1, 2] })]);
      store = await opened.reopen();
      expect(await store.loadGates(start)).toEqual([
        gate('a', 9, { state: 'ejected', list: [1, 2] }),
        gate('b', 1, null),
      ]);
      expect(await store.loadGates(instant(start + 5))).toHaveLength(1);
    });

    test('canaries are kept apart from gates', async () => {
      await store.saveCanaries([gate('a', 0, { recent: [[0.5, null]] })]);
      store = await opened.reopen();
      expect(await store.loadCanaries(start)).toEqual([gate('a', 0, { recent: [[0.5, null]] })]);
      expect(await store.loadGates(start)).toEqual([]);
    });
  });

  describe('how features were', () => {
    const interval = (
      feature: string,
      status: FeatureStatus,
      since: number,
      until: number,
    ): StatusInterval => ({
      feature,
      status,
      since: instant(start + since),
      until: instant(start + until),
    });

    test('an interval grows in place and outlives a restart', async () => {
      await store.saveStatus([interval('notes', 'normal', 0, 5), interval('chat', 'backup', 1, 1)]);
      await store.saveStatus([interval('notes', 'normal', 0, 20)]);
      store = await opened.reopen();
      expect(await store.loadStatus(start, 10)).toEqual([
        interval('notes', 'normal', 0, 20),
        interval('chat', 'backup', 1, 1),
      ]);
    });

    test('only what was not over is loaded, the newest where it is too much, and old ones can be deleted', async () => {
      const [old, mid, late] = [
        interval('notes', 'normal', 0, 5),
        interval('notes', 'backup', 5, 9),
        interval('notes', 'normal', 9, 12),
      ];
      await store.saveStatus([late, old, mid]);
      expect(await store.loadStatus(instant(start + 9), 10)).toEqual([mid, late]);
      expect(await store.loadStatus(start, 1)).toEqual([late]);
      expect(await store.pruneStatus(instant(start + 6))).toBe(1);
      expect(await store.loadStatus(start, 10)).toEqual([mid, late]);
    });
  });

  describe('what is to be told', () => {
    const told = (message: string, channel: string, changes: Partial<Delivery> = {}): Delivery =>
      aDelivery({ channel, bulletin: aBulletin({ id: message }), ...changes });

    test('a change that is news is noted in its own transaction, in order, until it was planned', async () => {
      const first = aSwitch();
      const change = aChange({ kind: 'switch.created', subject: first.id, after: first });
      await store.insertSwitch(first, change);
      await store.appendChange(aChange({ kind: 'config.loaded' }));
      const later = aChange({ kind: 'switch.expired' });
      await store.appendChange(later);
      // A change that cannot be written is not noted either.
      expect(await failureOf(store.insertSwitch(aSwitch(), change))).toMatchObject({ reason: 'failed' });
      store = await opened.reopen();
      expect((await store.loadOutbox(10)).map(({ id }) => id)).toEqual([change.id, later.id]);
      await store.planDeliveries([change.id], [told('msg_1', 'a'), told('msg_1', 'b')]);
      expect((await store.loadOutbox(10)).map(({ id }) => id)).toEqual([later.id]);
      // Planned a second time it is still one.
      await store.planDeliveries([change.id], [told('msg_1', 'a')]);
      expect((await store.listDeliveries({ limit: 10 })).items).toHaveLength(2);
    });

    test('deliveries come back as they went in; what is due is found by channel, the longest due first', async () => {
      const late = told('msg_1', 'a', { nextAt: instant(start + 9) });
      const early = told('msg_2', 'a', { nextAt: start });
      const future = told('msg_3', 'b', { nextAt: instant(start + 99) });
      await store.planDeliveries([], [late, early, future]);
      store = await opened.reopen();
      const due = instant(start + 10);
      expect(await store.loadDueChannels(due)).toEqual(['a']);
      expect(await store.loadDueDeliveries('a', due, 10)).toEqual([early, late]);
      expect(await store.loadDueDeliveries('a', due, 1)).toEqual([early]);
    });

    test('what came of a delivery is kept with its change, listed, and pruned when it is old and over', async () => {
      const delivery = told('msg_1', 'a');
      await store.planDeliveries([], [delivery, told('msg_2', 'b')]);
      const over: Delivery = { ...delivery, state: 'dead', nextAt: null, lastStatus: 410, words: 'gone' };
      await store.saveDelivery(over, aChange({ kind: 'delivery.dead' }));
      expect(await store.findDelivery(delivery.id)).toEqual(over);
      expect(await changeKinds()).toEqual(['delivery.dead']);
      expect((await store.listDeliveries({ state: 'dead', channel: 'a', limit: 10 })).items).toEqual([over]);
      const page = await store.listDeliveries({ limit: 1 });
      expect(page.nextCursor).toBe(page.items[0]?.id ?? '');
      const rest = await store.listDeliveries({ limit: 9, cursor: page.nextCursor ?? '' });
      expect(rest.items).toHaveLength(1);
      expect(await store.pruneDeliveries(instant(Date.now() + 60_000))).toBe(1);
      expect((await store.listDeliveries({ limit: 10 })).items).toMatchObject([{ state: 'pending' }]);
    });
  });

  describe('what policy remembers', () => {
    const grant: ConsentGrant = {
      span: 'session',
      key: keyId('key_1'),
      feature: 'notes',
      user: 'u1',
      session: 's1',
      preferred: opus,
      target: gpt,
      terms: 'hash',
      until: instant(start + 50),
      offeredIn: aRequestId(),
    };

    test('used tokens and agreements outlive a restart, until they are over', async () => {
      await store.saveConsent({ nonce: 'a', until: instant(start + 50), grant });
      await store.saveConsent({ nonce: 'b', until: instant(start + 5), grant: null });
      store = await opened.reopen();
      expect(await store.loadConsents(start)).toEqual([
        { nonce: 'b', until: instant(start + 5), grant: null },
        { nonce: 'a', until: instant(start + 50), grant },
      ]);
      expect(await store.pruneConsents(instant(start + 5))).toBe(1);
      await store.saveConsent({ nonce: 'a', until: instant(start + 9), grant: null });
      expect(await store.loadConsents(start)).toEqual([
        { nonce: 'a', until: instant(start + 9), grant: null },
      ]);
    });

    test('the newer sum of a key replaces the older', async () => {
      await store.saveSpending([{ key: keyId('key_1'), periodStart: start, usd: 1.5 }]);
      await store.saveSpending([{ key: keyId('key_1'), periodStart: start, usd: 2.25 }]);
      store = await opened.reopen();
      expect(await store.loadSpending()).toEqual([{ key: keyId('key_1'), periodStart: start, usd: 2.25 }]);
    });
  });

  test('a closed store says so, and closing twice is no error', async () => {
    await store.close();
    await store.close();
    expect(await failureOf(store.appendRecords([aRecord()]))).toMatchObject({
      name: 'StoreUnavailable',
      reason: 'closed',
    });
  });
}

export function storeConformance(name: string, open: () => Promise<OpenedForTest>): void {
  describe(name, () => conformance(open));
}
