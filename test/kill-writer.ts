/**
 * The process that is killed: it writes records and switches as fast as it can, and shows the id of each one that the
 * store has given back. Usage: bun kill-writer.ts STORE
 */
import { createRecordPump } from '../src/sync/push-records.ts';
import { aChange, aRecord, aSwitch } from './record-fixture.ts';
import { openOrThrow } from './store-fixture.ts';

const store = await openOrThrow(process.argv[2] ?? '');
const pump = createRecordPump({ store, lingerMs: 1, onTrouble: ({ kind }) => console.error(kind) });
const show = (id: string): void => void process.stdout.write(`${id}\n`);

/** Far more than fit into the time the process has to live. */
const roundsMax = 100_000;
for (let round = 0; round < roundsMax; round++) {
  const records = Array.from({ length: 1 + (round % 100) }, () => aRecord());
  for (const record of records) pump.push(record);
  const entry = aSwitch();
  const switched = store.insertSwitch(entry, aChange({ subject: entry.id })).then(() => show(entry.id));
  for (const { id } of records) if ((await store.findRecord(id)) !== null) show(id);
  await switched;
}
