/** What was shown is still there after `kill -9`, whenever it comes: a sample of \`npm run kill\`. */
import { expect, test } from 'bun:test';

import { kill } from './kill-harness.ts';

test('every record and switch that was shown is there after kill -9, and the ledger verifies', async () => {
  const killed = await kill(20, 7, () => {});
  expect(killed.lost).toEqual([]);
  expect(killed.findings).toEqual([]);
  expect(killed.shown).toBeGreaterThan(20);
  expect(killed.entries).toBeGreaterThanOrEqual(killed.shown);
}, 600_000);
