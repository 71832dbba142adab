/** How a simulated OpenAI reads a request to its Responses API and says an answer there. */
import { tokensOf } from './answer.ts';
import type { Asked, PlannedAnswer } from './answer.ts';
import { invalidRequest, unknownModel } from './openai-error.ts';
import { responsesRefusal } from './openai-responses-rules.ts';
import { openaiSpeech } from './openai.ts';
import { isObject, objectsOf, textOf } from './speech.ts';
import type { Body, Form, ReadRequest, Speech, StreamEvent } from './speech.ts';

const partsText = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : objectsOf(content)
        .map((part) => textOf(part['text']))
        .join('\n');

type Offered = { readonly name: string; readonly schema: unknown; readonly namespace: string | null };

const freeText = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] };

function offeredOf(tools: readonly Body[], namespace: string | null = null): readonly Offered[] {
  return tools.flatMap((tool) => {
    if (tool['type'] === 'namespace') return offeredOf(objectsOf(tool['tools']), textOf(tool['name']));
    if (tool['type'] === 'function')
      return [{ name: textOf(tool['name']), schema: tool['parameters'], namespace }];
    return tool['type'] === 'custom' ? [{ name: textOf(tool['name']), schema: freeText, namespace }] : [];
  });
}

function toolChoiceOf(body: Body): Asked['toolChoice'] {
  const choice = body['tool_choice'];
  if (isObject(choice) && typeof choice['name'] === 'string') return { kind: 'named', name: choice['name'] };
  return { kind: choice === 'required' ? 'any' : choice === 'none' ? 'none' : 'auto' };
}

const isSpoken = (item: Body): boolean =>
  item['type'] === 'function_call_output' ||
  item['type'] === 'custom_tool_call_output' ||
  (item['type'] ?? 'message') === 'message';
const isResult = (item: Body): boolean => textOf(item['type']).endsWith('_call_output');

function askedOf(body: Body): Asked {
  const { input } = body;
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : objectsOf(input);
  const spoken = items
    .filter(isSpoken)
    .filter((item) => !['system', 'developer'].includes(textOf(item['role'])));
  const last = spoken.at(-1) ?? {};
  const trailing = spoken.slice(spoken.findLastIndex((item) => !isResult(item)) + 1);
  const system = [
    textOf(body['instructions']),
    ...items
      .filter((item) => item['role'] === 'system' || item['role'] === 'developer')
      .map((item) => partsText(item['content'])),
  ]
    .filter((text) => text !== '')
    .join('\n');
  const text = isObject(body['text']) ? body['text'] : {};
  const format = isObject(text['format']) ? text['format'] : {};
  const reasoning = isObject(body['reasoning']) ? body['reasoning'] : {};
  const limit = body['max_output_tokens'];
  const effort = reasoning['effort'];
  return {
    model: textOf(body['model']),
    system: system === '' ? null : system,
    lastUserText: last['role'] === 'user' ? partsText(last['content']) : '',
    toolResult: trailing.length === 0 ? null : trailing.map((item) => partsText(item['output'])).join('; '),
    images: items
      .flatMap((item) => [...objectsOf(item['content']), ...objectsOf(item['output'])])
      .filter((part) => part['type'] === 'input_image').length,
    tools: offeredOf(objectsOf(body['tools'])),
    toolChoice: toolChoiceOf(body),
    parallelTools: body['parallel_tool_calls'] !== false,
    schema: format['type'] === 'json_schema' ? format['schema'] : null,
    json: format['type'] === 'json_object',
    outputTokensMax: typeof limit === 'number' ? limit : null,
    stops: [],
    hidesThinking: typeof reasoning['summary'] !== 'string',
    thinking: typeof effort === 'string' && effort !== 'none',
    inputCharacters: JSON.stringify([input, body['instructions'] ?? '', body['tools'] ?? '']).length,
  };
}

/** What the answer repeats of the request. */
type Echo = { readonly body: Body; readonly offered: readonly Offered[] };

/** Speech is without state, so the request an answer is for is found by the plan that was made from it. */
const echoes = new WeakMap<Form, Echo>();

const created = 1_780_000_000;

function callOf(call: PlannedAnswer['toolCalls'][number], form: Form, status: string, isOpen: boolean): Body {
  const echo = echoes.get(form);
  const offered = echo?.offered.find((tool) => tool.name === call.name);
  const common = {
    id: `fc_${call.id}`,
    status,
    call_id: `call_${call.id}`,
    name: call.name,
    ...(offered?.namespace === null || offered === undefined ? {} : { namespace: offered.namespace }),
  };
  if (offered?.schema !== freeText)
    return { ...common, type: 'function_call', arguments: isOpen ? '' : call.arguments };
  const input: unknown = isOpen ? '' : (JSON.parse(call.arguments) as Body)['input'];
  return { ...common, type: 'custom_tool_call', input };
}

function reasoningOf(answer: PlannedAnswer): Body | null {
  if (answer.thinking === null) return null;
  return {
    id: `rs_${answer.id}`,
    type: 'reasoning',
    summary: answer.thinking === '' ? [] : [{ type: 'summary_text', text: answer.thinking }],
    encrypted_content: `gAAAA${answer.id}`,
  };
}

const textPart = (text: string): Body => ({ type: 'output_text', text, annotations: [], logprobs: [] });

function messageOf(answer: PlannedAnswer): Body | null {
  if (answer.finish === 'refusal')
    return {
      id: `msg_${answer.id}`,
      type: 'message',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'refusal', refusal: 'I am sorry, but I cannot help with that.' }],
    };
  if (answer.text === '') return null;
  return {
    id: `msg_${answer.id}`,
    type: 'message',
    status: 'completed',
    role: 'assistant',
    content: [textPart(answer.text)],
  };
}

function outputOf(answer: PlannedAnswer, form: Form): readonly Body[] {
  return [
    reasoningOf(answer),
    messageOf(answer),
    ...answer.toolCalls.map((call) => callOf(call, form, 'completed', false)),
  ].filter((item) => item !== null);
}

function responseOf(answer: PlannedAnswer, model: string, form: Form, isOpen: boolean): Body {
  const body = echoes.get(form)?.body ?? {};
  const isCut = answer.finish === 'length';
  return {
    id: `resp_${answer.id}`,
    object: 'response',
    created_at: created,
    status: isOpen ? 'in_progress' : isCut ? 'incomplete' : 'completed',
    background: false,
    error: null,
    incomplete_details: !isOpen && isCut ? { reason: 'max_output_tokens' } : null,
    instructions: body['instructions'] ?? null,
    max_output_tokens: body['max_output_tokens'] ?? null,
    metadata: body['metadata'] ?? {},
    model,
    output: isOpen ? [] : outputOf(answer, form),
    parallel_tool_calls: body['parallel_tool_calls'] ?? true,
    previous_response_id: body['previous_response_id'] ?? null,
    reasoning: body['reasoning'] ?? { effort: null, summary: null },
    service_tier: 'default',
    store: body['store'] ?? true,
    temperature: body['temperature'] ?? 1,
    text: body['text'] ?? { format: { type: 'text' } },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: body['tools'] ?? [],
    top_p: body['top_p'] ?? 1,
    truncation: 'disabled',
    usage: isOpen
      ? null
      : {
          input_tokens: answer.inputTokens,
          input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
          output_tokens: answer.outputTokens,
          output_tokens_details: { reasoning_tokens: answer.reasoningTokens },
          total_tokens: answer.inputTokens + answer.outputTokens,
        },
  };
}

class Events {
  readonly list: StreamEvent[] = [];

  add(type: string, fields: Body, role: StreamEvent['role']): void {
    const data = JSON.stringify({ type, sequence_number: this.list.length, ...fields });
    this.list.push({ text: `event: ${type}\ndata: ${data}\n\n`, content: role === 'content', role });
  }

  reasoning(item: Body, index: number): void {
    const place = { item_id: item['id'], output_index: index };
    this.add(
      'response.output_item.added',
      { output_index: index, item: { ...item, summary: [] } },
      'opening',
    );
    for (const [at, part] of objectsOf(item['summary']).entries()) {
      const where = { ...place, summary_index: at };
      this.add('response.reasoning_summary_part.added', { ...where, part: { ...part, text: '' } }, 'opening');
      for (const delta of tokensOf(textOf(part['text'])))
        this.add('response.reasoning_summary_text.delta', { ...where, delta }, 'content');
      this.add('response.reasoning_summary_text.done', { ...where, text: part['text'] }, 'closing');
      this.add('response.reasoning_summary_part.done', { ...where, part }, 'closing');
    }
    this.add('response.output_item.done', { output_index: index, item }, 'closing');
  }

  message(item: Body, index: number): void {
    const at = { item_id: item['id'], output_index: index, content_index: 0 };
    const opened = { ...item, status: 'in_progress', content: [] };
    this.add('response.output_item.added', { output_index: index, item: opened }, 'opening');
    for (const part of objectsOf(item['content'])) {
      const isText = part['type'] === 'output_text';
      const field = isText ? 'text' : 'refusal';
      const name = isText ? 'output_text' : 'refusal';
      this.add('response.content_part.added', { ...at, part: { ...part, [field]: '' } }, 'opening');
      for (const delta of tokensOf(textOf(part[field])))
        this.add(`response.${name}.delta`, { ...at, delta, ...(isText ? { logprobs: [] } : {}) }, 'content');
      this.add(`response.${name}.done`, { ...at, [field]: part[field] }, 'closing');
      this.add('response.content_part.done', { ...at, part }, 'closing');
    }
    this.add('response.output_item.done', { output_index: index, item }, 'closing');
  }

  call(item: Body, opened: Body, index: number): void {
    const place = { item_id: item['id'], output_index: index };
    this.add('response.output_item.added', { output_index: index, item: opened }, 'content');
    const isCustom = item['type'] === 'custom_tool_call';
    const field = isCustom ? 'input' : 'arguments';
    const name = isCustom ? 'custom_tool_call_input' : 'function_call_arguments';
    for (const delta of tokensOf(textOf(item[field])))
      this.add(`response.${name}.delta`, { ...place, delta }, 'content');
    this.add(`response.${name}.done`, { ...place, [field]: item[field] }, 'closing');
    this.add('response.output_item.done', { output_index: index, item }, 'closing');
  }
}

function eventsOf(answer: PlannedAnswer, model: string, form: Form): readonly StreamEvent[] {
  const events = new Events();
  const opening = responseOf(answer, model, form, true);
  events.add('response.created', { response: opening }, 'preamble');
  events.add('response.in_progress', { response: opening }, 'preamble');
  const output = outputOf(answer, form);
  for (const [index, item] of output.entries()) {
    if (item['type'] === 'reasoning') events.reasoning(item, index);
    else if (item['type'] === 'message') events.message(item, index);
    else {
      const call = answer.toolCalls.find(({ id }) => `fc_${id}` === item['id']);
      if (call !== undefined) events.call(item, callOf(call, form, 'in_progress', true), index);
    }
  }
  const response = responseOf(answer, model, form, false);
  events.add(`response.${textOf(response['status'])}`, { response }, 'terminal');
  return events.list;
}

function readRequest(body: Body, models: readonly string[]): ReadRequest {
  const model = body['model'];
  if (typeof model !== 'string')
    return { kind: 'refused', refusal: invalidRequest('you must provide a model parameter') };
  if (!models.includes(model)) return { kind: 'refused', refusal: unknownModel(model) };
  const refusal = responsesRefusal(body);
  if (refusal !== null) return { kind: 'refused', refusal };
  const form: Form = { stream: body['stream'] === true, includeUsage: true, choices: 1, obfuscate: false };
  echoes.set(form, { body, offered: offeredOf(objectsOf(body['tools'])) });
  return { kind: 'asked', asked: askedOf(body), form };
}

export const responsesSpeech: Speech = {
  ...openaiSpeech,
  answerPath: '/v1/responses',
  sidePath: '/v1/responses/input_tokens',
  read: (body, _headers, models) => readRequest(body, models),
  readSide: (body, _headers, models) => readRequest(body, models),
  side: (answer) => ({ object: 'response.input_tokens', input_tokens: answer.inputTokens }),
  whole: (answer, model, form) => responseOf(answer, model, form, false),
  events: eventsOf,
  errorEvent: (type) => ({
    text: `event: error\ndata: ${JSON.stringify({ type: 'error', code: type, message: 'The server had an error while processing your request.', param: null, sequence_number: 3 })}\n\n`,
    content: false,
    role: 'terminal',
  }),
};
