/** Records with the incidents that the store knows for them: some are found only after a request has ended. */
import type { RequestRecord } from '../core/record.ts';
import type { Leaf, Store } from '../control/queries.ts';
import { recordToWire } from './wire.ts';
import type { Json } from './wire.ts';

export async function recordsToWire(
  records: readonly (RequestRecord & { readonly leaf?: Leaf })[],
  store: Pick<Store, 'incidentsOf'>,
): Promise<readonly Json[]> {
  const incidents = await store.incidentsOf(records.map(({ id }) => id));
  return records.map((record) => recordToWire(record, incidents.get(record.id) ?? []));
}
