import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { Bag } from './bag.ts';
import type { Bagged } from './bag.ts';

type Thing = Bagged & { readonly name: number };

function shown(bag: Bag<Thing>): readonly number[] {
  const names: number[] = [];
  bag.forEach(({ name }) => names.push(name));
  return names.toSorted((a, b) => a - b);
}

test('property: a bag holds what a set would hold', () => {
  const step = fc.record({ adds: fc.boolean(), name: fc.nat(7) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const things = Array.from({ length: 8 }, (_, name): Thing => ({ name }));
      const bag = new Bag<Thing>();
      const set = new Set<number>();
      for (const { adds, name } of steps) {
        const thing = things[name]!;
        if (adds) {
          bag.add(thing);
          set.add(name);
        } else {
          bag.remove(thing);
          set.delete(name);
        }
        expect(bag.size).toBe(set.size);
        expect(shown(bag)).toEqual([...set].toSorted((a, b) => a - b));
      }
    }),
  );
});

test('what was there at the start is shown, whatever is taken out or added meanwhile', () => {
  const things = Array.from({ length: 9 }, (_, name): Thing => ({ name }));
  const bag = new Bag<Thing>();
  for (const thing of things) bag.add(thing);
  const seen = new Set<number>();
  bag.forEach((thing) => {
    seen.add(thing.name);
    bag.remove(thing);
    if (thing.name % 3 === 0) bag.add({ name: 100 + thing.name });
  });
  for (const { name } of things) expect(seen).toContain(name);
  expect(shown(bag)).toEqual([100, 103, 106]);
});

test('a thing of another bag is neither taken out nor taken for its own', () => {
  const one = new Bag<Thing>();
  const other = new Bag<Thing>();
  const mine: Thing = { name: 1 };
  one.add(mine);
  other.add({ name: 2 });
  other.remove(mine);
  expect([one.size, other.size]).toEqual([1, 1]);
});
