/** Every number that the gates are judged by, measured. `npm run bench:gates`. */
import { contenders } from './gates/contenders.ts';
import { delayTable } from './gates/delay.ts';
import { blips, bursts, poison } from './gates/noise.ts';
import { comparison, flapping, thinOutage } from './gates/recovery.ts';
import { run, steady } from './gates/traffic.ts';

console.log(
  delayTable(200),
  contenders.length,
  blips,
  bursts,
  poison,
  comparison,
  flapping,
  thinOutage,
  run,
  steady,
);
