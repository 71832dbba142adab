/** What came of a verb of the control plane, and what it wrote down. */
import type { ControlError, Result } from '../src/control/verb.ts';
import type { Change } from '../src/core/record.ts';
import type { Store } from '../src/store/store.ts';

export function valueOf<T>(result: Result<T>): T {
  if (result.kind === 'error') throw new Error(result.message);
  return result.value;
}

export function errorOf<T>(result: Result<T>): ControlError {
  if (result.kind === 'done') throw new Error('it was done');
  return result;
}

export const changesOf = async (store: Store): Promise<readonly Change[]> =>
  (await store.listChanges(null, 200)).items;
