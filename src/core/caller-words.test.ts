import { expect, test } from 'bun:test';

import { consentWords, offerWords } from './caller-words.ts';

test('the same model elsewhere is offered by the name of who runs it, another model by its own', () => {
  const offers = [
    offerWords('claude-opus-4-8', 'same_model', 'Amazon'),
    offerWords('claude-opus-4-8', 'same_model', null),
    offerWords('gpt-5.2', 'other_vendor', 'OpenAI'),
  ];
  expect(consentWords('claude-opus-4-8', 'Meeting notes', offers)).toBe(
    'claude-opus-4-8 is not available right now. Meeting notes can use claude-opus-4-8 at Amazon, claude-opus-4-8 or gpt-5.2 instead, if you agree.',
  );
});
