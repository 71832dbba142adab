/** What routing needs to know about a request to generate content. Model and stream are in its address, not in its body. */
import type { Capability } from '../../core/target.ts';
import type { InvalidRequest, JsonObject, RequestFacts } from '../dialect.ts';
import { Estimate } from '../estimate.ts';
import { isJsonObject, objectOf, textOf } from '../json-value.ts';
import { invalid } from '../request-basics.ts';
import { blobOf, contentsOf, declaredFunctions, field, partsOf } from './fields.ts';

/** What ties a request to the provider that keeps its state; null when nothing does. */
export function pinOf(body: JsonObject): string | null {
  for (const name of ['cachedContent', 'continuationToken'] as const)
    if (typeof field(body, name) === 'string') return name;
  const kept = contentsOf(body)
    .flatMap((content) => partsOf(content))
    .some((part) => (textOf(field(objectOf(field(part, 'fileData')), 'fileUri')) ?? '').includes('/files/'));
  return kept ? 'fileUri' : null;
}

function needOf(mediaType: string): Capability {
  if (mediaType.startsWith('image/')) return 'vision';
  return mediaType.startsWith('audio/') ? 'audio' : 'documents';
}

function readPart(part: JsonObject, estimate: Estimate, needs: Set<Capability>): void {
  const file = objectOf(field(part, 'fileData'));
  const mediaType = blobOf(part)?.mediaType ?? textOf(field(file, 'mimeType'));
  if (blobOf(part) === null && file === null) {
    estimate.addValue(part);
    return;
  }
  const need = needOf(mediaType ?? 'image/');
  needs.add(need);
  if (need === 'vision') estimate.addImage();
  else estimate.addDocument();
}

function problemOf(body: JsonObject): InvalidRequest | null {
  const { contents } = body;
  if (contents === undefined) return invalid('contents', '"contents" is missing; send a list of contents.');
  if (typeof contents !== 'string' && !isJsonObject(contents) && !Array.isArray(contents))
    return invalid('contents', '"contents" must be a list.');
  if (Array.isArray(contents)) {
    if (contents.length === 0) return invalid('contents', '"contents" is empty; send at least one.');
    const odd = contents.findIndex((content) => !isJsonObject(content));
    if (odd >= 0) return invalid(`contents[${odd}]`, `contents[${odd}] must be an object.`);
  }
  const { tools } = body;
  return tools !== undefined && tools !== null && !Array.isArray(tools)
    ? invalid('tools', '"tools" must be a list.')
    : null;
}

export function configOf(body: JsonObject): JsonObject | null {
  return objectOf(field(body, 'generationConfig'));
}

export function readFacts(body: JsonObject): RequestFacts | InvalidRequest {
  const problem = problemOf(body);
  if (problem !== null) return problem;
  const needs = new Set<Capability>();
  const estimate = new Estimate();
  for (const part of partsOf(field(body, 'systemInstruction'))) readPart(part, estimate, needs);
  for (const content of contentsOf(body))
    for (const part of partsOf(content)) readPart(part, estimate, needs);
  const functions = declaredFunctions(body);
  if (functions.length > 0) {
    needs.add('tools');
    estimate.addValue(functions);
  }
  const config = configOf(body);
  const structuredOutput = field(config, 'responseMimeType') === 'application/json';
  if (structuredOutput) needs.add('structured_output');
  const limit = field(config, 'maxOutputTokens');
  if (limit !== undefined && limit !== null && (typeof limit !== 'number' || limit < 1))
    return invalid(
      'generationConfig.maxOutputTokens',
      '"maxOutputTokens" must be a whole number of at least 1.',
    );
  const names = functions.flatMap((declared) => textOf(declared['name']) ?? []);
  return {
    model: textOf(body['model']) ?? '',
    stream: body['stream'] === true,
    needs,
    mayThink: isJsonObject(field(config, 'thinkingConfig')),
    pinnedBy: pinOf(body),
    inputTokensEstimate: estimate.tokens(),
    outputTokensMax: typeof limit === 'number' ? limit : null,
    toolNames: new Set(names),
    structuredOutput,
    toolSchemas: () =>
      new Map(
        functions.map((declared) => [
          textOf(declared['name']) ?? '',
          field(declared, 'parametersJsonSchema') ?? declared['parameters'],
        ]),
      ),
    outputSchema: () => field(config, 'responseJsonSchema') ?? field(config, 'responseSchema'),
  };
}
