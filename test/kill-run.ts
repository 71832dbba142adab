/** `npm run kill -- --times 500 [--seed 1] [--server]`: kills a writer, or with `--server` a whole server under load. */
import { parseArgs } from 'node:util';

import { kill } from './kill-harness.ts';
import { killServer } from './kill-server.ts';

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '500' },
    seed: { type: 'string', default: '1' },
    server: { type: 'boolean', default: false },
  },
});
const onKill = (kills: number, bad: number): void => {
  if (kills % 25 === 0) console.error(`${kills} kills, ${bad} lost or damaged …`);
};
const [times, seed] = [Number(values.times), Number(values.seed)];
const ofServer = values.server ? await killServer(times, seed, onKill) : null;
const { kills, shown, lost, findings, entries, slowestOpenMs } =
  ofServer ?? (await kill(times, seed, onKill));
const ms = (value: number): string => `${value.toFixed(0)} ms`;
const spread = ({ medianMs, slowestMs }: { medianMs: number; slowestMs: number }): string =>
  `${ms(medianMs)} median, ${ms(slowestMs)} slowest`;
const starts =
  ofServer === null
    ? `slowest start of the store ${ms(slowestOpenMs)}`
    : `recovery (store, gates, incidents, runs) ${spread(ofServer.recovery)}; from the command to ready ${spread(ofServer.start)}, ${ms(ofServer.emptyStartMs)} with nothing to recover`;
console.log(
  `${kills} kills; ${shown} records and switches had been shown, ${lost.length} are lost; ${entries} entries in the ledger, ${findings.length} findings; ${starts}`,
);
for (const words of [...lost, ...findings].slice(0, 20)) console.log(words);
process.exit(lost.length + findings.length === 0 ? 0 : 1);
