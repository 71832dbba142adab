import { expect, test } from 'bun:test';

import { aModel, aProvider, aTarget } from '../../test/core-fixture.ts';
import { areUnrelated, explain, heightFor, leadOddsMin } from './attribution.ts';
import type { Leaf } from './attribution.ts';
import type { Target } from './target.ts';

const anthropic = aProvider('anthropic');
const aws = aProvider('aws-us');
const openai = aProvider('openai', { api: 'openai' });
const model = (name: string, family: string, vendor: string) => aModel(name, { family, vendor });
const opus48 = model('claude-opus-4-8', 'claude-opus', 'anthropic');
const opus47 = model('claude-opus-4-7', 'claude-opus', 'anthropic');
const opus46 = model('claude-opus-4-6', 'claude-opus', 'anthropic');
const sonnet = model('claude-sonnet-4-6', 'claude-sonnet', 'anthropic');
const gpt = model('gpt-5.2', 'gpt-5', 'openai');

const targets: Target[] = [
  ...[opus48, opus47, opus46, sonnet].map((each) => aTarget(anthropic, each)),
  ...[opus48, sonnet].map((each) => aTarget(aws, each)),
  aTarget(openai, gpt),
];

/** A hundred attempts through each of two keys of every target; `rate` says how many of them failed. */
function leavesWith(rate: (target: Target, key: string) => number, total = 100): Leaf[] {
  return targets.flatMap((target) =>
    ['1', '2'].map((n): Leaf => {
      const key = `${target.provider.id}#${n}`;
      return {
        target,
        key,
        total,
        failed: total * rate(target, key),
        p0: 0.0075,
        perSecond: 1,
      };
    }),
  );
}

const named = (leaves: Leaf[]): string[] => explain(leaves).map(({ scope }) => `${scope.kind} ${scope.name}`);

test.each([
  ['nothing', () => 0.005, []],
  [
    'one version',
    (t) => (t.name === 'anthropic/claude-opus-4-8' ? 0.3 : 0.005),
    ['target anthropic/claude-opus-4-8'],
  ],
  [
    'two versions, their siblings well',
    (t) => (t.provider.id === 'anthropic' && /opus-4-[78]/.test(t.name) ? 0.3 : 0.005),
    ['target anthropic/claude-opus-4-7', 'target anthropic/claude-opus-4-8'],
  ],
  [
    'a model on every host',
    (t) => (t.model.name === 'claude-opus-4-8' ? 0.3 : 0.005),
    ['model claude-opus-4-8'],
  ],
  [
    'many slightly sick models',
    (t) => (t.provider.id === 'anthropic' ? 0.06 : 0.005),
    ['provider anthropic'],
  ],
  ['a family', (t) => (t.model.family === 'claude-opus' ? 0.2 : 0.005), ['family claude-opus']],
  ['one key of two', (_t, key) => (key === 'anthropic#2' ? 0.3 : 0.005), ['key anthropic#2']],
  ['everything', () => 0.4, ['egress us']],
] as [string, (target: Target, key: string) => number, string[]][])('%s', (_name, rate, expected) => {
  expect(named(leavesWith(rate)).sort()).toEqual(expected);
});

test('the runner-up is told with the odds against it', () => {
  const [found] = explain(leavesWith((t) => (t.provider.id === 'anthropic' ? 0.1 : 0.005)));
  expect(found?.scope).toEqual({ kind: 'provider', name: 'anthropic' });
  expect(found?.runnerUp?.odds).toBeGreaterThan(leadOddsMin);
  expect(found?.targets.size).toBe(4);
});

test('a sick version is named although the whole provider is a little worse than usual', () => {
  const leaves = leavesWith((t) =>
    t.name === 'anthropic/claude-opus-4-8' ? 0.9 : t.provider.id === 'anthropic' ? 0.04 : 0.005,
  );
  expect(named(leaves)).toContain('target anthropic/claude-opus-4-8');
});

test('a sibling that nobody asked is not claimed by a wider scope', () => {
  const leaves = leavesWith((t) => (/anthropic.*opus-4-[78]/.test(t.name) ? 0.3 : 0.005)).map((leaf) =>
    leaf.target.name === 'anthropic/claude-opus-4-6' ? { ...leaf, total: 0, failed: 0 } : leaf,
  );
  expect(named(leaves).sort()).toEqual([
    'target anthropic/claude-opus-4-7',
    'target anthropic/claude-opus-4-8',
  ]);
});

test('two sick versions are told from their family although few asked the third', () => {
  const [first, second, third] = targets;
  const leaf = (target: Target | undefined, failed: number, total: number): Leaf => {
    if (target === undefined) throw new Error('no target');
    return { target, key: null, failed, total, p0: 0.0075, perSecond: 5 };
  };
  const leaves = [leaf(first, 7, 36), leaf(second, 7, 37), leaf(third, 0, 60)];
  expect(named(leaves).sort()).toEqual([
    'target anthropic/claude-opus-4-7',
    'target anthropic/claude-opus-4-8',
  ]);
});

test('the height grows with traffic; unrelated means other company and other vendor', () => {
  const few = leavesWith(() => 0).slice(0, 1);
  const many = leavesWith(() => 0);
  expect(heightFor(many, 2_592_000_000)).toBeGreaterThan(heightFor(few, 2_592_000_000));
  const [first, , , , hosted, , other] = targets;
  expect(areUnrelated(first!, other!)).toBe(true);
  expect(areUnrelated(first!, hosted!)).toBe(false);
});
