import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';

import { seededRandom } from '../simulator/random.ts';
import { softSignals } from './evidence.ts';
import type { SoftSignal } from './evidence.ts';
import { instant } from './ids.ts';
import { freshWatch, hearSigns, suspicionOf } from './soft-watch.ts';
import type { Origin, SoftWatch } from './soft-watch.ts';
import type { WarningMove } from './evidence.ts';
import { shiftedWatch, watchFromJson, watchToJson } from './soft-watch-kept.ts';

const dayMs = 86_400_000;
const falseAlarmMs = 30 * dayMs;
const start = Date.UTC(2026, 5, 7, 7);

/** A target's answers, judged by one signal. */
class World {
  watch: SoftWatch = freshWatch(instant(start));
  now = start;
  readonly moves: WarningMove[] = [];
  asked = 0;
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  ask(odd: boolean, origin: Partial<Origin> = {}, signal: SoftSignal = 'refused'): void {
    this.asked++;
    const from: Origin = { callerKey: null, requestKey: null, feature: null, ...origin };
    const heard = hearSigns(this.watch, [{ signal, odd }], from, falseAlarmMs, instant(this.now));
    this.watch = heard.watch;
    this.moves.push(...heard.moves);
  }

  /** So many answers, some of them odd, until something moves. */
  run(count: number, rate: number, everyMs: number, origin: () => Partial<Origin> = () => ({})): number {
    for (let n = 1; n <= count; n++) {
      this.now += everyMs;
      const before = this.moves.length;
      this.ask(this.#random() < rate, origin());
      if (this.moves.length > before) return n;
    }
    return count;
  }
}

const named = (count: number): (() => Partial<Origin>) => {
  let n = 0;
  return () => ({ callerKey: `user ${n++ % count}` });
};

describe('a rise', () => {
  test('is warned of, in numbers, and taken back when it is over', () => {
    const world = new World(1);
    world.run(5_000, 0.003, 1_000, named(20));
    expect(world.moves).toEqual([]);
    const delay = world.run(2_000, 0.2, 1_000, named(20));
    expect(delay).toBeLessThan(100);
    expect(world.moves[0]).toMatchObject({ signal: 'refused', to: 'warned' });
    expect(world.moves[0]?.words).toMatch(
      /^\d+ of \d+ answers were refusals since \d\d:\d\d:\d\d \(\d+ %; usual 0\.\d+ %\); by chance once in/,
    );
    expect(world.watch.warnings).toHaveLength(1);
    expect(suspicionOf(world.watch, 'refused', falseAlarmMs, instant(world.now))).toBe(1);
    world.run(5_000, 0.003, 1_000, named(20));
    expect(world.moves[1]).toMatchObject({ signal: 'refused', to: 'cleared' });
    expect(world.moves[1]?.words).toStartWith('as usual again: ');
    expect(world.watch.warnings).toEqual([]);
  });

  test('that stays for a day is what is usual then, and the next rise is warned of', () => {
    const world = new World(2);
    world.run(3_000, 0.003, 10_000);
    world.run(2_000, 0.2, 10_000);
    expect(world.moves.map(({ to }) => to)).toEqual(['warned']);
    world.run(20_000, 0.2, 10_000);
    expect(world.moves[1]?.words).toEndWith('that is taken for usual');
    expect(world.run(20_000, 0.2, 10_000)).toBe(20_000);
    expect(world.run(2_000, 0.7, 10_000)).toBeLessThan(60);
  });

  test('of one caller is no rise of the target', () => {
    const world = new World(3);
    const users = named(10);
    world.run(3_000, 0.003, 1_000, users);
    for (let n = 0; n < 2_000; n++) {
      world.now += 1_000;
      world.ask(n % 10 === 0, { callerKey: `user ${n % 10}` });
    }
    expect(world.moves).toEqual([]);
  });

  test('of one feature says so', () => {
    const world = new World(14);
    const features = ['notes', 'chat', 'search'];
    let n = 0;
    const both = (): Partial<Origin> => ({ callerKey: `user ${n % 7}`, feature: features[n++ % 3] ?? null });
    world.run(3_000, 0.003, 1_000, both);
    for (let at = 0; at < 600 && world.moves.length === 0; at++) {
      world.now += 1_000;
      world.ask(at % 3 === 0, {
        callerKey: `user ${at % 7}`,
        feature: features[at % 3] ?? null,
      });
    }
    expect(world.moves[0]?.words).toEndWith('; only in the feature notes');
  });

  test('of one request that was asked again and again is one answer', () => {
    const world = new World(5);
    world.run(1_000, 0, 1_000);
    for (let n = 0; n < 50; n++) world.ask(true, { requestKey: 'req_1' });
    expect(world.moves).toEqual([]);
  });
});

describe('no rise', () => {
  test('in a burst of late first tokens that is over in seconds, and one in what lasts', () => {
    const world = new World(9);
    for (let n = 0; n < 1_000; n++) {
      world.now += 1_000;
      world.ask(false, {}, 'slow_first_token');
    }
    for (let n = 0; n < 50; n++) {
      world.now += 100;
      world.ask(true, {}, 'slow_first_token');
    }
    expect(world.moves).toEqual([]);
    for (let n = 0; n < 60; n++) {
      world.now += 1_000;
      world.ask(true, {}, 'slow_first_token');
    }
    expect(world.moves).toMatchObject([{ signal: 'slow_first_token', to: 'warned' }]);
  });

  test('before two hundred answers nothing is said, whatever they are like', () => {
    const world = new World(6);
    world.run(199, 0.5, 1_000);
    expect(world.moves).toEqual([]);
  });

  test.each([0.0005, 0.01, 0.1, 0.3])(
    'in a month at a steady share of %d',
    (rate) => {
      let warned = 0;
      const seeds = 4;
      for (let seed = 0; seed < seeds; seed++) {
        const world = new World(seed + 100);
        // One answer in 30 seconds for 30 days.
        for (let left = 86_400; left > 0;) left -= world.run(left, rate, 30_000);
        warned += world.moves.filter(({ to }) => to === 'warned').length;
      }
      // Agreed: one in 30 days for each target.
      expect(warned / seeds).toBeLessThanOrEqual(1);
    },
    60_000,
  );

  test('where nearly all answers are odd nothing can be told', () => {
    const world = new World(7);
    expect(world.run(5_000, 0.9, 1_000)).toBe(5_000);
  });
});

describe('the watch as a value', () => {
  const arbitrary = fc.array(
    fc.record({
      odd: fc.boolean(),
      signal: fc.constantFrom(...softSignals),
      callerKey: fc.constantFrom(null, 'a', 'b'),
      gapMs: fc.integer({ min: 0, max: 7_200_000 }),
    }),
    { maxLength: 400 },
  );

  test('is never NaN, stays bounded, and survives being kept', () => {
    fc.assert(
      fc.property(arbitrary, (answers) => {
        const world = new World(1);
        for (const { odd, signal, callerKey, gapMs } of answers) {
          world.now += gapMs;
          world.ask(odd, { callerKey }, signal);
        }
        const { numbers, open, warnings, setAside } = world.watch;
        expect(numbers.every(Number.isFinite)).toBe(true);
        expect(open.length + warnings.length).toBeLessThanOrEqual(softSignals.length);
        expect(setAside.length).toBeLessThanOrEqual(4);
        const kept = watchFromJson(JSON.parse(JSON.stringify(watchToJson(world.watch))));
        expect(kept?.warnings).toEqual(warnings);
      }),
      { numRuns: 100 },
    );
  });

  test('what cannot be understood begins afresh', () => {
    const fresh = watchToJson(freshWatch(instant(start))) as object;
    for (const wrong of [null, 3, {}, { ...fresh, numbers: [1] }, { ...fresh, warnings: [{}] }])
      expect(watchFromJson(wrong)).toBeNull();
  });

  test('a clock that jumps changes nothing', () => {
    const straight = new World(8);
    const jumping = new World(8);
    for (const world of [straight, jumping]) world.run(3_000, 0.003, 1_000);
    jumping.now += 3_600_000;
    jumping.watch = shiftedWatch(jumping.watch, 3_600_000);
    expect(jumping.run(1_000, 0.2, 1_000)).toBe(straight.run(1_000, 0.2, 1_000));
  });
});
