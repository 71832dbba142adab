import { expect, test } from 'bun:test';

import { resolveRequested } from './default-route.ts';
import { compile } from './policy.ts';
import { Secret } from './secret.ts';
import { covers, reach } from './switches.ts';
import type { Scope } from './switches.ts';

const compiled = compile(
  {
    providers: {
      anthropic: {
        api: 'anthropic',
        keys: ['env:K'],
        models: { 'claude-opus-4-8': { aliases: ['opus-latest'] } },
      },
      second: { api: 'anthropic', baseUrl: 'https://second.example', keys: ['env:K'] },
      own: { api: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1' },
      other: {
        api: 'openai-compatible',
        baseUrl: 'http://127.0.0.1:2/v1',
        models: { mine: { aliases: ['latest'] } },
      },
    },
    features: { notes: { route: ['anthropic/claude-opus-4-8', 'own/claude-opus-4-8', 'own/mine'] } },
  },
  { hash: 'test', secrets: () => new Secret('k') },
);
if (!compiled.ok) throw new Error(compiled.problems[0].message);
const { snapshot } = compiled;
const reached = (scope: Scope): readonly string[] => reach(scope, snapshot).map(({ name }) => name);

const everywhere = ['anthropic/claude-opus-4-8', 'second/claude-opus-4-8', 'own/claude-opus-4-8'];

test('a model switched off by an alias is out at every provider, whoever gave the alias', () => {
  expect(reached({ model: 'opus-latest' })).toEqual(everywhere);
  expect(reached({ model: 'opus-l*' })).toEqual(everywhere);
  expect(reached({ target: 'second/opus-latest' })).toEqual(['second/claude-opus-4-8']);
});

test('also where a feature names a model that its provider does not list', () => {
  expect(reached({ model: 'latest' })).toEqual(['other/mine', 'own/mine']);
});

test('and where a request names a target that nothing lists', () => {
  const resolved = resolveRequested(snapshot, 'second/mine', null);
  if (resolved.kind !== 'resolved') throw new Error(resolved.message);
  expect(covers({ model: 'latest' }, resolved.preferred, null)).toBe(true);
  expect(covers({ model: 'latest' }, resolved.route[1] ?? resolved.preferred, null)).toBe(true);
});
