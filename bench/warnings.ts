/**
 * How rarely warnings cry wolf, and how soon they come: soft signals over simulated months, canaries over simulated
 * models. `npm run bench:warnings` prints a table; `bench/results/warnings.md` is one such run.
 */
import { afterRound, freshCanary, referenceRounds, sampleRounds } from '../src/core/canary.ts';
import type { Canary } from '../src/core/canary.ts';
import { instant } from '../src/core/ids.ts';
import { freshWatch, hearSigns } from '../src/core/soft-watch.ts';
import { canaryRound, usualManner } from '../src/simulation/canary-answers.ts';
import type { Manner } from '../src/simulation/canary-answers.ts';
import { seededRandom } from '../src/simulator/random.ts';
import { median } from './figures.ts';

const dayMs = 86_400_000;
const falseAlarmMs = 30 * dayMs;
const start = Date.UTC(2026, 5, 1);

type Month = { readonly warned: number; readonly delay: number | null };

/** A month at a usual share, then a rise: false warnings, and answers until the rise is warned of. */
function month(seed: number, usual: number, rise: number, everyMs: number): Month {
  const random = seededRandom(seed);
  let watch = freshWatch(instant(start));
  let now = start;
  let warned = 0;
  const ask = (share: number): boolean => {
    now += everyMs;
    const sign = { signal: 'refused', odd: random() < share } as const;
    const origin = { callerKey: null, requestKey: null, feature: null };
    const heard = hearSigns(watch, [sign], origin, falseAlarmMs, instant(now));
    watch = heard.watch;
    return heard.moves.some(({ to }) => to === 'warned');
  };
  for (const until = start + 30 * dayMs; now < until;) if (ask(usual)) warned++;
  if (watch.warnings.length > 0) return { warned, delay: null };
  for (let n = 1; n <= 20_000; n++) if (ask(rise)) return { warned, delay: n };
  return { warned, delay: null };
}

function softRow(usual: number, rise: number, everyMs: number, seeds: number): string {
  const months = Array.from({ length: seeds }, (_, seed) => month(seed + 1, usual, rise, everyMs));
  const warned = months.reduce((sum, each) => sum + each.warned, 0);
  const delays = months.flatMap(({ delay }) => delay ?? []);
  return `| ${usual * 100} % | ${rise * 100} % | ${everyMs / 1_000} s | ${warned} in ${seeds} months | ${median(delays)} |`;
}

/** The share of samples that are called changed. */
function called(model: Manner, level: number, samples: number): number {
  const random = seededRandom(17);
  let found = 0;
  for (let sample = 0; sample < samples; sample++) {
    let canary: Canary = freshCanary;
    for (let n = 0; n < referenceRounds + sampleRounds; n++) {
      const next = afterRound(canary, canaryRound(n < referenceRounds ? usualManner : model, random), {
        at: instant(start),
        level,
        random,
      });
      canary = next.canary;
      if (next.move !== null) found++;
    }
  }
  return found / samples;
}

const seeds = process.argv.includes('--quick') ? 5 : 30;
console.log(
  'Soft signals: one false warning in 30 days is agreed, for all eight signals of a target together.\n',
);
console.log(
  '| usual | rise to | one answer in | false warnings of one signal | answers until the rise is warned of (median) |',
);
console.log(
  '| ----- | ------- | ------------- | ---------------------------- | ------------------------------------------- |',
);
for (const [usual, rise] of [
  [0.001, 0.05],
  [0.005, 0.1],
  [0.02, 0.2],
  [0.1, 0.4],
  [0.3, 0.7],
] as const)
  for (const everyMs of [10_000, 100_000]) console.log(softRow(usual, rise, everyMs, seeds));

console.log('\nCanaries: the share of samples (32 answers against 96) that are called changed.\n');
console.log('| model | at the level 5 % | at 1 in 365 |');
console.log('| ----- | ---------------- | ----------- |');
const percent = (share: number): string => `${Number((share * 100).toFixed(2))} %`;
for (const [name, model] of [
  ['unchanged', usualManner],
  ['10 % shorter', { length: 0.9, otherWords: 0 }],
  ['20 % shorter', { length: 0.8, otherWords: 0 }],
  ['a third shorter', { length: 0.66, otherWords: 0 }],
  ['10 % other words', { length: 1, otherWords: 0.1 }],
  ['40 % other words', { length: 1, otherWords: 0.4 }],
] as const)
  console.log(
    // Errors are rare, so they take more samples to be seen than changes do.
    `| ${name} | ${[0.05, 1 / 365].map((level) => percent(called(model, level, seeds * (model === usualManner ? 60 : 4)))).join(' | ')} |`,
  );
