import { expect, test } from 'bun:test';

import { modelsNamed, modelWords } from './model-names.ts';

test.each([
  [['claude-opus-4-8'], 'Claude Opus 4.8'],
  [['claude-opus-4-8', 'claude-opus-4-7'], 'Claude Opus 4.7 and 4.8'],
  [['claude-opus-4-8', 'claude-opus-4-8-20260601'], 'Claude Opus 4.8'],
  [['claude-opus-4-8', 'gpt-5.2', 'claude-sonnet-4-5'], 'Claude Opus 4.8, GPT-5.2 and Claude Sonnet 4.5'],
  [['gemini-2.5-flash'], 'Gemini 2.5 Flash'],
  [['llama-3.2-3b'], 'Llama 3.2 3B'],
  [['gpt-4o'], 'GPT-4o'],
  [['o3'], 'o3'],
  [['my-own-model'], 'My Own Model'],
  [[], ''],
])('%j are called %s', (models, words) => expect(modelWords(models)).toBe(words));

const known = [
  'claude-opus-4-7',
  'claude-opus-4-8',
  'claude-sonnet-4-5',
  'claude-3-5-sonnet',
  'gpt-5.2',
  'gpt-5.2-mini',
  'gemini-2.5-flash',
  'gemini-2.5-pro',
  'o3',
];

test.each([
  ['Elevated errors on Claude Opus 4.8', ['claude-opus-4-8']],
  ['Elevated errors on Opus 4.7 and 4.8', ['claude-opus-4-7', 'claude-opus-4-8']],
  [
    'Elevated errors on Opus 4.7, Opus 4.8 and Sonnet 4.5',
    ['claude-opus-4-7', 'claude-opus-4-8', 'claude-sonnet-4-5'],
  ],
  ['Claude Opus 4-8 slow', ['claude-opus-4-8']],
  ['claude-opus-4-8 failing', ['claude-opus-4-8']],
  ['claude-opus-4-80 failing', []],
  ['Opus 4.81 failing', []],
  ['Opus 4 failing', []],
  ['Claude 3.5 Sonnet', ['claude-3-5-sonnet']],
  ['GPT-5.2 errors', ['gpt-5.2']],
  ['GPT-5.2 mini errors', ['gpt-5.2-mini']],
  ['Gemini 2.5 Pro latency', ['gemini-2.5-pro']],
  ['Elevated errors on multiple Claude models', []],
  ['Login is slow for everybody', []],
  ['', []],
])('%s names %j', (text, models) => expect(modelsNamed(text, known)).toEqual(models));

test('hostile text costs little', () => {
  const started = modelsNamed(`opus ${'4.8 and '.repeat(20_000)}`, known);
  expect(started).toContain('claude-opus-4-8');
  expect(modelsNamed('4.4.4.4.'.repeat(10_000), known)).toEqual([]);
});
