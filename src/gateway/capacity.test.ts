import { expect, test } from 'bun:test';
import fc from 'fast-check';

import { aFeature, aProvider, aTarget, opus } from '../../test/core-fixture.ts';
import { instant } from '../core/ids.ts';
import { isAbove, priorities } from '../core/shedding.ts';
import type { Priority } from '../core/snapshot.ts';
import type { Provider } from '../core/target.ts';
import { createCapacity, loadSign } from './capacity.ts';
import type { Capacity, Claim, Place } from './capacity.ts';

function board(changes: Partial<Provider> = {}) {
  const clock = { now: 0 };
  const target = aTarget(aProvider('busy', changes), opus);
  const features = new Map(
    priorities.map((priority) => [priority, aFeature([target], { name: priority, priority })]),
  );
  const capacity: Capacity = createCapacity({
    now: () => instant(clock.now),
    random: () => 0,
    features: () => features,
    onWaiting: () => {},
  });
  return { clock, target, capacity };
}

const claim = (priority: Priority, tenant: string | null = null, inputTokens = 100): Claim => ({
  priority,
  tenant,
  inputTokens,
});

/** Enters as often as there is room. */
function fill(
  { capacity, target }: ReturnType<typeof board>,
  priority: Priority,
  tenant: string | null = null,
): Place[] {
  const places: Place[] = [];
  for (;;) {
    const place = capacity.enter(target, claim(priority, tenant));
    if ('kind' in place) return places;
    places.push(place);
  }
}

test('each priority fills its share of the places', () => {
  expect(fill(board({ concurrencyMax: 20 }), 'sheddable').length).toBe(12);
  expect(fill(board({ concurrencyMax: 20 }), 'normal').length).toBe(18);
  expect(fill(board({ concurrencyMax: 20 }), 'critical').length).toBe(20);
});

test('a place given back goes to the highest priority that waits', () => {
  const given = board({ concurrencyMax: 2 });
  const { capacity, target } = given;
  const [first] = fill(given, 'critical');
  const got: string[] = [];
  const take = (name: string, priority: Priority): void =>
    void capacity.wait([target], claim(priority), instant(60_000), (place) => {
      if (place !== null) got.push(name);
    });
  take('normal', 'normal');
  take('critical', 'critical');
  expect(capacity.waiting).toBe(2);
  if (first !== undefined) capacity.leave(first);
  expect(got).toEqual(['critical']);
  expect(capacity.view(target)).toMatchObject({ open: 2, waiting: 1, limit: 2, learnt: false });
});

test('a wait ends at its own moment, and what can be shed does not wait', () => {
  const given = board({ concurrencyMax: 1 });
  const { capacity, target, clock } = given;
  fill(given, 'critical');
  const ends: (Place | null)[] = [];
  capacity.wait([target], claim('sheddable'), instant(60_000), (place) => void ends.push(place));
  expect(ends).toEqual([null]);
  capacity.wait([target], claim('normal'), instant(60_000), (place) => void ends.push(place));
  clock.now = 2_999;
  capacity.tick();
  expect(ends.length).toBe(1);
  clock.now = 3_000;
  capacity.tick();
  expect(ends).toEqual([null, null]);
  expect(capacity.waiting).toBe(0);
});

test('who waits at several targets gets one place', () => {
  const given = board({ concurrencyMax: 1 });
  const { capacity, target } = given;
  const other = aTarget(aProvider('other', { concurrencyMax: 1 }), opus);
  const places = [...fill(given, 'critical'), capacity.enter(other, claim('critical'))];
  let got = 0;
  capacity.wait([target, other], claim('normal'), instant(60_000), () => got++);
  for (const place of places) if (!('kind' in place)) capacity.leave(place);
  expect(got).toBe(1);
  expect(capacity.view(target).open + capacity.view(other).open).toBe(1);
  expect(capacity.waiting).toBe(0);
});

test('rates agreed with the provider are kept, and refill', () => {
  const { capacity, target, clock } = board({ requestsPerMinute: 60, tokensPerMinute: 1_000 });
  const tokens = (count: number) => capacity.enter(target, claim('critical', null, count));
  expect(tokens(900)).not.toHaveProperty('kind');
  expect(tokens(200)).toMatchObject({ kind: 'full', until: 6_000 });
  clock.now = 6_000;
  expect(tokens(200)).not.toHaveProperty('kind');
});

test('nothing smaller goes before a higher priority that waits for a rate', () => {
  const given = board({ tokensPerMinute: 1_000 });
  const { capacity, target } = given;
  expect(capacity.enter(target, claim('critical', null, 300))).not.toHaveProperty('kind');
  expect(capacity.enter(target, claim('critical', null, 900))).toHaveProperty('kind');
  expect(capacity.enter(target, claim('sheddable', null, 10))).not.toHaveProperty('kind');
  capacity.wait([target], claim('critical', null, 900), instant(60_000), () => {});
  expect(capacity.enter(target, claim('sheddable', null, 10))).toHaveProperty('kind');
});

test('one tenant does not take every place of what can be shed', () => {
  const given = board();
  const { capacity, target, clock } = given;
  const places = fill(given, 'critical', 'other');
  for (const place of places.slice(0, 4)) capacity.seen(place, 'overloaded');
  for (const place of places.slice(1)) capacity.leave(place);
  clock.now = 1;
  expect(capacity.view(target)).toMatchObject({ limit: 85, learnt: true });
  const greedy = fill(given, 'sheddable', 'greedy').length;
  expect(greedy).toBeLessThan(51 - 5);
  expect(capacity.enter(target, claim('sheddable', 'modest'))).not.toHaveProperty('kind');
});

test('silence is a first token that would have come later still', () => {
  expect(loadSign('first_token_timeout', 10_000, 0)).toBe(10_000);
  expect(loadSign('first_token_timeout', 10_000, 6_000)).toBe('none');
  expect(loadSign('overloaded', 50, 50)).toBe('overloaded');
  expect(loadSign('server_error', 50, 0)).toBe('none');
});

type Event =
  | { readonly kind: 'arrive'; readonly priority: Priority; readonly tenant: string; readonly tokens: number }
  | { readonly kind: 'leave'; readonly which: number; readonly overloaded: boolean }
  | { readonly kind: 'pass'; readonly ms: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('arrive' as const),
      priority: fc.constantFrom(...priorities),
      tenant: fc.constantFrom('a', 'b'),
      tokens: fc.integer({ min: 1, max: 400 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('leave' as const), which: fc.nat(), overloaded: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 2_000 }) }),
  },
);

test('nobody is refused while somebody of lower priority is let in', () => {
  fc.assert(
    fc.property(
      fc.record({
        concurrencyMax: fc.integer({ min: 1, max: 12 }),
        tokensPerMinute: fc.option(fc.integer({ min: 400, max: 900 })),
      }),
      fc.array(event, { maxLength: 200 }),
      (changes, events) => {
        const { capacity, target, clock } = board(changes);
        const open: Place[] = [];
        // Entries so far, to compare with what was refused after waiting through them.
        const entered: Priority[] = [];
        const enter = (place: Place): void => {
          open.push(place);
          entered.push(place.claim.priority);
        };
        const refused = (priority: Priority, since: number): void => {
          for (const lower of entered.slice(since)) expect(isAbove(priority, lower)).toBe(false);
          for (const lower of priorities)
            if (isAbove(priority, lower))
              expect(capacity.enter(target, claim(lower, null, 400))).toHaveProperty('kind');
        };
        for (const each of events) {
          if (each.kind === 'arrive') {
            const asked = claim(each.priority, each.tenant, each.tokens);
            const place = capacity.enter(target, asked);
            const since = entered.length;
            if (!('kind' in place)) enter(place);
            else
              capacity.wait([target], asked, instant(clock.now + 5_000), (granted) => {
                if (granted === null) refused(each.priority, since);
                else enter(granted);
              });
          } else if (each.kind === 'leave') {
            const [place] = open.splice(each.which % Math.max(1, open.length), 1);
            if (place === undefined) continue;
            capacity.seen(place, each.overloaded ? 'overloaded' : 'none');
            capacity.leave(place);
          } else {
            clock.now += each.ms;
            capacity.tick();
          }
          expect(open.length).toBe(capacity.view(target).open);
          expect(open.length).toBeLessThanOrEqual(changes.concurrencyMax);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});
