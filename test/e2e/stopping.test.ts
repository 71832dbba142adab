/** A server that stops while answers are under way: it waits, and what is not complete by then is told as cut. */
import { expect, test } from 'bun:test';

import { startHouse, until } from '../harness.ts';
import type { Json } from '../harness.ts';
import { postTo } from './wire-fixture.ts';

test('an answer that is not complete by the end ends with an error, and is recorded as cut', async () => {
  const house = await startHouse();
  house.simulator.setFault({ provider: 'openai', fault: { kind: 'delay', betweenTokensMs: 3_000 } });
  const messages = [{ role: 'user', content: 'x' }];
  const streamed = await postTo(house.url, '/v1/chat/completions', { model: 'solo', stream: true, messages });
  const id = streamed.headers.get('x-breakwater-request-id') ?? '';
  const whole = postTo(house.url, '/v1/chat/completions', { model: 'chat', messages });
  await until(() => house.server.engine.flights.size === 2, 'both are under way');
  const text = streamed.text();
  const again = house.restart();
  expect(await text).toContain('Breakwater is stopping');
  const answer = await whole;
  expect([answer.status, answer.headers.get('x-breakwater-attempts')]).toEqual([503, '1']);
  expect(answer.headers.get('x-should-retry')).toBe('true');
  // Its content goes to nobody else for that.
  expect(house.asked('anthropic')).toEqual([]);
  const next = await again;
  const record = await next.record(id);
  expect(record).toMatchObject({ outcome: 'partial', error_code: 'upstream_failed' });
  expect((record['attempts'] as readonly Json[])[0]).toMatchObject({ outcome: 'cancelled', failure: null });
  await next.stop();
}, 60_000);
