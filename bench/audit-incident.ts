/** An incident that hit a million requests of a store: how long it takes to count them, to page through them, and to keep their set. */
import { Database } from 'bun:sqlite';

import { incidentId, instant, requestId, targetName } from '../src/core/ids.ts';
import type { Hit } from '../src/core/incident-hits.ts';
import { RecordRuns } from '../src/store/record-runs.ts';
import { idBytes, isThere, timeAt } from '../src/store/run-rows.ts';
import { runLeaves } from '../src/store/run-sets.ts';
import type { Store } from '../src/store/store.ts';
import { freeze } from '../src/wiring/incidents.ts';

const incident = incidentId('inc_01890000-0000-7000-8000-00000000be9c');
const hitsAtOnce = 1_000;
const uuid = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

/** Hits of the newest records but as many as that, oldest first. */
function hitsIn(path: string, hitsMax: number): readonly Hit[] {
  const database = new Database(path, { readonly: true });
  const runs = new RecordRuns(database);
  const hits: Hit[] = [];
  for (const { run } of runs.spans().slice(-Math.ceil((hitsMax * 2) / runLeaves))) {
    const ids = runs.ids(run);
    for (let place = 0; place < runLeaves && hits.length < hitsMax; place++)
      if (isThere(ids, place))
        hits.push({
          incident,
          request: requestId(`req_${uuid(ids.subarray(place * idBytes, (place + 1) * idBytes).toHex())}`),
          at: instant(timeAt(ids, place)),
          feature: ['meeting-notes', 'chat', 'search', 'mail'][place % 4] ?? 'chat',
          preferred: targetName('anthropic', 'claude-opus-4-8'),
          how: place % 5 === 0 ? 'failed' : 'rescued',
          served: place % 5 === 0 ? null : targetName('openai', 'gpt-5.2'),
          leftTo: place % 5 === 0 ? [] : ['OpenAI'],
        });
  }
  database.close();
  return hits;
}

/** Takes what was added for this out of the store again; it must be closed. */
export function withoutIncident(path: string): void {
  const database = new Database(path);
  for (const table of ['incident_hits', 'incident_counts'])
    database.query(`DELETE FROM ${table} WHERE incident = ?`).run(incident);
  database.close();
}

export type Asked = readonly [what: string, work: () => Promise<unknown>];

/** Adds the hits; gives what is to be timed. */
export async function incidentOf(store: Store, path: string, hitsMax: number): Promise<readonly Asked[]> {
  const hits = hitsIn(path, hitsMax);
  for (let at = 0; at < hits.length; at += hitsAtOnce) await store.addHits(hits.slice(at, at + hitsAtOnce));
  const middle = hits[Math.floor(hits.length / 2)]?.request ?? null;
  return [
    ['its numbers', () => store.countHits(incident)],
    [
      'a page of 50 with their records, the middle',
      async () => {
        const { items } = await store.listHits(incident, {}, middle, 50);
        await Promise.all(items.map(({ request }) => store.findRecord(request)));
      },
    ],
    ['a page of 50 among all records', () => store.listRecords({ incident, limit: 50 })],
    [
      'keeping the set: every request and how it was hit, hashed',
      async () => {
        const { count } = await freeze(store, incident);
        if (count !== hits.length) throw new Error(`${count} of ${hits.length} requests were kept`);
      },
    ],
  ];
}
