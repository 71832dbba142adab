/** A simulated OpenAI, and the laxer servers that speak like it: how they read a request and say an answer. */
import { tokensOf } from './answer.ts';
import type { Asked, PlannedAnswer } from './answer.ts';
import { invalidRequest, openaiError, openaiPreset, unknownModel } from './openai-error.ts';
import { embeddingsOf, embeddingsRefusal } from './openai-embeddings.ts';
import { historyRefusal } from './openai-history.ts';
import { choicesMax, parametersRefusal } from './openai-rules.ts';
import { isObject, listOf, objectsOf, textOf } from './speech.ts';
import type { Body, Form, ReadRequest, Refusal, Speech, StreamEvent } from './speech.ts';

const partsText = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : objectsOf(content)
        .filter((part) => part['type'] === 'text')
        .map((part) => textOf(part['text']))
        .join('\n');

function toolChoiceOf(body: Body): Asked['toolChoice'] {
  const choice = body['tool_choice'];
  if (isObject(choice) && isObject(choice['function']))
    return { kind: 'named', name: textOf(choice['function']['name']) };
  return { kind: choice === 'required' ? 'any' : choice === 'none' ? 'none' : 'auto' };
}

function askedOf(body: Body): Asked {
  const messages = objectsOf(body['messages']);
  const spoken = messages.filter((message) => !['system', 'developer'].includes(textOf(message['role'])));
  const last = spoken.at(-1) ?? {};
  const trailing = spoken.slice(spoken.findLastIndex((message) => message['role'] !== 'tool') + 1);
  const system = messages
    .filter((message) => message['role'] === 'system' || message['role'] === 'developer')
    .map((message) => partsText(message['content']))
    .join('\n');
  const format = isObject(body['response_format']) ? body['response_format'] : {};
  const schema = isObject(format['json_schema']) ? format['json_schema']['schema'] : null;
  const stop = body['stop'];
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
    parallelTools: body['parallel_tool_calls'] !== false,
    schema,
    json: format['type'] === 'json_object',
    outputTokensMax: typeof limit === 'number' ? limit : null,
    stops: typeof stop === 'string' ? [stop] : listOf(stop).map(textOf),
    hidesThinking: false,
    thinking: typeof body['reasoning_effort'] === 'string' && body['reasoning_effort'] !== 'none',
    inputCharacters: JSON.stringify([body['messages'], body['tools'] ?? '']).length,
  };
}

const finishWord: Record<PlannedAnswer['finish'], string> = {
  stop: 'stop',
  stop_sequence: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  refusal: 'content_filter',
};

function usageOf(answer: PlannedAnswer, choices: number): Body {
  const outputTokens = answer.outputTokens * choices;
  return {
    prompt_tokens: answer.inputTokens,
    completion_tokens: outputTokens,
    total_tokens: answer.inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: answer.reasoningTokens * choices, audio_tokens: 0 },
  };
}

const toolCallOf = ({ id, name, arguments: text }: PlannedAnswer['toolCalls'][number]): Body => ({
  id: `call_${id}`,
  type: 'function',
  function: { name, arguments: text },
});

const created = 1_780_000_000;

/** How a server speaks: OpenAI's own keeps its reasoning to itself and knows `service_tier`. */
type Accent = { readonly strict: boolean };

const times = <T>(count: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, index) => make(index));

const tail = (accent: Accent, { fingerprint }: Pick<PlannedAnswer, 'fingerprint'>): Body =>
  accent.strict ? { service_tier: 'default', system_fingerprint: fingerprint ?? 'fp_simulated' } : {};

function wholeOf(answer: PlannedAnswer, model: string, form: Form, accent: Accent): Body {
  const message = {
    role: 'assistant',
    content: answer.toolCalls.length > 0 ? null : answer.text,
    refusal: null,
    ...(!accent.strict && answer.thinking !== null ? { reasoning_content: answer.thinking } : {}),
    ...(answer.toolCalls.length > 0 ? { tool_calls: answer.toolCalls.map(toolCallOf) } : {}),
    ...(accent.strict ? { annotations: [] } : {}),
  };
  return {
    id: `chatcmpl-${answer.id}`,
    object: 'chat.completion',
    created,
    model,
    choices: times(form.choices, (index) => ({
      index,
      message,
      logprobs: null,
      finish_reason: finishWord[answer.finish],
    })),
    usage: usageOf(answer, form.choices),
    ...tail(accent, answer),
  };
}

/** The parts of an answer in the order they are said. */
function deltasOf(answer: PlannedAnswer, accent: Accent): readonly Body[] {
  const thoughts = accent.strict || answer.thinking === null ? [] : tokensOf(answer.thinking);
  const calls = answer.toolCalls.flatMap((call, index) => [
    {
      tool_calls: [
        { index, id: `call_${call.id}`, type: 'function', function: { name: call.name, arguments: '' } },
      ],
    },
    ...tokensOf(call.arguments).map((part) => ({ tool_calls: [{ index, function: { arguments: part } }] })),
  ]);
  return [
    ...thoughts.map((part) => ({ reasoning_content: part })),
    ...tokensOf(answer.text).map((content) => ({ content })),
    ...calls,
  ];
}

const paddingMax = 16;

function eventsOf(answer: PlannedAnswer, model: string, form: Form, accent: Accent): readonly StreamEvent[] {
  const base = {
    id: `chatcmpl-${answer.id}`,
    object: 'chat.completion.chunk',
    created,
    model,
    ...tail(accent, answer),
  };
  const event = (rest: Body, role: StreamEvent['role']): StreamEvent => {
    const text = JSON.stringify({ ...base, ...rest });
    const padding = 'xK7q2PzR9mWt4bVs'.slice(text.length % paddingMax);
    const padded = form.obfuscate ? JSON.stringify({ ...base, ...rest, obfuscation: padding }) : text;
    return { text: `data: ${padded}\n\n`, content: role === 'content', role };
  };
  const usage = form.includeUsage ? { usage: null } : {};
  const chunks = (
    delta: Body,
    role: StreamEvent['role'],
    finish: string | null = null,
  ): readonly StreamEvent[] =>
    times(form.choices, (index) =>
      event({ choices: [{ index, delta, logprobs: null, finish_reason: finish }], ...usage }, role),
    );
  return [
    ...chunks({ role: 'assistant', content: '', refusal: null }, 'preamble'),
    ...deltasOf(answer, accent).flatMap((delta) => chunks(delta, 'content')),
    ...chunks({}, 'finish', finishWord[answer.finish]),
    ...(form.includeUsage ? [event({ choices: [], usage: usageOf(answer, form.choices) }, 'usage')] : []),
    { text: 'data: [DONE]\n\n', content: false, role: 'terminal' },
  ];
}

const refused = (refusal: Refusal): ReadRequest => ({ kind: 'refused', refusal });

function readRequest(body: Body, models: readonly string[], accent: Accent): ReadRequest {
  const { model, messages } = body as { readonly model?: unknown; readonly messages?: unknown };
  if (typeof model !== 'string') return refused(invalidRequest('you must provide a model parameter'));
  if (!models.includes(model)) return refused(unknownModel(model));
  if (!Array.isArray(messages))
    return refused(
      invalidRequest("Missing required parameter: 'messages'.", 'messages', 'missing_required_parameter'),
    );
  if (messages.length === 0)
    return refused(
      invalidRequest(
        "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        'messages',
        'empty_array',
      ),
    );
  const refusal = accent.strict ? (parametersRefusal(body) ?? historyRefusal(messages)) : null;
  if (refusal !== null) return refused(refusal);
  const options = isObject(body['stream_options']) ? body['stream_options'] : {};
  return {
    kind: 'asked',
    asked: askedOf(body),
    form: {
      stream: body['stream'] === true,
      includeUsage: options['include_usage'] === true,
      choices: typeof body['n'] === 'number' ? Math.min(body['n'], choicesMax) : 1,
      obfuscate: accent.strict && options['include_obfuscation'] !== false,
    },
  };
}

function readEmbeddings(body: Body, models: readonly string[]): ReadRequest {
  const model = body['model'];
  if (typeof model !== 'string') return refused(invalidRequest('you must provide a model parameter'));
  if (!models.includes(model)) return refused(unknownModel(model));
  const refusal = embeddingsRefusal(body);
  if (refusal !== null) return refused(refusal);
  return {
    kind: 'asked',
    asked: { ...askedOf(body), inputCharacters: JSON.stringify(body['input']).length },
    form: { stream: false, includeUsage: true, choices: 1, obfuscate: false },
  };
}

const limitHeaders = {
  'openai-organization': 'org-simulated',
  'openai-processing-ms': '42',
  'openai-version': '2020-10-01',
  'x-ratelimit-limit-requests': '10000',
  'x-ratelimit-limit-tokens': '2000000',
  'x-ratelimit-remaining-requests': '9999',
  'x-ratelimit-remaining-tokens': '1999000',
  'x-ratelimit-reset-requests': '6ms',
  'x-ratelimit-reset-tokens': '30ms',
};

function speech(accent: Accent): Speech {
  const modelOf = (id: string): Body => ({
    id,
    object: 'model',
    created,
    owned_by: accent.strict ? 'openai' : 'library',
  });
  return {
    answerPath: '/v1/chat/completions',
    sidePath: '/v1/embeddings',
    key: (headers) => /^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1] ?? null,
    read: (body, _headers, models) => readRequest(body, models, accent),
    readSide: (body, _headers, models) => readEmbeddings(body, models),
    // Several lax servers know numbers only.
    side: (answer, body) =>
      embeddingsOf(answer, accent.strict ? body : { ...body, encoding_format: 'float' }),
    refuse: openaiPreset,
    notFound: (method, path) =>
      openaiError({ status: 404, type: 'invalid_request_error', words: `Invalid URL (${method} ${path})` }),
    unreadable: () => invalidRequest('We could not parse the JSON body of your request.'),
    stamped: (body) => body,
    headers: (requestId) => ({ 'x-request-id': requestId, ...(accent.strict ? limitHeaders : {}) }),
    whole: (answer, model, form) => wholeOf(answer, model, form, accent),
    events: (answer, model, form) => eventsOf(answer, model, form, accent),
    errorEvent: (type) => ({
      text: `data: ${JSON.stringify({ error: { message: 'The server had an error while processing your request.', type, param: null, code: null } })}\n\n`,
      content: false,
      role: 'terminal',
    }),
    models: (models) => ({ object: 'list', data: models.map(modelOf) }),
    model: modelOf,
  };
}

export const openaiSpeech: Speech = speech({ strict: true });
export const compatibleSpeech: Speech = speech({ strict: false });
