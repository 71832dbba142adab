/**
 * What becomes of a request's features between dialects, found by translating one request for each: the table of
 * `docs/translation.md` is what the codecs do, not what somebody remembers of them.
 */
import type { Dialect } from '../core/target.ts';
import type { JsonObject, ModelTraits } from './dialect.ts';
import { codecFor } from './registry.ts';

/** A body with the feature in each dialect that can say it. */
type Probe = { readonly feature: string; readonly bodies: Partial<Record<Dialect, JsonObject>> };

const schema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const picture = 'iVBORw0KGgo=';

const chat = (more: JsonObject, content: unknown = 'Hello'): JsonObject => ({
  model: 'm',
  messages: [{ role: 'user', content }],
  ...more,
});
const responses = (more: JsonObject, input: unknown = 'Hello'): JsonObject => ({
  model: 'm',
  input,
  ...more,
});
const messages = (more: JsonObject, content: unknown = 'Hello'): JsonObject => ({
  model: 'm',
  max_tokens: 500,
  messages: [{ role: 'user', content }],
  ...more,
});
const gemini = (more: JsonObject, parts: readonly JsonObject[] = [{ text: 'Hello' }]): JsonObject => ({
  contents: [{ role: 'user', parts }],
  ...more,
});

const chatTool = (more: JsonObject = {}): JsonObject => ({
  type: 'function',
  function: { name: 'look', parameters: schema, ...more },
});
const flatTool = (more: JsonObject = {}): JsonObject => ({
  type: 'function',
  name: 'look',
  parameters: schema,
  ...more,
});
const claudeTool = (more: JsonObject = {}): JsonObject => ({ name: 'look', input_schema: schema, ...more });
const geminiTool: JsonObject = { functionDeclarations: [{ name: 'look', parametersJsonSchema: schema }] };

const chatResult: JsonObject = {
  model: 'm',
  tools: [chatTool()],
  messages: [
    { role: 'user', content: 'Hello' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'call_1', content: 'calm' },
  ],
};

const responsesResult = (output: unknown): JsonObject =>
  responses({ tools: [flatTool()] }, [
    { role: 'user', content: 'Hello' },
    { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{}' },
    { type: 'function_call_output', call_id: 'call_1', output },
  ]);

const claudeResult = (content: unknown, more: JsonObject = {}): JsonObject => ({
  model: 'm',
  max_tokens: 500,
  tools: [claudeTool()],
  messages: [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content, ...more }] },
  ],
});

const geminiResult = (response: JsonObject): JsonObject => ({
  tools: [geminiTool],
  contents: [
    { role: 'user', parts: [{ text: 'Hello' }] },
    { role: 'model', parts: [{ functionCall: { name: 'look', args: {} } }] },
    { role: 'user', parts: [{ functionResponse: { name: 'look', response } }] },
  ],
});

const claudePicture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: picture } };
const responsesPicture = { type: 'input_image', image_url: `data:image/png;base64,${picture}` };

function mediaIn(url: boolean): Probe['bodies'] {
  const address = url ? 'https://example.org/a.png' : `data:image/png;base64,${picture}`;
  return {
    'openai-chat': chat({}, [{ type: 'image_url', image_url: { url: address } }]),
    'openai-responses': responses({}, [
      { role: 'user', content: [{ type: 'input_image', image_url: address }] },
    ]),
    'anthropic-messages': messages({}, [
      {
        type: 'image',
        source: url
          ? { type: 'url', url: address }
          : { type: 'base64', media_type: 'image/png', data: picture },
      },
    ]),
    gemini: gemini({}, [
      url
        ? { fileData: { mimeType: 'image/png', fileUri: address } }
        : { inlineData: { mimeType: 'image/png', data: picture } },
    ]),
  };
}

const config = (more: JsonObject): JsonObject => gemini({ generationConfig: more });
const calling = (more: JsonObject): JsonObject =>
  gemini({ tools: [geminiTool], toolConfig: { functionCallingConfig: more } });

// oxfmt-ignore
const probes: readonly Probe[] = [
  { feature: 'text', bodies: { 'openai-chat': chat({}), 'openai-responses': responses({}), 'anthropic-messages': messages({}), gemini: gemini({}) } },
  { feature: 'system prompt', bodies: { 'openai-chat': { model: 'm', messages: [{ role: 'system', content: 'Be kind' }, { role: 'user', content: 'Hello' }] }, 'openai-responses': responses({ instructions: 'Be kind' }), 'anthropic-messages': messages({ system: 'Be kind' }), gemini: gemini({ systemInstruction: { parts: [{ text: 'Be kind' }] } }) } },
  { feature: 'system in mid-conversation', bodies: { 'openai-chat': { model: 'm', messages: [{ role: 'user', content: 'Hello' }, { role: 'system', content: 'Be brief' }, { role: 'user', content: 'Now?' }] }, 'openai-responses': responses({}, [{ role: 'user', content: 'Hello' }, { role: 'developer', content: 'Be brief' }, { role: 'user', content: 'Now?' }]) } },
  { feature: 'limit of tokens', bodies: { 'openai-chat': chat({ max_completion_tokens: 200 }), 'openai-responses': responses({ max_output_tokens: 200 }), 'anthropic-messages': messages({}), gemini: config({ maxOutputTokens: 200 }) } },
  { feature: 'temperature', bodies: { 'openai-chat': chat({ temperature: 0.5 }), 'openai-responses': responses({ temperature: 0.5 }), 'anthropic-messages': messages({ temperature: 0.5 }), gemini: config({ temperature: 0.5 }) } },
  { feature: 'top_k', bodies: { 'anthropic-messages': messages({ top_k: 5 }), gemini: config({ topK: 5 }) } },
  { feature: 'stop sequences', bodies: { 'openai-chat': chat({ stop: ['END'] }), 'anthropic-messages': messages({ stop_sequences: ['END'] }), gemini: config({ stopSequences: ['END'] }) } },
  { feature: 'penalties', bodies: { 'openai-chat': chat({ presence_penalty: 1 }), gemini: config({ presencePenalty: 1 }) } },
  { feature: 'seed', bodies: { 'openai-chat': chat({ seed: 7 }), gemini: config({ seed: 7 }) } },
  { feature: 'several answers', bodies: { 'openai-chat': chat({ n: 2 }), gemini: config({ candidateCount: 2 }) } },
  { feature: 'log probabilities', bodies: { 'openai-chat': chat({ logprobs: true }), 'openai-responses': responses({ top_logprobs: 3 }), gemini: config({ responseLogprobs: true }) } },
  { feature: 'picture, inside the request', bodies: mediaIn(false) },
  { feature: 'picture, by address', bodies: mediaIn(true) },
  { feature: 'document (PDF)', bodies: { 'openai-chat': chat({}, [{ type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' } }]), 'openai-responses': responses({}, [{ role: 'user', content: [{ type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' }] }]), 'anthropic-messages': messages({}, [{ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' } }]), gemini: gemini({}, [{ inlineData: { mimeType: 'application/pdf', data: 'AAAA' } }]) } },
  { feature: 'file by id', bodies: { 'openai-chat': chat({}, [{ type: 'file', file: { file_id: 'file-1' } }]), 'openai-responses': responses({}, [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }]), 'anthropic-messages': messages({}, [{ type: 'document', source: { type: 'file', file_id: 'file_1' } }]), gemini: gemini({}, [{ fileData: { mimeType: 'application/pdf', fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/1' } }]) } },
  { feature: 'audio', bodies: { 'openai-chat': chat({}, [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }]), gemini: gemini({}, [{ inlineData: { mimeType: 'audio/wav', data: 'AAAA' } }]) } },
  { feature: 'tools', bodies: { 'openai-chat': chat({ tools: [chatTool()] }), 'openai-responses': responses({ tools: [flatTool()] }), 'anthropic-messages': messages({ tools: [claudeTool()] }), gemini: gemini({ tools: [geminiTool] }) } },
  { feature: 'strict tools', bodies: { 'openai-chat': chat({ tools: [chatTool({ strict: true })] }), 'openai-responses': responses({ tools: [flatTool({ strict: true })] }), 'anthropic-messages': messages({ tools: [claudeTool({ strict: true })] }) } },
  { feature: 'a tool that must be called', bodies: { 'openai-chat': chat({ tools: [chatTool()], tool_choice: 'required' }), 'openai-responses': responses({ tools: [flatTool()], tool_choice: 'required' }), 'anthropic-messages': messages({ tools: [claudeTool()], tool_choice: { type: 'any' } }), gemini: calling({ mode: 'ANY' }) } },
  { feature: 'allowed tools', bodies: { 'openai-chat': chat({ tools: [chatTool()], tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'look' } }] } } }), 'openai-responses': responses({ tools: [flatTool()], tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'look' }] } }), gemini: calling({ mode: 'VALIDATED', allowedFunctionNames: ['look'] }) } },
  { feature: 'one call at a time', bodies: { 'openai-chat': chat({ tools: [chatTool()], parallel_tool_calls: false }), 'openai-responses': responses({ tools: [flatTool()], parallel_tool_calls: false }), 'anthropic-messages': messages({ tools: [claudeTool()], tool_choice: { type: 'auto', disable_parallel_tool_use: true } }) } },
  { feature: 'result of a tool', bodies: { 'openai-chat': chatResult, 'openai-responses': responsesResult('calm'), 'anthropic-messages': claudeResult('calm'), gemini: geminiResult({ output: 'calm' }) } },
  { feature: 'result of a tool with a picture', bodies: { 'openai-responses': responsesResult([responsesPicture]), 'anthropic-messages': claudeResult([claudePicture]) } },
  { feature: 'failed tool', bodies: { 'anthropic-messages': claudeResult('no', { is_error: true }), gemini: geminiResult({ error: 'no' }) } },
  { feature: 'custom tool (free text)', bodies: { 'openai-chat': chat({ tools: [{ type: 'custom', custom: { name: 'patch' } }] }), 'openai-responses': responses({ tools: [{ type: 'custom', name: 'patch' }] }) } },
  { feature: 'namespace of tools', bodies: { 'openai-responses': responses({ tools: [{ type: 'namespace', name: 'files', tools: [flatTool()] }] }) } },
  { feature: 'tool run by the provider', bodies: { 'openai-responses': responses({ tools: [{ type: 'web_search' }] }), 'anthropic-messages': messages({ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }), gemini: gemini({ tools: [{ googleSearch: {} }] }) } },
  { feature: 'JSON without a schema', bodies: { 'openai-chat': chat({ response_format: { type: 'json_object' } }), 'openai-responses': responses({ text: { format: { type: 'json_object' } } }), gemini: config({ responseMimeType: 'application/json' }) } },
  { feature: 'JSON by a schema', bodies: { 'openai-chat': chat({ response_format: { type: 'json_schema', json_schema: { name: 'place', schema, strict: true } } }), 'openai-responses': responses({ text: { format: { type: 'json_schema', name: 'place', schema, strict: true } } }), 'anthropic-messages': messages({ output_config: { format: { type: 'json_schema', schema } } }), gemini: config({ responseMimeType: 'application/json', responseJsonSchema: schema }) } },
  { feature: 'effort of thinking', bodies: { 'openai-chat': chat({ reasoning_effort: 'low' }), 'openai-responses': responses({ reasoning: { effort: 'low' } }), 'anthropic-messages': messages({ thinking: { type: 'adaptive' }, output_config: { effort: 'low' } }), gemini: config({ thinkingConfig: { thinkingBudget: 2_000 } }) } },
  { feature: 'thinking signed elsewhere', bodies: { 'openai-responses': responses({}, [{ role: 'user', content: 'Hello' }, { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA' }, { role: 'assistant', content: 'Hi' }, { role: 'user', content: 'Now?' }]), 'anthropic-messages': { model: 'm', max_tokens: 500, messages: [{ role: 'user', content: 'Hello' }, { role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm', signature: 'Eq' }, { type: 'text', text: 'Hi' }] }, { role: 'user', content: 'Now?' }] }, gemini: { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }, { role: 'model', parts: [{ text: 'Hm', thought: true, thoughtSignature: 'Ci' }, { text: 'Hi' }] }, { role: 'user', parts: [{ text: 'Now?' }] }] } } },
  { feature: 'words put into the mouth', bodies: { 'anthropic-messages': { model: 'm', max_tokens: 500, messages: [{ role: 'user', content: 'Hello' }, { role: 'assistant', content: 'I say' }] } } },
  { feature: 'user', bodies: { 'openai-chat': chat({ user: 'u1' }), 'openai-responses': responses({ safety_identifier: 'u1' }), 'anthropic-messages': messages({ metadata: { user_id: 'u1' } }) } },
  { feature: 'state kept by the provider', bodies: { 'openai-responses': responses({ previous_response_id: 'resp_1' }), 'anthropic-messages': messages({ container: 'c1' }), gemini: gemini({ cachedContent: 'cachedContents/1' }) } },
  { feature: 'safety settings', bodies: { gemini: gemini({ safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }] }) } },
];

const traitsOf: Readonly<Record<Dialect, ModelTraits>> = {
  'openai-chat': traits('gpt-4.1', 'openai', 'gpt-4.1'),
  'openai-responses': traits('gpt-4.1', 'openai', 'gpt-4.1'),
  'anthropic-messages': traits('claude-sonnet-4-5', 'anthropic', 'claude-sonnet'),
  gemini: traits('gemini-2.5-flash', 'google', 'gemini-flash'),
};

function traits(upstream: string, vendor: string, family: string): ModelTraits {
  return { upstream, vendor, family, outputTokens: 32_000, compatible: false, thinking: true };
}

/** Every probe as one dialect writes it. */
export function probeBodies(dialect: Dialect): readonly JsonObject[] {
  return probes.map(({ bodies }) => bodies[dialect]).filter((body) => body !== undefined);
}

/** What becomes of it: carried, dropped and named, or a reason not to ask that target. */
export type Fate =
  | { readonly kind: 'carried' }
  | { readonly kind: 'dropped'; readonly what: readonly string[] }
  | { readonly kind: 'left_out'; readonly lacks: string };

export type TranslationRow = {
  readonly feature: string;
  readonly from: Dialect;
  readonly fates: ReadonlyMap<Dialect, Fate>;
};

function fateOf(body: JsonObject, from: Dialect, to: Dialect): Fate {
  const conversation = codecFor(from).decodeRequest(body);
  if ('kind' in conversation) throw new Error(`${from}: ${conversation.message}`);
  const encoded = codecFor(to).encodeRequest(conversation, traitsOf[to]);
  if (encoded.kind === 'lacks') return { kind: 'left_out', lacks: encoded.capability };
  return encoded.warnings.length === 0 ? { kind: 'carried' } : { kind: 'dropped', what: encoded.warnings };
}

/** One row for each feature and dialect that can say it. Throws when a probe is not a valid request. */
export function translationRows(dialects: readonly Dialect[]): readonly TranslationRow[] {
  return probes.flatMap(({ feature, bodies }) =>
    dialects.flatMap((from) => {
      const body = bodies[from];
      if (body === undefined) return [];
      const others = dialects.filter((to) => to !== from);
      return [{ feature, from, fates: new Map(others.map((to) => [to, fateOf(body, from, to)])) }];
    }),
  );
}
