/** What every database behind the store's port must do. A new one is added by calling this with a way to open it. */
import { describe, expect, test } from 'bun:test';

import { aRecord } from '../record-fixture.ts';
import { failureOf, givenForEach } from './fixture.ts';
import type { OpenedForTest } from './fixture.ts';
import { recordsConform } from './records.ts';
import { listingConforms } from './listing.ts';
import { incidentsConform } from './incidents.ts';
import { ledgerConforms } from './ledger.ts';
import { keptConforms } from './kept.ts';

export function storeConformance(name: string, open: () => Promise<OpenedForTest>): void {
  describe(name, () => {
    const given = givenForEach(open);
    recordsConform(given);
    incidentsConform(given);
    listingConforms(given);
    ledgerConforms(given);
    keptConforms(given);
    test('a closed store says so, and closing twice is no error', async () => {
      await given.store.close();
      await given.store.close();
      expect(await failureOf(given.store.appendRecords([aRecord()]))).toMatchObject({
        name: 'StoreUnavailable',
        reason: 'closed',
      });
    });
  });
}
