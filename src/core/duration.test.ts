import { expect, test } from 'bun:test';

import { rate } from './duration.ts';

test.each([
  ['99.9%', 0.999],
  ['99.95%', 0.9995],
  ['0.5%', 0.005],
  ['100%', 1],
  ['0.07 %', 0.0007],
  ['101%', null],
  ['5', null],
])('%s is the share that is written', (text, share) => expect(rate(text)).toBe(share));
