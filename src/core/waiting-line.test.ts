import { expect, test } from 'bun:test';
import fc from 'fast-check';

import { instant } from './ids.ts';
import { isAbove, placesFor, priorities } from './shedding.ts';
import type { Priority } from './snapshot.ts';
import { join, nextInLine, overdue, waitingMax } from './waiting-line.ts';
import type { Line, Waiter } from './waiting-line.ts';

const waiter = (priority: Priority, tenant: string | null = null, until = 1_000): Waiter => ({
  priority,
  tenant,
  until: instant(until),
});
const roomy = (): boolean => true;

function lineOf(...waiters: readonly Waiter[]): Line<Waiter> {
  return waiters.reduce<Line<Waiter>>((line, each) => join(line, each).line, []);
}

test('the higher priority goes first, then who came first', () => {
  const [normal, critical, later] = [waiter('normal'), waiter('critical'), waiter('critical')];
  expect(nextInLine(lineOf(normal, critical, later), roomy, () => 0)).toBe(critical);
});

test('within a priority, the tenant with the fewest open calls goes first', () => {
  const [greedy, modest] = [waiter('normal', 'a'), waiter('normal', 'b')];
  const open = (tenant: string | null): number => (tenant === 'a' ? 9 : 1);
  expect(nextInLine(lineOf(greedy, modest), roomy, open)).toBe(modest);
  expect(nextInLine(lineOf(greedy, waiter('critical', 'a')), roomy, open)?.priority).toBe('critical');
});

test('nobody overtakes a higher priority for which there is no room', () => {
  const line = lineOf(waiter('critical'), waiter('normal'));
  expect(
    nextInLine(
      line,
      (priority) => priority === 'normal',
      () => 0,
    ),
  ).toBeNull();
});

test('a full line gives the place of the lowest to a higher one, taken from the tenant with most in line', () => {
  const few = waiter('normal', 'few');
  const many = Array.from({ length: waitingMax - 1 }, () => waiter('normal', 'many'));
  const full = lineOf(few, ...many);
  const newcomer = waiter('critical');
  const joined = join(full, newcomer);
  expect(joined.turnedAway).toBe(many.at(-1) ?? null);
  expect(joined.line).toContain(newcomer);
  const equal = waiter('normal', 'other');
  expect(join(full, equal).turnedAway).toBe(equal);
});

test('waits end at their own moment', () => {
  const [soon, late] = [waiter('normal', null, 10), waiter('normal', null, 20)];
  expect(overdue(lineOf(soon, late), instant(10))).toEqual([soon]);
});

test('where a priority finds no place, none below it does', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 0, max: 500 }),
      fc.constantFrom(...priorities),
      fc.constantFrom(...priorities),
      fc.constantFrom(...priorities),
      (most, open, top, one, other) => {
        const [higher, lower] = isAbove(one, other) ? [one, other] : [other, one];
        const fits = (priority: Priority): boolean => open < placesFor(most, priority, top);
        expect(fits(lower) && !fits(higher)).toBe(false);
        expect(placesFor(most, top, top)).toBe(most);
      },
    ),
  );
});
