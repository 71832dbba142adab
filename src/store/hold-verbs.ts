/** The store's verbs of legal holds. */
import type { SqliteDatabase } from './database.ts';
import { holdFromBody, holdRow } from './hold-rows.ts';
import { changeRow } from './rows.ts';
import type { Store } from './store.ts';
import type { WorkerClient } from './worker-client.ts';

type HoldVerb = 'insertHold' | 'releaseHold' | 'findHold' | 'loadHolds' | 'listHolds';

export function holdVerbs(client: WorkerClient<SqliteDatabase>): Pick<Store, HoldVerb> {
  return {
    insertHold: (hold, change) => client.call('insertHold', holdRow(hold), changeRow(change)),
    releaseHold: (hold, change) => client.call('releaseHold', holdRow(hold), changeRow(change)),
    findHold: async (id) => {
      const body = await client.call('findHold', id);
      return body === null ? null : holdFromBody(body);
    },
    loadHolds: async () => (await client.call('loadHolds')).map(holdFromBody),
    listHolds: async (cursor, limit) => {
      const page = await client.call('listHolds', cursor, limit);
      return { ...page, items: page.items.map(holdFromBody) };
    },
  };
}
