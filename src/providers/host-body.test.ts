import { expect, test } from 'bun:test';

import { hostBetas, hostBody } from './host-body.ts';

const change = (body: string): string =>
  hostBody(body, { version: 'v', betas: [], drop: ['model', 'stream'] });

test.each([
  ['{"model":"a","max_tokens":1}', '{"anthropic_version":"v","max_tokens":1}'],
  ['{"max_tokens":1,"stream":true}', '{"anthropic_version":"v","max_tokens":1}'],
  [
    '{ "max_tokens" : 1.0 , "model" : "a" , "x":"\\"model\\"" }',
    '{"anthropic_version":"v", "max_tokens" : 1.0 , "x":"\\"model\\"" }',
  ],
  ['{"messages":[{"model":"kept"}],"model":"a"}', '{"anthropic_version":"v","messages":[{"model":"kept"}]}'],
  ['{"model":"a"}', '{"anthropic_version":"v"}'],
])('%s', (body, expected) => {
  expect(JSON.parse(change(body))).toEqual(JSON.parse(expected));
  expect(change(body).replaceAll(' ', '')).toBe(expected.replaceAll(' ', ''));
});

test('betas go along, those of the vendor’s own API do not', () => {
  expect(hostBetas('interleaved-thinking-2025-05-14, oauth-2025-04-20,files-api-2025-04-14')).toEqual([
    'interleaved-thinking-2025-05-14',
  ]);
  expect(hostBody('{}', { version: 'v', betas: ['b'], drop: [] })).toBe(
    '{"anthropic_version":"v","anthropic_beta":["b"]}',
  );
});
