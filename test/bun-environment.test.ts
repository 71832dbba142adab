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
  expect('BUN_JSC_useConcurrentGC' in environment).toBe(isServer);
});

test('Bun knows how the memory of a server is to be collected', async () => {
  const environment = bunEnvironment('serve');
  const child = Bun.spawn([process.execPath, '-e', '0'], {
    stderr: 'pipe',
    env: { ...process.env, ...environment, BUN_JSC_dumpOptions: '1' },
  });
  const said = await new Response(child.stderr).text();
  for (const name of ['useConcurrentGC', 'globalInliningPlanBudgetForFTL'])
    expect(said).toContain(`${name}=${environment[`BUN_JSC_${name}`]}`);
});
