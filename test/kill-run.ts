/** `npm run kill -- --times 500 [--seed 1]` */
import { parseArgs } from 'node:util';

import { kill } from './kill-harness.ts';

const { values } = parseArgs({
  options: { times: { type: 'string', default: '500' }, seed: { type: 'string', default: '1' } },
});
const killed = await kill(Number(values.times), Number(values.seed), (kills) => {
  if (kills % 50 === 0) console.error(`${kills} kills …`);
});
const { kills, shown, lost, findings, entries, slowestOpenMs } = killed;
console.log(
  `${kills} kills; ${shown} records and switches had been shown, ${lost.length} are lost; ${entries} entries in the ledger, ${findings.length} findings; slowest start of the store ${slowestOpenMs.toFixed(0)} ms`,
);
for (const words of [...lost, ...findings].slice(0, 20)) console.log(words);
process.exit(lost.length + findings.length === 0 ? 0 : 1);
