import { expect, test } from 'bun:test';

import { noParams } from '../core/adaptation.ts';
import type { Adaptation } from '../core/adaptation.ts';
import { parseTemplate } from '../core/template.ts';
import type { Template } from '../core/template.ts';
import { adaptRequest } from './adapt-request.ts';
import type { AdaptedRequest, Change } from './adapt-request.ts';
import { conversationPlaces } from './conversation-places.ts';
import type { DialectCodec, JsonObject, ModelTraits } from './dialect.ts';
import { codecFor } from './registry.ts';

const dialects = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'] as const;
type Name = (typeof dialects)[number];

const template = (text: string): Template => {
  const parsed = parseTemplate(text);
  if (parsed.kind === 'problems') throw new Error(JSON.stringify(parsed.problems));
  return parsed.template;
};
const upstreams: Readonly<Record<Name, string>> = {
  'openai-chat': 'gpt-4o',
  'openai-responses': 'gpt-4o',
  'anthropic-messages': 'claude-sonnet-4-5',
  gemini: 'gemini-2.5-flash',
};
const traits = (upstream: string): ModelTraits => ({
  upstream,
  vendor: upstream.startsWith('claude') ? 'anthropic' : 'openai',
  family: upstream,
  outputTokens: 8_000,
  compatible: false,
  thinking: true,
});
const change = (upstream: string, adaptation: Partial<Adaptation>): Change => ({
  adaptation: {
    prepend: null,
    append: null,
    replace: null,
    params: noParams,
    withoutTools: false,
    format: null,
    waives: new Set(),
    ...adaptation,
  },
  values: { feature: 'Notes', requested: 'claude-opus-4-8', model: upstream },
  traits: traits(upstream),
  callsTools: true,
});

const schema = { type: 'object', properties: { title: { type: 'string' } } };
/** The same request in every format: a prompt, a tool, a schema, a limit, and a field that nobody here knows. */
const requests: Readonly<Record<Name, JsonObject>> = {
  'openai-chat': {
    model: 'gpt-4o',
    x_unknown: 1,
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
    ],
    max_completion_tokens: 900,
    tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }],
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
  },
  'openai-responses': {
    model: 'gpt-4o',
    x_unknown: 1,
    instructions: 'Be brief.',
    input: [{ role: 'user', content: 'Hello' }],
    max_output_tokens: 900,
    tools: [{ type: 'function', name: 'look', parameters: { type: 'object' } }],
    text: { format: { type: 'json_schema', name: 'answer', schema } },
  },
  'anthropic-messages': {
    model: 'claude-sonnet-4-5',
    x_unknown: 1,
    max_tokens: 900,
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
    messages: [{ role: 'user', content: 'Hello' }],
    tools: [{ name: 'look', input_schema: { type: 'object' } }],
    output_config: { format: { type: 'json_schema', schema } },
  },
  gemini: {
    model: 'gemini-2.5-flash',
    stream: false,
    x_unknown: 1,
    system_instruction: { parts: [{ text: 'Be brief.' }] },
    contents: [{ role: 'user', parts: [{ text: 'Hello' }] }],
    tools: [{ functionDeclarations: [{ name: 'look', parametersJsonSchema: { type: 'object' } }] }],
    generationConfig: {
      maxOutputTokens: 900,
      responseMimeType: 'application/json',
      responseJsonSchema: schema,
    },
  },
};

/** What a request means, read by the format's own decoder: the change must be understood, not only written. */
function meaning(codec: DialectCodec, body: JsonObject) {
  const conversation = codec.decodeRequest(body);
  if ('kind' in conversation) throw new Error(conversation.message);
  return {
    system: conversationPlaces.systemText(conversation),
    tools: conversation.tools.length,
    toolChoice: conversation.toolChoice?.kind ?? null,
    format: conversation.format?.kind ?? null,
    limit: conversation.outputTokensMax,
    temperature: conversation.temperature,
  };
}

function adapted(name: Name, adaptation: Partial<Adaptation>, body = requests[name]) {
  const codec = codecFor(name);
  const result = adaptRequest(body, codec.places, change(upstreams[name], adaptation));
  if (result.kind === 'lacks') return result;
  return { ...meaning(codec, result.request), warnings: result.warnings, body: result.request };
}

test.each(dialects)('%s: texts around the prompt, and in its place', (name) => {
  expect(adapted(name, { append: template('Answer for {{feature}}.') })).toMatchObject({
    system: 'Be brief.\n\nAnswer for Notes.',
    tools: 1,
    format: 'schema',
    limit: 900,
    warnings: [],
    body: { x_unknown: 1 },
  });
  expect(adapted(name, { prepend: template('You are {{model}}.') })).toMatchObject({
    system: `You are ${upstreams[name]}.\n\nBe brief.`,
  });
  expect(adapted(name, { replace: template('Five points. {{system}}') })).toMatchObject({
    system: 'Five points. Be brief.',
  });
});

test.each(dialects)('%s: without tools', (name) => {
  expect(adapted(name, { withoutTools: true })).toMatchObject({ tools: 0, warnings: ['tools'] });
});

test.each(dialects)('%s: a limit is only ever lowered', (name) => {
  const limited = (maxOutputTokens: number) => adapted(name, { params: { ...noParams, maxOutputTokens } });
  expect(limited(400)).toMatchObject({ limit: 400 });
  expect(limited(4_000)).toMatchObject({ limit: 900 });
});

test.each(dialects)('%s: a wished structure as JSON, with its schema in the prompt', (name) => {
  const result = adapted(name, { format: 'json' });
  expect(result).toMatchObject({ format: name === 'anthropic-messages' ? null : 'json' });
  expect('system' in result ? result.system : '').toContain('"title"');
  expect(adapted(name, { format: 'text' })).toMatchObject({ format: null, warnings: ['response_format'] });
});

test.each(dialects)('%s: a parameter that is taken', (name) => {
  expect(adapted(name, { params: { ...noParams, temperature: 0.3 } })).toMatchObject({
    temperature: 0.3,
    warnings: [],
  });
});

test('a block that is cached stays as it is, with the new text beside it', () => {
  const result = adapted('anthropic-messages', { append: template('More.') });
  expect('body' in result && result.body['system']).toEqual([
    { type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } },
    { type: 'text', text: 'More.' },
  ]);
});

test.each([
  ['openai-chat', 'gpt-5-mini', ['adapt.temperature', 'adapt.top_k']],
  ['openai-responses', 'gpt-5-mini', ['adapt.temperature', 'adapt.top_k']],
  ['anthropic-messages', 'claude-opus-4-8', ['adapt.temperature', 'adapt.top_k']],
] as const)('%s: %s takes no sampling, so it is left out and named', (name, upstream, warnings) => {
  const params = { ...noParams, temperature: 0.3, topK: 4 };
  const result = adaptRequest(requests[name], codecFor(name).places, change(upstream, { params }));
  expect(result).toMatchObject({ kind: 'adapted', warnings });
});

test.each(['openai-chat', 'openai-responses'] as const)(
  '%s: a model that thinks only when asked takes sampling unless it is asked',
  (name) => {
    const adaptTo = (effort: 'high' | null): AdaptedRequest<JsonObject> =>
      adaptRequest(
        requests[name],
        codecFor(name).places,
        change('gpt-5.2', { params: { ...noParams, temperature: 0.3, effort } }),
      );
    expect(adaptTo(null)).toMatchObject({ request: { temperature: 0.3 }, warnings: [] });
    expect(adaptTo('high')).toMatchObject({ warnings: ['adapt.temperature'] });
  },
);

const called: Readonly<Record<Name, JsonObject>> = {
  'openai-chat': {
    messages: [
      { role: 'user', content: 'Hello' },
      {
        role: 'assistant',
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'seen' },
    ],
  },
  'openai-responses': {
    input: [
      { role: 'user', content: 'Hello' },
      { type: 'function_call', call_id: 'c1', name: 'look', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'seen' },
    ],
  },
  'anthropic-messages': {
    messages: [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: 'look', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: 'seen' }] },
    ],
  },
  gemini: {
    contents: [
      { role: 'user', parts: [{ text: 'Hello' }] },
      { role: 'model', parts: [{ functionCall: { name: 'look', args: {} } }] },
      { role: 'user', parts: [{ functionResponse: { name: 'look', response: { a: 1 } } }] },
    ],
  },
};

test.each(dialects)(
  '%s: a conversation that leans on its tools keeps them declared, and calls none',
  (name) => {
    const body = { ...requests[name], ...called[name] };
    expect(adapted(name, { withoutTools: true }, body)).toMatchObject({ tools: 1, toolChoice: 'none' });
    const codec = codecFor(name);
    const cannot = { ...change(upstreams[name], { withoutTools: true }), callsTools: false };
    expect(adaptRequest(body, codec.places, cannot)).toEqual({ kind: 'lacks', capability: 'tools' });
  },
);
