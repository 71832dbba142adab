/** What can be asked of the store from outside: reading only. */
export { pageSizeMax, StoreUnavailable } from '../store/store.ts';
export type { DeliveryFilter, KeptRecord, Leaf, Page, RecordFilter, Store } from '../store/store.ts';
