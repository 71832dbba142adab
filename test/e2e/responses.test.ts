/** The Responses API through the gateway with the official SDK: in its own dialect, and across. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';

import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';

import { startHouse, until } from '../harness.ts';
import type { House, Json } from '../harness.ts';

let house: House;
// A house for each test: gates remember failures.
beforeEach(async () => {
  house = await startHouse();
});
afterEach(() => house.stop());

const parameters = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const weather = {
  type: 'function' as const,
  name: 'get_weather',
  description: 'Weather',
  parameters,
  strict: true,
};

describe.each([
  ['same dialect', 'chat', 'openai/gpt-5.2'],
  ['across to anthropic', 'notes', 'anthropic/claude-opus-4-8'],
  ['across to a local server', 'local/llama-3.2-3b', 'local/llama-3.2-3b'],
])('openai SDK, responses, %s', (_name, model, target) => {
  test('whole', async () => {
    const { data, response } = await house.openai.responses
      .create({ model, instructions: 'Be kind', input: 'Hello' })
      .withResponse();
    expect(data.output_text).toContain('[system: Be kind]');
    expect(data.status).toBe('completed');
    expect(data.usage?.input_tokens).toBeGreaterThan(0);
    expect(response.headers.get('x-breakwater-target')).toBe(target);
    expect(response.headers.get('x-request-id')).toStartWith('req_');
  });

  test('streamed: events number themselves, items keep their ids, the end repeats the whole', async () => {
    const stream = await house.openai.responses.create({
      model,
      input: 'say exactly: a quiet harbour at night',
      stream: true,
    });
    const events: OpenAI.Responses.ResponseStreamEvent[] = [];
    for await (const event of stream) events.push(event);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
    expect(events[0]?.type).toBe('response.created');
    const end = events.at(-1);
    if (end?.type !== 'response.completed') throw new Error(`ended with ${end?.type}`);
    const added = events.flatMap((event) =>
      event.type === 'response.output_item.added' ? [event.item.id] : [],
    );
    expect(end.response.output.map((item) => item.id)).toEqual(added);
    const text = events
      .map((event) => (event.type === 'response.output_text.delta' ? event.delta : ''))
      .join('');
    expect(text).toBe('a quiet harbour at night');
    expect(JSON.stringify(end.response.output)).toContain('a quiet harbour at night');
  });

  test("the SDK's own accumulation", async () => {
    const final = await house.openai.responses.stream({ model, input: 'say exactly: ahoy' }).finalResponse();
    expect(final.output_text).toBe('ahoy');
  });

  test.each([false, true])('a round of parallel tools (streamed: %p)', async (streamed) => {
    const time = { ...weather, name: 'get_time' };
    const input: OpenAI.Responses.ResponseInputItem[] = [
      { role: 'user', content: 'use tools get_weather and get_time' },
    ];
    const ask = (): Promise<OpenAI.Responses.Response> =>
      streamed
        ? house.openai.responses.stream({ model, input, tools: [weather, time] }).finalResponse()
        : house.openai.responses.create({ model, input, tools: [weather, time] });
    const first = await ask();
    const calls = first.output.filter((item) => item.type === 'function_call');
    expect(calls.map((call) => call.name)).toEqual(['get_weather', 'get_time']);
    for (const call of calls) expect(JSON.parse(call.arguments)).toHaveProperty('city');
    input.push(
      ...(first.output as OpenAI.Responses.ResponseInputItem[]),
      // The second result first, and something between calls and results: still paired by `call_id`.
      { role: 'developer', content: 'Answer briefly.' },
      { type: 'function_call_output', call_id: calls[1]?.call_id ?? '', output: 'noon' },
      { type: 'function_call_output', call_id: calls[0]?.call_id ?? '', output: 'calm' },
    );
    const second = await ask();
    expect(second.output_text).toContain('noon');
    expect(second.output_text).toContain('calm');
  });

  test('structured output', async () => {
    const parsed = await house.openai.responses.parse({
      model,
      input: 'Where?',
      text: { format: zodTextFormat(z.object({ city: z.string() }), 'place') },
    });
    expect(typeof parsed.output_parsed?.city).toBe('string');
  });

  test('a cut by the limit of tokens says so', async () => {
    const data = await house.openai.responses.create({
      model,
      input: `say exactly: ${'long '.repeat(200)}`,
      max_output_tokens: 16,
    });
    expect(data.status).toBe('incomplete');
    expect(data.incomplete_details?.reason).toBe('max_output_tokens');
  });
});

describe('tools that only this dialect has', () => {
  const custom = { type: 'custom' as const, name: 'apply_patch', description: 'Patch' };
  const files = {
    type: 'namespace' as const,
    name: 'files',
    description: 'Files',
    tools: [{ type: 'function' as const, name: 'read', parameters, strict: false }],
  };

  test.each([
    ['chat', false],
    ['notes', false],
    ['notes', true],
  ])('a custom tool comes back as one (%s, streamed: %p)', async (model, streamed) => {
    const input: OpenAI.Responses.ResponseInputItem[] = [
      { role: 'user', content: 'use tool apply_patch please' },
    ];
    // Across dialects the simulated model knows the tool by its flat name.
    if (model === 'notes') input[0] = { role: 'user', content: 'use tool custom__apply_patch please' };
    const asked = { model, input, tools: [custom] };
    const answer = streamed
      ? await house.openai.responses.stream(asked).finalResponse()
      : await house.openai.responses.create(asked);
    const [call] = answer.output.flatMap((item) => (item.type === 'custom_tool_call' ? [item] : []));
    expect(call).toMatchObject({ name: 'apply_patch', input: expect.any(String) });
    expect(call?.input).not.toStartWith('{');
    const second = await house.openai.responses.create({
      model,
      tools: [custom],
      input: [
        ...input,
        ...(answer.output as OpenAI.Responses.ResponseInputItem[]),
        { type: 'custom_tool_call_output', call_id: call?.call_id ?? '', output: 'patched' },
      ],
    });
    expect(second.output_text).toContain('patched');
  });

  test('a namespace comes back as one', async () => {
    const answer = await house.openai.responses.create({
      model: 'notes',
      input: 'use tool ns5__files__read now',
      tools: [files],
    } as OpenAI.Responses.ResponseCreateParamsNonStreaming);
    expect(answer.output.find((item) => item.type === 'function_call')).toMatchObject({
      name: 'read',
      namespace: 'files',
    });
  });

  test('a tool the provider would run itself is left out by name', async () => {
    const { response } = await house.openai.responses
      .create({ model: 'notes', input: 'Hello', tools: [{ type: 'web_search' }] })
      .withResponse();
    expect(response.headers.get('x-breakwater-warnings')).toContain('web_search');
  });
});

describe('state kept at a provider', () => {
  test.each([
    [{ previous_response_id: 'resp_1', input: 'Go on' }, 'previous_response_id'],
    [{ conversation: 'conv_1', input: 'Go on' }, 'conversation'],
    [{ input: [{ type: 'item_reference', id: 'rs_1' }] }, 'item_reference'],
  ])('%j stays there, and says so', async (asked, pin) => {
    const body = { model: 'chat', ...asked } as OpenAI.Responses.ResponseCreateParamsNonStreaming;
    await house.openai.responses.create(body);
    expect(house.simulator.calls().map((call) => call.provider)).toEqual(['openai']);
    house.simulator.setFault({ provider: 'openai', fault: { kind: 'preset', preset: 'overloaded' } });
    const error = (await house.openai.responses.create(body).catch((caught: unknown) => caught)) as {
      status: number;
      error: Json;
    };
    expect(error.status).toBe(502);
    expect(new Set(house.simulator.calls().map((call) => call.provider))).toEqual(new Set(['openai']));
    const response = await fetch(`${house.url}/v1/responses`, { method: 'POST', body: JSON.stringify(body) });
    expect(await response.json()).toMatchObject({
      breakwater: {
        excluded: [{ target: 'anthropic/claude-opus-4-8', reason: 'lacks_capability', rule: pin }],
      },
    });
  });
});

describe('counts of tokens', () => {
  const asked = { model: 'openai/gpt-5.2', input: 'How many tokens are these?' };

  test('come from the provider', async () => {
    const counted = await house.openai.responses.inputTokens.count(asked);
    expect(counted.object).toBe('response.input_tokens');
    expect(counted.input_tokens).toBeGreaterThan(0);
    expect(house.simulator.calls().map((call) => call.path)).toEqual(['/v1/responses/input_tokens']);
  });

  test('are estimated, and say so, where the provider cannot count', async () => {
    const counted = await house.openai.responses.inputTokens.count({
      ...asked,
      model: 'anthropic/claude-opus-4-8',
    });
    expect(counted).toMatchObject({
      object: 'response.input_tokens',
      input_tokens: expect.any(Number),
      breakwater: { estimate: true },
    });
    expect(house.simulator.calls()).toEqual([]);
  });
});

describe('failure', () => {
  test('before the first event is unseen', async () => {
    house.simulator.setFault({ provider: 'openai', fault: { kind: 'error_event', afterEvents: 0 } });
    const final = await house.openai.responses
      .stream({ model: 'chat', input: 'say exactly: rescued' })
      .finalResponse();
    expect(final.output_text).toBe('rescued');
  });

  test.each(['chat', 'notes'])('after it raises in the SDK (%s)', async (model) => {
    const provider = model === 'chat' ? 'openai' : 'anthropic';
    house.simulator.setFault({ provider, fault: { kind: 'cut', afterEvents: 3, how: 'reset' } });
    const stream = await house.openai.responses.create({ model, input: 'Hello', stream: true });
    const reading = (async (): Promise<void> => {
      for await (const event of stream) expect(event.type).not.toBe('response.completed');
    })();
    const error = await reading.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(String(error)).toContain('was cut off');
  });

  test('a stream without its end is not an answer', async () => {
    house.simulator.setFault({ provider: 'openai', fault: { kind: 'missing_terminal', keepFinish: false } });
    const stream = await house.openai.responses.create({ model: 'solo', input: 'Hello', stream: true });
    const reading = (async (): Promise<void> => {
      for await (const event of stream) expect(event.type).not.toBe('response.completed');
    })();
    expect(await reading.catch((caught: unknown) => caught)).toBeInstanceOf(OpenAI.APIError);
  });

  test.each([
    ['rate_limited', OpenAI.RateLimitError, 'alone'],
    ['server_error', OpenAI.InternalServerError, 'alone'],
  ] as const)('%s has its class', async (preset, type, model) => {
    house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'preset', preset } });
    house.simulator.setFault({ provider: 'aws', fault: { kind: 'preset', preset } });
    const client = house.openai.withOptions({ maxRetries: 0 });
    const error = await client.responses.create({ model, input: 'Hello' }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(preset === 'rate_limited' ? OpenAI.APIError : type);
    expect((error as { requestID: string }).requestID).toStartWith('req_');
  });

  test('bad input names its place', async () => {
    const response = await fetch(`${house.url}/v1/responses`, {
      method: 'POST',
      body: JSON.stringify({ model: 'chat', input: [1] }),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param: 'input[0]', code: 'invalid_request' } });
  });

  test('a caller that leaves stops the provider', async () => {
    house.simulator.setFault({ provider: 'openai', fault: { kind: 'delay', betweenTokensMs: 9_000 } });
    const controller = new AbortController();
    const stream = await house.openai.responses.create(
      { model: 'chat', input: 'Hello', stream: true },
      { signal: controller.signal },
    );
    for await (const event of stream) if (event.type === 'response.output_text.delta') break;
    controller.abort();
    await until(
      () => house.simulator.calls()[0]?.ending === 'aborted_by_client',
      'the provider sees that the caller left',
    );
  });
});

test('reasoning of another provider is shown, and taken out again before it goes to its non-issuer', async () => {
  const asked = { model: 'notes', input: 'Hello', reasoning: { effort: 'medium' as const } };
  const first = await house.openai.responses.create(asked);
  const reasoning = first.output.filter((item) => item.type === 'reasoning');
  expect(reasoning.length).toBe(1);
  const again = await house.openai.responses.create({
    model: 'chat',
    input: [
      { role: 'user', content: 'Hello' },
      ...(first.output as OpenAI.Responses.ResponseInputItem[]),
      { role: 'user', content: 'say exactly: fine' },
    ],
  });
  expect(again.output_text).toBe('fine');
  const sent = house.simulator.calls().at(-1)?.body['input'] as readonly Json[];
  expect(sent.map((item) => item['type'] ?? 'message')).toEqual(['message', 'message', 'message']);
});
