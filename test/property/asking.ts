/** Random requests as callers write them, in every format and of every kind. */
import type { Operation } from '../../src/core/record.ts';
import type { Address } from '../../src/gateway/handle.ts';
import type { Dialect } from '../../src/core/target.ts';
import type { Json } from '../harness.ts';
import { wordsOf } from './providers.ts';

export type Shape = {
  readonly dialect: Dialect;
  readonly operation: Operation;
  readonly stream: boolean;
  readonly tools: boolean;
  readonly picture: boolean;
  readonly long: boolean;
};

export const pictureOf = (n: number): string => `https://pictures.test/${wordsOf(n)}.png`;

/** 60,000 characters: about 15,000 tokens, more than the small windows take. */
const filler = 'word '.repeat(12_000);

const schema = { type: 'object', properties: {} };

function chat(shape: Shape, words: string, picture: string | null): Json {
  const content = [
    { type: 'text', text: words },
    ...(picture === null ? [] : [{ type: 'image_url', image_url: { url: picture } }]),
  ];
  return {
    messages: [{ role: 'user', content }],
    ...(shape.tools ? { tools: [{ type: 'function', function: { name: 'look', parameters: schema } }] } : {}),
  };
}

function messages(shape: Shape, words: string, picture: string | null): Json {
  const content = [
    { type: 'text', text: words },
    ...(picture === null ? [] : [{ type: 'image', source: { type: 'url', url: picture } }]),
  ];
  return {
    ...(shape.operation === 'answer' ? { max_tokens: 50 } : {}),
    messages: [{ role: 'user', content }],
    ...(shape.tools ? { tools: [{ name: 'look', input_schema: schema }] } : {}),
  };
}

function responses(shape: Shape, words: string, picture: string | null): Json {
  const content = [
    { type: 'input_text', text: words },
    ...(picture === null ? [] : [{ type: 'input_image', image_url: picture }]),
  ];
  return {
    input: [{ role: 'user', content }],
    ...(shape.tools
      ? { tools: [{ type: 'function', name: 'look', parameters: schema, strict: false }] }
      : {}),
  };
}

function gemini(shape: Shape, words: string, picture: string | null): Json {
  const parts = [
    { text: words },
    ...(picture === null ? [] : [{ fileData: { fileUri: picture, mimeType: 'image/png' } }]),
  ];
  return {
    contents: [{ role: 'user', parts }],
    ...(shape.tools ? { tools: [{ functionDeclarations: [{ name: 'look' }] }] } : {}),
  };
}

function written(shape: Shape, words: string, picture: string | null): Json {
  if (shape.operation === 'embeddings') return { input: words };
  switch (shape.dialect) {
    case 'openai-chat':
      return chat(shape, words, picture);
    case 'openai-responses':
      return responses(shape, words, picture);
    case 'anthropic-messages':
      return messages(shape, words, picture);
    case 'gemini':
      return gemini(shape, words, picture);
  }
}

/** The request, and what its address says where the body does not. */
export function requestOf(
  n: number,
  shape: Shape,
  model: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): { readonly request: Request; readonly address: Address | null } {
  const words = `${wordsOf(n)} ${shape.long ? filler : ''}`;
  const body = written(shape, words, shape.picture ? pictureOf(n) : null);
  const isAddressed = shape.dialect === 'gemini';
  const text = JSON.stringify(
    isAddressed ? body : { ...body, model, ...(shape.stream ? { stream: true } : {}) },
  );
  return {
    request: new Request('http://gateway.test/', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': String(text.length), ...headers },
      body: text,
      signal,
    }),
    address: isAddressed ? { model, stream: shape.stream } : null,
  };
}
