/** Simulated days, as many as you like: `npm run simulate -- --days 1000 --seed 1`. Prints every seed that breaks an invariant, shrunk. */
import { planOf } from './swarm-plan.ts';
import { breaks, calmMinutes, shrunk } from './swarm.ts';

const argument = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const days = argument('days', 10);
const first = argument('seed', 1);
/** A run covers a day, of which the last half hour is calm. */
const runMinutes = 1_440;
const runs = Math.ceil((days * 1_440) / runMinutes);
let failed = 0;
for (let run = 0; run < runs; run++) {
  const seed = first + run;
  const plan = planOf(seed, runMinutes - calmMinutes);
  const broken = await breaks(plan);
  if (broken.length > 0) {
    failed++;
    console.log(`seed ${seed}: ${broken.slice(0, 5).join('; ')}`);
    console.log(`  shrunk: ${JSON.stringify(await shrunk(plan))}`);
  }
  if ((run + 1) % 25 === 0) console.log(`${run + 1} of ${runs} runs, ${failed} broken`);
}
console.log(`${days} days in ${runs} runs from seed ${first}: ${failed} broken`);
process.exitCode = failed === 0 ? 0 : 1;
