/** The fault scenarios, each with a few seeds: the right scope, and every threshold. With more of them: `npm run bench:gates`. */
import { expect, test } from 'bun:test';

import { scenarios } from '../../bench/gates/scenarios.ts';

/** Long ones are played once. */
const long: ReadonlySet<string> = new Set(['12']);

test.each(scenarios.map((each) => [`${each.number} ${each.name}`.trim(), each] as const))(
  '%s',
  (_name, { number, play }) => {
    const { right, measured } = play(long.has(number) ? 1 : 3);
    if (right !== null) expect(right.runs).toBe(right.of);
    const missed = measured.filter(({ holds }) => !holds);
    expect(missed.map(({ what, value, most }) => `${what}: ${value}, at most ${most}`)).toEqual([]);
  },
  240_000,
);
