/** Every number that the gates are judged by, measured. `npm run bench:gates`. */
import { contenders } from './gates/contenders.ts';
import { delayTable } from './gates/delay.ts';
import { during, run, steady } from './gates/traffic.ts';

const seeds = 200;
for (const row of delayTable(seeds))
  console.log(
    `${row.perSecond}/s ${row.rate * 100} %: reference ${row.reference.toFixed(1)}, ours ${row.ours} (${(row.ours / row.reference).toFixed(2)}, at most ${row.most})`,
  );
for (const { name, make } of contenders) {
  const fault = during(0.005, [{ from: 600_000, to: 1_200_000, rate: 0.2 }]);
  const outcome = run(make(), { perSecond: 10, untilMs: 1_800_000, seed: 1, noise: fault });
  const noise = make();
  run(noise, { perSecond: 1, untilMs: 86_400_000, seed: 1, noise: steady(0.005) });
  console.log(name, JSON.stringify(outcome), 'false ejections in a day', noise.ejections());
}
