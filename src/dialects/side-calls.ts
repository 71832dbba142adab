/**
 * Calls beside the answer itself that speak a dialect's language: embeddings, and counting tokens. They go the same way
 * as an answer (policy, switches, gates, records), as codecs of the same dialect, and never across dialects: vectors of
 * different models do not mix, and a token count of another model would be a guess in disguise.
 */
import { Buffer } from 'node:buffer';

import { anthropicMessages } from './anthropic-messages/codec.ts';
import type { AnswerFacts, DialectCodec, InvalidRequest, JsonObject, RequestFacts } from './dialect.ts';
import { field } from './gemini/fields.ts';
import { gemini } from './gemini/codec.ts';
import { Estimate } from './estimate.ts';
import { isJsonObject, objectOf, objectsOf, without } from './json-value.ts';
import { openaiChat } from './openai-chat/codec.ts';
import { openaiResponses } from './openai-responses/codec.ts';
import { invalid } from './request-basics.ts';

const inputsMax = 2_048;

function readInput(input: unknown, estimate: Estimate): InvalidRequest | null {
  if (input === undefined)
    return invalid('input', '"input" is missing; send a text, a list of texts, or token numbers.');
  if (typeof input === 'string') {
    if (input === '') return invalid('input', '"input" is empty; send a text.');
    estimate.addText(input);
    return null;
  }
  if (!Array.isArray(input)) return invalid('input', '"input" must be a text or a list.');
  if (input.length === 0) return invalid('input', '"input" is empty; send at least one text.');
  const isTokens = input.every((item) => typeof item === 'number');
  if (!isTokens && input.length > inputsMax)
    return invalid('input', `"input" has more than ${inputsMax} items; send fewer at a time.`);
  const odd = input.findIndex(
    (item) => typeof item !== 'string' && typeof item !== 'number' && !Array.isArray(item),
  );
  if (odd >= 0) return invalid(`input[${odd}]`, `input[${odd}] must be a text or token numbers.`);
  estimate.addValue(input);
  return null;
}

function readEmbeddingFacts(body: JsonObject): RequestFacts | InvalidRequest {
  const { model, input } = body as { model?: unknown; input?: unknown };
  if (typeof model !== 'string' || model === '')
    return invalid('model', '"model" must name an embedding model or a target.');
  const estimate = new Estimate();
  const problem = readInput(input, estimate);
  if (problem !== null) return problem;
  return {
    model,
    stream: false,
    needs: new Set(),
    inputTokensEstimate: estimate.tokens(),
    outputTokensMax: null,
    toolNames: new Set(),
    structuredOutput: false,
  };
}

const plainFacts: AnswerFacts = {
  model: null,
  fingerprint: null,
  finish: 'stop',
  finishRaw: null,
  usage: null,
  empty: false,
  toolCallInvalid: false,
  structuredOutputInvalid: false,
};

function usageOf(inputTokens: unknown): AnswerFacts['usage'] {
  return typeof inputTokens === 'number'
    ? {
        inputTokens,
        outputTokens: 0,
        cachedTokens: 0,
        cacheWriteTokens: 0,
        reasoningTokens: 0,
      }
    : null;
}

/** Vectors are passed on as they are, as numbers or base64, whatever the provider gives. */
function readEmbeddings(body: unknown): AnswerFacts | null {
  if (!isJsonObject(body) || !Array.isArray(body['data'])) return null;
  const model = body['model'];
  return {
    ...plainFacts,
    model: typeof model === 'string' ? model : null,
    usage: usageOf(objectOf(body['usage'])?.['prompt_tokens']),
    empty: body['data'].length === 0,
  };
}

const bytesPerNumber = 4;

function numbersOf(base64: string): readonly number[] {
  const bytes = Buffer.from(base64, 'base64');
  const numbers: number[] = [];
  for (let at = 0; at + bytesPerNumber <= bytes.length; at += bytesPerNumber)
    numbers.push(bytes.readFloatLE(at));
  return numbers;
}

function base64Of(numbers: readonly unknown[]): string {
  const bytes = Buffer.alloc(numbers.length * bytesPerNumber);
  for (const [index, number] of numbers.entries())
    bytes.writeFloatLE(typeof number === 'number' ? number : 0, index * bytesPerNumber);
  return bytes.toString('base64');
}

/** Servers that know one form only give it whatever was asked: the caller gets the form it asked for. */
function adaptVectors(answer: JsonObject, request: JsonObject): JsonObject | null {
  const isPacked = request['encoding_format'] === 'base64';
  const items = objectsOf(answer['data']);
  const fits = items.every((item) => (typeof item['embedding'] === 'string') === isPacked);
  if (fits) return null;
  const data = items.map((item) => {
    const { embedding } = item;
    if (isPacked) return Array.isArray(embedding) ? { ...item, embedding: base64Of(embedding) } : item;
    return typeof embedding === 'string' ? { ...item, embedding: numbersOf(embedding) } : item;
  });
  return { ...answer, data };
}

const notTranslated = (): InvalidRequest =>
  invalid('model', 'This call is not translated between providers.');

export const openaiEmbeddings: DialectCodec = {
  ...openaiChat,
  operation: 'embeddings',
  readFacts: readEmbeddingFacts,
  decodeRequest: notTranslated,
  readAnswer: readEmbeddings,
  adapt: adaptVectors,
};

/** What was counted was not used: nobody is charged for a count. */
function readCount(body: unknown): AnswerFacts | null {
  return isJsonObject(body) && typeof body['input_tokens'] === 'number' ? plainFacts : null;
}

function readCountFacts(body: JsonObject): RequestFacts | InvalidRequest {
  const facts = anthropicMessages.readFacts({ max_tokens: 1, ...body });
  return 'kind' in facts ? facts : { ...facts, stream: false };
}

export const anthropicTokenCount: DialectCodec = {
  ...anthropicMessages,
  operation: 'count_tokens',
  readFacts: readCountFacts,
  decodeRequest: notTranslated,
  readAnswer: readCount,
  substitute: (facts) => ({ input_tokens: facts.inputTokensEstimate }),
};

export const responsesTokenCount: DialectCodec = {
  ...openaiResponses,
  operation: 'count_tokens',
  readFacts: (body) => {
    const facts = openaiResponses.readFacts(body);
    return 'kind' in facts ? facts : { ...facts, stream: false };
  },
  decodeRequest: notTranslated,
  readAnswer: readCount,
  substitute: (facts) => ({ object: 'response.input_tokens', input_tokens: facts.inputTokensEstimate }),
};

/** The request to count stands alone, or inside `generateContentRequest`. */
function countedRequest(body: JsonObject): JsonObject {
  const inner = objectOf(field(body, 'generateContentRequest'));
  return inner === null ? body : { ...inner, model: body['model'], stream: false };
}

export const geminiTokenCount: DialectCodec = {
  ...gemini,
  operation: 'count_tokens',
  readFacts: (body) => gemini.readFacts(countedRequest(body)),
  decodeRequest: notTranslated,
  readdress: (body, upstream) => {
    const inner = objectOf(field(body, 'generateContentRequest'));
    if (inner === null || typeof inner['model'] !== 'string') return null;
    const named = { ...inner, model: `models/${upstream}` };
    return { ...without(body, 'generate_content_request'), generateContentRequest: named };
  },
  readAnswer: (body) => (isJsonObject(body) && typeof body['totalTokens'] === 'number' ? plainFacts : null),
  substitute: (facts) => ({ totalTokens: facts.inputTokensEstimate }),
};
