import { expect, test } from 'bun:test';

import { fuzz } from './fuzz.ts';

test('broken input of any dialect ends in a value or a documented problem, never in a throw', () => {
  expect(fuzz(20_000, 7).thrown).toEqual([]);
});
