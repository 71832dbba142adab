import { expect, test } from 'bun:test';

import { queryOf, withCallerQuery } from './call-query.ts';

const base = 'https://api.example/v1/messages';

test('what a caller asks in the query goes along, byte for byte', () => {
  expect(withCallerQuery(base, '')).toBe(base);
  expect(withCallerQuery(base, 'beta=true')).toBe(`${base}?beta=true`);
  expect(withCallerQuery(base, 'include%5B%5D=a%20b&include%5B%5D=c+d&flag')).toBe(
    `${base}?include%5B%5D=a%20b&include%5B%5D=c+d&flag`,
  );
  expect(withCallerQuery(`${base}?alt=sse`, 'beta=true')).toBe(`${base}?alt=sse&beta=true`);
});

test.each([
  'key=abc',
  'KEY=abc',
  'k%65y=abc',
  '%6bey=abc',
  '+key=abc',
  'api-key=abc',
  'api_key=abc',
  'access_token=abc',
  'api-version=2020-01-01',
  'subscription-key=abc',
  'alt=json',
  '$alt=json',
  '%24httpHeaders=a',
  'X-Amz-Signature=abc',
  'x-goog-signature=abc',
  '%ff=abc',
  '=abc',
  '',
])('%s stays here', (pair) => {
  expect(withCallerQuery(base, pair)).toBe(base);
  expect(withCallerQuery(base, `a=1&${pair}&b=2`)).toBe(`${base}?a=1&b=2`);
});

test('a query is what stands behind the question mark', () => {
  expect(queryOf('http://host/v1/messages')).toBe('');
  expect(queryOf('/v1/messages?beta=true')).toBe('beta=true');
  expect(queryOf('http://host/a?b?c#d')).toBe('b?c');
});
