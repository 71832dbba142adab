/** Requests carried into the other dialect: what becomes of each part of them. */
import { describe, expect, test } from 'bun:test';

import { bodyOf, chat, messages } from '../../test/dialect-fixture.ts';
import type { Encoded, JsonObject } from './dialect.ts';
import { adaptive, claudeTool, question, toChat, toClaude, tool } from '../../test/translation-fixture.ts';

describe('requests', () => {
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
