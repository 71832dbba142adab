import { expect, test } from 'bun:test';

import {
  aFeature,
  aSwitchOver,
  gptAtOpenai,
  llamaAtLocal,
  opusAtAnthropic,
  opusAtAws,
} from '../../test/core-fixture.ts';
import { instant, switchId } from './ids.ts';
import type { NonEmpty } from './ids.ts';
import { decide } from './routing.ts';
import { plainRequest } from './rules.ts';
import type { Conditions, RoutingDecision, RoutingRequest, Standing } from './routing.ts';
import type { ClassDemand } from './data-class.ts';
import type { DataClass, Feature } from './snapshot.ts';
import type { Switch } from './switches.ts';
import type { Target } from './target.ts';

const route: NonEmpty<Target> = [opusAtAnthropic, opusAtAws, gptAtOpenai, llamaAtLocal];
const open: Standing = { kind: 'open' };
const ejected = (badness: number): Standing => ({
  kind: 'out',
  reason: 'ejected',
  words: 'kept failing',
  until: instant(9_000),
  badness,
});

type Setting = {
  feature?: Partial<Feature>;
  request?: Partial<RoutingRequest>;
  switches?: Switch[];
  out?: Record<string, Standing>;
  random?: number;
  route?: NonEmpty<Target>;
};

function run(setting: Setting = {}): RoutingDecision {
  const targets = setting.route ?? route;
  const request = plainRequest(aFeature(targets, setting.feature), {
    inputTokensEstimate: 100,
    ...setting.request,
  });
  const conditions: Conditions = {
    switches: setting.switches ?? [],
    standing: (target) => setting.out?.[target.provider.id] ?? open,
    now: instant(1_000),
    random: setting.random ?? 0.5,
  };
  return decide(request, conditions);
}

const demanding = (dataClass: DataClass): ClassDemand => ({
  name: dataClass.name,
  source: 'header',
  dataClass,
});

const plan = (decision: RoutingDecision): string =>
  decision.kind === 'route'
    ? decision.plan.map((target) => target.provider.id).join(' ') + (decision.panic ? ' (panic)' : '')
    : decision.kind === 'ask'
      ? `ask ${decision.offers.map(({ target }) => target.provider.id).join(' ')}`
      : decision.code;
const reasons = (decision: RoutingDecision): string =>
  decision.candidates.map((candidate) => candidate.reason ?? 'in').join(' ');

const strict = {
  name: 'restricted',
  training: 'no',
  retentionDaysMax: 0,
  regions: new Set(['eu']),
  entities: null,
} as const;
const never = { same_model: 'never', same_vendor: 'never', other_vendor: 'never', local: 'never' } as const;
const careful = { same_model: 'auto', same_vendor: 'auto', other_vendor: 'ask', local: 'never' } as const;

test.each([
  ['the whole route, in order', {}, 'anthropic aws-us openai local'],
  ['a provider switched off', { switches: [aSwitchOver({ provider: 'anthropic' })] }, 'aws-us openai local'],
  [
    'a family switched off catches it everywhere',
    { switches: [aSwitchOver({ family: 'claude-opus' })] },
    'openai local',
  ],
  [
    'a model by its dated name',
    { switches: [aSwitchOver({ model: 'claude-opus-4-8-20260601' })] },
    'openai local',
  ],
  [
    'a model by its name on another host',
    { switches: [aSwitchOver({ model: 'us.anthropic.claude-opus-4-8-20260601-v1:0' })] },
    'openai local',
  ],
  ['a pattern', { switches: [aSwitchOver({ model: 'claude-*' })] }, 'openai local'],
  [
    'a scope is an AND',
    { switches: [aSwitchOver({ provider: 'anthropic', feature: 'other' })] },
    'anthropic aws-us openai local',
  ],
  ['one target', { switches: [aSwitchOver({ target: 'aws-us/claude-opus-4-8' })] }, 'anthropic openai local'],
  [
    'an expired switch does nothing',
    { switches: [aSwitchOver({ provider: 'anthropic' }, { expiresAt: instant(500) })] },
    'anthropic aws-us openai local',
  ],
  [
    'one that stays off does',
    { switches: [aSwitchOver({ provider: 'anthropic' }, { expiresAt: instant(500), atExpiry: 'stay' })] },
    'aws-us openai local',
  ],
  [
    'one that only observes does nothing',
    { switches: [aSwitchOver({ provider: 'anthropic' }, { mode: 'observe' })] },
    'anthropic aws-us openai local',
  ],
  [
    'a last resort goes to the end',
    { switches: [aSwitchOver({ provider: 'anthropic' }, { effect: { kind: 'last_resort' } })] },
    'aws-us openai local anthropic',
  ],
  [
    'shedding takes its share',
    { switches: [aSwitchOver({ provider: 'anthropic' }, { effect: { kind: 'shed', percent: 60 } })] },
    'aws-us openai local',
  ],
  [
    'and leaves the rest',
    { switches: [aSwitchOver({ provider: 'anthropic' }, { effect: { kind: 'shed', percent: 40 } })] },
    'anthropic aws-us openai local',
  ],
  ['an ejected target is passed over', { out: { anthropic: ejected(5) } }, 'aws-us openai local'],
  [
    'with all ejected, the least bad is tried',
    { out: { anthropic: ejected(7), 'aws-us': ejected(5), openai: ejected(6), local: ejected(9) } },
    'aws-us (panic)',
  ],
  [
    'panic never undoes a switch',
    {
      switches: [aSwitchOver({ provider: 'aws-us' })],
      out: { anthropic: ejected(7), openai: ejected(6), local: ejected(9) },
    },
    'openai (panic)',
  ],
  [
    'panic serves a policy of never',
    { feature: { fallback: never }, out: { anthropic: ejected(7) } },
    'anthropic (panic)',
  ],
  [
    'never: nothing else',
    { feature: { fallback: never }, switches: [aSwitchOver({ provider: 'anthropic' })] },
    'fallback_not_allowed',
  ],
  [
    'ask: offers',
    { feature: { fallback: careful }, switches: [aSwitchOver({ family: 'claude-opus' })] },
    'ask openai',
  ],
  [
    'ask does not stand in the way of auto',
    { feature: { fallback: careful }, switches: [aSwitchOver({ provider: 'anthropic' })] },
    'aws-us',
  ],
  [
    'consent opens the agreed target only',
    { feature: { fallback: careful }, request: { consentedTarget: gptAtOpenai.name } },
    'openai',
  ],
  [
    'a caller may tighten',
    { request: { fallbackLimit: 'never' }, switches: [aSwitchOver({ provider: 'anthropic' })] },
    'fallback_not_allowed',
  ],
  [
    'but not loosen',
    {
      feature: { fallback: never },
      request: { fallbackLimit: 'auto' },
      switches: [aSwitchOver({ provider: 'anthropic' })],
    },
    'fallback_not_allowed',
  ],
  ['data policy', { request: { demand: demanding(strict) } }, 'local'],
  [
    'data policy beats panic',
    { request: { demand: demanding(strict) }, out: { local: ejected(5) } },
    'local (panic)',
  ],
  [
    'an undefined class goes nowhere',
    { request: { demand: { name: 'x', source: 'header', dataClass: 'undefined_class' } } },
    'data_policy_denied',
  ],
  ['a capability nobody but one has', { request: { needs: new Set(['tools']) } }, 'anthropic aws-us openai'],
  ['a capability nobody has', { request: { needs: new Set(['audio']) } }, 'no_eligible_target'],
  ['a long request', { request: { inputTokensEstimate: 50_000 } }, 'anthropic aws-us openai'],
  ['too long for all', { request: { inputTokensEstimate: 5_000_000 } }, 'context_exceeded'],
  ['everything switched off', { switches: [aSwitchOver({ provider: '*' })] }, 'no_eligible_target'],
] as [string, Setting, string][])('%s', (_name, setting, expected) => {
  expect(plan(run(setting))).toBe(expected);
});

test('rules speak in their order: data policy before switches before gates', () => {
  const decision = run({
    request: { demand: demanding(strict) },
    switches: [aSwitchOver({ provider: '*' })],
    out: { local: ejected(5) },
  });
  expect(reasons(decision)).toBe('data_policy data_policy data_policy switched_off');
  expect(decision.candidates[0]?.rule).toBe('restricted: retention of 30 days is too long');
  expect(decision.switches).toEqual([switchId('sw_1')]);
});

test('expired terms count as unknown', () => {
  const stale = {
    ...opusAtAnthropic,
    provider: { ...opusAtAnthropic.provider, terms: { ...opusAtAnthropic.provider.terms, expiresAt: 999 } },
  };
  const loose = {
    name: 'internal',
    training: 'no',
    retentionDaysMax: null,
    regions: null,
    entities: null,
  } as const;
  expect(plan(run({ route: [stale], request: { demand: demanding(loose) } }))).toBe('data_policy_denied');
});
