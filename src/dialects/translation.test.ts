import { describe, expect, test } from 'bun:test';
import {
  chat,
  claudeTraits,
  fixtureText,
  messages,
  openaiTraits,
  plainContext,
} from '../../test/dialect-fixture.ts';
import type { Answer, FinishReason } from './conversation.ts';
import type { DialectCodec, Encoded, JsonObject, ModelTraits } from './dialect.ts';
import { callersToolName, toolNameFor } from './tool-names.ts';

function carry(from: DialectCodec, to: DialectCodec, traits: ModelTraits, body: JsonObject): Encoded {
  const conversation = from.decodeRequest(body);
  if ('kind' in conversation) throw new Error(conversation.message);
  return to.encodeRequest(conversation, traits);
}
const question = [{ role: 'user', content: 'q' }];
const toClaude = (body: JsonObject, traits: Partial<ModelTraits> = {}): Encoded =>
  carry(chat, messages, { ...claudeTraits, ...traits }, { model: 'x', messages: question, ...body });
const toChat = (body: JsonObject, traits: Partial<ModelTraits> = {}): Encoded =>
  carry(
    messages,
    chat,
    { ...openaiTraits, ...traits },
    { model: 'x', max_tokens: 900, messages: question, ...body },
  );
const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } };
const claudeTool = { name: 'f', input_schema: { type: 'object', properties: {} } };
const newest = { upstream: 'claude-opus-5-5' };
const adaptive = { upstream: 'claude-opus-4-8' };

describe('what matters and can not be carried makes a target lack it', () => {
  test.each<[string, Encoded]>([
    ['n', toClaude({ n: 2 })],
    ['audio', toClaude({ modalities: ['text', 'audio'] })],
    [
      'audio',
      toClaude({ messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }] }),
    ],
    [
      'file_ids',
      toClaude({ messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }] }),
    ],
    ['functions', toClaude({ functions: [{ name: 'f' }] })],
    ['content part video_url', toClaude({ messages: [{ role: 'user', content: [{ type: 'video_url' }] }] })],
    ['prefill', toClaude({ messages: [...question, { role: 'assistant', content: 'So' }] }, adaptive)],
    [
      'image_type',
      toClaude({
        messages: [
          { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/tiff;base64,AA' } }] },
        ],
      }),
    ],
    ['container', toChat({ container: 'c' })],
    ['thread', toChat({ thread: { previous_message_id: 'm' } })],
    ['inference_geo', toChat({ inference_geo: 'us' })],
    ['prefill', toChat({ messages: [...question, { role: 'assistant', content: 'So' }] })],
    [
      'file_ids',
      toChat({
        messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'f' } }] }],
      }),
    ],
    ['builtin_tools', toChat({ tools: [{ type: 'bash_20250124', name: 'bash' }] })],
    [
      'document_url',
      toChat({
        messages: [
          { role: 'user', content: [{ type: 'document', source: { type: 'url', url: 'https://x' } }] },
        ],
      }),
    ],
    ['cache_warming', toChat({ max_tokens: 0 })],
  ])('%s', (capability, encoded) => {
    expect(encoded).toEqual({ kind: 'lacks', capability });
  });
});

describe('what does not matter is dropped and named', () => {
  test.each<[string, Encoded]>([
    ['logprobs', toClaude({ logprobs: true })],
    ['logit_bias', toClaude({ logit_bias: { 5: 1 } })],
    ['seed', toClaude({ seed: 7 })],
    ['presence_penalty', toClaude({ presence_penalty: 1 })],
    ['web_search_options', toClaude({ web_search_options: {} })],
    ['message_name', toClaude({ messages: [{ role: 'user', name: 'Ann', content: 'q' }] })],
    [
      'image_detail',
      toClaude({
        messages: [
          { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x', detail: 'high' } }] },
        ],
      }),
    ],
    ['temperature', toClaude({ temperature: 1.7 })],
    [
      'input_examples',
      toChat({ tools: [{ ...claudeTool, input_examples: [{}], eager_input_streaming: false }] }),
    ],
    ['response_format', toClaude({ response_format: { type: 'json_object' } })],
    ['max_tokens', toClaude({ max_tokens: 900_000 })],
    ['tool_choice', toClaude({ tools: [tool], tool_choice: 'required' }, newest)],
    ['thinking', toClaude({ reasoning_effort: 'high', tools: [tool], tool_choice: 'required' })],
    ['thinking', toClaude({ reasoning_effort: 'high' }, { thinking: false })],
    ['stop', toClaude({ stop: ['\n'] })],
    ['top_k', toChat({ top_k: 5 })],
    ['stop', toChat({ stop_sequences: ['a', 'b', 'c', 'd', 'e'] })],
    ['hosted_tools', toChat({ tools: [{ type: 'web_search_20250305', name: 'web_search' }] })],
    ['context_management', toChat({ context_management: { edits: [] } })],
    [
      'citations',
      toChat({
        messages: [
          {
            role: 'user',
            content: [
              { type: 'document', source: { type: 'text', data: 'd' }, citations: { enabled: true } },
            ],
          },
        ],
      }),
    ],
    ['temperature', toChat({ temperature: 0.5 }, { upstream: 'gpt-5-mini' })],
    ['thinking', toChat({ thinking: { type: 'enabled', budget_tokens: 2_000 } }, { thinking: false })],
    [
      'strict',
      toChat({
        tools: [{ ...claudeTool, input_schema: { type: 'object', properties: { a: {} } }, strict: true }],
      }),
    ],
    ['effort', toChat({ output_config: { effort: 'max' } })],
  ])('%s', (warning, encoded) => {
    expect(encoded).toMatchObject({ kind: 'encoded', warnings: [warning] });
  });

  test('what is not wished (said as −1 by some clients) is nothing to drop', () => {
    const encoded = toChat({ top_p: -1, top_k: -1 });
    expect(encoded).toMatchObject({ kind: 'encoded', warnings: [] });
    expect(encoded).not.toHaveProperty('body.top_p');
  });

  test('a word of the caller is made harmless before it is named', () => {
    expect(toClaude({ 'x\r\ny: secret words that go on and on and on and on': 1 })).toMatchObject({
      warnings: ['x__y_ secret words that go on and on and'],
    });
  });

  test('what asks for nothing is not named', () => {
    const idle = {
      n: 1,
      presence_penalty: 0,
      service_tier: 'auto',
      seed: null,
      store: false,
      reasoning_effort: 'none',
    };
    expect(toClaude({ ...idle, prompt_cache_key: 'k' })).toMatchObject({ warnings: [] });
    expect(
      toChat({ service_tier: 'auto', thinking: { type: 'disabled' }, temperature: 1 }, { upstream: 'gpt-5' }),
    ).toMatchObject({ warnings: [] });
  });
});

describe('requests', () => {
  function bodyOf(encoded: Encoded): JsonObject {
    if (encoded.kind === 'lacks') throw new Error(encoded.capability);
    return encoded.body;
  }

  test.each<[string, Encoded, JsonObject]>([
    [
      'effort on an adaptive model',
      toClaude({ reasoning_effort: 'minimal' }, adaptive),
      { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
    ],
    [
      'effort on an older one, within half the limit',
      toClaude({ reasoning_effort: 'high', max_tokens: 8_000 }),
      { thinking: { type: 'enabled', budget_tokens: 4_000 } },
    ],
    [
      'a budget as effort',
      toChat({ thinking: { type: 'enabled', budget_tokens: 20_000 } }),
      { reasoning_effort: 'high' },
    ],
    [
      'effort beats budget',
      toChat({ thinking: { type: 'adaptive' }, output_config: { effort: 'low' } }),
      { reasoning_effort: 'low' },
    ],
    [
      'a named tool',
      toClaude({ tools: [tool], tool_choice: { type: 'function', function: { name: 'f' } } }),
      { tool_choice: { type: 'tool', name: 'f' } },
    ],
    [
      'any tool',
      toChat({ tools: [claudeTool], tool_choice: { type: 'any', disable_parallel_tool_use: true } }),
      { tool_choice: 'required', parallel_tool_calls: false },
    ],
    ['no tool', toChat({ tools: [claudeTool], tool_choice: { type: 'none' } }), { tool_choice: 'none' }],
    ['a user', toClaude({ user: 'u' }), { metadata: { user_id: 'u' } }],
    ['a long user', toChat({ metadata: { user_id: 'u'.repeat(200) } }), { user: 'u'.repeat(128) }],
    [
      'usage in every stream',
      toChat({ stream: true }),
      { stream: true, stream_options: { include_usage: true } },
    ],
    [
      'the first four stops',
      toChat({ stop_sequences: ['a', 'b', 'c', 'd', 'e'] }),
      { stop: ['a', 'b', 'c', 'd'] },
    ],
    [
      'a schema',
      toChat({
        output_config: {
          format: {
            type: 'json_schema',
            schema: { type: 'object', properties: {}, additionalProperties: false },
          },
        },
      }),
      { response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true } } },
    ],
    [
      'JSON by instruction',
      toClaude({ response_format: { type: 'json_object' } }),
      { system: 'Answer with one JSON object and nothing else.' },
    ],
    [
      'strict tools',
      toClaude({ tools: [{ ...tool, function: { ...tool.function, strict: true } }] }),
      { tools: [{ strict: true, input_schema: { type: 'object', additionalProperties: false } }] },
    ],
    ['a temperature beyond the range', toClaude({ temperature: 1.7 }), { temperature: 1 }],
  ])('%s', (_, encoded, expected) => {
    expect(bodyOf(encoded)).toMatchObject(expected);
  });

  test('system messages lead, developer ones too; later ones stay between turns where the model knows that', () => {
    const body = {
      messages: [
        { role: 'system', content: 'a' },
        { role: 'developer', content: 'b' },
        { role: 'user', content: 'q' },
        {
          role: 'assistant',
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'system', content: 'mid' },
        { role: 'tool', tool_call_id: 'c', content: 'r' },
        { role: 'user', content: 'and?' },
      ],
    };
    const blocks = (...texts: string[]) => texts.map((text) => ({ type: 'text', text }));
    const newer = bodyOf(toClaude(body, adaptive));
    expect(newer['system']).toEqual(blocks('a', 'b'));
    const turns = newer['messages'] as { role: string; content: JsonObject[] }[];
    expect(turns.map((turn) => turn.role)).toEqual(['user', 'assistant', 'user', 'system', 'user']);
    const older = toClaude(body);
    expect(older).toMatchObject({ warnings: ['system_order'], body: { system: blocks('a', 'b', 'mid') } });
    expect((bodyOf(older)['messages'] as unknown[]).length).toBe(3);
  });

  test('a conversation that begins with the assistant gets a turn before it; a system prompt alone is the question', () => {
    const greeted = bodyOf(toClaude({ messages: [{ role: 'assistant', content: 'Hi' }, ...question] }));
    expect((greeted['messages'] as { role: string }[]).map((turn) => turn.role)).toEqual([
      'user',
      'assistant',
      'user',
    ]);
    const lonely = bodyOf(toClaude({ messages: [{ role: 'system', content: 'Say hi' }] }));
    expect(lonely['messages']).toEqual([{ role: 'user', content: [{ type: 'text', text: 'Say hi' }] }]);
    expect(lonely).not.toHaveProperty('system');
  });

  test('pictures and documents, by data and by address, both ways', () => {
    const sources = [
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBO' } },
      { type: 'image', source: { type: 'url', url: 'https://x/y.png' } },
      {
        type: 'document',
        source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' },
        title: 'a.pdf',
      },
    ];
    const parts = [
      { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBO' } },
      { type: 'image_url', image_url: { url: 'https://x/y.png' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBE' } },
    ];
    expect(bodyOf(toChat({ messages: [{ role: 'user', content: sources }] }))['messages']).toEqual([
      { role: 'user', content: parts },
    ]);
    expect(bodyOf(toClaude({ messages: [{ role: 'user', content: parts }] }))['messages']).toEqual([
      { role: 'user', content: sources },
    ]);
  });

  test('documents that are text travel as text', () => {
    const given = [
      { type: 'document', title: 'T', source: { type: 'text', media_type: 'text/plain', data: 'words' } },
      { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'more' }] } },
      { type: 'search_result', title: 'S', source: 's', content: [{ type: 'text', text: 'found' }] },
    ];
    const [message] = bodyOf(toChat({ messages: [{ role: 'user', content: given }] }))['messages'] as {
      content: JsonObject[];
    }[];
    expect(message!.content.map((part) => part['text'])).toEqual(['T\n\nwords', 'more', 'S\n\ns\n\nfound']);
    const file = {
      type: 'file',
      file: { filename: 'a.txt', file_data: `data:text/plain;base64,${btoa('words')}` },
    };
    const [turn] = bodyOf(toClaude({ messages: [{ role: 'user', content: [file] }] }))['messages'] as {
      content: JsonObject[];
    }[];
    expect(turn!.content[0]).toMatchObject({
      source: { type: 'text', media_type: 'text/plain', data: 'words' },
    });
  });

  test('with a fixed budget, thinking is left out where the thoughts behind the latest calls are missing', () => {
    const inLoop = {
      reasoning_effort: 'high',
      messages: [
        ...question,
        {
          role: 'assistant',
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: 'r' },
      ],
    };
    expect(toClaude(inLoop)).toMatchObject({ warnings: ['thinking'] });
    expect(bodyOf(toClaude(inLoop, adaptive))).toMatchObject({ thinking: { type: 'adaptive' } });
  });

  test('calls whose arguments are no object keep what was said', () => {
    const body = toClaude({
      messages: [
        ...question,
        {
          role: 'assistant',
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: 'oops' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: 'r' },
      ],
    });
    expect(JSON.stringify(bodyOf(body))).toContain('"input":{"unparsed":"oops"}');
  });

  test('wrong types are the caller’s error, in its own terms', () => {
    expect(chat.decodeRequest({ model: 'x', messages: question, temperature: 'hot' })).toMatchObject({
      kind: 'invalid',
      param: 'temperature',
    });
    expect(chat.decodeRequest({ model: 'x', messages: [{ role: 'alien' }] })).toMatchObject({
      param: 'messages[0].role',
    });
    expect(messages.decodeRequest({ model: 'x', messages: [{ role: 'user', content: 5 }] })).toMatchObject({
      param: 'messages[0].content',
    });
  });
});

describe('names of tools', () => {
  const long = `search_${'in_all_documents_of_the_company_'.repeat(4)}`;
  const other = `${long}x`;

  test('long or odd names are changed for the target, and restored for the caller', () => {
    const declared = new Set([long, other, 'files.read']);
    const shown = [...declared].map((name) => toolNameFor(name, 64));
    expect(new Set(shown).size).toBe(3);
    for (const name of shown) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(shown.map((name) => callersToolName(name, declared, 64))).toEqual([...declared]);
  });

  test('the caller sees its own name in whole answers and in streams, and the call is not held undeclared', () => {
    const context = { structuredOutput: false, toolNames: new Set([long]) };
    const shown = toolNameFor(long, 64);
    const answer = JSON.parse(fixtureText('openai-answer.json').replace('get_weather', shown)) as JsonObject;
    expect(chat.readAnswer(answer, context)?.toolCallInvalid).toBe(false);
    const encoded = messages.encodeAnswer(chat.decodeAnswer(answer, context), { createdSeconds: 1 });
    expect(encoded['content']).toContainEqual({
      type: 'tool_use',
      id: 'call_1',
      name: long,
      input: { city: 'Rome' },
    });
    const reader = chat.streamReader({ translate: true, request: context });
    const data = {
      choices: [
        { delta: { tool_calls: [{ index: 0, id: 'a', function: { name: shown, arguments: '{}' } }] } },
      ],
    };
    expect(reader.read(null, JSON.stringify(data)).events).toContainEqual({
      kind: 'tool_start',
      id: 'a',
      name: long,
    });
    expect(reader.facts().toolCallInvalid).toBe(false);
  });

  test('a call of a tool that was not declared is invalid', () => {
    const context = { structuredOutput: false, toolNames: new Set(['other']) };
    for (const [codec, name] of [
      [chat, 'openai-answer.json'],
      [messages, 'anthropic-answer.json'],
    ] as const)
      expect(codec.readAnswer(JSON.parse(fixtureText(name)), context)?.toolCallInvalid).toBe(true);
  });
});

describe('whole answers', () => {
  const usage = {
    inputTokens: 135,
    outputTokens: 90,
    cachedTokens: 100,
    cacheWriteTokens: 10,
    reasoningTokens: 60,
  };
  const options = { createdSeconds: 5 };

  test('facts', () => {
    const expected = {
      finish: 'tool_calls',
      usage,
      empty: false,
      toolCallInvalid: false,
      structuredOutputInvalid: false,
    };
    expect(chat.readAnswer(JSON.parse(fixtureText('openai-answer.json')), plainContext)).toMatchObject({
      ...expected,
      fingerprint: 'fp_1',
      finishRaw: 'tool_calls',
    });
    expect(messages.readAnswer(JSON.parse(fixtureText('anthropic-answer.json')), plainContext)).toMatchObject(
      { ...expected, finishRaw: 'tool_use' },
    );
    const broken = {
      content: [{ type: 'tool_use', id: 't', name: 'f', input: '{}' }],
      stop_reason: 'tool_use',
    };
    expect(messages.readAnswer(broken, plainContext)?.toolCallInvalid).toBe(true);
    for (const odd of [null, [], 'x', {}, { choices: [] }, { content: 'x' }]) {
      expect(chat.readAnswer(odd, plainContext)).toBeNull();
      expect(messages.readAnswer(odd, plainContext)).toBeNull();
    }
  });

  test('a message for a caller of chat completions', () => {
    const answer = messages.decodeAnswer(
      JSON.parse(fixtureText('anthropic-answer.json')) as JsonObject,
      plainContext,
    );
    expect(chat.encodeAnswer(answer, options)).toEqual({
      id: 'chatcmpl-01',
      object: 'chat.completion',
      created: 5,
      model: 'claude-opus-4-8',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Hi',
            refusal: null,
            reasoning_content: 'Two cities',
            tool_calls: [
              {
                id: 'toolu_01',
                type: 'function',
                function: { name: 'get_weather', arguments: '{"city":"Rome"}' },
              },
            ],
          },
          logprobs: null,
          finish_reason: 'tool_calls',
        },
      ],
      usage: {
        prompt_tokens: 135,
        completion_tokens: 90,
        total_tokens: 225,
        prompt_tokens_details: { cached_tokens: 100, cache_write_tokens: 10 },
        completion_tokens_details: { reasoning_tokens: 60 },
      },
    });
  });

  test('a chat completion for a caller of messages', () => {
    const answer = chat.decodeAnswer(
      JSON.parse(fixtureText('openai-answer.json')) as JsonObject,
      plainContext,
    );
    expect(messages.encodeAnswer(answer, options)).toEqual({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'gpt-5.2-2026-02-01',
      content: [
        { type: 'text', text: 'Hi' },
        { type: 'tool_use', id: 'call_1', name: 'get_weather', input: { city: 'Rome' } },
      ],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: {
        input_tokens: 25,
        cache_creation_input_tokens: 10,
        cache_read_input_tokens: 100,
        output_tokens: 90,
        output_tokens_details: { thinking_tokens: 60 },
      },
    });
  });

  test.each<[FinishReason, string, string]>([
    ['stop', 'stop', 'end_turn'],
    ['stop_sequence', 'stop', 'stop_sequence'],
    ['length', 'length', 'max_tokens'],
    ['tool_calls', 'tool_calls', 'tool_use'],
    ['refusal', 'content_filter', 'refusal'],
    ['pause', 'stop', 'pause_turn'],
    ['other', 'stop', 'end_turn'],
  ])('finish %s is %s and %s', (finish, inChat, inMessages) => {
    const answer: Answer = {
      id: 'x',
      model: 'm',
      parts: [{ kind: 'text', text: 'a' }],
      finish,
      stopSequence: null,
      usage,
    };
    expect(chat.encodeAnswer(answer, options)).toMatchObject({ choices: [{ finish_reason: inChat }] });
    expect(messages.encodeAnswer(answer, options)).toMatchObject({ stop_reason: inMessages });
  });

  test('a refusal is a refusal on both sides', () => {
    const refused = {
      choices: [{ message: { role: 'assistant', content: null, refusal: 'No.' }, finish_reason: 'stop' }],
    };
    expect(chat.readAnswer(refused, plainContext)).toMatchObject({
      finish: 'refusal',
      finishRaw: 'stop',
      empty: false,
    });
    expect(messages.encodeAnswer(chat.decodeAnswer(refused, plainContext), options)).toMatchObject({
      stop_reason: 'refusal',
      content: [{ type: 'text', text: 'No.' }],
    });
    const explained = {
      content: [],
      stop_reason: 'refusal',
      stop_details: { type: 'refusal', explanation: 'No.' },
    };
    expect(messages.readAnswer(explained, plainContext)).toMatchObject({ finish: 'refusal', empty: false });
    expect(chat.encodeAnswer(messages.decodeAnswer(explained, plainContext), options)).toMatchObject({
      choices: [{ finish_reason: 'stop', message: { content: null, refusal: 'No.' } }],
    });
  });
});
