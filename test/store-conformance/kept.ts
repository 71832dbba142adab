/** What outlives a restart beside the ledger: gates, how features were, what is to be told, what policy remembers. */
import { describe, expect, test } from 'bun:test';

import type { Delivery } from '../../src/core/delivery.ts';
import type { ConsentGrant } from '../../src/core/consent.ts';
import { instant, keyId, targetName } from '../../src/core/ids.ts';
import type { FeatureStatus } from '../../src/core/status.ts';
import type { StatusInterval } from '../../src/core/status-history.ts';
import type { StoredGate } from '../../src/store/store.ts';
import { aDelivery, aBulletin } from '../told-fixture.ts';
import { aChange, aRequestId, aSwitch, gpt, opus, start } from '../record-fixture.ts';
import type { Given } from './fixture.ts';
import { failureOf } from './fixture.ts';

export function keptConforms(given: Given): void {
  describe('gates', () => {
    const gate = (target: string, at: number, cell: unknown): StoredGate => ({
      target: targetName('p', target),
      at: instant(start + at),
      cell,
    });

    test('the latest of each target outlives a restart; what is old is left behind', async () => {
      await given.store.saveGates([gate('a', 0, { state: 'healthy' }), gate('b', 1, null)]);
      await given.store.saveGates([gate('a', 9, { state: 'ejected', list: [1, 2] })]);
      await given.reopen();
      expect(await given.store.loadGates(start)).toEqual([
        gate('a', 9, { state: 'ejected', list: [1, 2] }),
        gate('b', 1, null),
      ]);
      expect(await given.store.loadGates(instant(start + 5))).toHaveLength(1);
    });

    test('canaries are kept apart from gates', async () => {
      await given.store.saveCanaries([gate('a', 0, { recent: [[0.5, null]] })]);
      await given.reopen();
      expect(await given.store.loadCanaries(start)).toEqual([gate('a', 0, { recent: [[0.5, null]] })]);
      expect(await given.store.loadGates(start)).toEqual([]);
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
      await given.store.saveStatus([interval('notes', 'normal', 0, 5), interval('chat', 'backup', 1, 1)]);
      await given.store.saveStatus([interval('notes', 'normal', 0, 20)]);
      await given.reopen();
      expect(await given.store.loadStatus(start, 10)).toEqual([
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
      await given.store.saveStatus([late, old, mid]);
      expect(await given.store.loadStatus(instant(start + 9), 10)).toEqual([mid, late]);
      expect(await given.store.loadStatus(start, 1)).toEqual([late]);
      expect(await given.store.pruneStatus(instant(start + 6))).toBe(1);
      expect(await given.store.loadStatus(start, 10)).toEqual([mid, late]);
    });
  });

  describe('what is to be told', () => {
    const told = (message: string, channel: string, changes: Partial<Delivery> = {}): Delivery =>
      aDelivery({ channel, bulletin: aBulletin({ id: message }), ...changes });

    test('a change that is news is noted in its own transaction, in order, until it was planned', async () => {
      const first = aSwitch();
      const change = aChange({ kind: 'switch.created', subject: first.id, after: first });
      await given.store.insertSwitch(first, change);
      await given.store.appendChange(aChange({ kind: 'config.loaded' }));
      const later = aChange({ kind: 'switch.expired' });
      await given.store.appendChange(later);
      // A change that cannot be written is not noted either.
      expect(await failureOf(given.store.insertSwitch(aSwitch(), change))).toMatchObject({
        reason: 'failed',
      });
      await given.reopen();
      expect((await given.store.loadOutbox(10)).map(({ id }) => id)).toEqual([change.id, later.id]);
      await given.store.planDeliveries([change.id], [told('msg_1', 'a'), told('msg_1', 'b')]);
      expect((await given.store.loadOutbox(10)).map(({ id }) => id)).toEqual([later.id]);
      // Planned a second time it is still one.
      await given.store.planDeliveries([change.id], [told('msg_1', 'a')]);
      expect((await given.store.listDeliveries({ limit: 10 })).items).toHaveLength(2);
    });

    test('deliveries come back as they went in; what is due is found by channel, the longest due first', async () => {
      const late = told('msg_1', 'a', { nextAt: instant(start + 9) });
      const early = told('msg_2', 'a', { nextAt: start });
      const future = told('msg_3', 'b', { nextAt: instant(start + 99) });
      await given.store.planDeliveries([], [late, early, future]);
      await given.reopen();
      const due = instant(start + 10);
      expect(await given.store.loadDueChannels(due)).toEqual(['a']);
      expect(await given.store.loadDueDeliveries('a', due, 10)).toEqual([early, late]);
      expect(await given.store.loadDueDeliveries('a', due, 1)).toEqual([early]);
    });

    test('what came of a delivery is kept with its change, listed, and pruned when it is old and over', async () => {
      const delivery = told('msg_1', 'a');
      await given.store.planDeliveries([], [delivery, told('msg_2', 'b')]);
      const over: Delivery = { ...delivery, state: 'dead', nextAt: null, lastStatus: 410, words: 'gone' };
      await given.store.saveDelivery(over, aChange({ kind: 'delivery.dead' }));
      expect(await given.store.findDelivery(delivery.id)).toEqual(over);
      expect(await given.changeKinds()).toEqual(['delivery.dead']);
      expect((await given.store.listDeliveries({ state: 'dead', channel: 'a', limit: 10 })).items).toEqual([
        over,
      ]);
      const page = await given.store.listDeliveries({ limit: 1 });
      expect(page.nextCursor).toBe(page.items[0]?.id ?? '');
      const rest = await given.store.listDeliveries({ limit: 9, cursor: page.nextCursor ?? '' });
      expect(rest.items).toHaveLength(1);
      expect(await given.store.pruneDeliveries(instant(Date.now() + 60_000))).toBe(1);
      expect((await given.store.listDeliveries({ limit: 10 })).items).toMatchObject([{ state: 'pending' }]);
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
      await given.store.saveConsent({ nonce: 'a', until: instant(start + 50), grant });
      await given.store.saveConsent({ nonce: 'b', until: instant(start + 5), grant: null });
      await given.reopen();
      expect(await given.store.loadConsents(start)).toEqual([
        { nonce: 'b', until: instant(start + 5), grant: null },
        { nonce: 'a', until: instant(start + 50), grant },
      ]);
      expect(await given.store.pruneConsents(instant(start + 5))).toBe(1);
      await given.store.saveConsent({ nonce: 'a', until: instant(start + 9), grant: null });
      expect(await given.store.loadConsents(start)).toEqual([
        { nonce: 'a', until: instant(start + 9), grant: null },
      ]);
    });

    test('the newer sum of a key replaces the older', async () => {
      await given.store.saveSpending([{ key: keyId('key_1'), periodStart: start, usd: 1.5 }]);
      await given.store.saveSpending([{ key: keyId('key_1'), periodStart: start, usd: 2.25 }]);
      await given.reopen();
      expect(await given.store.loadSpending()).toEqual([
        { key: keyId('key_1'), periodStart: start, usd: 2.25 },
      ]);
    });
  });
}
