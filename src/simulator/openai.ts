/** A simulated OpenAI, and the laxer servers that speak like it. */
import { tokensOf } from './answer.ts';
import type { Asked, PlannedAnswer } from './answer.ts';
import type { Preset } from './faults.ts';
import { isObject, listOf, objectsOf, textOf } from './speech.ts';
import type { Body, ReadRequest, Refusal, Speech, StreamEvent } from './speech.ts';

const known = new Set([
  'model',
  'messages',
  'max_completion_tokens',
  'max_tokens',
  'temperature',
  'top_p',
  'n',
  'stop',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'reasoning_effort',
  'verbosity',
  'prompt_cache_key',
  'prompt_cache_options',
  'safety_identifier',
  'service_tier',
  'store',
  'metadata',
  'modalities',
  'audio',
  'prediction',
  'moderation',
  'logprobs',
  'top_logprobs',
  'logit_bias',
  'seed',
  'web_search_options',
  'user',
  'presence_penalty',
  'frequency_penalty',
]);
const reasoning = /^(?:gpt-5|o\d)/;

export function openaiError(
  status: number,
  type: string,
  code: string | null,
  message: string,
  param: string | null = null,
): Refusal {
  return { status, body: { error: { message, type, param, code } }, headers: {} };
}

const invalid = (message: string, param: string | null = null, code: string | null = null): ReadRequest => ({
  kind: 'refused',
  refusal: openaiError(400, 'invalid_request_error', code, message, param),
});

const partsText = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : objectsOf(content)
        .filter((part) => part['type'] === 'text')
        .map((part) => textOf(part['text']))
        .join('\n');

function toolMessageProblem(messages: readonly Body[]): string | null {
  let open: string[] = [];
  for (const [index, message] of messages.entries()) {
    if (message['role'] === 'tool') {
      const id = textOf(message['tool_call_id']);
      if (!open.includes(id))
        return `Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'. (messages[${index}])`;
      open = open.filter((each) => each !== id);
      continue;
    }
    if (open.length > 0)
      return `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${open.join(', ')}`;
    if (message['role'] === 'assistant') {
      open = objectsOf(message['tool_calls']).map((call) => textOf(call['id']));
      if ((message['content'] === null || message['content'] === undefined) && open.length === 0)
        return `Invalid value for 'content': expected a string, got null. (messages[${index}])`;
    }
  }
  return open.length === 0
    ? null
    : `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${open.join(', ')}`;
}

function strictProblem(body: Body): ReadRequest | null {
  const unknown = Object.keys(body).find((key) => !known.has(key));
  if (unknown !== undefined) return invalid(`Unrecognized request argument supplied: ${unknown}`, null);
  if (reasoning.test(textOf(body['model']))) {
    if (body['max_tokens'] !== undefined)
      return invalid(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        'max_tokens',
        'unsupported_parameter',
      );
    if (body['stop'] !== undefined)
      return invalid(
        "Unsupported parameter: 'stop' is not supported with this model.",
        'stop',
        'unsupported_parameter',
      );
    if (body['temperature'] !== undefined && body['temperature'] !== 1 && body['reasoning_effort'] !== 'none')
      return invalid(
        "Unsupported value: 'temperature' does not support this value with this model.",
        'temperature',
        'unsupported_value',
      );
  }
  if (body['stream_options'] !== undefined && body['stream'] !== true)
    return invalid(
      "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
      'stream_options',
    );
  if (listOf(body['stop']).length > 4) return invalid('Invalid stop: array too long.', 'stop');
  for (const [index, tool] of objectsOf(body['tools']).entries()) {
    const name = isObject(tool['function']) ? textOf(tool['function']['name']) : '';
    if (tool['type'] === 'function' && !/^[a-zA-Z0-9_-]{1,64}$/.test(name))
      return invalid(
        `Invalid 'tools[${index}].function.name': string does not match pattern.`,
        `tools[${index}].function.name`,
        'invalid_value',
      );
  }
  return null;
}

function toolChoiceOf(body: Body): Asked['toolChoice'] {
  const choice = body['tool_choice'];
  if (isObject(choice) && isObject(choice['function']))
    return { kind: 'named', name: textOf(choice['function']['name']) };
  return { kind: choice === 'required' ? 'any' : choice === 'none' ? 'none' : 'auto' };
}

function askedOf(body: Body): Asked {
  const messages = objectsOf(body['messages']);
  const last = messages.at(-1) ?? {};
  const trailing = messages.slice(messages.findLastIndex((message) => message['role'] !== 'tool') + 1);
  const system = messages
    .filter((message) => message['role'] === 'system' || message['role'] === 'developer')
    .map((message) => partsText(message['content']))
    .join('\n');
  const format = isObject(body['response_format']) ? body['response_format'] : {};
  const schema = isObject(format['json_schema']) ? format['json_schema']['schema'] : null;
  const limit = body['max_completion_tokens'] ?? body['max_tokens'];
  return {
    model: textOf(body['model']),
    system: system === '' ? null : system,
    lastUserText: last['role'] === 'user' ? partsText(last['content']) : '',
    toolResult:
      trailing.length === 0 ? null : trailing.map((message) => partsText(message['content'])).join('; '),
    images: messages
      .flatMap((message) => objectsOf(message['content']))
      .filter((part) => part['type'] === 'image_url').length,
    tools: objectsOf(body['tools']).flatMap((tool) =>
      isObject(tool['function'])
        ? [{ name: textOf(tool['function']['name']), schema: tool['function']['parameters'] }]
        : [],
    ),
    toolChoice: toolChoiceOf(body),
    schema,
    json: format['type'] === 'json_object',
    outputTokensMax: typeof limit === 'number' ? limit : null,
    thinking: typeof body['reasoning_effort'] === 'string' && body['reasoning_effort'] !== 'none',
    inputCharacters: JSON.stringify([body['messages'], body['tools'] ?? '']).length,
  };
}

const finishWord: Record<PlannedAnswer['finish'], string> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  refusal: 'content_filter',
};

function usageOf(answer: PlannedAnswer): Body {
  return {
    prompt_tokens: answer.inputTokens,
    completion_tokens: answer.outputTokens,
    total_tokens: answer.inputTokens + answer.outputTokens,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: answer.reasoningTokens },
  };
}

const toolCallOf = ({ id, name, arguments: text }: PlannedAnswer['toolCalls'][number]): Body => ({
  id: `call_${id}`,
  type: 'function',
  function: { name, arguments: text },
});

const created = 1_780_000_000;

function wholeOf(answer: PlannedAnswer, model: string, showsReasoning: boolean): Body {
  const message = {
    role: 'assistant',
    content: answer.toolCalls.length > 0 ? null : answer.text,
    refusal: null,
    ...(showsReasoning && answer.thinking !== null ? { reasoning_content: answer.thinking } : {}),
    ...(answer.toolCalls.length > 0 ? { tool_calls: answer.toolCalls.map(toolCallOf) } : {}),
  };
  return {
    id: `chatcmpl-${answer.id}`,
    object: 'chat.completion',
    created,
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishWord[answer.finish] }],
    usage: usageOf(answer),
    system_fingerprint: 'fp_sim',
  };
}

function eventsOf(
  answer: PlannedAnswer,
  model: string,
  includeUsage: boolean,
  showsReasoning: boolean,
): readonly StreamEvent[] {
  const base = {
    id: `chatcmpl-${answer.id}`,
    object: 'chat.completion.chunk',
    created,
    model,
    system_fingerprint: 'fp_sim',
  };
  const usage = includeUsage ? { usage: null } : {};
  const chunk = (delta: Body, role: StreamEvent['role'], finish: string | null = null): StreamEvent => ({
    text: `data: ${JSON.stringify({ ...base, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...usage })}\n\n`,
    content: role === 'content',
    role,
  });
  const thoughts =
    showsReasoning && answer.thinking !== null
      ? tokensOf(answer.thinking).map((part) => chunk({ reasoning_content: part }, 'content'))
      : [];
  const calls = answer.toolCalls.flatMap((call, index) => [
    chunk(
      {
        tool_calls: [
          { index, id: `call_${call.id}`, type: 'function', function: { name: call.name, arguments: '' } },
        ],
      },
      'content',
    ),
    ...tokensOf(call.arguments).map((part) =>
      chunk({ tool_calls: [{ index, function: { arguments: part } }] }, 'content'),
    ),
  ]);
  return [
    chunk({ role: 'assistant', content: '', refusal: null }, 'preamble'),
    ...thoughts,
    ...tokensOf(answer.text).map((content) => chunk({ content }, 'content')),
    ...calls,
    chunk({}, 'finish', finishWord[answer.finish]),
    ...(includeUsage
      ? [
          {
            text: `data: ${JSON.stringify({ ...base, choices: [], usage: usageOf(answer) })}\n\n`,
            content: false,
            role: 'usage' as const,
          },
        ]
      : []),
    { text: 'data: [DONE]\n\n', content: false, role: 'terminal' },
  ];
}

const presets: Record<Preset, Refusal> = {
  overloaded: openaiError(503, 'server_error', 'server_is_overloaded', 'The server is overloaded.'),
  server_error: openaiError(
    500,
    'server_error',
    null,
    'The server had an error while processing your request.',
  ),
  rate_limited: openaiError(429, 'requests', 'rate_limit_exceeded', 'Rate limit reached.'),
  quota_exhausted: openaiError(
    429,
    'insufficient_quota',
    'insufficient_quota',
    'You exceeded your current quota.',
  ),
  credential_rejected: openaiError(
    401,
    'invalid_request_error',
    'invalid_api_key',
    'Incorrect API key provided.',
  ),
  model_not_found: openaiError(404, 'invalid_request_error', 'model_not_found', 'The model does not exist.'),
  context_exceeded: openaiError(
    400,
    'invalid_request_error',
    'context_length_exceeded',
    "This model's maximum context length is 128000 tokens.",
    'messages',
  ),
  request_rejected: openaiError(400, 'invalid_request_error', null, 'Bad input.', 'messages'),
  content_refused: openaiError(
    400,
    'invalid_request_error',
    'content_filter',
    'The response was filtered.',
    'prompt',
  ),
  edge_page: {
    status: 502,
    body: '<html><body><h1>502 Bad Gateway</h1></body></html>',
    headers: { 'content-type': 'text/html' },
  },
};

function speech(strict: boolean): Speech {
  return {
    requestIdHeader: 'x-request-id',
    path: '/v1/chat/completions',
    key: (headers) => /^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1] ?? null,
    read(body, _headers, models) {
      if (typeof body['model'] !== 'string') return invalid('you must provide a model parameter');
      if (!models.includes(body['model']))
        return {
          kind: 'refused',
          refusal: openaiError(
            404,
            'invalid_request_error',
            'model_not_found',
            `The model \`${body['model']}\` does not exist or you do not have access to it.`,
            null,
          ),
        };
      if (!Array.isArray(body['messages']) || body['messages'].length === 0)
        return invalid(
          "Invalid 'messages': empty array. Expected an array with minimum length 1.",
          'messages',
          'empty_array',
        );
      const refused = strict ? strictProblem(body) : null;
      if (refused !== null) return refused;
      const problem = toolMessageProblem(objectsOf(body['messages']));
      if (problem !== null) return invalid(problem, 'messages');
      const options = isObject(body['stream_options']) ? body['stream_options'] : {};
      return {
        kind: 'asked',
        asked: askedOf(body),
        stream: body['stream'] === true,
        includeUsage: options['include_usage'] === true,
      };
    },
    refuse: (preset) => presets[preset],
    whole: (answer, model) => wholeOf(answer, model, !strict),
    events: (answer, model, includeUsage) => eventsOf(answer, model, includeUsage, !strict),
    errorEvent: (type) =>
      `data: ${JSON.stringify({ error: { message: 'The server had an error.', type, param: null, code: null } })}\n\n`,
    models: (models) => ({
      object: 'list',
      data: models.map((id) => ({ id, object: 'model', created, owned_by: 'simulator' })),
    }),
  };
}

export const openaiSpeech: Speech = speech(true);
export const compatibleSpeech: Speech = speech(false);
