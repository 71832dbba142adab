/** A simulated Gemini API: how it reads a request and says an answer. */
import { tokensOf } from './answer.ts';
import type { Asked, PlannedAnswer } from './answer.ts';
import { googleError, googlePreset, invalidArgument, notFoundModel } from './google-error.ts';
import { googleRefusal } from './google-rules.ts';
import { isObject, listOf, objectsOf, textOf } from './speech.ts';
import type { Body, Form, ReadRequest, Speech, StreamEvent } from './speech.ts';

const partsOf = (content: unknown): readonly Body[] => (isObject(content) ? objectsOf(content['parts']) : []);

const textsOf = (parts: readonly Body[]): string =>
  parts
    .filter((part) => part['thought'] !== true)
    .map((part) => textOf(part['text']))
    .filter((text) => text !== '')
    .join('\n');

const objectAt = (body: Body, key: string): Body => (isObject(body[key]) ? body[key] : {});

function toolChoiceOf(body: Body): Asked['toolChoice'] {
  const calling = objectAt(objectAt(body, 'toolConfig'), 'functionCallingConfig');
  const [only] = listOf(calling['allowedFunctionNames']);
  if (calling['mode'] === 'ANY' && typeof only === 'string') return { kind: 'named', name: only };
  return { kind: calling['mode'] === 'ANY' ? 'any' : calling['mode'] === 'NONE' ? 'none' : 'auto' };
}

function responseText(part: Body): string {
  const response = objectAt(objectAt(part, 'functionResponse'), 'response');
  const said = response['output'] ?? response['error'];
  return typeof said === 'string' ? said : JSON.stringify(response);
}

function askedOf(body: Body): Asked {
  const contents = objectsOf(body['contents']);
  const results = partsOf(contents.at(-1)).filter((part) => isObject(part['functionResponse']));
  const config = objectAt(body, 'generationConfig');
  const thinking = objectAt(config, 'thinkingConfig');
  const system = textsOf(partsOf(body['systemInstruction']));
  const limit = config['maxOutputTokens'];
  const functions = objectsOf(body['tools']).flatMap((tool) => objectsOf(tool['functionDeclarations']));
  return {
    model: textOf(body['model']),
    system: system === '' ? null : system,
    lastUserText: textsOf(partsOf(contents.findLast((content) => content['role'] !== 'model'))),
    toolResult: results.length === 0 ? null : results.map(responseText).join('; '),
    images: contents
      .flatMap(partsOf)
      .filter((part) => textOf(objectAt(part, 'inlineData')['mimeType']).startsWith('image/')).length,
    tools: functions.map((each) => ({
      name: textOf(each['name']),
      schema: each['parametersJsonSchema'] ?? each['parameters'],
    })),
    toolChoice: toolChoiceOf(body),
    parallelTools: true,
    schema: config['responseJsonSchema'] ?? config['responseSchema'] ?? null,
    json: config['responseMimeType'] === 'application/json',
    outputTokensMax: typeof limit === 'number' ? limit : null,
    stops: listOf(config['stopSequences']).map(textOf),
    hidesThinking: thinking['includeThoughts'] !== true,
    thinking:
      typeof thinking['thinkingLevel'] === 'string' ||
      (typeof thinking['thinkingBudget'] === 'number' && thinking['thinkingBudget'] !== 0),
    inputCharacters: JSON.stringify([body['contents'], body['tools'] ?? '']).length,
  };
}

const finishWord: Record<PlannedAnswer['finish'], string> = {
  stop: 'STOP',
  stop_sequence: 'STOP',
  tool_calls: 'STOP',
  length: 'MAX_TOKENS',
  refusal: 'SAFETY',
};

function usageOf(answer: PlannedAnswer): Body {
  return {
    promptTokenCount: answer.inputTokens,
    candidatesTokenCount: answer.outputTokens - answer.reasoningTokens,
    totalTokenCount: answer.inputTokens + answer.outputTokens,
    ...(answer.reasoningTokens > 0 ? { thoughtsTokenCount: answer.reasoningTokens } : {}),
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: answer.inputTokens }],
  };
}

/** Calls whose arguments cannot be read come back as no call at all. */
function callParts(answer: PlannedAnswer): readonly Body[] | null {
  try {
    return answer.toolCalls.map((call, index) => ({
      functionCall: { name: call.name, args: JSON.parse(call.arguments) as unknown },
      ...(index === 0 ? { thoughtSignature: `CiQ${call.id}` } : {}),
    }));
  } catch {
    return null;
  }
}

function thoughtParts(answer: PlannedAnswer): readonly Body[] {
  return answer.thinking === null || answer.thinking === '' ? [] : [{ text: answer.thinking, thought: true }];
}

function around(answer: PlannedAnswer, model: string, candidate: Body | null): Body {
  return {
    ...(candidate === null ? {} : { candidates: [candidate] }),
    usageMetadata: usageOf(answer),
    modelVersion: model,
    responseId: answer.id,
  };
}

function wholeOf(answer: PlannedAnswer, model: string): Body {
  const calls = callParts(answer);
  if (calls === null) return around(answer, model, { finishReason: 'MALFORMED_FUNCTION_CALL', index: 0 });
  const parts = [...thoughtParts(answer), ...(answer.text === '' ? [] : [{ text: answer.text }]), ...calls];
  return around(answer, model, {
    ...(parts.length === 0 ? {} : { content: { parts, role: 'model' } }),
    finishReason: finishWord[answer.finish],
    index: 0,
  });
}

function eventsOf(answer: PlannedAnswer, model: string): readonly StreamEvent[] {
  const event = (candidate: Body | null, role: StreamEvent['role']): StreamEvent => ({
    text: `data: ${JSON.stringify(around(answer, model, candidate))}\r\n\r\n`,
    content: role === 'content',
    role,
  });
  const said = (part: Body, role: StreamEvent['role']): StreamEvent =>
    event({ content: { parts: [part], role: 'model' }, index: 0 }, role);
  const calls = callParts(answer);
  return [
    said({ text: '' }, 'preamble'),
    ...thoughtParts(answer).flatMap((part) =>
      tokensOf(textOf(part['text'])).map((text) => said({ text, thought: true }, 'content')),
    ),
    ...tokensOf(answer.text).map((text) => said({ text }, 'content')),
    ...(calls ?? []).map((part) => said(part, 'content')),
    event(
      {
        content: { parts: [{ text: '' }], role: 'model' },
        finishReason: calls === null ? 'MALFORMED_FUNCTION_CALL' : finishWord[answer.finish],
        index: 0,
      },
      'finish',
    ),
  ];
}

const formOf = (body: Body): Form => ({
  stream: body['stream'] === true,
  includeUsage: true,
  choices: 1,
  obfuscate: false,
});

function readRequest(given: Body, models: readonly string[]): ReadRequest {
  const model = textOf(given['model']);
  if (!models.includes(model)) return { kind: 'refused', refusal: notFoundModel(model) };
  const refusal = googleRefusal(given);
  return refusal === null
    ? { kind: 'asked', asked: askedOf(given), form: formOf(given) }
    : { kind: 'refused', refusal };
}

const address = /^\/v1beta\/models\/([^/:]+):(generateContent|streamGenerateContent|countTokens)$/;

export const googleSpeech: Speech = {
  answerPath: '/v1beta/models/{model}:generateContent',
  sidePath: null,
  addressed(path) {
    const [, model = '', method] = address.exec(path) ?? [];
    if (method === undefined) return null;
    return {
      isSide: method === 'countTokens',
      fields: { model: decodeURIComponent(model), stream: method === 'streamGenerateContent' },
    };
  },
  key: (headers) => headers.get('x-goog-api-key'),
  read: (body, _headers, models) => readRequest(body, models),
  readSide: (body, _headers, models) => {
    const inner = objectAt(body, 'generateContentRequest');
    return readRequest(Object.keys(inner).length === 0 ? body : { ...inner, model: body['model'] }, models);
  },
  side: (answer) => ({
    totalTokens: answer.inputTokens,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: answer.inputTokens }],
  }),
  refuse: googlePreset,
  notFound: () => googleError(404, 'NOT_FOUND', 'Requested entity was not found.'),
  unreadable: () => invalidArgument('Invalid JSON payload received.'),
  stamped: (body) => body,
  headers: () => ({ 'x-gemini-service-tier': 'standard' }),
  whole: (answer, model) => wholeOf(answer, model),
  events: (answer, model) => eventsOf(answer, model),
  errorEvent: (type) => ({
    text: `data: ${JSON.stringify(googlePreset(type === 'overloaded_error' ? 'overloaded' : 'server_error', '').body)}\r\n\r\n`,
    content: false,
    role: 'terminal',
  }),
  models: (models) => ({
    models: models.map((id) => ({ name: `models/${id}`, displayName: id, inputTokenLimit: 1_048_576 })),
  }),
  model: (id) => ({ name: `models/${id}`, displayName: id, inputTokenLimit: 1_048_576 }),
};
