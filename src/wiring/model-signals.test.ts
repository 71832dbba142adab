import { expect, test } from 'bun:test';

import { aRecord } from '../../test/record-fixture.ts';
import type { RequestRecord } from '../core/record.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { watchModels } from './model-signals.ts';

type Watched = Parameters<typeof watchModels>[0];

test('a store that takes nothing is asked again after a while, not with every answer', async () => {
  let now = 1_000_000;
  let fails = true;
  const asked: number[] = [];
  const store = {
    listChanges: () => Promise.resolve({ items: [], nextCursor: null }),
    appendChange: () => {
      asked.push(now);
      return fails ? Promise.reject(new StoreUnavailable('read_only', 'no')) : Promise.resolve();
    },
  } as unknown as Store;
  const watchers: ((record: RequestRecord) => void)[] = [];
  const engine = {
    watchRecords: (watcher: (record: RequestRecord) => void) => void watchers.push(watcher),
    control: () => ({ store, now: () => now, newId: (prefix: string) => `${prefix}_1` }),
    clock: { now: () => now },
    onBug: () => {},
  } as unknown as Watched;
  await watchModels(engine, store);
  const answers = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      for (const watcher of watchers) watcher(aRecord({ modelReported: 'm-1' }));
      await Bun.sleep(0);
    }
  };
  await answers(20);
  expect(asked).toHaveLength(1);
  now += 5_000;
  fails = false;
  await answers(20);
  expect(asked).toHaveLength(2);
});
