/**
 * Every dialect a caller can speak against every API a provider can have: no pair has a hole. Each cell is tried for
 * a whole answer, a streamed one, a round of tools, errors before and after the 200, and failover before the commit
 * point. The table is printed at the end.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';

import { dialects, providerApis } from '../../src/core/target.ts';
import type { Dialect } from '../../src/core/target.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { configuration, patience, simulated, simulatedGoogle, startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

/** Where one API reaches models of two publishers, both are tried. */
const rows = [...providerApis, 'openai-responses', 'vertex-gemini', 'bedrock-converse'] as const;
type Row = (typeof rows)[number];

const targets: Readonly<Record<(typeof rows)[number], string>> = {
  anthropic: 'anthropic/claude-opus-4-8',
  openai: 'openai/gpt-5.2',
  google: 'google/gemini-2.5-flash',
  bedrock: 'aws-us/claude-opus-4-8',
  vertex: 'vertex/claude-opus-4-8',
  'openai-responses': 'responses/gpt-5.2',
  'vertex-gemini': 'vertex/gemini-2.5-flash',
  'bedrock-converse': 'aws-us/nova-pro',
  'azure-openai': 'azure/gpt-5.2',
  'openai-compatible': 'local/llama-3.2-3b',
};
const providerOf = (api: Row): string =>
  api === 'openai-responses' ? 'openai' : (targets[api].split('/')[0] ?? '');
/** Some other provider stands in. */
const backupOf = (api: Row): string => targets[providerOf(api) === 'openai' ? 'anthropic' : 'openai'];

function everything(simulator: Simulator): Json {
  const { providers } = configuration(simulator) as { providers: Json };
  const features = Object.fromEntries(
    rows.flatMap((api) => [
      [`only-${api}`, { route: [targets[api]], timeouts: patience }],
      [`with-${api}`, { route: [targets[api], backupOf(api)], timeouts: patience }],
    ]),
  );
  return {
    providers: {
      ...providers,
      responses: {
        api: 'openai',
        keys: ['env:KEY_O'],
        baseUrl: simulator.baseUrl('openai'),
        models: { 'gpt-5.2': { dialects: ['openai-responses'] } },
      },
      google: { api: 'google', keys: ['env:KEY_G'], baseUrl: simulator.baseUrl('google') },
      'aws-us': {
        api: 'bedrock',
        region: 'us-east-1',
        keys: ['env:KEY_AWS'],
        baseUrl: simulator.baseUrl('aws-us'),
        models: { 'nova-pro': { upstream: 'us.amazon.nova-pro-v1:0', vendor: 'amazon', family: 'nova' } },
      },
      vertex: {
        api: 'vertex',
        region: 'us-east5',
        project: 'my-project',
        keys: ['env:KEY_GOOGLE'],
        baseUrl: simulator.baseUrl('vertex'),
      },
      azure: {
        api: 'azure-openai',
        keys: ['env:KEY_AZURE'],
        baseUrl: simulator.baseUrl('azure'),
        models: { 'gpt-5.2': { upstream: 'our-gpt' } },
      },
    },
    features,
    // The gate is not what is tried here.
    gates: [{ match: {}, mode: 'observe' }],
  };
}

let house: House;
beforeAll(async () => {
  house = await startHouse(everything, [
    ...simulated,
    simulatedGoogle,
    {
      id: 'aws-us',
      api: 'bedrock',
      models: ['us.anthropic.claude-opus-4-8', 'us.amazon.nova-pro-v1:0'],
      keys: ['AKIASIMULATED0000001:aws-secret-text'],
    },
    {
      id: 'vertex',
      api: 'vertex',
      models: ['claude-opus-4-8', 'gemini-2.5-flash'],
      keys: ['ya29.simulated-token'],
    },
    { id: 'azure', api: 'azure-openai', models: ['our-gpt'], keys: ['azure-key-text'] },
  ]);
});
beforeEach(() => {
  house.simulator.clearFaults();
  house.simulator.forgetCalls();
});

const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

type Format = {
  readonly path: (model: string, stream: boolean) => string;
  readonly body: (model: string, stream: boolean, text: string, tools: boolean) => Json;
  readonly textOf: (answer: Json) => string;
  readonly deltaOf: (event: Json) => string;
  readonly callsOf: (answer: Json) => readonly { readonly id: string; readonly name: string }[];
  /** The next request, with the answer and the results of its calls. */
  readonly next: (body: Json, answer: Json, results: ReadonlyMap<string, string>) => Json;
  readonly isEnd: (event: Json) => boolean;
};

const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as Json[]) : []);
const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null ? (value as Json) : {};
const partsOf = (answer: Json): readonly Json[] =>
  listOf(objectOf(objectOf(listOf(answer['candidates'])[0])['content'])['parts']);

const formats: Readonly<Record<Dialect, Format>> = {
  'openai-chat': {
    path: () => '/v1/chat/completions',
    body: (model, stream, text, tools) => ({
      model,
      stream,
      messages: [{ role: 'user', content: text }],
      ...(tools ? { tools: [{ type: 'function', function: { name: 'look', parameters: schema } }] } : {}),
    }),
    textOf: (answer) => String(objectOf(listOf(answer['choices'])[0]?.['message'])['content'] ?? ''),
    deltaOf: (event) => String(objectOf(listOf(event['choices'])[0]?.['delta'])['content'] ?? ''),
    callsOf: (answer) =>
      listOf(objectOf(listOf(answer['choices'])[0]?.['message'])['tool_calls']).map((call) => ({
        id: String(call['id']),
        name: String(objectOf(call['function'])['name']),
      })),
    next: (body, answer, results) => ({
      ...body,
      messages: [
        ...listOf(body['messages']),
        listOf(answer['choices'])[0]?.['message'],
        ...[...results].map(([id, content]) => ({ role: 'tool', tool_call_id: id, content })),
      ],
    }),
    isEnd: (event) => typeof listOf(event['choices'])[0]?.['finish_reason'] === 'string',
  },
  'openai-responses': {
    path: () => '/v1/responses',
    body: (model, stream, text, tools) => ({
      model,
      stream,
      input: [{ role: 'user', content: text }],
      ...(tools ? { tools: [{ type: 'function', name: 'look', parameters: schema }] } : {}),
    }),
    textOf: (answer) =>
      listOf(answer['output'])
        .flatMap((item) => listOf(item['content']))
        .map((part) => String(part['text'] ?? ''))
        .join(''),
    deltaOf: (event) => (event['type'] === 'response.output_text.delta' ? String(event['delta']) : ''),
    callsOf: (answer) =>
      listOf(answer['output'])
        .filter((item) => item['type'] === 'function_call')
        .map((item) => ({ id: String(item['call_id']), name: String(item['name']) })),
    next: (body, answer, results) => ({
      ...body,
      input: [
        ...listOf(body['input']),
        ...listOf(answer['output']),
        ...[...results].map(([id, output]) => ({ type: 'function_call_output', call_id: id, output })),
      ],
    }),
    isEnd: (event) => event['type'] === 'response.completed',
  },
  'anthropic-messages': {
    path: () => '/v1/messages',
    body: (model, stream, text, tools) => ({
      model,
      stream,
      max_tokens: 500,
      messages: [{ role: 'user', content: text }],
      ...(tools ? { tools: [{ name: 'look', input_schema: schema }] } : {}),
    }),
    textOf: (answer) =>
      listOf(answer['content'])
        .map((block) => String(block['text'] ?? ''))
        .join(''),
    deltaOf: (event) => String(objectOf(event['delta'])['text'] ?? ''),
    callsOf: (answer) =>
      listOf(answer['content'])
        .filter((block) => block['type'] === 'tool_use')
        .map((block) => ({ id: String(block['id']), name: String(block['name']) })),
    next: (body, answer, results) => ({
      ...body,
      messages: [
        ...listOf(body['messages']),
        { role: 'assistant', content: answer['content'] },
        {
          role: 'user',
          content: [...results].map(([id, content]) => ({ type: 'tool_result', tool_use_id: id, content })),
        },
      ],
    }),
    isEnd: (event) => event['type'] === 'message_stop',
  },
  gemini: {
    path: (model, stream) =>
      `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: (_model, _stream, text, tools) => ({
      contents: [{ role: 'user', parts: [{ text }] }],
      ...(tools
        ? { tools: [{ functionDeclarations: [{ name: 'look', parametersJsonSchema: schema }] }] }
        : {}),
    }),
    textOf: (answer) =>
      partsOf(answer)
        .map((part) => String(part['text'] ?? ''))
        .join(''),
    deltaOf: (event) =>
      partsOf(event)
        .map((part) => String(part['text'] ?? ''))
        .join(''),
    callsOf: (answer) =>
      partsOf(answer)
        .filter((part) => part['functionCall'] !== undefined)
        .map((part) => {
          const call = objectOf(part['functionCall']);
          return { id: String(call['id'] ?? call['name']), name: String(call['name']) };
        }),
    next: (body, answer, results) => ({
      ...body,
      contents: [
        ...listOf(body['contents']),
        listOf(answer['candidates'])[0]?.['content'],
        {
          role: 'user',
          parts: [...results].map(([, output]) => ({
            functionResponse: { name: 'look', response: { output } },
          })),
        },
      ],
    }),
    isEnd: (event) => typeof listOf(event['candidates'])[0]?.['finishReason'] === 'string',
  },
};

type Answer = { readonly status: number; readonly headers: Headers; readonly text: string };

async function send(dialect: Dialect, model: string, stream: boolean, body: Json): Promise<Answer> {
  const response = await fetch(`${house.url}${formats[dialect].path(model, stream)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const ask = (dialect: Dialect, model: string, stream: boolean, text: string): Promise<Answer> =>
  send(dialect, model, stream, formats[dialect].body(model, stream, text, false));

function eventsOf(text: string): readonly Json[] {
  return text
    .split(/\r?\n\r?\n/)
    .flatMap((block) => /^data: (\{.*)$/m.exec(block)?.[1] ?? [])
    .map((data) => JSON.parse(data) as Json);
}

const tried = ['whole', 'streamed', 'tools', 'error before', 'error after', 'failover'] as const;
const cells = new Map<string, Set<(typeof tried)[number]>>();
function passed(dialect: Dialect, api: Row, what: (typeof tried)[number]): void {
  const cell = cells.get(`${dialect} ${api}`) ?? new Set();
  cells.set(`${dialect} ${api}`, cell.add(what));
}

afterAll(async () => {
  await house.stop();
  const lines = dialects.map((dialect) => {
    const row = rows.map((api) => {
      const count = cells.get(`${dialect} ${api}`)?.size ?? 0;
      return `${count}/${tried.length}`.padEnd(18);
    });
    return `${dialect.padEnd(20)}${row.join('')}`;
  });
  console.log(['', `${''.padEnd(20)}${rows.map((api) => api.padEnd(18)).join('')}`, ...lines, ''].join('\n'));
});

describe.each([...dialects])('%s', (dialect) => {
  const format = formats[dialect];

  describe.each([...rows])('to %s', (api) => {
    const provider = providerOf(api);

    test('whole', async () => {
      const answer = await ask(dialect, `only-${api}`, false, 'say exactly: a quiet harbour');
      expect(answer.headers.get('x-breakwater-target')).toBe(targets[api]);
      expect(format.textOf(JSON.parse(answer.text) as Json)).toBe('a quiet harbour');
      passed(dialect, api, 'whole');
    });

    test('streamed', async () => {
      const answer = await ask(dialect, `only-${api}`, true, 'say exactly: a quiet harbour');
      const events = eventsOf(answer.text);
      expect(events.map((event) => format.deltaOf(event)).join('')).toBe('a quiet harbour');
      expect(events.some((event) => format.isEnd(event))).toBe(true);
      passed(dialect, api, 'streamed');
    });

    test('a round of tools', async () => {
      const model = `only-${api}`;
      const body = format.body(model, false, 'use tool look', true);
      const first = JSON.parse((await send(dialect, model, false, body)).text) as Json;
      const calls = format.callsOf(first);
      expect(calls.map((call) => call.name)).toEqual(['look']);
      const results = new Map(calls.map((call) => [call.id, 'calm']));
      const second = await send(dialect, model, false, format.next(body, first, results));
      expect(format.textOf(JSON.parse(second.text) as Json)).toContain('calm');
      passed(dialect, api, 'tools');
    });

    test('an error before the 200, and one after it', async () => {
      house.simulator.setFault({ provider, fault: { kind: 'preset', preset: 'overloaded' } });
      const refused = await ask(dialect, `only-${api}`, true, 'Hello');
      expect(refused.status).toBe(502);
      expect(refused.text).toContain('overloaded');
      passed(dialect, api, 'error before');
      house.simulator.clearFaults();
      house.simulator.setFault({ provider, fault: { kind: 'cut', afterEvents: 3, how: 'reset' } });
      const broken = await ask(dialect, `only-${api}`, true, 'Hello');
      const events = eventsOf(broken.text);
      expect(broken.status).toBe(200);
      expect(events.some((event) => format.isEnd(event))).toBe(false);
      expect(events.at(-1)?.['error']).toBeDefined();
      passed(dialect, api, 'error after');
    });

    test.each([false, true])('failover before the commit point (streamed: %p)', async (stream) => {
      house.simulator.setFault({ provider, fault: { kind: 'preset', preset: 'overloaded' } });
      const answer = await ask(dialect, `with-${api}`, stream, 'say exactly: rescued');
      expect(answer.status).toBe(200);
      expect(answer.headers.get('x-breakwater-target')).toBe(backupOf(api));
      expect(answer.headers.get('x-breakwater-fallback')).toBe('overloaded');
      passed(dialect, api, 'failover');
    });
  });
});
