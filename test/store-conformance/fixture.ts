/** The store that each test is given: fresh, opened again on the same data when asked, and removed afterwards. */
import { afterEach, beforeEach } from 'bun:test';

import { pageSizeMax } from '../../src/store/store.ts';
import type { RecordFilter, Store } from '../../src/store/store.ts';

export type OpenedForTest = {
  readonly store: Store;
  /** Closes the store and opens it again on the same data. */
  readonly reopen: () => Promise<Store>;
  readonly remove: () => Promise<void>;
};

export type Given = {
  /** Another one after `reopen`. */
  readonly store: Store;
  readonly reopen: () => Promise<void>;
  readonly idsOf: (filter: Omit<RecordFilter, 'limit'>) => Promise<readonly string[]>;
  readonly changeKinds: () => Promise<readonly string[]>;
};

export function givenForEach(open: () => Promise<OpenedForTest>): Given {
  let opened: OpenedForTest;
  let store: Store;
  beforeEach(async () => {
    opened = await open();
    ({ store } = opened);
  });
  afterEach(() => opened.remove());
  return {
    get store() {
      return store;
    },
    reopen: async () => {
      store = await opened.reopen();
    },
    idsOf: async (filter) =>
      (await store.listRecords({ ...filter, limit: pageSizeMax })).items.map(({ id }) => id),
    changeKinds: async () => (await store.listChanges(null, pageSizeMax)).items.map(({ kind }) => kind),
  };
}

/** Not `expect().rejects`: it stops the thread, and with it the messages of the worker that it waits for. */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );
