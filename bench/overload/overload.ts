/** Prints the metastable case: what protecting is for. `npm run bench:overload [seeds]` */
import { answeredShare, attemptsPerRequest, kinds, minutes, runCase, stages } from './case.ts';
import type { Kind } from './case.ts';

const seeds = Number(process.argv[2] ?? 8);

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
const percent = (share: number): string => `${(share * 100).toFixed(share > 0.995 ? 2 : 1)} %`;

console.log(
  `Median of ${seeds} seeds. Answered while the load is moved, and in the minute after it is gone.\n`,
);
for (const stage of stages) {
  const runs = Array.from({ length: seeds }, (_, seed) => runCase(seed + 1, stage));
  console.log(stage.name);
  const share = (kind: Kind, from: number, to: number): number =>
    median(runs.map((run) => answeredShare(run, kind, from, to)));
  for (const kind of kinds) {
    const wait = median(runs.map((run) => run.feature(kind).waitMs(0.95, minutes.moved, minutes.back) ?? 0));
    console.log(
      `  ${kind.padEnd(13)} moved ${percent(share(kind, minutes.moved, minutes.back)).padStart(8)}   after ${percent(
        share(kind, minutes.back, minutes.back + 1),
      ).padStart(8)}   95 % knew within ${wait} ms`,
    );
  }
  console.log(`  attempts a request ${median(runs.map(attemptsPerRequest)).toFixed(3)}\n`);
}
