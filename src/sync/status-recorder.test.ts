import { describe, expect, test } from 'bun:test';

import { instant } from '../core/ids.ts';
import type { StatusInterval } from '../core/status-history.ts';
import type { FeatureStatus } from '../core/status.ts';
import { createStatusRecorder } from './status-recorder.ts';

const start = Date.UTC(2026, 5, 7, 9);

/** A store that keeps intervals as the real one does, and fails when told to. */
function fakeStore() {
  const kept = new Map<string, StatusInterval>();
  const store = {
    isAway: false,
    writes: 0,
    saveStatus: (intervals: readonly StatusInterval[]) => {
      if (store.isAway) return Promise.reject(new Error('away'));
      store.writes++;
      for (const interval of intervals) kept.set(`${interval.feature} ${interval.since}`, interval);
      return Promise.resolve();
    },
    loadStatus: () => Promise.resolve([...kept.values()]),
    pruneStatus: () => Promise.resolve(0),
    kept: () => [...kept.values()].sort((one, other) => one.since - other.since),
  };
  return store;
}

async function watching() {
  const store = fakeStore();
  let now = start;
  let recorder = await createStatusRecorder(store, instant(now));
  const look = async (status: FeatureStatus, afterMs = 1_000): Promise<void> => {
    now += afterMs;
    await recorder.look([{ feature: 'notes', status }], instant(now));
  };
  /** A killed process: nothing is flushed. */
  const killed = async (awayMs: number): Promise<void> => {
    now += awayMs;
    recorder = await createStatusRecorder(store, instant(now));
  };
  return { store, look, killed, history: () => recorder.history().get('notes') ?? [] };
}

describe('how features were', () => {
  test('a change is written at once, sameness every ten seconds', async () => {
    const { store, look } = await watching();
    await look('normal');
    expect(store.writes).toBe(1);
    for (let count = 0; count < 9; count++) await look('normal');
    expect(store.writes).toBe(1);
    await look('normal');
    expect(store.writes).toBe(2);
    await look('backup');
    expect(store.kept().map(({ status }) => status)).toEqual(['normal', 'backup']);
  });

  test('after a kill the past is there, and what nobody watched is a gap', async () => {
    const { look, killed, history } = await watching();
    await look('normal');
    for (let count = 0; count < 15; count++) await look('normal');
    await killed(3_600_000);
    await look('normal');
    const [before, after] = history();
    expect(before).toMatchObject({ status: 'normal', since: start + 1_000 });
    // At most the ten seconds since the last write are lost.
    expect(start + 16_000 - (before?.until ?? 0)).toBeLessThanOrEqual(10_000);
    expect(after?.since).toBeGreaterThan(start + 3_600_000);
  });

  test('a store that was away gets what it missed', async () => {
    const { store, look } = await watching();
    await look('normal');
    store.isAway = true;
    await look('unavailable').catch(() => null);
    await look('normal').catch(() => null);
    store.isAway = false;
    await look('normal');
    expect(store.kept().map(({ status }) => status)).toEqual(['normal', 'unavailable', 'normal']);
  });
});
