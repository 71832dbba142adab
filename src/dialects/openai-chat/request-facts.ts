/** What routing needs to know about a chat completion request. */
import type { Capability } from '../../core/target.ts';
import type { InvalidRequest, JsonObject, RequestFacts } from '../dialect.ts';
import { flatName } from '../custom-tools.ts';
import { Estimate } from '../estimate.ts';
import { objectOf, objectsOf, textOf } from '../json-value.ts';
import { isInvalid, readBasics, readTokensMax } from '../request-basics.ts';

function readPart(part: JsonObject, estimate: Estimate, needs: Set<Capability>): void {
  if (part['type'] === 'text') estimate.addText(part['text']);
  else if (part['type'] === 'image_url') {
    needs.add('vision');
    estimate.addImage();
  } else if (part['type'] === 'file') {
    needs.add('documents');
    estimate.addDocument();
  } else if (part['type'] === 'input_audio') {
    needs.add('audio');
    estimate.addDocument();
  } else estimate.addValue(part);
}

function readMessage(message: JsonObject, estimate: Estimate, needs: Set<Capability>): void {
  if (Array.isArray(message['content'])) {
    for (const part of objectsOf(message['content'])) readPart(part, estimate, needs);
  } else estimate.addText(message['content']);
  if (message['tool_calls'] !== undefined) estimate.addValue(message['tool_calls']);
}

function asksForJson(body: JsonObject): boolean {
  const type = objectOf(body['response_format'])?.['type'];
  return type === 'json_schema' || type === 'json_object';
}

function wantsThinking(body: JsonObject): boolean {
  const effort = body['reasoning_effort'];
  return typeof effort === 'string' && effort !== 'none';
}

function wantsAudio(body: JsonObject): boolean {
  return Array.isArray(body['modalities']) && body['modalities'].includes('audio');
}

function toolNames(body: JsonObject): ReadonlySet<string> {
  const names = new Set<string>();
  for (const tool of objectsOf(body['tools'])) {
    const custom = textOf(objectOf(tool['custom'])?.['name']);
    const name = custom ?? textOf(objectOf(tool['function'])?.['name']);
    if (name !== null) names.add(name);
    // Across dialects a custom tool goes by its flat name.
    if (custom !== null) names.add(flatName({ kind: 'custom', namespace: null, name: custom }));
  }
  for (const legacy of objectsOf(body['functions'])) {
    const name = textOf(legacy['name']);
    if (name !== null) names.add(name);
  }
  return names;
}

function toolSchemas(body: JsonObject): ReadonlyMap<string, unknown> {
  return new Map(
    objectsOf(body['tools']).flatMap((tool): [string, unknown][] => {
      const declared = objectOf(tool['function']);
      const name = textOf(declared?.['name']);
      return name === null ? [] : [[name, declared?.['parameters']]];
    }),
  );
}

export function readFacts(body: JsonObject): RequestFacts | InvalidRequest {
  const basics = readBasics(body);
  if (isInvalid(basics)) return basics;
  const newLimit = readTokensMax(body, 'max_completion_tokens', 1);
  if (typeof newLimit === 'object' && newLimit !== null) return newLimit;
  const oldLimit = readTokensMax(body, 'max_tokens', 1);
  if (typeof oldLimit === 'object' && oldLimit !== null) return oldLimit;
  const needs = new Set<Capability>();
  const estimate = new Estimate();
  for (const message of basics.messages) readMessage(message as JsonObject, estimate, needs);
  if (basics.tools.length > 0) estimate.addValue(basics.tools);
  const names = toolNames(body);
  if (basics.tools.length > 0 || names.size > 0) needs.add('tools');
  const structuredOutput = asksForJson(body);
  if (structuredOutput) needs.add('structured_output');
  if (wantsThinking(body)) needs.add('thinking');
  if (wantsAudio(body)) needs.add('audio');
  return {
    model: basics.model,
    stream: basics.stream,
    needs,
    inputTokensEstimate: estimate.tokens(),
    outputTokensMax: newLimit ?? oldLimit,
    toolNames: names,
    structuredOutput,
    toolSchemas: () => toolSchemas(body),
    outputSchema: () => objectOf(objectOf(body['response_format'])?.['json_schema'])?.['schema'],
  };
}
