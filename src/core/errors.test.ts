import { expect, test } from 'bun:test';

import { isCallersOwn } from './errors.ts';

test.each([
  ['invalid_request', 0, true],
  ['request_rejected', 1, true],
  ['rate_limited', 0, true],
  ['unknown_model', 0, true],
  ['unknown_model', 1, false],
  ['upstream_failed', 1, false],
  ['data_policy_denied', 0, false],
  [null, 1, false],
] as const)("%s after %d attempts: the caller's own is %p", (errorCode, attempts, own) => {
  expect(isCallersOwn({ errorCode, attempts: Array.from({ length: attempts }) })).toBe(own);
});
