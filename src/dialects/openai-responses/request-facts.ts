/** What routing needs to know about a responses request. */
import type { Capability } from '../../core/target.ts';
import type { InvalidRequest, JsonObject, RequestFacts } from '../dialect.ts';
import { Estimate } from '../estimate.ts';
import { isJsonObject, objectOf, objectsOf, textOf } from '../json-value.ts';
import { invalid, isInvalid, readTokensMax } from '../request-basics.ts';
import { flatName } from '../custom-tools.ts';

/** Fields that lean on what one provider keeps. */
const keptFields = ['previous_response_id', 'conversation', 'prompt'] as const;

/** What ties a request to the provider that keeps its state; null when nothing does. */
export function pinOf(body: JsonObject): string | null {
  const field = keptFields.find((name) => body[name] !== undefined && body[name] !== null);
  if (field !== undefined) return field;
  if (body['background'] === true) return 'background';
  if (!Array.isArray(body['input'])) return null;
  for (const item of objectsOf(body['input'])) {
    if (item['type'] === 'item_reference') return 'item_reference';
    if (objectsOf(item['content']).some((part) => typeof part['file_id'] === 'string')) return 'file_id';
  }
  return null;
}

function readParts(content: unknown, estimate: Estimate, needs: Set<Capability>): void {
  if (!Array.isArray(content)) {
    estimate.addText(content);
    return;
  }
  for (const part of objectsOf(content)) {
    switch (part['type']) {
      case 'input_image':
        needs.add('vision');
        estimate.addImage();
        break;
      case 'input_file':
        needs.add('documents');
        estimate.addDocument();
        break;
      case 'input_audio':
        needs.add('audio');
        estimate.addDocument();
        break;
      default:
        estimate.addText(part['text'] ?? part['refusal']);
    }
  }
}

function readItem(item: JsonObject, estimate: Estimate, needs: Set<Capability>): void {
  if (item['content'] !== undefined) readParts(item['content'], estimate, needs);
  if (item['output'] !== undefined) readParts(item['output'], estimate, needs);
  estimate.addText(item['arguments'] ?? item['input']);
}

/** Flat names of every tool whose calls come back to the caller. */
function toolNames(tools: readonly JsonObject[], namespace: string | null = null): readonly string[] {
  return tools.flatMap((tool) => {
    if (tool['type'] === 'namespace') return toolNames(objectsOf(tool['tools']), textOf(tool['name']));
    if (tool['type'] !== 'function' && tool['type'] !== 'custom') return [];
    return [
      flatName({
        kind: tool['type'] === 'custom' ? 'custom' : 'function',
        namespace,
        name: textOf(tool['name']) ?? '',
      }),
    ];
  });
}

function toolSchemas(tools: readonly JsonObject[]): ReadonlyMap<string, unknown> {
  return new Map(
    tools.flatMap((tool): [string, unknown][] => {
      const name = textOf(tool['name']);
      return tool['type'] !== 'function' || name === null ? [] : [[name, tool['parameters']]];
    }),
  );
}

function inputProblem(input: unknown): InvalidRequest | null {
  if (input === undefined || input === null || typeof input === 'string') return null;
  if (!Array.isArray(input)) return invalid('input', '"input" must be a text or a list of items.');
  const odd = input.findIndex((item) => !isJsonObject(item));
  return odd < 0 ? null : invalid(`input[${odd}]`, `input[${odd}] must be an object.`);
}

function basicProblem(body: JsonObject): InvalidRequest | null {
  const { model, stream, tools } = body as { model?: unknown; stream?: unknown; tools?: unknown };
  if (typeof model !== 'string' || model === '')
    return invalid('model', '"model" is missing; name a feature, a model or a target.');
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean')
    return invalid('stream', '"stream" must be true or false.');
  if (tools !== undefined && tools !== null && !Array.isArray(tools))
    return invalid('tools', '"tools" must be a list.');
  return inputProblem(body['input']);
}

function asksForJson(body: JsonObject): boolean {
  const type = objectOf(objectOf(body['text'])?.['format'])?.['type'];
  return type === 'json_schema' || type === 'json_object';
}

export function readFacts(body: JsonObject): RequestFacts | InvalidRequest {
  const problem = basicProblem(body);
  if (problem !== null) return problem;
  const limit = readTokensMax(body, 'max_output_tokens', 1);
  if (typeof limit === 'object' && limit !== null && isInvalid(limit)) return limit;
  const needs = new Set<Capability>();
  const estimate = new Estimate();
  estimate.addText(body['instructions']);
  estimate.addText(body['input']);
  for (const item of objectsOf(body['input'])) readItem(item, estimate, needs);
  const tools = objectsOf(body['tools']);
  if (tools.length > 0) {
    needs.add('tools');
    estimate.addValue(tools);
  }
  const structuredOutput = asksForJson(body);
  if (structuredOutput) needs.add('structured_output');
  const effort = objectOf(body['reasoning'])?.['effort'];
  const names = [
    ...toolNames(tools),
    ...objectsOf(body['input']).flatMap((item) =>
      item['type'] === 'additional_tools' ? toolNames(objectsOf(item['tools'])) : [],
    ),
  ];
  return {
    model: textOf(body['model']) ?? '',
    stream: body['stream'] === true,
    needs,
    mayThink: typeof effort === 'string' && effort !== 'none',
    pinnedBy: pinOf(body),
    inputTokensEstimate: estimate.tokens(),
    outputTokensMax: limit,
    toolNames: new Set(names),
    structuredOutput,
    toolSchemas: () => toolSchemas(tools),
    outputSchema: () => objectOf(objectOf(body['text'])?.['format'])?.['schema'],
  };
}
