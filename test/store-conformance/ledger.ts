/** The tree of records and changes, its proofs and checkpoints; switches, keys and snapshots with the change that each made. */
import { describe, expect, test } from 'bun:test';

import { instant, switchId } from '../../src/core/ids.ts';
import { hashLeaf, verifyConsistency, verifyInclusion } from '../../src/core/merkle.ts';
import type { Hash } from '../../src/core/merkle.ts';
import { sha256 } from '../../src/store/ledger.ts';
import { aChange, aKey, aRecord, aSwitch, start } from '../record-fixture.ts';
import type { Given } from './fixture.ts';
import { failureOf } from './fixture.ts';

export function ledgerConforms(given: Given): void {
  describe('the ledger', () => {
    test('keeps records and changes in one tree, and proves each', async () => {
      const records = Array.from({ length: 600 }, () => aRecord());
      await given.store.appendRecords(records.slice(0, 300));
      await given.store.appendChange(aChange());
      const older = await given.store.treeHead();
      for (const record of records.slice(300)) await given.store.appendRecords([record]);
      await given.reopen();
      const head = await given.store.treeHead();
      expect(head.size).toBe(601);
      const leaves = [...(await given.store.leavesFrom(0, 400)), ...(await given.store.leavesFrom(400, 400))];
      expect(leaves.map(({ index }) => index)).toEqual(Array.from({ length: 601 }, (_, index) => index));
      const hash = (hex: string): Hash => Uint8Array.fromHex(hex);
      for (const { index, hash: leaf, text } of leaves) {
        expect(hashLeaf(sha256, new TextEncoder().encode(text ?? '')).toHex()).toBe(leaf);
        if (index % 50 !== 0) continue;
        const path = (await given.store.inclusionPath(index, head.size)).map(hash);
        const proof = { leaf: hash(leaf), index, size: head.size, path, root: hash(head.root) };
        expect(verifyInclusion(sha256, proof)).toBe(true);
      }
      const path = (await given.store.consistencyPath(older.size, head.size)).map(hash);
      const sizes = { from: older.size, to: head.size, path };
      expect(
        verifyConsistency(sha256, { ...sizes, fromRoot: hash(older.root), toRoot: hash(head.root) }),
      ).toBe(true);
      expect(await given.store.rootAt(older.size)).toBe(older.root);
      expect(await given.store.rootAt(602)).toBeNull();
    });

    test('checkpoints are kept, newest first, one for each size', async () => {
      for (const size of [1, 5, 3])
        await given.store.saveCheckpoint({ size, at: start, note: `note ${size}` });
      await given.store.saveCheckpoint({ size: 5, at: start, note: 'another' });
      expect((await given.store.loadCheckpoints(2)).map(({ note }) => note)).toEqual(['note 5', 'note 3']);
    });

    test('when it is read only nothing is written, and everything can be read', async () => {
      await given.store.appendRecords([aRecord(), aRecord(), aRecord()]);
      await given.store.setReadOnly(true);
      expect(await failureOf(given.store.appendRecords([aRecord()]))).toMatchObject({ reason: 'read_only' });
      expect(await failureOf(given.store.insertSwitch(aSwitch(), aChange()))).toMatchObject({
        reason: 'read_only',
      });
      expect(await given.idsOf({})).toHaveLength(3);
      await given.store.setReadOnly(false);
      await given.store.appendRecords([aRecord()]);
      expect((await given.store.treeHead()).size).toBe(4);
    });
  });

  describe('changes', () => {
    test('come back newest first, in pages', async () => {
      const changes = Array.from({ length: 5 }, (_, index) => aChange({ subject: `sw_${index}` }));
      for (const change of changes) await given.store.appendChange(change);
      await given.reopen();
      const first = await given.store.listChanges(null, 3);
      const second = await given.store.listChanges(first.nextCursor, 3);
      expect([...first.items, ...second.items]).toEqual(changes.toReversed());
      expect(second.nextCursor).toBeNull();
    });
  });

  describe('switches', () => {
    test('are kept with their change, and their release with its', async () => {
      const entry = aSwitch();
      await given.store.insertSwitch(entry, aChange());
      expect(await given.store.loadSwitches()).toEqual([entry]);
      const release = { at: instant(start + 1), actor: 'admin', reason: 'back', ramp: true };
      const released = { ...entry, rev: 2, release };
      expect(await given.store.releaseSwitch(released, 1, aChange({ kind: 'switch.released' }))).toBe(
        'released',
      );
      await given.reopen();
      expect(await given.store.loadSwitches()).toEqual([]);
      expect(await given.store.findSwitch(entry.id)).toEqual(released);
      expect(await given.changeKinds()).toEqual(['switch.released', 'switch.created']);
    });

    test('a release that does not happen leaves no change', async () => {
      const entry = aSwitch();
      await given.store.insertSwitch(entry, aChange());
      const released = {
        ...entry,
        rev: 2,
        release: { at: start, actor: 'admin', reason: 'back', ramp: false },
      };
      const change = (): ReturnType<typeof aChange> => aChange({ kind: 'switch.released' });
      expect(await given.store.releaseSwitch({ ...released, id: switchId('sw_none') }, 1, change())).toBe(
        'not_found',
      );
      expect(await given.store.releaseSwitch(released, 7, change())).toBe('stale');
      expect(await given.store.releaseSwitch(released, 1, change())).toBe('released');
      expect(await given.store.releaseSwitch({ ...released, rev: 3 }, 2, change())).toBe('already_released');
      expect(await given.changeKinds()).toEqual(['switch.released', 'switch.created']);
      expect(await given.store.findSwitch(switchId('sw_none'))).toBeNull();
    });

    test('a switch whose change cannot be written is not there either', async () => {
      const change = aChange();
      await given.store.appendChange(change);
      expect(await failureOf(given.store.insertSwitch(aSwitch(), change))).toMatchObject({
        reason: 'failed',
      });
      expect(await given.store.loadSwitches()).toEqual([]);
    });
  });

  describe('keys, token, snapshots', () => {
    test('keys are kept; a revoked one stays known as revoked', async () => {
      const [one, other] = [aKey(), aKey({ features: null, rpm: null })];
      await given.store.insertKey(one, aChange({ kind: 'key.created' }));
      await given.store.insertKey(other, aChange({ kind: 'key.created' }));
      expect(await given.store.revokeKey(one.id, instant(start + 5), aChange({ kind: 'key.revoked' }))).toBe(
        true,
      );
      expect(await given.store.revokeKey(one.id, instant(start + 6), aChange({ kind: 'key.revoked' }))).toBe(
        false,
      );
      await given.reopen();
      expect(await given.store.loadKeys()).toEqual([{ ...one, revokedAt: start + 5 }, other]);
      expect(await given.changeKinds()).toEqual(['key.revoked', 'key.created', 'key.created']);
    });

    test('the hash of the admin token is kept', async () => {
      expect(await given.store.adminTokenHash()).toBeNull();
      await given.store.setAdminTokenHash('abc', aChange({ kind: 'admin_token.created' }));
      await given.reopen();
      expect(await given.store.adminTokenHash()).toBe('abc');
      expect(await given.changeKinds()).toEqual(['admin_token.created']);
    });

    test('the key of the fingerprints is made once and kept', async () => {
      const [key, again] = await Promise.all([given.store.fingerprintKey(), given.store.fingerprintKey()]);
      expect(key).toMatch(/^[0-9a-f]{64}$/);
      expect(again).toBe(key);
      await given.reopen();
      expect(await given.store.fingerprintKey()).toBe(key);
    });

    test('snapshots are found by their hash', async () => {
      await given.store.saveSnapshot('h1', 'listen: x', start);
      await given.store.saveSnapshot('h1', 'listen: x', instant(start + 1));
      await given.reopen();
      expect(await given.store.findSnapshot('h1')).toBe('listen: x');
      expect(await given.store.findSnapshot('h2')).toBeNull();
    });
  });
}
