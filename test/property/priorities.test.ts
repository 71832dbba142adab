/** At one target, whatever comes and goes: a higher priority is never refused where a lower one would be let in. */
import { expect, test } from 'bun:test';

import fc from 'fast-check';

import { instant, targetName } from '../../src/core/ids.ts';
import { isAbove, priorities } from '../../src/core/shedding.ts';
import type { Priority } from '../../src/core/snapshot.ts';
import { createCapacity } from '../../src/gateway/capacity.ts';
import type { Place } from '../../src/gateway/capacity.ts';
import { aFeature, opusAtAnthropic } from '../core-fixture.ts';
import { start } from './world.ts';

const load = fc.array(
  fc.record({
    priority: fc.constantFrom(...priorities),
    tenant: fc.constantFrom(null, 'a', 'b'),
    inputTokens: fc.constantFrom(10, 500),
    /** A new request, an answer that ends, time that passes, or a sign of overload. */
    event: fc.constantFrom('enter', 'enter', 'enter', 'leave', 'later', 'overloaded'),
  }),
  { maxLength: 60 },
);

test('a higher priority is never refused where a lower one would be let in', () => {
  fc.assert(
    fc.property(
      load,
      fc.integer({ min: 1, max: 12 }),
      fc.option(fc.integer({ min: 2, max: 60 })),
      (events, most, rpm) => {
        let now = start;
        const provider = {
          ...opusAtAnthropic.provider,
          concurrencyMax: most,
          requestsPerMinute: rpm,
          tokensPerMinute: null,
        };
        const target = { ...opusAtAnthropic, name: targetName('p', 'm'), provider };
        const features = new Map(
          priorities.map((priority) => [priority, aFeature([target], { name: priority, priority })]),
        );
        const capacity = createCapacity({
          now: () => instant(now),
          random: () => 0.5,
          features: () => features,
          onWaiting: () => {},
        });
        const places: Place[] = [];
        for (const { event, ...claim } of events) {
          if (event === 'later') now += 900;
          if (event === 'leave') {
            const place = places.shift();
            if (place !== undefined) capacity.leave(place);
          }
          const [first] = places;
          if (event === 'overloaded' && first !== undefined) capacity.seen(first, 'overloaded');
          if (event !== 'enter') continue;
          const entered = capacity.enter(target, claim);
          if (!('kind' in entered)) {
            places.push(entered);
            continue;
          }
          for (const lower of priorities.filter((each: Priority) => isAbove(claim.priority, each)))
            expect('kind' in capacity.enter(target, { ...claim, priority: lower })).toBe(true);
        }
      },
    ),
    { numRuns: 3_000, seed: 7 },
  );
}, 600_000);
