/** A simulated Anthropic: how it reads a request and says an answer. */
import { tokensOf } from './answer.ts';
import type { Asked, PlannedAnswer } from './answer.ts';
import { anthropicError, anthropicErrorWords, anthropicPreset, invalidRequest } from './anthropic-error.ts';
import { contentOf, signatureOf } from './anthropic-history.ts';
import { headerProblem, requestProblem } from './anthropic-rules.ts';
import { isObject, listOf, objectsOf, textOf } from './speech.ts';
import type { Body, ReadRequest, Speech, StreamEvent } from './speech.ts';

const messagesPath = '/v1/messages';
const sidePath = '/v1/messages/count_tokens';

function toolChoiceOf(body: Body): Asked['toolChoice'] {
  const choice = isObject(body['tool_choice']) ? body['tool_choice'] : {};
  if (choice['type'] === 'tool') return { kind: 'named', name: textOf(choice['name']) };
  return { kind: choice['type'] === 'any' ? 'any' : choice['type'] === 'none' ? 'none' : 'auto' };
}

function resultText(block: Body): string {
  return typeof block['content'] === 'string'
    ? block['content']
    : objectsOf(block['content'])
        .map((part) => (part['type'] === 'text' ? textOf(part['text']) : `[${textOf(part['type'])}]`))
        .join(' ');
}

function askedOf(body: Body): Asked {
  const messages = objectsOf(body['messages']);
  const last = contentOf(messages.findLast((message) => message['role'] === 'user') ?? {});
  const results = last.filter((block) => block['type'] === 'tool_result');
  const system =
    typeof body['system'] === 'string'
      ? body['system']
      : objectsOf(body['system'])
          .map((block) => textOf(block['text']))
          .join('\n');
  const format =
    isObject(body['output_config']) && isObject(body['output_config']['format'])
      ? body['output_config']['format']
      : null;
  const thinking = isObject(body['thinking']) ? body['thinking'] : {};
  return {
    model: textOf(body['model']),
    system: system === '' ? null : system,
    lastUserText: last
      .filter((block) => block['type'] === 'text')
      .map((block) => textOf(block['text']))
      .join('\n'),
    toolResult: results.length === 0 ? null : results.map(resultText).join('; '),
    images: messages.flatMap(contentOf).filter((block) => block['type'] === 'image').length,
    tools: objectsOf(body['tools']).map((tool) => ({
      name: textOf(tool['name']),
      schema: tool['input_schema'],
    })),
    toolChoice: toolChoiceOf(body),
    parallelTools: !(
      isObject(body['tool_choice']) && body['tool_choice']['disable_parallel_tool_use'] === true
    ),
    schema: format === null ? null : format['schema'],
    json: false,
    outputTokensMax: typeof body['max_tokens'] === 'number' ? body['max_tokens'] : null,
    stops: listOf(body['stop_sequences']).map(textOf),
    thinking: thinking['type'] === 'enabled' || thinking['type'] === 'adaptive',
    hidesThinking: thinking['display'] === 'omitted',
    inputCharacters: JSON.stringify([body['system'] ?? '', body['messages'], body['tools'] ?? '']).length,
  };
}

function stopReason(answer: PlannedAnswer): string {
  switch (answer.finish) {
    case 'stop':
      return 'end_turn';
    case 'stop_sequence':
      return 'stop_sequence';
    case 'length':
      return 'max_tokens';
    case 'tool_calls':
      return 'tool_use';
    case 'refusal':
      return 'refusal';
  }
}

function usageOf(answer: PlannedAnswer, outputTokens: number): Body {
  return {
    input_tokens: answer.inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: outputTokens,
    ...(answer.reasoningTokens > 0
      ? { output_tokens_details: { thinking_tokens: Math.min(answer.reasoningTokens, outputTokens) } }
      : {}),
    service_tier: 'standard',
  };
}

function blocksOf(answer: PlannedAnswer): readonly Body[] {
  return [
    ...(answer.thinking === null
      ? []
      : [{ type: 'thinking', thinking: answer.thinking, signature: signatureOf(answer.thinking) }]),
    ...(answer.text === '' ? [] : [{ type: 'text', text: answer.text }]),
    ...answer.toolCalls.map((call) => ({
      type: 'tool_use',
      id: `toolu_${call.id}`,
      name: call.name,
      input: looseJson(call.arguments),
    })),
  ];
}

function looseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const event = (data: Body, role: StreamEvent['role']): StreamEvent => ({
  text: `event: ${textOf(data['type'])}\ndata: ${JSON.stringify(data)}\n\n`,
  content: role === 'content',
  role,
});

function blockEvents(block: Body, index: number): readonly StreamEvent[] {
  const delta = (value: Body): StreamEvent =>
    event({ type: 'content_block_delta', index, delta: value }, 'content');
  const stop = event({ type: 'content_block_stop', index }, 'closing');
  const start = (value: Body): StreamEvent =>
    event({ type: 'content_block_start', index, content_block: value }, 'opening');
  switch (block['type']) {
    case 'thinking':
      return [
        start({ type: 'thinking', thinking: '', signature: '' }),
        ...tokensOf(textOf(block['thinking'])).map((thinking) => delta({ type: 'thinking_delta', thinking })),
        delta({ type: 'signature_delta', signature: block['signature'] }),
        stop,
      ];
    case 'tool_use': {
      const json = typeof block['input'] === 'string' ? block['input'] : JSON.stringify(block['input']);
      return [
        start({ type: 'tool_use', id: block['id'], name: block['name'], input: {} }),
        ...tokensOf(json).map((part) => delta({ type: 'input_json_delta', partial_json: part })),
        stop,
      ];
    }
    default:
      return [
        start({ type: 'text', text: '' }),
        ...tokensOf(textOf(block['text'])).map((text) => delta({ type: 'text_delta', text })),
        stop,
      ];
  }
}

const refused = (refusal: Extract<ReadRequest, { kind: 'refused' }>['refusal']): ReadRequest => ({
  kind: 'refused',
  refusal,
});

function readRequest(body: Body, headers: Headers, models: readonly string[], isSide: boolean): ReadRequest {
  const wrong = headerProblem(headers);
  if (wrong !== null) return refused(invalidRequest(wrong));
  if (typeof body['model'] !== 'string') return refused(invalidRequest('model: Field required'));
  const problem = requestProblem(body, headers, isSide);
  if (problem !== null) return refused(invalidRequest(problem));
  if (!models.includes(body['model'])) return refused(anthropicPreset('model_not_found', body['model']));
  return {
    kind: 'asked',
    asked: askedOf(body),
    form: { stream: body['stream'] === true, includeUsage: true, choices: 1, obfuscate: false },
  };
}

/** A message without its content: how a whole one begins, and what `message_start` carries. */
const messageOf = (answer: PlannedAnswer, model: string): Body => ({
  id: `msg_${answer.id}`,
  type: 'message',
  role: 'assistant',
  model,
});

const refusalDetails = {
  type: 'refusal',
  category: 'general_harms',
  explanation: 'The request was declined by a safety classifier.',
};

/** How a message ends. */
const endOf = (answer: PlannedAnswer): Body => ({
  stop_reason: stopReason(answer),
  stop_sequence: answer.stopSequence,
  ...(answer.finish === 'refusal' ? { stop_details: refusalDetails } : {}),
});

function eventsOf(answer: PlannedAnswer, model: string): readonly StreamEvent[] {
  const message = {
    ...messageOf(answer, model),
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: usageOf(answer, 1),
  };
  return [
    event({ type: 'message_start', message }, 'preamble'),
    { text: 'event: ping\ndata: {"type": "ping"}\n\n', content: false, role: 'preamble' },
    ...blocksOf(answer).flatMap(blockEvents),
    event(
      { type: 'message_delta', delta: endOf(answer), usage: usageOf(answer, answer.outputTokens) },
      'finish',
    ),
    event({ type: 'message_stop' }, 'terminal'),
  ];
}

const modelOf = (id: string): Body => ({
  type: 'model',
  id,
  display_name: id,
  created_at: '2026-01-01T00:00:00Z',
});

const resetAt = '2026-11-21T00:01:00Z';
const limitHeaders = Object.fromEntries(
  ['requests', 'tokens', 'input-tokens', 'output-tokens'].flatMap((kind) => [
    [`anthropic-ratelimit-${kind}-limit`, kind === 'requests' ? '4000' : '2000000'],
    [`anthropic-ratelimit-${kind}-remaining`, kind === 'requests' ? '3999' : '1990000'],
    [`anthropic-ratelimit-${kind}-reset`, resetAt],
  ]),
);

export const anthropicSpeech: Speech = {
  answerPath: messagesPath,
  sidePath,
  key: (headers) =>
    headers.get('x-api-key') ?? /^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1] ?? null,
  read: (body, headers, models) => readRequest(body, headers, models, false),
  readSide: (body, headers, models) => readRequest(body, headers, models, true),
  side: (answer) => ({ input_tokens: answer.inputTokens }),
  refuse: anthropicPreset,
  notFound: () => anthropicError(404, 'not_found_error', 'Not found'),
  unreadable: () => invalidRequest('The request body is not valid JSON'),
  stamped: (body, requestId) =>
    isObject(body) && body['request_id'] === null ? { ...body, request_id: requestId } : body,
  headers: (requestId) => ({
    'request-id': requestId,
    'anthropic-organization-id': '5a3c1d20-0000-4000-8000-00005175a7ed',
    ...limitHeaders,
  }),
  whole: (answer, model) => ({
    ...messageOf(answer, model),
    content: blocksOf(answer),
    ...endOf(answer),
    usage: usageOf(answer, answer.outputTokens),
  }),
  events: eventsOf,
  errorEvent: (type, requestId) =>
    event(
      { type: 'error', error: { type, message: anthropicErrorWords(type) }, request_id: requestId },
      'terminal',
    ),
  models: (models) => ({
    data: models.map(modelOf),
    has_more: false,
    first_id: models[0] ?? null,
    last_id: models.at(-1) ?? null,
  }),
  model: modelOf,
};
