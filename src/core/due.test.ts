import { expect, test } from 'bun:test';

import { dueSoon } from './due.ts';
import { instant } from './ids.ts';
import { compile } from './policy.ts';
import { Secret } from './secret.ts';
import type { Snapshot } from './snapshot.ts';

function snapshotOf(document: unknown): Snapshot {
  const compiled = compile(document, { hash: 'test', secrets: () => new Secret('k') });
  if (!compiled.ok) throw new Error(compiled.problems[0].message);
  return compiled.snapshot;
}

const snapshot = snapshotOf({
  providers: {
    anthropic: { api: 'anthropic', keys: ['env:K'], terms: { entity: 'A', expires: '2027-04-01' } },
  },
  features: { notes: { route: ['anthropic/claude-opus-5'] } },
});
const at = (date: string): readonly string[] =>
  dueSoon(snapshot, instant(Date.parse(date))).map(({ path, message }) => `${path.join('.')}: ${message}`);

test('nothing is due long before', () => {
  expect(at('2026-11-01')).toEqual([]);
});

test('terms are warned of a month before, and on the day', () => {
  expect(at('2027-03-31')).toEqual([
    'providers.anthropic.terms.expires: is in 1 day: from then on every fact counts as unknown',
  ]);
  expect(at('2027-04-01')).toEqual([
    'providers.anthropic.terms.expires: has passed: every fact of these terms counts as unknown',
  ]);
});

test('a model that its vendor keeps no longer is warned of three months before, where it is used', () => {
  expect(at('2027-05-01').at(-1)).toBe(
    'features.notes.route.0: anthropic/claude-opus-5 is kept by its vendor until 2027-07-24, 84 days from now',
  );
  expect(at('2027-08-01').at(-1)).toContain('may be retired');
});
