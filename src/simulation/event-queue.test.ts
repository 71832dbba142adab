import { expect, test } from 'bun:test';
import fc from 'fast-check';

import { EventQueue } from './event-queue.ts';

test('the earliest comes first, and those of one instant in the order they were put in', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (times) => {
      const queue = new EventQueue();
      const taken: [number, number][] = [];
      let now = 0;
      const what = { happen: (step: number): void => void taken.push([now, step]) };
      times.forEach((time, index) => queue.put(time, what, index));
      for (const _ of times) {
        now = queue.earliest;
        queue.happen();
      }
      const sorted = times
        .map((time, index): [number, number] => [time, index])
        .toSorted(([one], [other]) => one - other);
      expect(taken).toEqual(sorted);
      expect(queue.earliest).toBe(Number.POSITIVE_INFINITY);
    }),
  );
});

test('what happens may put in more, and more than it was made for', () => {
  const queue = new EventQueue();
  const taken: number[] = [];
  const what = {
    happen: (step: number): void => {
      taken.push(queue.earliest);
      if (step > 0) for (const each of [3, 1, 2]) queue.put(step * 1_000 - each, what, step - 1);
    },
  };
  for (let index = 0; index < 3_000; index++) queue.put(index % 7, what, 0);
  queue.put(8, what, 4);
  let before = 0;
  for (let at = queue.earliest; at < Number.POSITIVE_INFINITY; at = queue.earliest) {
    expect(at).toBeGreaterThanOrEqual(before);
    before = Math.min(at, 8);
    queue.happen();
  }
  expect(taken).toHaveLength(3_000 + 1 + 3 + 9 + 27 + 81);
});
