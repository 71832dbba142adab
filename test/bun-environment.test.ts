/** What Bun is started with, by command; and that this Bun still knows it: it would say nothing of a word that it does not know. */
import { expect, test } from 'bun:test';

import { bunEnvironment } from '../bin/find-bun.js';

test.each([
  ['serve', true],
  ['drill', false],
  ['demo', false],
  [undefined, false],
] as const)('%s', (command, isServer) => {
  const environment = bunEnvironment(command);
  expect(environment).toMatchObject({ BUN_CONFIG_MAX_HTTP_REQUESTS: '65336' });
  expect('BUN_JSC_heapGrowthMaxIncrease' in environment).toBe(isServer);
});

test('Bun knows how far the heap of a server may grow', async () => {
  const environment = bunEnvironment('serve');
  const child = Bun.spawn([process.execPath, '-e', '0'], {
    stderr: 'pipe',
    env: { ...process.env, ...environment, BUN_JSC_dumpOptions: '1' },
  });
  expect(await new Response(child.stderr).text()).toContain(
    `heapGrowthMaxIncrease=${environment['BUN_JSC_heapGrowthMaxIncrease']}`,
  );
});
