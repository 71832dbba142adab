/** Incidents with their timelines, and the requests that each of them touched. */
import { describe, expect, test } from 'bun:test';

import { instant } from '../../src/core/ids.ts';
import type { TargetName } from '../../src/core/ids.ts';
import type { RequestRecord } from '../../src/core/record.ts';
import type { Incident } from '../../src/core/incident.ts';
import type { Hit } from '../../src/core/incident-hits.ts';
import type { IncidentWrite } from '../../src/store/store.ts';
import { aChange, anIncident, aRecord, aRescue, gpt, opus, start } from '../record-fixture.ts';
import type { Given } from './fixture.ts';

export function incidentsConform(given: Given): void {
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
      expect(await given.store.saveIncidents([one], aChange({ kind: 'incident.opened' }))).toBe(true);
      await given.reopen();
      expect(await given.store.findIncident(one.incident.id)).toEqual(one.incident);
      expect(await given.store.timeline(one.incident.id)).toEqual(one.entries);
      expect(await given.store.findIncident('inc_none')).toBeNull();
      expect(await given.changeKinds()).toContain('incident.opened');
    });

    test('a step from a revision that is over changes nothing, of it or of the other in the same step', async () => {
      await given.store.saveIncidents([one], aChange());
      const stale = { ...one, from: 7, incident: { ...one.incident, rev: 8 } };
      const other = anIncident();
      expect(await given.store.saveIncidents([other, stale], aChange({ kind: 'incident.merged' }))).toBe(
        false,
      );
      expect(await given.store.findIncident(other.incident.id)).toBeNull();
      expect(await given.changeKinds()).not.toContain('incident.merged');
    });

    test('are listed by state, newest first, in pages', async () => {
      const [first, second, third] = [anIncident(), anIncident({ state: 'resolved' }), anIncident()];
      for (const each of [first, second, third]) await given.store.saveIncidents([each], aChange());
      const page = await given.store.listIncidents(['active'], null, 1);
      expect(page.items).toEqual([third.incident]);
      expect((await given.store.listIncidents(['active'], page.nextCursor, 1)).items).toEqual([
        first.incident,
      ]);
      expect((await given.store.listIncidents(null, null, 10)).items).toHaveLength(3);
    });

    test('requests come with their records, or later, and each once', async () => {
      const marked = aRescue({ incidents: [one.incident.id] });
      const later = aRescue();
      await given.store.appendRecords([marked, later, aRecord()]);
      await given.store.addHits([hit(marked), hit(later)]);
      const { items } = await given.store.listHits(one.incident.id, {}, null, 10);
      expect(items.map(({ request }) => request)).toEqual([marked.id, later.id]);
      expect(items[1]).toEqual(hit(later));
      expect((await given.store.incidentsOf([later.id, 'req_none'])).get(later.id)).toEqual([
        one.incident.id,
      ]);
      expect(await given.idsOf({ incident: one.incident.id })).toEqual([later.id, marked.id]);
      expect(await given.idsOf({ incident: 'inc_none' })).toEqual([]);
      expect(await given.store.listHits(one.incident.id, { how: 'failed' }, null, 10)).toMatchObject({
        items: [],
      });
      expect(await given.store.countHits(one.incident.id)).toContainEqual({
        feature: 'notes',
        how: 'rescued',
        served: gpt,
        leftTo: ['OpenAI', 'Other'],
        count: 1,
        first: marked.at,
        last: marked.at,
      });
      expect(
        await given.store.countRecords({ feature: 'notes', since: start, until: instant(start + 1) }),
      ).toBe(3);
      const lines = await given.store.hitLines(one.incident.id, null);
      expect(lines).toEqual({
        text: `${marked.id} rescued\n${later.id} rescued\n`,
        count: 2,
        last: later.id,
      });
      expect(await given.store.hitLines(one.incident.id, lines.last)).toEqual({
        text: '',
        count: 0,
        last: null,
      });
      expect(await given.store.hitLines(one.incident.id, marked.id)).toMatchObject({
        count: 1,
        last: later.id,
      });
    });

    test('are counted as they come, the same twice once', async () => {
      const [early, late] = [aRescue({ at: instant(start + 5) }), aRescue({ at: instant(start + 9) })];
      const nobody = { ...hit(aRescue({ at: start })), how: 'failed', served: null, leftTo: [] } as const;
      await given.store.addHits([hit(late), nobody]);
      await given.store.addHits([hit(late), hit(early)]);
      const counts = await given.store.countHits(one.incident.id);
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
      await given.store.saveIncidents([one], aChange());
      const records = [aRescue(), aRescue({ preferred: gpt })];
      await given.store.appendRecords(records);
      await given.store.addHits(
        records.map((record) => ({ ...hit(record), preferred: record.preferred ?? opus })),
      );
      const taking = { ...other, takes: { from: one.incident.id, preferred: [gpt], at: start } };
      await given.store.saveIncidents([taking], aChange());
      expect(
        (await given.store.listHits(other.incident.id, {}, null, 10)).items.map(({ request }) => request),
      ).toEqual([records[1]!.id]);
      expect(
        (await given.store.listHits(one.incident.id, {}, null, 10)).items.map(({ request }) => request),
      ).toEqual([records[0]!.id]);
      for (const { incident } of [one, other])
        expect((await given.store.countHits(incident.id)).map(({ count }) => count)).toEqual([1]);
    });

    test('that were reviewed keep the requests they had, until they are opened again', async () => {
      const counts = async (): Promise<number> =>
        (await given.store.listHits(one.incident.id, {}, null, 10)).items.length;
      const inState = (rev: number, state: Incident['state']): IncidentWrite => ({
        ...one,
        from: rev - 1,
        incident: { ...one.incident, rev, state },
        entries: [],
      });
      await given.store.saveIncidents([one], aChange());
      await given.store.addHits([hit(aRescue())]);
      await given.store.saveIncidents([inState(2, 'reviewed')], aChange());
      await given.store.addHits([hit(aRescue())]);
      const late = (): Promise<void> =>
        given.store.appendRecords([aRescue({ incidents: [one.incident.id] })]);
      await late();
      expect(await counts()).toBe(1);
      expect((await given.store.countHits(one.incident.id)).map(({ count }) => count)).toEqual([1]);
      await given.store.saveIncidents([inState(3, 'active')], aChange());
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
            (await given.store.countHits(incident.id)).reduce((sum, { count }) => sum + count, 0),
          ),
        );
      const takes = (from: IncidentWrite, preferred: readonly TargetName[] | null, at: number) => ({
        takes: { from: from.incident.id, preferred, at: instant(start + at) },
      });
      await given.store.saveIncidents([first, { ...second, ...takes(first, [gpt], 10) }], aChange());
      await given.store.addHits([await ofFirst(gpt, 9), await ofFirst(opus, 9), await ofFirst(gpt, 11)]);
      expect(await counts()).toEqual([2, 1, 0]);
      await given.store.saveIncidents([{ ...third, ...takes(second, null, 20) }], aChange());
      await given.store.addHits([await ofFirst(gpt, 9)]);
      expect(await counts()).toEqual([2, 0, 2]);
      const rev = 2;
      const again = { ...first, from: 1, incident: { ...first.incident, rev }, entries: [] };
      await given.store.saveIncidents([{ ...again, ...takes(third, null, 30) }], aChange());
      await given.store.addHits([await ofFirst(gpt, 9)]);
      expect(await counts()).toEqual([5, 0, 0]);
    });
  });
}
