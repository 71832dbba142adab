import { expect, test } from 'bun:test';
import fc from 'fast-check';

import {
  aFeature,
  aModel,
  aProvider,
  aTarget,
  gptAtOpenai,
  opus,
  opusAtAnthropic,
  opusAtAws,
} from '../../test/core-fixture.ts';
import { arrange } from './arrangement.ts';
import type { NonEmpty } from './ids.ts';
import type { Target } from './target.ts';

const cheap = aTarget(aProvider('cheap'), { ...opus, price: { input: 1, output: 2 } });
const dear = aTarget(aProvider('dear'), { ...opus, price: { input: 5, output: 25 } });
const route: NonEmpty<Target> = [opusAtAnthropic, opusAtAws, gptAtOpenai];
const empty = (): number => 0;
const names = (plan: readonly Target[]): string[] => plan.map(({ provider }) => provider.id);

test('nothing is arranged unless something is said', () => {
  expect(arrange(route, aFeature(route), empty, 0)).toEqual({ plan: route, because: null });
});

test('a host that is nearly full goes behind its equals, never behind another model', () => {
  const used = (target: Target): number => (target === opusAtAnthropic ? 0.9 : 0.1);
  const { plan, because } = arrange(route, aFeature(route), used, 0.5);
  expect(names(plan)).toEqual(['aws-us', 'anthropic', 'openai']);
  expect(because).toBe('equal_host');
});

test('among equals the cheapest may go first; what has no price goes last', () => {
  const hosts: NonEmpty<Target> = [opusAtAws, dear, cheap, gptAtOpenai];
  const { plan } = arrange(hosts, aFeature(hosts, { equals: 'price' }), empty, 0.5);
  expect(names(plan)).toEqual(['cheap', 'dear', 'aws-us', 'openai']);
});

test('among equals the one with most room may go first', () => {
  const used = (target: Target): number => (target === opusAtAnthropic ? 0.5 : 0.2);
  expect(names(arrange(route, aFeature(route, { equals: 'room' }), used, 0.5).plan)[0]).toBe('aws-us');
});

test('a share keeps the first backup warm, where its hop is auto', () => {
  const feature = aFeature(route, { warmShare: 0.02 });
  expect(arrange(route, feature, empty, 0.01)).toMatchObject({
    plan: [opusAtAws, opusAtAnthropic, gptAtOpenai],
    because: 'warm_share',
  });
  expect(arrange(route, feature, empty, 0.02).because).toBeNull();
  const told = aFeature(route, {
    warmShare: 1,
    fallback: { same_model: 'notify', same_vendor: 'auto', other_vendor: 'auto', local: 'auto' },
  });
  expect(names(arrange(route, told, empty, 0).plan)[0]).toBe('openai');
  const asked = aFeature(route, {
    warmShare: 1,
    fallback: { same_model: 'ask', same_vendor: 'ask', other_vendor: 'notify', local: 'reduce' },
  });
  expect(arrange(route, asked, empty, 0).because).toBeNull();
});

test('when the preferred target is out already, nothing is sent elsewhere to keep it warm', () => {
  const left: NonEmpty<Target> = [opusAtAws, gptAtOpenai];
  expect(arrange(left, aFeature(route, { warmShare: 1 }), empty, 0).because).toBeNull();
});

test('a choice of ours moves nobody to a host of which they would have to be told', () => {
  const told = aFeature(route, {
    fallback: { same_model: 'notify', same_vendor: 'auto', other_vendor: 'auto', local: 'auto' },
  });
  const used = (target: Target): number => (target === opusAtAnthropic ? 1 : 0);
  expect(arrange(route, told, used, 0.5).because).toBeNull();
});

test('who may answer is never changed', () => {
  const hosts = [
    opusAtAnthropic,
    opusAtAws,
    cheap,
    dear,
    gptAtOpenai,
    aTarget(aProvider('x'), aModel('gpt-5.2')),
  ];
  fc.assert(
    fc.property(
      fc.shuffledSubarray(hosts, { minLength: 1 }),
      fc.constantFrom('order' as const, 'price' as const, 'room' as const),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (given, equals, warmShare, random) => {
        const plan = given as unknown as NonEmpty<Target>;
        const arranged = arrange(
          plan,
          aFeature(plan, { equals, warmShare }),
          ({ name }) => name.length % 2,
          random,
        );
        expect(names(arranged.plan).sort()).toEqual(names(plan).sort());
        expect(arranged.because === null).toBe(arranged.plan[0] === plan[0]);
      },
    ),
  );
});
