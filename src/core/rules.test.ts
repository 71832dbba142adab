import { expect, test } from 'bun:test';

import {
  aFeature,
  aSwitchOver,
  gptAtOpenai,
  llamaAtLocal,
  opusAtAnthropic,
  opusAtAws,
} from '../../test/core-fixture.ts';
import { noParams } from './adaptation.ts';
import type { Adaptation } from './adaptation.ts';
import { instant } from './ids.ts';
import type { NonEmpty } from './ids.ts';
import { decide, everyRule } from './routing.ts';
import { keyClassObjection, plainRequest } from './rules.ts';
import type { Conditions, RoutingRequest } from './rules.ts';
import type { DataClass, Feature } from './snapshot.ts';
import type { Target } from './target.ts';

const route: NonEmpty<Target> = [opusAtAnthropic, opusAtAws, gptAtOpenai, llamaAtLocal];
const open: Conditions = {
  switches: [],
  standing: () => ({ kind: 'open' }),
  now: instant(1_000),
  random: 0.5,
};
const request = (changes: Partial<RoutingRequest> = {}, feature: Partial<Feature> = {}): RoutingRequest =>
  plainRequest(aFeature(route, feature), changes);
const aClass = (name: string, changes: Partial<DataClass> = {}): DataClass => ({
  name,
  training: null,
  retentionDaysMax: null,
  regions: null,
  entities: null,
  ...changes,
});

test('every rule says what it has to say, also behind the one that decided', () => {
  const strict = aClass('restricted', { regions: new Set(['eu']) });
  const spoken = everyRule(
    request(
      {
        demand: { name: 'restricted', source: 'header', dataClass: strict },
        needs: new Set(['tools']),
        inputTokensEstimate: 100_000,
      },
      { fallback: { same_model: 'auto', same_vendor: 'never', other_vendor: 'ask', local: 'never' } },
    ),
    {
      ...open,
      standing: () => ({ kind: 'out', reason: 'ejected', words: 'kept failing', until: null, badness: 1 }),
    },
  );
  const excluding = (target: Target): readonly string[] =>
    (spoken.get(target.name) ?? []).flatMap(({ rule, says }) =>
      says === 'allows' ? [] : [`${rule} ${says}`],
    );
  expect(excluding(gptAtOpenai)).toEqual(['data_policy excludes', 'consent asks', 'gates excludes']);
  expect(excluding(llamaAtLocal)).toEqual([
    'capability excludes',
    'context excludes',
    'consent excludes',
    'gates excludes',
  ]);
  expect(spoken.get(opusAtAnthropic.name)).toHaveLength(7);
});

test('a window that is only assumed refuses nothing', () => {
  const long = request({ inputTokensEstimate: 10_000_000 });
  const assumed = { ...opusAtAnthropic, model: { ...opusAtAnthropic.model, contextKnown: false } };
  expect(decide(long, open)).toMatchObject({ kind: 'refuse', code: 'context_exceeded' });
  expect(decide({ ...long, route: [assumed] }, open)).toMatchObject({ kind: 'route', plan: [assumed] });
});

test('a switch that only observes is noted and excludes nothing', () => {
  const observing = aSwitchOver({ provider: 'anthropic' }, { mode: 'observe' });
  const spoken = everyRule(request(), { ...open, switches: [observing] });
  expect(spoken.get(opusAtAnthropic.name)?.find(({ rule }) => rule === 'switches')).toEqual({
    rule: 'switches',
    says: 'notes',
    reason: null,
    words: 'sw_1 is only observing',
  });
});

test('a policy that has become "never" is not overridden by an earlier agreement', () => {
  const never = { same_model: 'never', same_vendor: 'never', other_vendor: 'never', local: 'never' } as const;
  const conditions: Conditions = {
    ...open,
    standing: (target) =>
      target === opusAtAnthropic
        ? { kind: 'out', reason: 'ejected', words: 'kept failing', until: null, badness: 1 }
        : { kind: 'open' },
  };
  for (const changes of [
    { consentedTarget: gptAtOpenai.name },
    { agreed: new Set([gptAtOpenai.name]) },
  ] as const) {
    const decision = decide(request(changes, { fallback: never }), conditions);
    expect(decision.candidates.find(({ target }) => target === gptAtOpenai.name)?.reason).toBe(
      'fallback_never',
    );
  }
});

test('what the user agreed to for longer is no longer asked, and nothing else is let in', () => {
  const ask = { same_model: 'ask', same_vendor: 'ask', other_vendor: 'ask', local: 'ask' } as const;
  const decision = decide(request({ agreed: new Set([gptAtOpenai.name]) }, { fallback: ask }), {
    ...open,
    standing: (target) =>
      target === opusAtAnthropic
        ? { kind: 'out', reason: 'ejected', words: 'kept failing', until: null, badness: 1 }
        : { kind: 'open' },
  });
  expect(decision.kind === 'route' && decision.plan.map(({ name }) => name)).toEqual([gptAtOpenai.name]);
});

const internal = aClass('internal', { training: 'no' });
const restricted = aClass('restricted', { training: 'no', retentionDaysMax: 0 });
const short = aClass('short', { retentionDaysMax: 7 });

test.each([
  [internal, restricted, true],
  [internal, internal, true],
  [restricted, internal, false],
  [short, internal, false],
] as const)('%#: a key may send what is not above its highest class', (dataClass, keyClassMax, may) => {
  const demand = { name: dataClass.name, source: 'header', dataClass } as const;
  expect(keyClassObjection({ demand, keyClassMax }) === null).toBe(may);
});

test('a highest class that is no longer defined lets nothing through', () => {
  expect(decide(request({ keyClassMax: 'undefined_class' }), open)).toMatchObject({
    kind: 'refuse',
    code: 'forbidden',
  });
});

const withoutTools: Adaptation = {
  prepend: null,
  append: null,
  replace: null,
  params: noParams,
  withoutTools: true,
  format: null,
  waives: new Set(['tools']),
};

test('a limited mode without tools needs no tools', () => {
  const local = (mode: 'auto' | 'reduce'): boolean =>
    decide(
      request(
        { needs: new Set(['tools']) },
        {
          fallback: { same_model: 'auto', same_vendor: 'auto', other_vendor: 'auto', local: mode },
          adapt: new Map([[llamaAtLocal.name, { always: null, reduced: withoutTools }]]),
        },
      ),
      open,
    ).candidates.some(({ target, eligible }) => target === llamaAtLocal.name && eligible);
  expect(local('reduce')).toBe(true);
  expect(local('auto')).toBe(false);
});
