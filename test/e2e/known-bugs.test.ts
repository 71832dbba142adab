/** Ways in which gateways are known to fail over badly. The numbers are those of our list of known bugs. */
import { afterEach, beforeEach, expect, test } from 'bun:test';

import { APIError } from '@anthropic-ai/sdk';

import { startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

let house: House;
beforeEach(async () => {
  house = await startHouse();
});
afterEach(() => house.stop());

const asked = {
  model: 'notes',
  max_tokens: 200,
  messages: [{ role: 'user' as const, content: 'Hello there' }],
};

test('bug 8: after a failover the caller sees what the last provider really said, not an invented status', async () => {
  house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'preset', preset: 'overloaded' } });
  house.simulator.setFault({ provider: 'openai', fault: { kind: 'preset', preset: 'request_rejected' } });
  const error = await house.anthropic.messages.create(asked).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(APIError);
  const { status, error: body } = error as { status: number; error: { breakwater: Json } };
  expect(status).toBe(400);
  expect(body.breakwater).toMatchObject({
    code: 'request_rejected',
    failures: [
      { target: 'anthropic/claude-opus-4-8', failure: 'overloaded' },
      { target: 'openai/gpt-5.2', failure: 'request_rejected' },
    ],
  });
});

test('bug 9: an answer that broke off is not begun again by another model behind it', async () => {
  house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'cut', how: 'reset', afterEvents: 4 } });
  let said = '';
  const stream = house.anthropic.messages.stream(asked).on('text', (text) => void (said += text));
  const error = await stream.finalMessage().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(APIError);
  expect(said.length).toBeGreaterThan(0);
  expect(house.simulator.calls('openai')).toEqual([]);
});
