/** Frameworks that products build on, each with its own code, at the newest version and the last major before it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';

import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { ChatAnthropic } from '@langchain/anthropic';
import { ToolMessage } from '@langchain/core/messages';
import type { BaseMessage } from '@langchain/core/messages';
import { tool as langchainTool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import * as ai from 'ai';
import { createAnthropic as createAnthropicPrevious } from 'ai-anthropic-previous';
import { createGoogleGenerativeAI as createGooglePrevious } from 'ai-google-previous';
import { createOpenAI as createOpenAiPrevious } from 'ai-openai-previous';
import * as aiPrevious from 'ai-previous';
import AnthropicPrevious from 'anthropic-previous';
import OpenAiPrevious from 'openai-previous';
import { z } from 'zod';

import { startHouse } from '../harness.ts';
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

const apiKey = 'any';
const cities = z.object({ city: z.string() });

describe.each([
  ['openai on openai', 'chat'],
  ['openai on anthropic', 'notes'],
])('Vercel AI SDK, %s', (_name, feature) => {
  const model = () => createOpenAI({ baseURL: `${house.url}/v1`, apiKey }).chat(feature);
  const modelPrevious = () => createOpenAiPrevious({ baseURL: `${house.url}/v1`, apiKey }).chat(feature);

  test('text', async () => {
    const { text, finishReason, usage } = await ai.generateText({
      model: model(),
      prompt: 'say exactly: ahoy',
    });
    expect({ text, finishReason }).toEqual({ text: 'ahoy', finishReason: 'stop' });
    expect(usage.inputTokens).toBeGreaterThan(0);
    expect(
      (await aiPrevious.generateText({ model: modelPrevious(), prompt: 'say exactly: ahoy' })).text,
    ).toBe('ahoy');
  });

  test('stream', async () => {
    let text = '';
    for await (const part of ai.streamText({ model: model(), prompt: 'say exactly: a quiet harbour' })
      .textStream)
      text += part;
    expect(text).toBe('a quiet harbour');
    let previous = '';
    const streamed = aiPrevious.streamText({
      model: modelPrevious(),
      prompt: 'say exactly: a quiet harbour',
    });
    for await (const part of streamed.textStream) previous += part;
    expect(previous).toBe('a quiet harbour');
  });

  test('a loop of tools', async () => {
    const { text, steps } = await ai.generateText({
      model: model(),
      prompt: 'use tool weather with {"city":"Oslo"}',
      tools: { weather: ai.tool({ inputSchema: cities, execute: ({ city }) => `calm in ${city}` }) },
      stopWhen: ai.isStepCount(3),
    });
    expect(text).toContain('calm in Oslo');
    expect(steps.length).toBe(2);
  });
});

describe.each([
  ['anthropic on anthropic', 'notes'],
  ['anthropic on openai', 'chat'],
])('Vercel AI SDK, %s', (_name, feature) => {
  const model = () => createAnthropic({ baseURL: `${house.url}/v1`, apiKey })(feature);

  test('text and stream', async () => {
    expect((await ai.generateText({ model: model(), prompt: 'say exactly: ahoy' })).text).toBe('ahoy');
    let text = '';
    for await (const part of ai.streamText({ model: model(), prompt: 'say exactly: ahoy there' }).textStream)
      text += part;
    expect(text).toBe('ahoy there');
    const previous = createAnthropicPrevious({ baseURL: `${house.url}/v1`, apiKey })(feature);
    expect((await aiPrevious.generateText({ model: previous, prompt: 'say exactly: ahoy' })).text).toBe(
      'ahoy',
    );
  });

  test('a loop of tools', async () => {
    const { text } = await ai.generateText({
      model: model(),
      prompt: 'use tool weather with {"city":"Oslo"}',
      tools: { weather: ai.tool({ inputSchema: cities, execute: ({ city }) => `calm in ${city}` }) },
      stopWhen: ai.isStepCount(3),
    });
    expect(text).toContain('calm in Oslo');
  });
});

describe.each([
  ['google on anthropic', 'notes'],
  ['google on openai', 'chat'],
])('Vercel AI SDK, %s', (_name, feature) => {
  test('text, stream and a loop of tools', async () => {
    const model = createGoogleGenerativeAI({ baseURL: `${house.url}/v1beta`, apiKey })(feature);
    expect((await ai.generateText({ model, prompt: 'say exactly: ahoy' })).text).toBe('ahoy');
    let text = '';
    for await (const part of ai.streamText({ model, prompt: 'say exactly: ahoy there' }).textStream)
      text += part;
    expect(text).toBe('ahoy there');
    const looped = await ai.generateText({
      model,
      prompt: 'use tool weather with {"city":"Oslo"}',
      tools: { weather: ai.tool({ inputSchema: cities, execute: ({ city }) => `calm in ${city}` }) },
      stopWhen: ai.isStepCount(3),
    });
    expect(looped.text).toContain('calm in Oslo');
    const previous = createGooglePrevious({ baseURL: `${house.url}/v1beta`, apiKey })(feature);
    expect((await aiPrevious.generateText({ model: previous, prompt: 'say exactly: ahoy' })).text).toBe(
      'ahoy',
    );
  });
});

describe.each([
  ['on openai', 'chat'],
  ['on anthropic', 'notes'],
])('Vercel AI SDK, responses %s', (_name, feature) => {
  test('text, stream and a loop of tools', async () => {
    const model = createOpenAI({ baseURL: `${house.url}/v1`, apiKey }).responses(feature);
    expect((await ai.generateText({ model, prompt: 'say exactly: ahoy' })).text).toBe('ahoy');
    let text = '';
    for await (const part of ai.streamText({ model, prompt: 'say exactly: ahoy there' }).textStream)
      text += part;
    expect(text).toBe('ahoy there');
    const looped = await ai.generateText({
      model,
      prompt: 'use tool weather with {"city":"Oslo"}',
      tools: { weather: ai.tool({ inputSchema: cities, execute: ({ city }) => `calm in ${city}` }) },
      stopWhen: ai.isStepCount(3),
    });
    expect(looped.text).toContain('calm in Oslo');
  });
});

test('Vercel AI SDK: an answer that broke off is an error, not a shorter answer', async () => {
  house.simulator.setFault({ provider: 'openai', fault: { kind: 'cut', afterEvents: 4, how: 'reset' } });
  const errors: unknown[] = [];
  const { textStream } = ai.streamText({
    model: createOpenAI({ baseURL: `${house.url}/v1`, apiKey }).chat('solo'),
    prompt: 'Hello',
    maxRetries: 0,
    onError: ({ error }) => void errors.push(error),
  });
  for await (const part of textStream) expect(part).toBeString();
  expect(errors.length).toBe(1);
});

describe.each([
  ['openai on openai', 'chat'],
  ['openai on anthropic', 'notes'],
  ['anthropic on anthropic', 'notes'],
  ['anthropic on openai', 'chat'],
])('LangChain, %s', (name, feature) => {
  const model = () =>
    name.startsWith('openai')
      ? new ChatOpenAI({ model: feature, apiKey, configuration: { baseURL: `${house.url}/v1` } })
      : new ChatAnthropic({ model: feature, apiKey, anthropicApiUrl: house.url });

  test('text and stream', async () => {
    expect((await model().invoke('say exactly: ahoy')).text).toBe('ahoy');
    let text = '';
    for await (const chunk of await model().stream('say exactly: ahoy there')) text += chunk.text;
    expect(text).toBe('ahoy there');
  });

  test('a loop of tools', async () => {
    const weather = langchainTool(({ city }: { city: string }) => `calm in ${city}`, {
      name: 'weather',
      description: 'Weather',
      schema: cities,
    });
    const bound = model().bindTools([weather]);
    const question = 'use tool weather with {"city":"Oslo"}';
    const first = await bound.invoke(question);
    expect(first.tool_calls?.map(({ name: called, args }) => ({ called, args }))).toEqual([
      { called: 'weather', args: { city: 'Oslo' } },
    ]);
    const results: BaseMessage[] = (first.tool_calls ?? []).map(
      (call) => new ToolMessage({ content: 'calm in Oslo', tool_call_id: call.id ?? '' }),
    );
    expect((await bound.invoke([{ role: 'user', content: question }, first, ...results])).text).toContain(
      'calm in Oslo',
    );
  });
});

describe('the last major before', () => {
  test('openai', async () => {
    const client = new OpenAiPrevious({ baseURL: `${house.url}/v1`, apiKey });
    for (const model of ['chat', 'notes']) {
      const answer = await client.chat.completions.create({
        model,
        messages: [{ role: 'user', content: 'say exactly: ahoy' }],
      });
      expect(answer.choices[0]?.message.content).toBe('ahoy');
      let text = '';
      const stream = await client.chat.completions.create({
        model,
        stream: true,
        messages: [{ role: 'user', content: 'say exactly: ahoy' }],
      });
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      expect(text).toBe('ahoy');
    }
  });

  test('anthropic', async () => {
    const client = new AnthropicPrevious({ baseURL: house.url, apiKey });
    for (const model of ['notes', 'chat']) {
      const asked = {
        model,
        max_tokens: 100,
        messages: [{ role: 'user' as const, content: 'say exactly: ahoy' }],
      };
      expect((await client.messages.create(asked)).content).toMatchObject([{ type: 'text', text: 'ahoy' }]);
      expect(await client.messages.stream(asked).finalText()).toBe('ahoy');
    }
  });
});
