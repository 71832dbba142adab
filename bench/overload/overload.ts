/** Prints the metastable case: what protecting is for. `npm run bench:overload [seeds]` */
import {
  answeredShare,
  attemptsPerRequest,
  kinds,
  minutes,
  recoveredMs,
  runCase,
  slowestRefusalMs,
  stages,
} from './case.ts';
import type { Kind } from './case.ts';
import { median } from '../figures.ts';

const seeds = Number(process.argv[2] ?? 8);

const percent = (share: number): string => `${(share * 100).toFixed(share > 0.995 ? 2 : 1)} %`;

console.log(
  `Median of ${seeds} seeds. Answered while the load is moved, and in the minute after it is gone.\n`,
);
for (const stage of stages) {
  const cases = Array.from({ length: seeds }, (_, seed) => runCase(seed + 1, stage));
  const runs = cases.map(({ tally }) => tally);
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
  const recovered = cases.map(recoveredMs);
  const back = recovered.includes(null)
    ? `not in ${recovered.filter((each) => each === null).length} of ${seeds} runs`
    : `within ${Math.max(...recovered.map((each) => each ?? 0)) / 1_000} s in every run`;
  const refusals = cases.map(slowestRefusalMs).filter((each) => each !== null);
  const shed = refusals.length === 0 ? 'nothing was' : `after ${Math.max(...refusals)} ms at the latest`;
  console.log(`  attempts a request ${median(runs.map(attemptsPerRequest)).toFixed(3)}`);
  console.log(`  98 % of everything answered again after the load is gone: ${back}`);
  console.log(`  sheddable work refused: ${shed}\n`);
}
