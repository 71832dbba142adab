/** A few seeds of the swarm in every run, and the ones that once broke something for ever. */
import { expect, test } from 'bun:test';

import { planOf } from './swarm-plan.ts';
import { breaks, shrunk } from './swarm.ts';

/** Seeds that broke an invariant once, with the minutes of their plan. */
const pinned: [number, number][] = [
  // A first token across a clock jump looked an hour late, and the cell followed the jump twice.
  [173, 120],
  // One caller who fails everywhere was all the traffic of a backup that ramped: it was taken for a relapse, again and again.
  [26, 1_410],
  // The same caller found a target on trial sick again and again, once nothing better was left and he reached it.
  [2_092, 1_410],
  // The first to look at the clock after it jumped judged a cell that had not followed it yet.
  [6_019, 1_410],
];

test.each([...pinned, ...Array.from({ length: 6 }, (_, index): [number, number] => [index + 1, 60])])(
  'seed %d, %d minutes',
  async (seed, minutes) => {
    const plan = planOf(seed, minutes);
    const broken = await breaks(plan);
    if (broken.length > 0) console.log(JSON.stringify(await shrunk(plan)));
    expect(broken).toEqual([]);
  },
  120_000,
);
