import { expect, test } from 'bun:test';

import { aRecord } from '../../test/record-fixture.ts';
import { createMetrics } from './metrics.ts';

test('a name that a provider reports is kept apart though no configuration holds it, up to a limit', () => {
  const metrics = createMetrics(() => false);
  const report = (modelReported: string | null): void => metrics.observeRequest(aRecord({ modelReported }));
  report('claude-opus-4-8-20260315');
  report(null);
  expect(metrics.expose()).toContain('reported="claude-opus-4-8-20260315"');
  expect(metrics.expose()).toContain('reported="unreported"');
  for (let n = 0; n < 300; n++) report(`invented-${n}`);
  report('claude-opus-4-8-20260315');
  const text = metrics.expose();
  expect(text).not.toContain('invented-299');
  expect(text).toMatch(/reported="claude-opus-4-8-20260315".* 2\n/);
  expect(text).toMatch(/reported="other".* 101\n/);
});
