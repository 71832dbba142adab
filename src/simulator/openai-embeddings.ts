/** How the simulated OpenAI makes embeddings: small vectors that depend on text and model, as numbers or base64. */
import type { PlannedAnswer } from './answer.ts';
import { invalidRequest } from './openai-error.ts';
import { textOf } from './speech.ts';
import type { Body, Refusal } from './speech.ts';

const dimensionsDefault = 8;
const dimensionsMax = 3_072;

export function embeddingsRefusal(body: Body): Refusal | null {
  const { input, encoding_format: format, dimensions } = body;
  const isText = typeof input === 'string' && input !== '';
  const isList = Array.isArray(input) && input.length > 0 && !input.includes('');
  if (!isText && !isList) return invalidRequest("'$.input' is invalid.", 'input');
  if (format !== undefined && format !== 'float' && format !== 'base64')
    return invalidRequest("Invalid value: 'encoding_format' must be 'float' or 'base64'.", 'encoding_format');
  if (
    dimensions !== undefined &&
    (typeof dimensions !== 'number' || dimensions < 1 || dimensions > dimensionsMax)
  )
    return invalidRequest("Invalid value for 'dimensions'.", 'dimensions');
  return null;
}

function vectorOf(seed: string, dimensions: number): Float32Array {
  let state = 2_166_136_261;
  for (const character of seed) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 16_777_619);
  return Float32Array.from({ length: dimensions }, () => {
    state = Math.imul(state ^ (state >>> 15), 2_246_822_507) + 1;
    return (state >>> 8) / 2 ** 24 - 0.5;
  });
}

export function embeddingsOf(answer: PlannedAnswer, body: Body): Body {
  const { input, dimensions } = body;
  const model = textOf(body['model']);
  const isTokens = Array.isArray(input) && input.every((item) => typeof item === 'number');
  const items: readonly unknown[] = Array.isArray(input) && !isTokens ? input : [input];
  const length = typeof dimensions === 'number' ? dimensions : dimensionsDefault;
  return {
    object: 'list',
    data: items.map((item, index) => {
      const vector = vectorOf(`${model} ${JSON.stringify(item)}`, length);
      const embedding =
        body['encoding_format'] === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector];
      return { object: 'embedding', index, embedding };
    }),
    model,
    usage: { prompt_tokens: answer.inputTokens, total_tokens: answer.inputTokens },
  };
}
