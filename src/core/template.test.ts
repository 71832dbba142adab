import { expect, test } from 'bun:test';

import { fill, parseTemplate, templateLengthMax } from './template.ts';

const values = { system: 'Be kind.', feature: 'Notes', requested: 'opus', model: 'gpt', open: '{{' };
const filled = (text: string): string => {
  const parsed = parseTemplate(text);
  return parsed.kind === 'template' ? fill(parsed.template, values) : JSON.stringify(parsed.problems);
};

test.each([
  ['plain', 'plain'],
  ['{{system}}', 'Be kind.'],
  ['You are {{ feature }}. {{system}}', 'You are Notes. Be kind.'],
  ['{{open}}name}} is kept', '{{name}} is kept'],
  ['{ "a": 1 }', '{ "a": 1 }'],
])('%p becomes %p', (text, expected) => {
  expect(filled(text)).toBe(expected);
});

test.each([
  ['', 'is empty'],
  ['{{sytem}}', 'did you mean \\"system\\"'],
  ['{{nowhere_at_all}}', 'places are'],
  ['a {{system', 'never closes'],
  ['x'.repeat(templateLengthMax + 1), 'is longer than'],
])('%#: a problem is found when the configuration loads', (text, words) => {
  expect(filled(text)).toContain(words);
});

test('every problem of a text is told', () => {
  const parsed = parseTemplate('{{a_place}} and {{another_place}} and {{');
  expect(parsed.kind === 'problems' ? parsed.problems.length : 0).toBe(3);
});
