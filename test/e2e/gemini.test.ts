/** Gemini's format through the gateway: with Google's own SDK as caller, and Google as target of every other dialect. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';

import { ApiError, FunctionCallingConfigMode, GoogleGenAI } from '@google/genai';
import type { Content, FunctionCall } from '@google/genai';
import { GoogleGenAI as GoogleGenAiPrevious } from 'genai-previous';

import { simulated, simulatedGoogle, startHouse, until, withGoogle } from '../harness.ts';
import type { House, Json } from '../harness.ts';

const geminiModel = 'gemini-2.5-flash';

let house: House;
let client: GoogleGenAI;
beforeEach(async () => {
  house = await startHouse(withGoogle, [...simulated, simulatedGoogle]);
  client = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: house.url } });
});
afterEach(() => house.stop());

const weather = {
  name: 'get_weather',
  description: 'Weather',
  parametersJsonSchema: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
};
const tools = [{ functionDeclarations: [weather, { ...weather, name: 'get_time' }] }];

async function streamed(model: string, contents: string): Promise<string> {
  let text = '';
  for await (const chunk of await client.models.generateContentStream({ model, contents }))
    text += chunk.text ?? '';
  return text;
}

describe.each([
  ['same dialect', 'search', `google/${geminiModel}`],
  ['across to anthropic', 'notes', 'anthropic/claude-opus-4-8'],
  ['across to openai', 'chat', 'openai/gpt-5.2'],
  ['across to a local server', 'local/llama-3.2-3b', 'local/llama-3.2-3b'],
])('@google/genai, %s', (_name, model, target) => {
  test('whole', async () => {
    const answer = await client.models.generateContent({
      model,
      contents: 'Hello',
      config: { systemInstruction: 'Be kind' },
    });
    expect(answer.text).toContain('[system: Be kind]');
    expect(answer.candidates?.[0]?.finishReason).toBe('STOP' as never);
    expect(answer.usageMetadata?.promptTokenCount).toBeGreaterThan(0);
    expect(answer.sdkHttpResponse?.headers?.['x-breakwater-target']).toBe(target);
  });

  test('streamed, also with the last major version of the SDK', async () => {
    expect(await streamed(model, 'say exactly: a quiet harbour at night')).toBe('a quiet harbour at night');
    const previous = new GoogleGenAiPrevious({ apiKey: 'any', httpOptions: { baseUrl: house.url } });
    let text = '';
    for await (const chunk of await previous.models.generateContentStream({
      model,
      contents: 'say exactly: ahoy',
    }))
      text += chunk.text ?? '';
    expect(text).toBe('ahoy');
  });

  test.each([false, true])('a round of parallel functions (streamed: %p)', async (isStreamed) => {
    const contents: Content[] = [{ role: 'user', parts: [{ text: 'use tools get_weather and get_time' }] }];
    const calls: FunctionCall[] = [];
    const said: Content = { role: 'model', parts: [] };
    if (isStreamed) {
      for await (const chunk of await client.models.generateContentStream({
        model,
        contents,
        config: { tools },
      })) {
        said.parts?.push(...(chunk.candidates?.[0]?.content?.parts ?? []).filter((part) => part.text !== ''));
        calls.push(...(chunk.functionCalls ?? []));
      }
    } else {
      const first = await client.models.generateContent({ model, contents, config: { tools } });
      said.parts?.push(...(first.candidates?.[0]?.content?.parts ?? []));
      calls.push(...(first.functionCalls ?? []));
    }
    expect(calls.map((call) => call.name)).toEqual(['get_weather', 'get_time']);
    for (const call of calls) expect(call.args).toHaveProperty('city');
    const second = await client.models.generateContent({
      model,
      config: { tools },
      contents: [
        ...contents,
        said,
        {
          role: 'user',
          parts: calls.map((call, index) => ({
            functionResponse: {
              name: call.name ?? '',
              ...(call.id === undefined ? {} : { id: call.id }),
              response: { output: index === 0 ? 'calm' : 'noon' },
            },
          })),
        },
      ],
    });
    expect(second.text).toContain('calm');
    expect(second.text).toContain('noon');
  });

  test('structured output and a forced function', async () => {
    const shaped = await client.models.generateContent({
      model,
      contents: 'Where?',
      config: {
        responseMimeType: 'application/json',
        responseJsonSchema: weather.parametersJsonSchema,
      },
    });
    expect(typeof (JSON.parse(shaped.text ?? '') as Json)['city']).toBe('string');
    const forced = await client.models.generateContent({
      model,
      contents: 'Anything',
      config: {
        tools,
        toolConfig: {
          functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['get_time'] },
        },
      },
    });
    if (target !== 'anthropic/claude-opus-4-8')
      expect(forced.functionCalls?.map((call) => call.name)).toEqual(['get_time']);
  });

  test('an image and a limit of tokens', async () => {
    if (target.startsWith('local/')) return; // it cannot see
    const answer = await client.models.generateContent({
      model,
      contents: [
        {
          role: 'user',
          parts: [{ inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }, { text: 'What?' }],
        },
      ],
    });
    expect(answer.text).toContain('I see 1 image');
    const cut = await client.models.generateContent({
      model,
      contents: `say exactly: ${'long '.repeat(200)}`,
      config: { maxOutputTokens: 20 },
    });
    expect(cut.candidates?.[0]?.finishReason).toBe('MAX_TOKENS' as never);
  });
});

describe('Google as target of other dialects', () => {
  test('openai and anthropic SDKs, whole, streamed and with functions', async () => {
    const chat = await house.openai.chat.completions.create({
      model: 'lone',
      messages: [
        { role: 'system', content: 'Be kind' },
        { role: 'user', content: 'Hello' },
      ],
    });
    expect(chat.choices[0]?.message.content).toContain('[system: Be kind]');
    const message = await house.anthropic.messages.create({
      model: 'lone',
      max_tokens: 200,
      messages: [{ role: 'user', content: 'use tool get_weather' }],
      tools: [{ name: 'get_weather', input_schema: { ...weather.parametersJsonSchema, type: 'object' } }],
    });
    const call = message.content.find((block) => block.type === 'tool_use');
    expect(message.stop_reason).toBe('tool_use');
    const second = await house.anthropic.messages.create({
      model: 'lone',
      max_tokens: 200,
      tools: [{ name: 'get_weather', input_schema: { ...weather.parametersJsonSchema, type: 'object' } }],
      messages: [
        { role: 'user', content: 'use tool get_weather' },
        { role: 'assistant', content: message.content },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: call?.id ?? '', content: 'calm' }],
        },
      ],
    });
    expect(JSON.stringify(second.content)).toContain('calm');
    const final = await house.openai.responses
      .stream({ model: 'lone', input: 'say exactly: ahoy' })
      .finalResponse();
    expect(final.output_text).toBe('ahoy');
    expect(
      await house.anthropic.messages
        .stream({ model: 'lone', max_tokens: 50, messages: [{ role: 'user', content: 'say exactly: ahoy' }] })
        .finalText(),
    ).toBe('ahoy');
  });

  test('output counts thoughts', async () => {
    const chat = await house.openai.chat.completions.create({
      model: 'lone',
      reasoning_effort: 'low',
      messages: [{ role: 'user', content: 'say exactly: ahoy' }],
    });
    expect(chat.usage?.completion_tokens_details?.reasoning_tokens).toBeGreaterThan(0);
    expect(chat.usage?.completion_tokens).toBeGreaterThan(
      chat.usage?.completion_tokens_details?.reasoning_tokens ?? 0,
    );
    expect(chat.choices[0]?.message).toHaveProperty('reasoning_content');
  });
});

describe('failure', () => {
  test('before the commit point is unseen', async () => {
    house.simulator.setFault({ provider: 'google', fault: { kind: 'error_event', afterEvents: 0 } });
    expect(await streamed('search', 'say exactly: rescued')).toBe('rescued');
  });

  test('after it raises in the SDK', async () => {
    house.simulator.setFault({ provider: 'google', fault: { kind: 'cut', afterEvents: 3, how: 'reset' } });
    const error = await streamed('search', 'Hello').catch((caught: unknown) => caught);
    expect(String(error)).toContain('was cut off');
  });

  test('a stream that ends without a finish reason is not an answer', async () => {
    house.simulator.setFault({ provider: 'google', fault: { kind: 'missing_terminal', keepFinish: false } });
    expect(String(await streamed('lone', 'Hello').catch((caught: unknown) => caught))).toContain('cut off');
  });

  test.each([
    ['overloaded', 'overloaded'],
    ['server_error', 'server_error'],
    ['rate_limited', 'rate_limited'],
    ['quota_exhausted', 'quota_exhausted'],
    ['credential_rejected', 'credential_rejected'],
    ['model_not_found', 'model_not_found'],
    ['edge_page', 'server_error'],
  ] as const)('%s is classed and rescued', async (preset, failure) => {
    house.simulator.setFault({ provider: 'google', fault: { kind: 'preset', preset } });
    const answer = await client.models.generateContent({ model: 'search', contents: 'say exactly: ok' });
    expect(answer.text).toBe('ok');
    expect(answer.sdkHttpResponse?.headers?.['x-breakwater-fallback']).toBe(failure);
  });

  test('with nothing left the error has the SDK’s class and our words', async () => {
    house.simulator.setFault({ provider: 'google', fault: { kind: 'preset', preset: 'overloaded' } });
    const error = await client.models
      .generateContent({ model: 'lone', contents: 'Hello' })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).status).toBe(502);
    expect((error as ApiError).message).toContain('"@type":"breakwater"');
    expect((error as ApiError).message).toContain('overloaded');
  });

  test('bad input names its place', async () => {
    const response = await fetch(`${house.url}/v1beta/models/search:generateContent`, {
      method: 'POST',
      body: JSON.stringify({ contents: [] }),
    });
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toContain('is empty; send at least one');
  });

  const asArray = async (model: string): Promise<readonly Json[]> => {
    const response = await fetch(`${house.url}/v1beta/models/${model}:streamGenerateContent`, {
      method: 'POST',
      body: JSON.stringify({
        contents: [{ role: 'user', parts: [{ text: 'say exactly: a quiet harbour' }] }],
      }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('application/json');
    return (await response.json()) as readonly Json[];
  };

  test.each(['search', 'chat'])('without alt=sse a stream is one JSON array (%s)', async (model) => {
    const chunks = await asArray(model);
    const said = chunks.map((chunk) => JSON.stringify(chunk).match(/"text":"([^"]*)"/)?.[1] ?? '');
    expect(chunks.length).toBeGreaterThan(1);
    expect(said.join('')).toBe('a quiet harbour');
  });

  test('an array that broke off ends with the error as its last element', async () => {
    house.simulator.setFault({ provider: 'google', fault: { kind: 'cut', how: 'reset', afterEvents: 2 } });
    expect((await asArray('lone')).at(-1)).toHaveProperty('error');
  });

  test('a caller that leaves stops the provider', async () => {
    house.simulator.setFault({ provider: 'google', fault: { kind: 'delay', betweenTokensMs: 9_000 } });
    const controller = new AbortController();
    const stream = await client.models.generateContentStream({
      model: 'search',
      contents: 'Hello',
      config: { abortSignal: controller.signal },
    });
    await stream.next();
    controller.abort();
    await until(
      () => house.simulator.calls()[0]?.ending === 'aborted_by_client',
      'the provider sees that the caller left',
    );
  });
});

test('a request to count that names its model once more names the target', async () => {
  const contents = [{ parts: [{ text: 'How many?' }] }];
  for (const [key, model] of [
    ['generateContentRequest', 'models/search'],
    ['generate_content_request', 'search'],
  ] as const) {
    const counted = await fetch(`${house.url}/v1beta/models/search:countTokens`, {
      method: 'POST',
      body: JSON.stringify({ [key]: { model, contents } }),
    });
    expect(counted.status).toBe(200);
    expect(JSON.parse(house.simulator.calls().at(-1)?.text ?? '')).toEqual({
      generateContentRequest: { model: `models/${geminiModel}`, contents },
    });
  }
});

test('tokens are counted, models are listed, keys come in header or address', async () => {
  const counted = await client.models.countTokens({ model: `google/${geminiModel}`, contents: 'How many?' });
  expect(counted.totalTokens).toBeGreaterThan(0);
  expect(house.simulator.calls().at(-1)?.path).toEndWith(':countTokens');
  const estimated = await client.models.countTokens({ model: 'chat', contents: 'How many?' });
  expect(estimated.totalTokens).toBeGreaterThan(0);
  const names: (string | undefined)[] = [];
  for await (const model of await client.models.list()) names.push(model.name);
  expect(names).toContain('models/search');
  expect((await client.models.get({ model: 'search' })).displayName).toBe('Search');
  const made = await house.admin('POST', 'keys', { name: 'k' });
  const secret = String(made.body['secret']);
  const ask = (query: string): Promise<Response> =>
    fetch(`${house.url}/v1beta/models/search:generateContent${query}`, {
      method: 'POST',
      body: JSON.stringify({ contents: [{ parts: [{ text: 'Hello' }] }] }),
    });
  expect((await ask('')).status).toBe(401);
  expect((await ask(`?key=${secret}`)).status).toBe(200);
  expect(JSON.stringify(house.logs)).not.toContain(secret);
});
