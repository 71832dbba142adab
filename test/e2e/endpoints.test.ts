/** Calls beside the answer: embeddings, token counts, lists of models, packed bodies, and what clients probe. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';

import OpenAI from 'openai';

import { simulated, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

const embeddingModel = 'text-embedding-3-small';

let house: House;
beforeAll(async () => {
  house = await startHouse(
    {},
    simulated.map((provider) =>
      provider.id === 'openai'
        ? { ...provider, models: [...provider.models, embeddingModel, 'text-embedding-3-large'] }
        : provider.id === 'local'
          ? { ...provider, models: [...provider.models, 'nomic-embed-text'] }
          : provider,
    ),
  );
});
afterAll(() => house.stop());
beforeEach(() => {
  house.simulator.clearFaults();
  house.simulator.forgetCalls();
});

const target = `openai/${embeddingModel}`;

async function off(scope: Json): Promise<() => Promise<void>> {
  const made = await house.admin('POST', 'switches', { scope, effect: 'off', reason: 'test' });
  return async () => {
    await house.admin('POST', `switches/${String(made.body['id'])}/release`, {
      reason: 'test',
      ramp: false,
    });
  };
}

describe('embeddings', () => {
  test('numbers and base64 are passed on as the provider gives them', async () => {
    const input = ['harbour', 'lighthouse'];
    const numbers = await house.openai.embeddings.create({
      model: target,
      input,
      encoding_format: 'float',
      dimensions: 4,
    });
    expect(numbers.data.map((item) => item.embedding.length)).toEqual([4, 4]);
    // The SDK asks for base64 by itself and unpacks it.
    const unpacked = await house.openai.embeddings.create({ model: target, input, dimensions: 4 });
    expect(unpacked.data.map((item) => item.embedding)).toEqual(numbers.data.map((item) => item.embedding));
    expect(house.simulator.calls().map((call) => call.body['encoding_format'])).toEqual(['float', 'base64']);
    expect(numbers.usage.prompt_tokens).toBeGreaterThan(0);
  });

  test('a server that gives numbers only serves callers that asked for base64', async () => {
    const asked = { model: 'local/nomic-embed-text', input: 'harbour', dimensions: 4 };
    const numbers = await house.openai.embeddings.create({ ...asked, encoding_format: 'float' });
    const unpacked = await house.openai.embeddings.create(asked);
    expect(house.simulator.calls().at(-1)?.body['encoding_format']).toBe('base64');
    expect(unpacked.data[0]?.embedding.length).toBe(4);
    for (const [index, value] of (unpacked.data[0]?.embedding ?? []).entries())
      expect(value).toBeCloseTo(numbers.data[0]?.embedding[index] ?? Number.NaN, 5);
  });

  test('are recorded like any request, without the text', async () => {
    const { response } = await house.openai.embeddings
      .create({ model: target, input: 'a secret of the harbour' })
      .withResponse();
    const record = await house.record(response.headers.get('x-breakwater-request-id') ?? '');
    expect(record).toMatchObject({ outcome: 'answered', served: target, finish: 'stop' });
    expect(record).toMatchObject({ attempts: [{ cost_usd: null }] });
    expect(JSON.stringify(record)).not.toContain('harbour');
  });

  test('never move to a different model, and say why', async () => {
    house.simulator.setFault({ provider: 'openai', fault: { kind: 'preset', preset: 'overloaded' } });
    const error = await house.openai.embeddings
      .create({ model: target, input: 'x' })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect((error as InstanceType<typeof OpenAI.APIError>).message).toContain(
      'vectors of different models do not mix',
    );
    expect(new Set(house.simulator.calls().map((call) => call.model))).toEqual(new Set([embeddingModel]));
  });

  test.each([
    [{ model: target }, 'input'],
    [{ model: target, input: '' }, 'input'],
    [{ model: target, input: [{}] }, 'input[0]'],
    [{ input: 'x' }, 'model'],
  ])('%j is refused and names the place', async (body, param) => {
    const response = await fetch(`${house.url}/v1/embeddings`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param, code: 'invalid_request' } });
    expect(house.simulator.calls()).toEqual([]);
  });

  test('a provider that has none is left out by name', async () => {
    const response = await fetch(`${house.url}/v1/embeddings`, {
      method: 'POST',
      body: JSON.stringify({ model: 'anthropic/claude-opus-4-8', input: 'x' }),
    });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      breakwater: {
        excluded: [
          { target: 'anthropic/claude-opus-4-8', reason: 'lacks_capability', rule: 'embeddings' },
          { target: 'aws/claude-opus-4-8', reason: 'lacks_capability', rule: 'embeddings' },
        ],
      },
    });
  });
});

describe('token counts', () => {
  const asked = {
    model: 'anthropic/claude-opus-4-8',
    messages: [{ role: 'user' as const, content: 'How many tokens are these?' }],
  };

  test('come from the provider', async () => {
    const { data, response } = await house.anthropic.messages.countTokens(asked).withResponse();
    expect(data.input_tokens).toBeGreaterThan(0);
    expect(response.headers.get('x-breakwater-target')).toBe('anthropic/claude-opus-4-8');
    expect(house.simulator.calls().map((call) => call.path)).toEqual(['/v1/messages/count_tokens']);
  });

  test('are estimated, and say so, when the provider cannot', async () => {
    house.simulator.setFault({ provider: 'anthropic', fault: { kind: 'preset', preset: 'overloaded' } });
    house.simulator.setFault({ provider: 'aws', fault: { kind: 'preset', preset: 'overloaded' } });
    const { data, response } = await house.anthropic.messages.countTokens(asked).withResponse();
    expect(data).toMatchObject({ breakwater: { estimate: true, because: 'upstream_failed' } });
    expect(data.input_tokens).toBeGreaterThan(0);
    expect(response.headers.get('x-breakwater-warnings')).toContain('estimated');
  });

  test('tell nothing of the target: it answers on while counts are refused', async () => {
    const traffic = async (): Promise<unknown> => {
      const { body } = await house.admin('GET', 'state');
      return (body['targets'] as Json[]).find((each) => each['target'] === asked.model)?.['traffic'];
    };
    const before = await traffic();
    house.simulator.setFault({
      provider: 'anthropic',
      fault: { kind: 'preset', preset: 'rate_limited', headers: { 'retry-after': '60' } },
    });
    await house.anthropic.messages.countTokens(asked);
    house.simulator.clearFaults();
    await house.anthropic.messages.countTokens(asked);
    expect(await traffic()).toEqual(before);
    const { response } = await house.anthropic.messages.create({ ...asked, max_tokens: 10 }).withResponse();
    expect(response.headers.get('x-breakwater-target')).toBe(asked.model);
  });

  test('are estimated for a model of another dialect, and nothing is sent', async () => {
    const { data } = await house.anthropic.messages
      .countTokens({ ...asked, model: 'openai/gpt-5.2' })
      .withResponse();
    expect(data).toMatchObject({ breakwater: { estimate: true } });
    expect(house.simulator.calls()).toEqual([]);
  });

  test("the caller's own mistakes are not papered over", async () => {
    const error = await house.anthropic.messages
      .countTokens({ ...asked, messages: [] })
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ status: 400 });
  });
});

type Listed = { readonly id: string; readonly breakwater: Json };

describe('lists of models', () => {
  test('in the shape of OpenAI, features first', async () => {
    const { data } = await house.openai.models.list();
    expect(data.slice(0, 2).map((model) => model.id)).toEqual(['notes', 'chat']);
    const notes = data[0] as unknown as Listed;
    expect(notes.breakwater).toEqual({
      kind: 'feature',
      title: 'Meeting notes',
      vendor: 'anthropic',
      context_tokens: 1_000_000,
      output_tokens: 128_000,
      price_usd_per_million: { input: 5, output: 25 },
      kept_until: null,
      available: true,
      reason: null,
      since: null,
      backup: null,
    });
    expect((await house.openai.models.retrieve('gpt-5.2')).id).toBe('gpt-5.2');
    const unknown = (await house.openai.models.retrieve('local/nobody-knows-9')) as unknown as Listed;
    expect(unknown.breakwater).toMatchObject({
      context_tokens: null,
      output_tokens: null,
      price_usd_per_million: null,
    });
    expect((await house.openai.models.retrieve('openai/gpt-5.2')).id).toBe('openai/gpt-5.2');
  });

  test('carry the headers of every answer', async () => {
    const listed = await fetch(`${house.url}/v1/models`);
    expect(Object.fromEntries(listed.headers)).toMatchObject({
      'x-breakwater-request-id': expect.stringMatching(/^req_/),
      'x-breakwater-feature': 'default',
      'x-breakwater-attempts': '0',
      'x-breakwater-boundary': 'none',
      'x-breakwater-policy': expect.stringMatching(/./),
    });
    const one = await fetch(`${house.url}/v1/models/gpt-5.2`, {
      headers: { 'x-breakwater-feature': 'chat' },
    });
    expect(one.headers.get('x-breakwater-requested')).toBe('gpt-5.2');
    expect(one.headers.get('x-breakwater-feature')).toBe('chat');
  });

  test('in the shape of Anthropic, page by page', async () => {
    const names: string[] = [];
    for await (const model of house.anthropic.models.list({ limit: 2 })) names.push(model.id);
    const whole = await house.openai.models.list();
    expect(names).toEqual(whole.data.map((model) => model.id));
    expect((await house.anthropic.models.retrieve('claude-opus-4-8')).display_name).toBe('claude-opus-4-8');
  });

  test('say what is out, since when and what stands in', async () => {
    const release = await off({ model: 'claude-opus-4-8' });
    const { data } = await house.openai.models.list();
    const views = new Map(
      (data as unknown as readonly Listed[]).map((model) => [model.id, model.breakwater]),
    );
    expect(views.get('notes')).toMatchObject({
      available: true,
      reason: 'switched_off',
      since: expect.stringMatching(/^\d{4}-.*Z$/),
      backup: 'openai/gpt-5.2',
    });
    expect(views.get('alone')).toMatchObject({ available: false, reason: 'switched_off', backup: null });
    expect(views.get('contract')).toMatchObject({ available: false, backup: 'openai/gpt-5.2' });
    await release();
  });

  test('a feature lists what a user may pick there', async () => {
    const picks = await house.openai.models.list({ headers: { 'x-breakwater-feature': 'chat' } });
    expect(picks.data.map((model) => model.id)).toEqual(['gpt-5.2', 'claude-opus-4-8']);
  });

  test('a name that nothing has is 404 in the dialect', async () => {
    expect(await house.openai.models.retrieve('nothing').catch((error: unknown) => error)).toMatchObject({
      status: 404,
      code: 'unknown_model',
    });
    const response = await fetch(`${house.url}/v1/models/nothing`, {
      headers: { 'anthropic-version': '2023-06-01' },
    });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ type: 'error' });
  });
});

describe('packed bodies', () => {
  const text = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hello '.repeat(500) }] });

  test.each([
    ['gzip', gzipSync(text)],
    ['br', brotliCompressSync(text)],
    ['zstd', zstdCompressSync(text)],
    ['deflate', deflateSync(text)],
  ])('%s is unpacked', async (encoding, body) => {
    const response = await fetch(`${house.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-encoding': encoding },
      body,
    });
    expect(response.status).toBe(200);
    expect(house.simulator.calls()[0]?.text).toContain('Hello Hello');
    expect(house.simulator.calls()[0]?.headers.get('content-encoding')).toBeNull();
  });

  test('a bomb stays small', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1_048_576, 32));
    const response = await fetch(`${house.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-encoding': 'gzip' },
      body: bomb,
    });
    expect(response.status).toBe(413);
  });

  test.each([
    ['gzip', 'is not valid gzip'],
    ['snappy', 'is not known here'],
  ])('broken or unknown %s says what is wrong', async (encoding, words) => {
    const response = await fetch(`${house.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-encoding': encoding },
      body: 'not packed',
    });
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toContain(words);
  });
});

test('what clients probe before they begin is answered', async () => {
  for (const path of ['/', '/v1/messages', '/v1/chat/completions', '/v1/models', '/healthz'])
    expect((await fetch(`${house.url}${path}`, { method: 'HEAD' })).status).toBe(200);
});
