/** The same model on another cloud: Bedrock, Vertex and Azure behind the vendors' own APIs, over real sockets. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';

import type Anthropic from '@anthropic-ai/sdk';
import type OpenAI from 'openai';

import type { Simulator } from '../../src/simulator/simulator.ts';
import { configuration, patience, simulated, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

const bedrockId = 'us.anthropic.claude-opus-4-8';

function withClouds(simulator: Simulator): Json {
  const { providers, features } = configuration(simulator) as { providers: Json; features: Json };
  const aws = { api: 'bedrock', region: 'us-east-1', baseUrl: simulator.baseUrl('aws-us') };
  const azure = { api: 'azure-openai', keys: ['env:KEY_AZURE'], baseUrl: simulator.baseUrl('azure') };
  return {
    providers: {
      ...providers,
      'aws-us': { ...aws, keys: ['env:KEY_AWS'] },
      'aws-bad': { ...aws, keys: ['env:KEY_AWS_WRONG'] },
      'aws-bearer': { ...aws, keys: ['env:KEY_AWS_BEARER'] },
      'aws-nobody': { ...aws, auth: 'profile:no-such-profile' },
      google: {
        api: 'vertex',
        region: 'us-east5',
        project: 'my-project',
        keys: ['env:KEY_GOOGLE'],
        baseUrl: simulator.baseUrl('google'),
      },
      azure: { ...azure, models: { 'gpt-5.2': { upstream: 'our-gpt' } } },
      'azure-dated': { ...azure, apiVersion: '2024-10-21', models: { 'gpt-5.2': { upstream: 'our-gpt' } } },
    },
    features: {
      ...features,
      bedrock: { route: ['anthropic/claude-opus-4-8', 'aws-us/claude-opus-4-8'], timeouts: patience },
      vertex: { route: ['anthropic/claude-opus-4-8', 'google/claude-opus-4-8'], timeouts: patience },
      azure: { route: ['openai/gpt-5.2', 'azure/gpt-5.2'], timeouts: patience },
      'azure-dated': { route: ['openai/gpt-5.2', 'azure-dated/gpt-5.2'], timeouts: patience },
      'only-bedrock': { route: ['aws-us/claude-opus-4-8'], timeouts: patience },
      'only-bearer': { route: ['aws-bearer/claude-opus-4-8'], timeouts: patience },
      'only-vertex': { route: ['google/claude-opus-4-8'], timeouts: patience },
      'only-azure': { route: ['azure/gpt-5.2'], timeouts: patience },
      'bad-signature': { route: ['aws-bad/claude-opus-4-8', 'aws-us/claude-opus-4-8'], timeouts: patience },
      nobody: { route: ['aws-nobody/claude-opus-4-8', 'aws-us/claude-opus-4-8'], timeouts: patience },
    },
  };
}

// A house of its own for each test: health and keys remember what the test before did to them.
let house: House;
beforeEach(async () => {
  house = await startHouse(withClouds, [
    ...simulated,
    {
      id: 'aws-us',
      api: 'bedrock',
      models: [bedrockId],
      keys: ['AKIASIMULATED0000001:aws-secret-text', 'bedrock-api-key-simulated'],
    },
    { id: 'google', api: 'vertex', models: ['claude-opus-4-8'], keys: ['ya29.simulated-token'] },
    { id: 'azure', api: 'azure-openai', models: ['our-gpt'], keys: ['azure-key-text'] },
  ]);
});
afterEach(() => house.stop());

const schema = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const } },
  required: ['city'],
};
const claudeTools = [{ name: 'get_weather', description: 'Weather', input_schema: schema }];
const chatTools = [
  {
    type: 'function' as const,
    function: { name: 'get_weather', description: 'Weather', parameters: schema },
  },
];
const asked = (text: string) => [{ role: 'user' as const, content: text }];
const textOf = (message: Anthropic.Message): string =>
  message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');

describe.each([
  ['bedrock', 'anthropic', 'aws-us'],
  ['vertex', 'anthropic', 'google'],
  ['azure', 'openai', 'azure'],
  ['azure-dated', 'openai', 'azure-dated'],
] as const)('%s stands in for %s', (feature, preferred, backup) => {
  const breakPreferred = (): void =>
    void house.simulator.setFault({
      provider: preferred,
      fault: { kind: 'preset', preset: 'overloaded' },
    });
  const served = (headers: Headers): string => headers.get('x-breakwater-target') ?? '';

  test('whole, with the Anthropic SDK', async () => {
    breakPreferred();
    const { data, response } = await house.anthropic.messages
      .create({ model: feature, max_tokens: 300, messages: asked('Hello') })
      .withResponse();
    expect(textOf(data).length).toBeGreaterThan(0);
    expect(data.stop_reason).toBe('end_turn');
    expect(served(response.headers)).toStartWith(`${backup}/`);
    expect(response.headers.get('x-breakwater-hop')).toBe('same_model');
  });

  test('streamed, with the Anthropic SDK: the same words as whole', async () => {
    breakPreferred();
    const whole = await house.anthropic.messages.create({
      model: feature,
      max_tokens: 300,
      messages: asked('Hello'),
    });
    const streamed = await house.anthropic.messages
      .stream({ model: feature, max_tokens: 300, messages: asked('Hello') })
      .finalMessage();
    expect(textOf(streamed)).toBe(textOf(whole));
  });

  test('whole and streamed, with the OpenAI SDK', async () => {
    breakPreferred();
    const { data, response } = await house.openai.chat.completions
      .create({ model: feature, messages: asked('Hello') })
      .withResponse();
    expect(served(response.headers)).toStartWith(`${backup}/`);
    const final = await house.openai.chat.completions
      .stream({ model: feature, messages: asked('Hello') })
      .finalChatCompletion();
    expect(final.choices[0]?.message.content).toBe(data.choices[0]?.message.content ?? '');
  });

  test('a tool is called and its result goes back, with both SDKs', async () => {
    breakPreferred();
    const messages: Anthropic.MessageParam[] = asked('use tools get_weather');
    const ask = () =>
      house.anthropic.messages
        .stream({ model: feature, max_tokens: 300, messages, tools: claudeTools })
        .finalMessage();
    const first = await ask();
    const use = first.content.find((block) => block.type === 'tool_use');
    expect(use?.name).toBe('get_weather');
    messages.push(
      { role: 'assistant', content: first.content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: use?.id ?? '', content: 'sunny' }] },
    );
    expect(textOf(await ask())).toBe('The tool said: sunny');

    const chat: OpenAI.ChatCompletionMessageParam[] = asked('use tools get_weather');
    const called = await house.openai.chat.completions.create({
      model: feature,
      messages: chat,
      tools: chatTools,
    });
    const call = called.choices[0]?.message.tool_calls?.[0];
    chat.push(called.choices[0]!.message, { role: 'tool', tool_call_id: call?.id ?? '', content: 'rain' });
    const second = await house.openai.chat.completions.create({
      model: feature,
      messages: chat,
      tools: chatTools,
    });
    expect(second.choices[0]?.message.content).toBe('The tool said: rain');
  });
});

describe.each([
  ['only-bedrock', 'aws-us'],
  ['only-vertex', 'google'],
  ['only-azure', 'azure'],
] as const)('%s fails in its own words', (feature, provider) => {
  const failure = async (stream: boolean): Promise<string> => {
    const stopped = await house.openai.chat.completions
      .create({ model: feature, messages: asked('Hello'), stream })
      .then(async (answer) => {
        if (Symbol.asyncIterator in answer) for await (const _ of answer);
        return null;
      })
      .catch((error: unknown) => error);
    expect(stopped).not.toBeNull();
    await house.server.engine.records.flush();
    const { body } = await house.admin('GET', 'requests?limit=1');
    const [latest] = body['items'] as { id: string }[];
    const record = await house.record(latest?.id ?? '');
    return (record['attempts'] as { failure: string }[]).map((attempt) => attempt.failure).join(',');
  };

  test.each([
    'rate_limited',
    'model_not_found',
    'context_exceeded',
    'content_refused',
    'server_error',
  ] as const)('%s before the answer', async (preset) => {
    const headers = preset === 'rate_limited' ? { 'retry-after': '60' } : {};
    house.simulator.setFault({ provider, fault: { kind: 'preset', preset, headers } });
    expect((await failure(false)).split(',')[0]).toBe(preset);
  });

  test('an error in the middle of the stream is an error for the caller', async () => {
    house.simulator.setFault({
      provider,
      fault: { kind: 'error_event', afterEvents: 2, type: 'api_error' },
    });
    expect(await failure(true)).toBe('stream_error_event');
  });

  test('a stream cut in its middle is no complete answer', async () => {
    house.simulator.setFault({ provider, fault: { kind: 'cut', afterEvents: 2, how: 'fin' } });
    expect(await failure(true)).toBe('stream_truncated');
  });

  test('single bytes make the same answer', async () => {
    const whole = await house.openai.chat.completions.create({ model: feature, messages: asked('Hello') });
    house.simulator.setFault({ provider, fault: { kind: 'one_byte_writes' } });
    const final = await house.openai.chat.completions
      .stream({ model: feature, messages: asked('Hello') })
      .finalChatCompletion();
    expect(final.choices[0]?.message.content).toBe(whole.choices[0]?.message.content ?? '');
  });
});

test('a wrong signature is the key’s failure, and the backup answers', async () => {
  const { response } = await house.anthropic.messages
    .create({ model: 'bad-signature', max_tokens: 300, messages: asked('Hello') })
    .withResponse();
  expect(response.headers.get('x-breakwater-target')).toBe('aws-us/claude-opus-4-8');
  const record = await house.record(response.headers.get('x-breakwater-request-id') ?? '');
  expect((record['attempts'] as Json[])[0]).toMatchObject({
    failure: 'credential_rejected',
    provider_code: 'InvalidSignatureException',
  });
});

test('a credential source that fails is the credential’s failure: nothing is sent, and the backup answers', async () => {
  const { response } = await house.anthropic.messages
    .create({ model: 'nobody', max_tokens: 300, messages: asked('Hello') })
    .withResponse();
  expect(response.headers.get('x-breakwater-target')).toBe('aws-us/claude-opus-4-8');
  const record = await house.record(response.headers.get('x-breakwater-request-id') ?? '');
  expect((record['attempts'] as Json[])[0]).toMatchObject({
    failure: 'credential_rejected',
    provider_code: 'credential_source',
    payload_sent: 'none',
  });
});

test('a Bedrock API key goes as a bearer, and errors come in Bedrock’s words', async () => {
  const ask = () =>
    house.openai.chat.completions.create({ model: 'only-bearer', messages: asked('Hello') }).withResponse();
  const { data, response } = await ask();
  expect(data.choices[0]?.finish_reason).toBe('stop');
  expect(response.headers.get('x-breakwater-target')).toBe('aws-bearer/claude-opus-4-8');
  house.simulator.setFault({
    provider: 'aws-us',
    fault: { kind: 'preset', preset: 'context_exceeded' },
  });
  expect(ask()).rejects.toThrow('Input is too long for requested model.');
});

test('addresses are the clouds’ own', async () => {
  for (const model of ['only-bedrock', 'only-vertex', 'only-azure'])
    await house.openai.chat.completions.create({ model, messages: asked('Hello') });
  expect(house.simulator.calls().map((call) => call.path)).toEqual([
    `/model/${bedrockId}/invoke`,
    '/v1/projects/my-project/locations/us-east5/publishers/anthropic/models/claude-opus-4-8:rawPredict',
    '/openai/v1/chat/completions',
  ]);
});

test('bug 38: betas that only Anthropic’s own API knows stay away from clouds; a count never fails for them', async () => {
  const betas =
    'interleaved-thinking-2025-05-14,oauth-2025-04-20,claude-code-20250219,prompt-caching-scope-2026-01-05';
  const headers = { 'anthropic-beta': betas };
  for (const model of ['only-bedrock', 'only-vertex']) {
    const body = { model, max_tokens: 300, messages: asked('say exactly: ok') };
    expect(textOf(await house.anthropic.messages.create(body, { headers }))).toBe('ok');
    const counted = await house.anthropic.messages.countTokens({ model, messages: asked('ok') }, { headers });
    expect(counted.input_tokens).toBeGreaterThan(0);
  }
  expect(house.simulator.calls('google')[0]?.headers.get('anthropic-beta')).toBe(
    'interleaved-thinking-2025-05-14',
  );
});

test('no credential is in a log line', () => {
  expect(house.logs.join('\n')).not.toMatch(/aws-secret-text|another-secret|ya29|azure-key-text/);
});
