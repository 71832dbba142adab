/** A simulated Anthropic: as strict as the service, in its words. */
import { tokensOf } from './answer.ts';
import type { Asked, PlannedAnswer } from './answer.ts';
import type { Preset } from './faults.ts';
import { isObject, listOf, objectsOf, textOf } from './speech.ts';
import type { Body, ReadRequest, Refusal, Speech, StreamEvent } from './speech.ts';
import { textSeed } from './random.ts';

const known = new Set([
  'model',
  'max_tokens',
  'messages',
  'system',
  'stream',
  'stop_sequences',
  'metadata',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'cache_control',
  'service_tier',
  'speed',
  'inference_geo',
  'container',
  'diagnostics',
  'temperature',
  'top_p',
  'top_k',
  'context_management',
]);
const versions = new Set(['2023-06-01', '2026-10-21']);
/** Models after Opus 4.6: no prefill, no free sampling. */
const newer = /^claude-(?:opus-(?:4-[7-9]|[5-9])|sonnet-[5-9]|haiku-5|fable)/;

export function anthropicError(
  status: number,
  type: string,
  message: string,
  requestId = 'req_sim',
): Refusal {
  return { status, body: { type: 'error', error: { type, message }, request_id: requestId }, headers: {} };
}

const invalid = (message: string): ReadRequest => ({
  kind: 'refused',
  refusal: anthropicError(400, 'invalid_request_error', message),
});

/** The mark under thinking that this simulator issued; anything else is not accepted back. */
function signatureOf(thinking: string): string {
  return `EqSim${textSeed(thinking).toString(36)}==`;
}

const contentOf = (message: Body): readonly Body[] =>
  typeof message['content'] === 'string'
    ? [{ type: 'text', text: message['content'] }]
    : objectsOf(message['content']);

function blockProblem(block: Body, at: string): string | null {
  switch (block['type']) {
    case 'text':
      return textOf(block['text']) === '' ? 'messages: text content blocks must be non-empty' : null;
    case 'thinking':
      if (typeof block['signature'] !== 'string') return `${at}.thinking.signature: Field required`;
      return block['signature'] === signatureOf(textOf(block['thinking']))
        ? null
        : `${at}: Invalid \`signature\` in \`thinking\` block`;
    case 'tool_use':
      if (!/^[a-zA-Z0-9_-]+$/.test(textOf(block['id'])))
        return `${at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`;
      return isObject(block['input']) ? null : `${at}.tool_use.input: Input should be a valid dictionary`;
    case 'image':
    case 'document':
    case 'tool_result':
    case 'redacted_thinking':
    case 'search_result':
      return null;
    default:
      return `${at}: Input tag '${textOf(block['type'])}' found using 'type' does not match any of the expected tags`;
  }
}

function pairingProblem(messages: readonly Body[]): string | null {
  for (const [index, message] of messages.entries()) {
    const calls = contentOf(message)
      .filter((block) => block['type'] === 'tool_use')
      .map((block) => block['id']);
    const next = messages[index + 1];
    const results =
      next === undefined
        ? []
        : contentOf(next)
            .filter((block) => block['type'] === 'tool_result')
            .map((block) => block['tool_use_id']);
    const missing = calls.find((id) => next !== undefined && !results.includes(id));
    if (missing !== undefined)
      return `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${textOf(missing)}`;
    const orphan = results.find((id) => !calls.includes(id));
    if (orphan !== undefined)
      return `messages.${index + 1}.content.0: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${textOf(orphan)}`;
  }
  return null;
}

function messageProblem(body: Body): string | null {
  const raw = listOf(body['messages']);
  if (!Array.isArray(body['messages'])) return 'messages: Field required';
  if (raw.length === 0) return 'messages: at least one message is required';
  for (const [index, message] of raw.entries()) {
    if (!isObject(message)) return `messages.${index}: Input should be a valid dictionary`;
    if (!['user', 'assistant', 'system'].includes(textOf(message['role'])))
      return `messages.${index}.role: Input should be 'user' or 'assistant'`;
    if (message['content'] === '') return 'messages: text content blocks must be non-empty';
    for (const [at, block] of contentOf(message).entries()) {
      const problem = blockProblem(block, `messages.${index}.content.${at}`);
      if (problem !== null) return problem;
    }
  }
  const messages = objectsOf(raw);
  if (messages[0]?.['role'] !== 'user') return 'messages: first message must use the "user" role';
  if (messages.at(-1)?.['role'] === 'assistant' && newer.test(textOf(body['model'])))
    return 'This model does not support assistant message prefill. The conversation must end with a user message.';
  return pairingProblem(merged(messages));
}

/** Consecutive messages of one role count as one. */
function merged(messages: readonly Body[]): readonly Body[] {
  const runs: { role: unknown; content: Body[] }[] = [];
  for (const message of messages) {
    const last = runs.at(-1);
    if (last !== undefined && last.role === message['role']) last.content.push(...contentOf(message));
    else runs.push({ role: message['role'], content: [...contentOf(message)] });
  }
  return runs;
}

function parameterProblem(body: Body, version: string): string | null {
  const unknown = Object.keys(body).find((key) => !known.has(key));
  if (unknown !== undefined) return `${unknown}: Extra inputs are not permitted`;
  if (typeof body['max_tokens'] !== 'number') return 'max_tokens: Field required';
  const sampling = ['temperature', 'top_p', 'top_k'].find((key) => body[key] !== undefined);
  if (sampling !== undefined && version === '2026-10-21')
    return `${sampling}: Extra inputs are not permitted`;
  if (typeof body['temperature'] === 'number' && (body['temperature'] < 0 || body['temperature'] > 1))
    return 'temperature: range: 0..1';
  if (
    newer.test(textOf(body['model'])) &&
    (body['top_k'] !== undefined || (body['temperature'] !== undefined && body['temperature'] !== 1))
  )
    return '`temperature` may only be set to 1 for this model.';
  for (const [index, tool] of objectsOf(body['tools']).entries()) {
    if (typeof tool['type'] === 'string' && tool['type'] !== 'custom') continue;
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(textOf(tool['name'])))
      return `tools.${index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`;
    if (!isObject(tool['input_schema']) || tool['input_schema']['type'] !== 'object')
      return `tools.${index}.custom.input_schema.type: Field required`;
  }
  return null;
}

function headerProblem(headers: Headers): string | null {
  const version = headers.get('anthropic-version');
  if (version === null) return 'anthropic-version: header is required';
  if (!versions.has(version)) return `anthropic-version: "${version}" is not a valid version`;
  const beta = headers
    .get('anthropic-beta')
    ?.split(',')
    .find((name) => !/-20\d\d-\d\d-\d\d$/.test(name.trim()));
  return beta === undefined ? null : `Unexpected value(s) \`${beta}\` for the \`anthropic-beta\` header.`;
}

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
  const thinking = isObject(body['thinking']) ? body['thinking']['type'] : null;
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
    schema: format === null ? null : format['schema'],
    json: false,
    outputTokensMax: body['max_tokens'] as number,
    thinking: thinking === 'enabled' || thinking === 'adaptive',
    inputCharacters: JSON.stringify([body['system'] ?? '', body['messages'], body['tools'] ?? '']).length,
  };
}

function stopReason(answer: PlannedAnswer): string {
  switch (answer.finish) {
    case 'stop':
      return 'end_turn';
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
    output_tokens: outputTokens,
    ...(answer.reasoningTokens > 0
      ? { output_tokens_details: { thinking_tokens: answer.reasoningTokens } }
      : {}),
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
  const stop = event({ type: 'content_block_stop', index }, 'preamble');
  const start = (value: Body): StreamEvent =>
    event({ type: 'content_block_start', index, content_block: value }, 'preamble');
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

const presets: Record<Preset, (id: string) => Refusal> = {
  overloaded: (id) => anthropicError(529, 'overloaded_error', 'Overloaded', id),
  server_error: (id) => anthropicError(500, 'api_error', 'Internal server error', id),
  rate_limited: (id) =>
    anthropicError(429, 'rate_limit_error', 'This request would exceed your rate limit.', id),
  quota_exhausted: (id) =>
    anthropicError(
      400,
      'invalid_request_error',
      'You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.',
      id,
    ),
  credential_rejected: (id) => anthropicError(401, 'authentication_error', 'invalid x-api-key', id),
  model_not_found: (id) => anthropicError(404, 'not_found_error', 'model: claude-nothing', id),
  context_exceeded: (id) =>
    anthropicError(400, 'invalid_request_error', 'prompt is too long: 1200000 tokens > 1000000 maximum', id),
  request_rejected: (id) => anthropicError(400, 'invalid_request_error', 'messages.0: bad input', id),
  content_refused: (id) =>
    anthropicError(400, 'invalid_request_error', 'Output blocked by content filtering policy', id),
  edge_page: () => ({
    status: 502,
    body: '<html><body><h1>502 Bad Gateway</h1></body></html>',
    headers: { 'content-type': 'text/html', 'cf-ray': 'sim' },
  }),
};

export const anthropicSpeech: Speech = {
  requestIdHeader: 'request-id',
  path: '/v1/messages',
  key: (headers) =>
    headers.get('x-api-key') ?? /^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1] ?? null,
  read(body, headers, models) {
    const wrong = headerProblem(headers);
    if (wrong !== null) return invalid(wrong);
    if (typeof body['model'] !== 'string') return invalid('model: Field required');
    if (!models.includes(body['model']))
      return { kind: 'refused', refusal: anthropicError(404, 'not_found_error', `model: ${body['model']}`) };
    const problem = parameterProblem(body, headers.get('anthropic-version') ?? '') ?? messageProblem(body);
    return problem === null
      ? { kind: 'asked', asked: askedOf(body), stream: body['stream'] === true, includeUsage: true }
      : invalid(problem);
  },
  refuse: (preset, id) => presets[preset](id),
  whole: (answer, model) => ({
    id: `msg_${answer.id}`,
    type: 'message',
    role: 'assistant',
    model,
    content: blocksOf(answer),
    stop_reason: stopReason(answer),
    stop_sequence: null,
    usage: usageOf(answer, answer.outputTokens),
  }),
  events: (answer, model) => [
    event(
      {
        type: 'message_start',
        message: {
          id: `msg_${answer.id}`,
          type: 'message',
          role: 'assistant',
          model,
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: usageOf(answer, 1),
        },
      },
      'preamble',
    ),
    { text: 'event: ping\ndata: {"type": "ping"}\n\n', content: false, role: 'preamble' },
    ...blocksOf(answer).flatMap(blockEvents),
    event(
      {
        type: 'message_delta',
        delta: { stop_reason: stopReason(answer), stop_sequence: null },
        usage: usageOf(answer, answer.outputTokens),
      },
      'finish',
    ),
    event({ type: 'message_stop' }, 'terminal'),
  ],
  errorEvent: (type) =>
    `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type, message: 'Overloaded' }, request_id: 'req_sim' })}\n\n`,
  models: (models) => ({
    data: models.map((id) => ({ type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' })),
    has_more: false,
    first_id: models[0] ?? null,
    last_id: models.at(-1) ?? null,
  }),
};
