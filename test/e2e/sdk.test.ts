/** The official SDKs work through the gateway unchanged, in their own dialect and across. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

import { startHouse, until } from '../harness.ts';
import type { House } from '../harness.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.stop());
beforeEach(() => {
  house.simulator.clearFaults();
  house.simulator.forgetCalls();
});

const weather = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const } },
  required: ['city'],
};
const openaiTools = [
  {
    type: 'function' as const,
    function: { name: 'get_weather', description: 'Weather', parameters: weather },
  },
  { type: 'function' as const, function: { name: 'get_time', description: 'Time', parameters: weather } },
];
const anthropicTools = [
  { name: 'get_weather', description: 'Weather', input_schema: weather },
  { name: 'get_time', description: 'Time', input_schema: weather },
];

describe.each([
  ['same dialect', 'chat', 'gpt-5.2'],
  ['across dialects', 'notes', 'claude-opus-4-8'],
])('openai SDK, %s', (_name, model, served) => {
  test('whole answer', async () => {
    const { data, response } = await house.openai.chat.completions
      .create({
        model,
        messages: [
          { role: 'system', content: 'Be kind' },
          { role: 'user', content: 'Hello' },
        ],
      })
      .withResponse();
    expect(data.choices[0]?.message.content).toContain('[system: Be kind]');
    expect(data.choices[0]?.finish_reason).toBe('stop');
    expect(data.model).toBe(served);
    expect(data.usage?.prompt_tokens).toBeGreaterThan(0);
    expect(data.usage?.total_tokens).toBe(
      (data.usage?.prompt_tokens ?? 0) + (data.usage?.completion_tokens ?? 0),
    );
    expect(response.headers.get('x-breakwater-target')).toEndWith(served);
    expect((data as { _request_id?: string })._request_id).toStartWith('req_');
  });

  test('streamed answer is the whole one, in pieces', async () => {
    const messages = [{ role: 'user' as const, content: 'Tell me' }];
    const whole = await house.openai.chat.completions.create({ model, messages });
    const stream = house.openai.chat.completions.stream({
      model,
      messages,
      stream_options: { include_usage: true },
    });
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]?.message.content).toBe(whole.choices[0]?.message.content ?? '');
    expect(final.usage?.completion_tokens).toBe(whole.usage?.completion_tokens ?? -1);
  });

  test('parallel tools and their results', async () => {
    const messages: OpenAI.ChatCompletionMessageParam[] = [
      { role: 'user', content: 'use tools get_weather and get_time' },
    ];
    const first = await house.openai.chat.completions.create({ model, messages, tools: openaiTools });
    const calls = first.choices[0]?.message.tool_calls ?? [];
    expect(first.choices[0]?.finish_reason).toBe('tool_calls');
    expect(calls.map((call) => (call.type === 'function' ? call.function.name : ''))).toEqual([
      'get_weather',
      'get_time',
    ]);
    expect(
      calls.map((call) => (call.type === 'function' ? JSON.parse(call.function.arguments) : null)),
    ).toEqual([{ city: 'Rome' }, { city: 'Rome' }]);
    messages.push(
      first.choices[0]!.message,
      ...calls.map((call, index) => ({
        role: 'tool' as const,
        tool_call_id: call.id,
        content: `result ${index}`,
      })),
    );
    const second = await house.openai.chat.completions.create({ model, messages, tools: openaiTools });
    expect(second.choices[0]?.message.content).toBe('The tool said: result 0; result 1');
  });

  test('streamed tools', async () => {
    const final = await house.openai.chat.completions
      .stream({
        model,
        messages: [{ role: 'user', content: 'use tools get_weather and get_time' }],
        tools: openaiTools,
      })
      .finalChatCompletion();
    const calls = final.choices[0]?.message.tool_calls ?? [];
    expect(
      calls.map((call) =>
        call.type === 'function' ? [call.function.name, JSON.parse(call.function.arguments)] : null,
      ),
    ).toEqual([
      ['get_weather', { city: 'Rome' }],
      ['get_time', { city: 'Rome' }],
    ]);
  });

  test('images and structured output', async () => {
    const pixel = 'data:image/png;base64,iVBORw0KGgo=';
    const seen = await house.openai.chat.completions.create({
      model,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: pixel } },
          ],
        },
      ],
    });
    expect(seen.choices[0]?.message.content).toContain('I see 1 image');
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    };
    const answer = await house.openai.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'Where?' }],
      response_format: { type: 'json_schema', json_schema: { name: 'place', schema, strict: true } },
    });
    expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ city: 'Rome' });
  });

  test('the token limit shows as length', async () => {
    const cut = await house.openai.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'Long' }],
      max_completion_tokens: 3,
    });
    expect(cut.choices[0]?.finish_reason).toBe('length');
  });

  test('leaving mid-stream cancels the call to the provider', async () => {
    house.simulator.setFault({ fault: { kind: 'delay', betweenTokensMs: 9_000 } });
    const stream = await house.openai.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'Slow' }],
      stream: true,
    });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    const call = house.simulator.calls().at(-1)!;
    await until(() => call.ending !== null, 'the provider notices');
    expect(call.ending).toBe('aborted_by_client');
  });
});

describe.each([
  ['same dialect', 'notes', 'claude-opus-4-8'],
  ['across dialects', 'chat', 'gpt-5.2'],
])('anthropic SDK, %s', (_name, model, served) => {
  test('whole answer', async () => {
    const { data, response } = await house.anthropic.messages
      .create({ model, max_tokens: 200, system: 'Be kind', messages: [{ role: 'user', content: 'Hello' }] })
      .withResponse();
    expect(data.content[0]).toMatchObject({
      type: 'text',
      text: expect.stringContaining('[system: Be kind]'),
    });
    expect(data.stop_reason).toBe('end_turn');
    expect(data.model as string).toBe(served);
    expect(data.usage.input_tokens).toBeGreaterThan(0);
    expect(response.headers.get('x-breakwater-target')).toEndWith(served);
    expect((data as { _request_id?: string })._request_id).toStartWith('req_');
  });

  test('streamed answer is the whole one, in pieces', async () => {
    const body = { model, max_tokens: 200, messages: [{ role: 'user' as const, content: 'Tell me' }] };
    const whole = await house.anthropic.messages.create(body);
    const final = await house.anthropic.messages.stream(body).finalMessage();
    expect(final.content).toMatchObject(
      whole.content.map((block) =>
        block.type === 'text' ? { type: 'text', text: block.text } : block,
      ) as never,
    );
    expect(final.usage.output_tokens).toBe(whole.usage.output_tokens);
    expect(final.stop_reason).toBe('end_turn');
  });

  test('parallel tools and their results, one of them an error', async () => {
    const messages: Anthropic.MessageParam[] = [
      { role: 'user', content: 'use tools get_weather and get_time' },
    ];
    const first = await house.anthropic.messages.create({
      model,
      max_tokens: 200,
      messages,
      tools: anthropicTools,
    });
    const calls = first.content.filter((block) => block.type === 'tool_use');
    expect(first.stop_reason).toBe('tool_use');
    expect(calls.map((call) => [call.name, call.input])).toEqual([
      ['get_weather', { city: 'Rome' }],
      ['get_time', { city: 'Rome' }],
    ]);
    messages.push(
      { role: 'assistant', content: first.content },
      {
        role: 'user',
        content: calls.map((call, index) => ({
          type: 'tool_result' as const,
          tool_use_id: call.id,
          content: `result ${index}`,
          is_error: index === 1,
        })),
      },
    );
    const second = await house.anthropic.messages.create({
      model,
      max_tokens: 200,
      messages,
      tools: anthropicTools,
    });
    expect(second.content[0]).toMatchObject({ type: 'text', text: expect.stringContaining('result 0; ') });
  });

  test('streamed tools', async () => {
    const final = await house.anthropic.messages
      .stream({
        model,
        max_tokens: 200,
        messages: [{ role: 'user', content: 'use tools get_weather and get_time' }],
        tools: anthropicTools,
      })
      .finalMessage();
    expect(
      final.content.filter((block) => block.type === 'tool_use').map((block) => [block.name, block.input]),
    ).toEqual([
      ['get_weather', { city: 'Rome' }],
      ['get_time', { city: 'Rome' }],
    ]);
  });

  test('the token limit shows as max_tokens', async () => {
    const cut = await house.anthropic.messages.create({
      model,
      max_tokens: 3,
      messages: [{ role: 'user', content: 'Long' }],
    });
    expect(cut.stop_reason).toBe('max_tokens');
  });

  test('leaving mid-stream cancels the call to the provider', async () => {
    house.simulator.setFault({ fault: { kind: 'delay', betweenTokensMs: 9_000 } });
    const stream = house.anthropic.messages.stream({
      model,
      max_tokens: 200,
      messages: [{ role: 'user', content: 'Slow' }],
    });
    const ended = stream.done().catch((error: unknown) => error);
    await new Promise<void>((resolve) => stream.once('text', () => resolve()));
    stream.abort();
    expect(await ended).toBeInstanceOf(Anthropic.APIUserAbortError);
    const call = house.simulator.calls().at(-1)!;
    await until(() => call.ending !== null, 'the provider notices');
    expect(call.ending).toBe('aborted_by_client');
  });
});

test('thinking of one vendor is shown to a caller of the other, and comes back without harm', async () => {
  const first = await house.anthropic.messages.create({
    model: 'notes',
    max_tokens: 4_000,
    thinking: { type: 'adaptive' } as never,
    messages: [{ role: 'user', content: 'Think' }],
  });
  expect(first.content.map((block) => block.type)).toEqual(['thinking', 'text']);
  const second = await house.anthropic.messages.create({
    model: 'notes',
    max_tokens: 4_000,
    messages: [
      { role: 'user', content: 'Think' },
      { role: 'assistant', content: first.content },
      { role: 'user', content: 'More' },
    ],
  });
  expect(second.stop_reason).toBe('end_turn');
  // After a failover the same history goes to a vendor that did not sign it.
  house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'preset', preset: 'overloaded' } });
  const third = await house.anthropic.messages.create({
    model: 'notes',
    max_tokens: 4_000,
    messages: [
      { role: 'user', content: 'Think' },
      { role: 'assistant', content: first.content },
      { role: 'user', content: 'More' },
    ],
  });
  expect(third.model as string).toBe('gpt-5.2');
});

test('errors surface as the right class of each SDK, with the request id', async () => {
  house.simulator.setFault({ fault: { kind: 'preset', preset: 'overloaded' } });
  const failed = await house.anthropic.messages
    .create({ model: 'alone', max_tokens: 10, messages: [{ role: 'user', content: 'x' }] })
    .catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(Anthropic.InternalServerError);
  expect((failed as InstanceType<typeof Anthropic.APIError>).requestID).toStartWith('req_');
  const failedToo = await house.openai.chat.completions
    .create({ model: 'solo', messages: [{ role: 'user', content: 'x' }] })
    .catch((error: unknown) => error);
  expect(failedToo).toBeInstanceOf(OpenAI.InternalServerError);
  expect((failedToo as InstanceType<typeof OpenAI.APIError>).requestID).toStartWith('req_');
  expect((failedToo as InstanceType<typeof OpenAI.APIError>).code).toBe('upstream_failed');
  house.simulator.clearFaults();
  const unknown = await house.openai.chat.completions
    .create({ model: 'no-such-model', messages: [{ role: 'user', content: 'x' }] })
    .catch((error: unknown) => error);
  expect(unknown).toBeInstanceOf(OpenAI.NotFoundError);
  const bad = await house.anthropic.messages
    .create({ model: 'notes', max_tokens: 10, messages: [{ role: 'user', content: '' }] })
    .catch((error: unknown) => error);
  expect(bad).toBeInstanceOf(Anthropic.BadRequestError);
  expect(String(bad)).toContain('text content blocks must be non-empty');
  expect(house.asked('openai').length).toBe(1);
});

test('neither SDK retries what the gateway has retried', async () => {
  house.simulator.setFault({ fault: { kind: 'preset', preset: 'overloaded' } });
  const retrying = new OpenAI({ apiKey: 'any', baseURL: `${house.url}/v1` });
  await retrying.chat.completions
    .create({ model: 'solo', messages: [{ role: 'user', content: 'x' }] })
    .catch(() => {});
  const retryingToo = new Anthropic({ apiKey: 'any', baseURL: house.url });
  await retryingToo.messages
    .create({ model: 'alone', max_tokens: 10, messages: [{ role: 'user', content: 'x' }] })
    .catch(() => {});
  expect(house.asked().length).toBe(2);
});

describe.each([false, true])('a custom tool across dialects (streamed: %p)', (streamed) => {
  test('goes as a function and comes back as what it is', async () => {
    const asked = {
      model: 'notes',
      messages: [{ role: 'user' as const, content: 'use tool custom__patch now' }],
      tools: [{ type: 'custom' as const, custom: { name: 'patch', description: 'Patch' } }],
    };
    const completion = streamed
      ? await house.openai.chat.completions.stream(asked).finalChatCompletion()
      : await house.openai.chat.completions.create(asked);
    const message = completion.choices[0]?.message;
    const call = message?.tool_calls?.[0];
    expect(call).toMatchObject({ type: 'custom', custom: { name: 'patch', input: expect.any(String) } });
    expect(completion.choices[0]?.finish_reason).toBe('tool_calls');
    const next = await house.openai.chat.completions.create({
      ...asked,
      messages: [
        ...asked.messages,
        { role: 'assistant', content: null, tool_calls: message?.tool_calls ?? [] },
        { role: 'tool', tool_call_id: call?.id ?? '', content: 'patched' },
      ],
    });
    expect(next.choices[0]?.message.content).toContain('patched');
  });
});
