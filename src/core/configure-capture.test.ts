import { expect, test } from 'bun:test';

import { contentMs, isCaptured } from './capture.ts';
import { demandOf, stricter } from './data-class.ts';
import { compile } from './policy.ts';
import { Secret } from './secret.ts';

const goodKey = Buffer.alloc(32, 1).toString('base64');

const compiled = (capture: unknown, key: string = goodKey) =>
  compile(
    {
      providers: { openai: { api: 'openai', keys: ['env:KEY'] } },
      dataClasses: { internal: { training: 'no' }, secret: { capture: 'no' } },
      features: { notes: { route: ['openai/gpt-5.2'] } },
      audit: { capture },
    },
    {
      hash: 'h',
      secrets: (reference) =>
        reference === 'env:NOT_SET' ? { why: 'NOT_SET is not set', severity: 'error' } : new Secret(key),
    },
  );

test.each([
  ['no key', { features: ['notes'] }, goodKey, ['audit', 'capture', 'key']],
  [
    'a key that is not set',
    { key: 'env:NOT_SET', features: ['notes'] },
    goodKey,
    ['audit', 'capture', 'key'],
  ],
  ['a key that is none', { key: 'env:K', features: ['notes'] }, 'short', ['audit', 'capture', 'key']],
  ['a key in the clear', { key: goodKey, features: ['notes'] }, goodKey, ['audit', 'capture', 'key']],
  ['nothing named', { key: 'env:K' }, goodKey, ['audit', 'capture']],
  [
    'a feature that is not there',
    { key: 'env:K', features: ['nots'] },
    goodKey,
    ['audit', 'capture', 'features', 0],
  ],
  [
    'a class that forbids it',
    { key: 'env:K', dataClasses: ['secret'] },
    goodKey,
    ['audit', 'capture', 'dataClasses', 0],
  ],
] as const)('%s is an error that names its place', (_what, capture, key, path) => {
  const result = compiled(capture, key);
  expect(result.ok).toBe(false);
  const problems = result.ok ? [] : result.problems;
  expect(problems.map((problem) => problem.path)).toContainEqual([...path]);
});

test('features and classes both have to fit; a class that is not known does not', () => {
  const result = compiled({ key: 'env:K', features: ['notes'], dataClasses: ['internal'] });
  if (!result.ok || result.snapshot.audit.capture === null) throw new Error('it compiles');
  const { dataClasses } = result.snapshot;
  const { capture } = result.snapshot.audit;
  const asked = (feature: string, name: string | null): boolean =>
    isCaptured(capture, feature, demandOf(dataClasses, name, 'header'));
  expect([asked('notes', 'internal'), asked('chat', 'internal'), asked('notes', null)]).toEqual([
    true,
    false,
    false,
  ]);
  expect(asked('notes', 'secret')).toBe(false);
  const both = stricter(demandOf(dataClasses, 'internal', 'header'), demandOf(dataClasses, 'secret', 'rule'));
  expect([both.name, isCaptured(capture, 'notes', both)]).toEqual(['internal', false]);
});

test('content is kept no longer than the record that tells of it', () => {
  const day = 86_400_000;
  const settings = {
    features: null,
    dataClasses: null,
    key: new Secret(goodKey),
    retentionMs: 30 * day,
    recordsMs: {
      byClass: new Map([
        ['short', 2 * day],
        ['shorter', day],
        ['long', 90 * day],
      ]),
      others: 20 * day,
    },
    bodyBytesMax: 1,
  };
  const kept = (name: string | null) =>
    contentMs(settings, { name, source: 'header', dataClass: null }) / day;
  expect([null, 'other', 'short', 'long', 'short+shorter'].map(kept)).toEqual([20, 20, 2, 30, 1]);
});
