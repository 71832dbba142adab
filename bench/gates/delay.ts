/** How many outcomes our detector needs, without knowing the background, beside the reference that knows it. */
import type { FailureClass } from '../../src/core/failure.ts';
import { freshCell } from '../../src/core/health-cell.ts';
import { healthRuleOf } from '../../src/core/health-rule.ts';
import { observe } from '../../src/core/health.ts';
import { instant } from '../../src/core/ids.ts';
import { defaultGate } from '../../src/core/snapshot.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { heightFor, meanRun } from './reference.ts';
import { median } from '../figures.ts';

const rule = healthRuleOf(defaultGate);
const usual = 0.005;

/** Outcomes from the onset of a fault to the shed, after some healthy hours. */
function outcomesToShed(perSecond: number, rate: number, seed: number): number {
  const random = seededRandom(seed);
  const spacing = 1_000 / perSecond;
  let cell = freshCell(rule, instant(0));
  let now = 0;
  const outcome = (failed: boolean): void => {
    now += spacing;
    const failure: FailureClass | null = failed ? 'server_error' : null;
    cell = observe(
      cell,
      {
        failure,
        generation: cell.generation,
        probe: false,
        callerKey: `caller ${Math.floor(random() * 10)}`,
        requestKey: null,
        startedAt: instant(now),
        firstTokenMs: failed ? null : 500,
        soft: null,
        retryAfterMs: null,
      },
      rule,
      instant(now),
      0.5,
    ).cell;
  };
  const healthy = Math.min(20_000, Math.max(2_000, perSecond * 3_600));
  for (let n = 0; n < healthy; n++) {
    outcome(random() < usual);
    if (cell.health.state !== 'healthy') cell = freshCell(rule, instant(now));
  }
  for (let n = 1; n <= 20_000; n++) {
    outcome(random() < rate);
    if (cell.health.state !== 'healthy') return n;
  }
  return Number.POSITIVE_INFINITY;
}

export type DelayRow = {
  readonly perSecond: number;
  readonly rate: number;
  readonly reference: number;
  readonly ours: number;
  readonly p95: number;
  readonly most: number;
};

export const delayLimits = [
  { rate: 0.1, most: 2 },
  { rate: 0.2, most: 1.5 },
  { rate: 0.5, most: 1.4 },
  { rate: 1, most: 1.4 },
] as const;

export function delayTable(seeds: number, rates: readonly number[] = [0.1, 1, 10, 100, 1_000]): DelayRow[] {
  return rates.flatMap((perSecond) => {
    const height = heightFor(perSecond * 30 * 86_400);
    return delayLimits.map(({ rate, most }) => {
      const all = Array.from({ length: seeds }, (_, seed) =>
        outcomesToShed(perSecond, rate, 7_919 * (seed + 1) + Math.round(rate * 1_000)),
      ).sort((one, other) => one - other);
      return {
        perSecond,
        rate,
        reference: meanRun(height, rate),
        ours: median(all),
        p95: all[Math.floor(all.length * 0.95)] ?? Number.NaN,
        most,
      };
    });
  });
}
