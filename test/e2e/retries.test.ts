/** What is asked again, waited for or moved on from, in every format: quick retries, answers that do not fit, no connection. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';

import type { Fault } from '../../src/simulator/faults.ts';
import { startHouse, tooLongMs, until } from '../harness.ts';
import type { House, Json } from '../harness.ts';
import { callersOf, oursIn, spoken, startFaulty } from './faults-fixture.ts';
import type { Answer, Faulty } from './faults-fixture.ts';

// A gateway of its own for each case: every case meets the fault itself, not what health remembers of the last one.
let faulty: Faulty;
let house: House;
beforeEach(async () => {
  faulty = await startFaulty();
  ({ house } = faulty);
});
afterEach(() => house.stop());

const { ask, outwait } = callersOf(() => faulty);

describe.each(spoken)('retry rules, $dialect', (how) => {
  const attemptsOf = async (answer: Answer): Promise<string[]> =>
    ((await house.record(answer.id))['attempts'] as Json[]).map(
      (attempt) =>
        `${attempt['target']} ${attempt['failure'] ?? 'ok'}${attempt['why_next'] === null ? '' : ` → ${attempt['why_next']}`}`,
    );

  test('one quick retry of the same target after a 500', async () => {
    house.simulator.setFault({
      provider: how.provider,
      times: 1,
      fault: { kind: 'preset', preset: 'server_error' },
    });
    const answer = await ask(how, how.feature, false);
    expect(answer.headers.get('x-breakwater-fallback')).toBeNull();
    expect((await attemptsOf(answer))[0]).toEndWith('server_error → same_target_retry');
  });

  test.each([
    ['Retry-After in seconds', { 'retry-after': '0' }],
    ['retry-after-ms', { 'retry-after-ms': '60' }],
    ['a date', { 'retry-after': new Date(Date.now() + 500).toUTCString() }],
  ])('%s, when short, is waited for', async (_name, headers) => {
    house.simulator.setFault({
      provider: how.provider,
      times: 1,
      fault: { kind: 'preset', preset: 'overloaded', headers: headers as Record<string, string> },
    });
    const answer = await ask(how, how.feature, false);
    expect(answer.headers.get('x-breakwater-target')).not.toBe(how.backup);
    expect((await attemptsOf(answer))[0]).toEndWith('overloaded → same_target_waited');
  });

  test('a long Retry-After moves on at once', async () => {
    house.simulator.setFault({
      provider: how.provider,
      times: 1,
      fault: { kind: 'preset', preset: 'overloaded', headers: { 'retry-after': '60' } },
    });
    expect((await ask(how, how.feature, false)).headers.get('x-breakwater-target')).toBe(how.backup);
    expect(house.asked(how.provider).length).toBe(1);
  });

  test("the caller's own error is passed on and tried nowhere else", async () => {
    house.simulator.setFault({
      provider: how.provider,
      fault: { kind: 'preset', preset: 'request_rejected' },
    });
    const answer = await ask(how, how.feature, true);
    expect(answer.status).toBe(400);
    expect(oursIn(answer.text)).toMatchObject({ code: 'request_rejected', request_id: answer.id });
    expect(answer.headers.get('x-should-retry')).toBe('false');
    expect(house.asked().length).toBe(1);
  });

  test('a refusal is an answer', async () => {
    house.simulator.setFault({ provider: how.provider, fault: { kind: 'refusal' } });
    for (const stream of [false, true]) {
      const answer = await ask(how, how.feature, stream);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('x-breakwater-fallback')).toBeNull();
      expect(await house.record(answer.id)).toMatchObject({ outcome: 'answered', finish: 'refusal' });
    }
  });

  test('an overflow of context goes only to a larger window', async () => {
    house.simulator.setFault({
      provider: how.provider,
      fault: { kind: 'preset', preset: 'context_exceeded' },
    });
    const answer = await ask(how, how.feature, false);
    // Opus has the larger window: from GPT it may move there, from Opus it may not move to GPT.
    if (how.provider === 'openai') expect(answer.headers.get('x-breakwater-target')).toBe(how.backup);
    else if (how.dialect === 'gemini') expect(answer.text).toContain('context_exceeded'); // the details of an error hold ours
    else expect(JSON.parse(answer.text)).toMatchObject({ breakwater: { code: 'context_exceeded' } });
  });

  test('with nothing left, the error names every failure in words and codes', async () => {
    const silence: Fault = { kind: 'hang', where: 'headers' };
    house.simulator.setFault({ fault: silence });
    const answering = ask(how, how.feature, true);
    await outwait(how, silence, true);
    await until(() => house.asked().length === 2, 'the backup is asked');
    faulty.time.leap(tooLongMs.stream);
    const answer = await answering;
    expect(answer.status).toBe(504);
    expect(oursIn(answer.text)).toMatchObject({
      code: 'upstream_failed',
      failures: [{ failure: 'headers_timeout' }, { failure: 'headers_timeout' }],
    });
    expect(answer.text).toContain('did not begin to answer in time');
  });
});

describe.each(spoken)('answers that do not fit their schema, $dialect', (how) => {
  const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
  const withTool = (): Json => {
    const question = [{ role: 'user', content: 'use tool w' }];
    switch (how.dialect) {
      case 'openai-chat':
        return {
          tools: [{ type: 'function', function: { name: 'w', parameters: schema } }],
          messages: question,
        };
      case 'openai-responses':
        return { tools: [{ type: 'function', name: 'w', parameters: schema }], input: question };
      case 'anthropic-messages':
        return { tools: [{ name: 'w', input_schema: schema }], messages: question };
      case 'gemini':
        return {
          tools: [{ functionDeclarations: [{ name: 'w', parametersJsonSchema: schema }] }],
          contents: [{ role: 'user', parts: [{ text: 'use tool w' }] }],
        };
    }
  };
  const strict = { ...schema, additionalProperties: false };
  const structured = (): Json => {
    switch (how.dialect) {
      case 'openai-chat':
        return {
          response_format: { type: 'json_schema', json_schema: { name: 'w', strict: true, schema: strict } },
        };
      case 'openai-responses':
        return { text: { format: { type: 'json_schema', name: 'w', strict: true, schema: strict } } };
      case 'anthropic-messages':
        return { output_config: { format: { type: 'json_schema', schema: strict } } };
      case 'gemini':
        return { generationConfig: { responseMimeType: 'application/json', responseJsonSchema: schema } };
    }
  };

  test.each([
    ['tool_call_invalid', withTool],
    ['structured_output_invalid', structured],
  ] as const)('%s: asked again once, then moves on, else passed on with a warning', async (failure, form) => {
    house.simulator.setFault({ provider: how.provider, fault: { kind: 'misfit' } });
    const rescued = await ask(how, how.feature, false, form());
    expect(rescued.headers.get('x-breakwater-target')).toBe(how.backup);
    expect(rescued.headers.get('x-breakwater-fallback')).toBe(failure);
    expect(house.asked(how.provider).length).toBe(2);
    const alone = await ask(how, how.alone, false, form());
    expect(alone.status).toBe(200);
    expect(alone.headers.get('x-breakwater-warnings')).toContain(failure);
    expect(house.asked(how.provider).length).toBe(4);
  });

  test('in a stream it is passed on and counted', async () => {
    house.simulator.setFault({ provider: how.provider, fault: { kind: 'misfit' } });
    const answer = await ask(how, how.feature, true, withTool());
    expect(answer.text).toMatch(/su.*rpri/s);
    expect(answer.headers.get('x-breakwater-target')).not.toBe(how.backup);
    expect(house.asked(how.provider).length).toBe(1);
    const counted = async (): Promise<string> => (await fetch(`${house.url}/metrics`)).text();
    expect(await counted()).toMatch(/breakwater_soft_failures_total\{.*signal="tool_call_invalid".*\} 1/);
  });
});

test('a provider that cannot be reached at all fails over', async () => {
  const lonely = await startHouse({}, [
    { id: 'anthropic', api: 'anthropic', models: ['claude-opus-4-8'] },
    { id: 'openai', api: 'openai', models: ['gpt-5.2'] },
    { id: 'aws', api: 'anthropic', models: [] },
    { id: 'local', api: 'openai-compatible', models: [] },
  ]);
  const { port } = new URL(lonely.simulator.baseUrl('anthropic'));
  lonely.configure({
    providers: {
      anthropic: {
        api: 'anthropic',
        keys: ['env:KEY_A'],
        baseUrl: `http://127.0.0.1:${Number(port) > 1 ? 1 : 2}`,
      },
      openai: { api: 'openai', keys: ['env:KEY_O'], baseUrl: lonely.simulator.baseUrl('openai') },
    },
    features: { notes: { route: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'] } },
  });
  await lonely.server.reload();
  const answer = await lonely.anthropic.messages
    .create({ model: 'notes', max_tokens: 20, messages: [{ role: 'user', content: 'x' }] })
    .withResponse();
  expect(answer.response.headers.get('x-breakwater-fallback')).toBe('connect_failed');
  const record = await lonely.record(answer.response.headers.get('x-breakwater-request-id') ?? '');
  expect((record['attempts'] as Json[])[0]).toMatchObject({
    failure: 'connect_failed',
    payload_sent: 'none',
  });
  await lonely.stop();
});
