/** What routing needs to know about a messages request. */
import type { Capability } from '../../core/target.ts';
import type { InvalidRequest, JsonObject, RequestFacts } from '../dialect.ts';
import { Estimate } from '../estimate.ts';
import { objectOf, objectsOf, textOf } from '../json-value.ts';
import { invalid, isInvalid, readBasics, readTokensMax } from '../request-basics.ts';

function readContent(content: unknown, estimate: Estimate, needs: Set<Capability>): void {
  if (!Array.isArray(content)) {
    estimate.addText(content);
    return;
  }
  for (const block of objectsOf(content)) {
    if (block['type'] === 'text') estimate.addText(block['text']);
    else if (block['type'] === 'image') {
      needs.add('vision');
      estimate.addImage();
    } else if (block['type'] === 'document') readDocument(block, estimate, needs);
    else if (block['type'] === 'tool_result') readContent(block['content'], estimate, needs);
    else estimate.addValue(block);
  }
}

/** Documents that are text can be carried as text by any model. */
function readDocument(block: JsonObject, estimate: Estimate, needs: Set<Capability>): void {
  const source = objectOf(block['source']);
  const type = source?.['type'];
  if (type === 'text' || type === 'content') {
    estimate.addValue(source);
    return;
  }
  needs.add('documents');
  estimate.addDocument();
}

const outputFormat = (body: JsonObject): unknown =>
  objectOf(body['output_config'])?.['format'] ?? body['output_format'];

function asksForJson(body: JsonObject): boolean {
  return objectOf(outputFormat(body))?.['type'] === 'json_schema';
}

const thinkingType = (body: JsonObject): string | null => textOf(objectOf(body['thinking'])?.['type']);

export function readFacts(body: JsonObject): RequestFacts | InvalidRequest {
  const basics = readBasics(body);
  if (isInvalid(basics)) return basics;
  const limit = readTokensMax(body, 'max_tokens', 0);
  if (limit === null)
    return invalid('max_tokens', '"max_tokens" is missing; say how many tokens the answer may have.');
  if (typeof limit === 'object') return limit;
  const needs = new Set<Capability>();
  const estimate = new Estimate();
  readContent(body['system'], estimate, needs);
  for (const message of basics.messages) readContent((message as JsonObject)['content'], estimate, needs);
  if (basics.tools.length > 0) {
    needs.add('tools');
    estimate.addValue(basics.tools);
  }
  const structuredOutput = asksForJson(body);
  if (structuredOutput) needs.add('structured_output');
  const thinking = thinkingType(body);
  const mayThink = thinking === 'adaptive';
  if (thinking !== null && thinking !== 'disabled' && !mayThink) needs.add('thinking');
  const names = objectsOf(basics.tools).map((tool) => textOf(tool['name']));
  return {
    model: basics.model,
    stream: basics.stream,
    needs,
    mayThink,
    inputTokensEstimate: estimate.tokens(),
    outputTokensMax: limit,
    toolNames: new Set(names.filter((name) => name !== null)),
    structuredOutput,
    toolSchemas: () =>
      new Map(objectsOf(basics.tools).map((tool) => [textOf(tool['name']) ?? '', tool['input_schema']])),
    outputSchema: () => objectOf(outputFormat(body))?.['schema'],
  };
}
