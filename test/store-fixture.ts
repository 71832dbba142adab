/** A store for a test, opened or the test fails; and what verbs of the control plane are given that write to it. */
import type { ControlDependencies } from '../src/control/verb.ts';
import { instant } from '../src/core/ids.ts';
import { openStore } from '../src/store/open-store.ts';
import type { Store } from '../src/store/store.ts';

type Opened = Exclude<Awaited<ReturnType<typeof openStore>>, { kind: 'failed' }>;

/** The store and what was found when it was opened. */
export async function openedOrThrow(address: string): Promise<Opened> {
  const opened = await openStore(address);
  if (opened.kind === 'failed') throw new Error(opened.message);
  return opened;
}

export const openOrThrow = async (address: string): Promise<Store> => (await openedOrThrow(address)).store;

export const openInMemory = (): Promise<Store> => openOrThrow('sqlite::memory:');

export const controlOn = (store: Store, now: () => number): ControlDependencies => ({
  store,
  now: () => instant(now()),
  newId: (prefix) => `${prefix}_${Bun.randomUUIDv7('hex', now())}`,
});
