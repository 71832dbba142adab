import { expect, test } from 'bun:test';
import fc from 'fast-check';

import { EventQueue } from './event-queue.ts';

test('the earliest comes first, and those of one instant in the order they were put in', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (times) => {
      const queue = new EventQueue<number>();
      times.forEach((time, index) => queue.put(time, index));
      const taken = times.map(() => {
        const at = queue.earliest;
        return [at, queue.take()];
      });
      const sorted = times
        .map((time, index) => [time, index])
        .toSorted(([one = 0], [other = 0]) => one - other);
      expect(taken).toEqual(sorted);
      expect(queue.take()).toBeUndefined();
      expect(queue.earliest).toBe(Number.POSITIVE_INFINITY);
    }),
  );
});
