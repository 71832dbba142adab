import { expect, test } from 'bun:test';

import { classDemand, demandOf, isAtLeastAsStrict, stricter } from './data-class.ts';
import type { DataClass, DataRule } from './snapshot.ts';

const aClass = (name: string, changes: Partial<DataClass> = {}): DataClass => ({
  name,
  training: null,
  retentionDaysMax: null,
  regions: null,
  entities: null,
  ...changes,
});
const open = aClass('open');
const internal = aClass('internal', { training: 'no' });
const short = aClass('short', { retentionDaysMax: 7 });
const restricted = aClass('restricted', {
  training: 'no',
  retentionDaysMax: 0,
  regions: new Set(['eu']),
});
const european = aClass('european', { regions: new Set(['eu', 'ch']) });
const classes = new Map([open, internal, short, restricted, european].map((each) => [each.name, each]));

test.each([
  [internal, open, true],
  [open, internal, false],
  [restricted, internal, true],
  [restricted, european, true],
  [european, restricted, false],
  [short, internal, false],
  [internal, short, false],
  [restricted, restricted, true],
] as const)('%p is at least as strict as %p: %p', (one, other, expected) => {
  expect(isAtLeastAsStrict(one, other)).toBe(expected);
});

const demandFor = (header: string | null, byDefault: string | null, dataRules: readonly DataRule[] = []) =>
  classDemand({ dataClasses: classes, dataRules }, { name: 'notes', dataClass: byDefault }, header, {
    tenant: 'acme',
    keyNames: ['key_1', 'backend'],
  });

test('a caller can raise the class and never lower it', () => {
  expect(demandFor('restricted', 'internal')).toMatchObject({ name: 'restricted', source: 'header' });
  expect(demandFor('open', 'internal')).toMatchObject({ name: 'internal', source: 'feature' });
  expect(demandFor(null, 'internal')).toMatchObject({ name: 'internal', source: 'feature' });
  expect(demandFor('internal', null)).toMatchObject({ name: 'internal', source: 'header' });
  expect(demandFor(null, null)).toMatchObject({ name: null, source: 'none', dataClass: null });
});

test('where neither class is stricter, both are in force', () => {
  expect(demandFor('short', 'internal')).toMatchObject({
    name: 'short+internal',
    source: 'header',
    dataClass: { training: 'no', retentionDaysMax: 7 },
  });
  expect(demandOf(classes, 'short+internal', 'header').dataClass).toMatchObject({ training: 'no' });
});

test('a class that nobody defined is met by nobody, whatever else speaks', () => {
  expect(demandFor('secret', 'internal').dataClass).toBe('undefined_class');
  expect(stricter(demandOf(classes, 'open', 'header'), demandOf(classes, 'x', 'rule')).name).toBe('x');
});

test.each([
  [{ tenant: 'acme' }, 'restricted'],
  [{ tenant: 'other' }, 'internal'],
  [{ key: 'backend' }, 'restricted'],
  [{ key: 'key_1', feature: 'notes' }, 'restricted'],
  [{ key: 'key_1', feature: 'chat' }, 'internal'],
] as const)('a rule for %p makes it %p', (match, expected) => {
  expect(demandFor('open', 'internal', [{ match, dataClass: 'restricted' }]).name).toBe(expected);
});
