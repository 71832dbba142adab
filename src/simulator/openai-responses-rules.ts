/** What a simulated OpenAI demands of a request to its Responses API. */
import { invalidRequest } from './openai-error.ts';
import { takesSampling } from './openai-rules.ts';
import { isObject, objectsOf, textOf } from './speech.ts';
import type { Body, Refusal } from './speech.ts';

const known = new Set([
  'model',
  'input',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'moderation',
  'parallel_tool_calls',
  'previous_response_id',
  'conversation',
  'prompt',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'reasoning',
  'safety_identifier',
  'service_tier',
  'store',
  'stream',
  'stream_options',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'truncation',
  'user',
  'include',
  'background',
  'context_management',
  'client_metadata',
  'access_programs',
  'image',
]);
const outputTokensMin = 16;
const toolName = /^[a-zA-Z0-9_-]{1,64}$/;

function unknownField(body: Body): Refusal | null {
  const key = Object.keys(body).find((name) => !known.has(name));
  return key === undefined ? null : invalidRequest(`Unknown parameter: '${key}'.`, key, 'unknown_parameter');
}

function limitRefusal(body: Body): Refusal | null {
  const limit = body['max_output_tokens'];
  if (typeof limit === 'number' && limit < outputTokensMin)
    return invalidRequest(
      `Invalid 'max_output_tokens': integer below minimum value. Expected a value >= ${outputTokensMin}, but got ${limit} instead.`,
      'max_output_tokens',
      'integer_below_min_value',
    );
  const sampled = ['temperature', 'top_p'].find(
    (key) => body[key] !== undefined && body[key] !== null && body[key] !== 1,
  );
  const effort = isObject(body['reasoning']) ? body['reasoning']['effort'] : null;
  return sampled !== undefined && !takesSampling(textOf(body['model']), effort)
    ? invalidRequest(
        `Unsupported parameter: '${sampled}' is not supported with this model.`,
        sampled,
        'unsupported_parameter',
      )
    : null;
}

function isClosed(schema: unknown): boolean {
  if (!isObject(schema)) return true;
  const properties = isObject(schema['properties']) ? schema['properties'] : null;
  if (schema['type'] !== 'object' && properties === null) return true;
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return (
    schema['additionalProperties'] === false &&
    Object.keys(properties ?? {}).every((key) => required.includes(key)) &&
    Object.values(properties ?? {}).every(isClosed)
  );
}

function toolRefusal(tool: Body, index: number): Refusal | null {
  const place = `tools[${index}]`;
  const { type, name } = tool;
  if (type !== 'function' && type !== 'custom') return null;
  if (typeof name !== 'string' || !toolName.test(name))
    return invalidRequest(`Invalid '${place}.name': string does not match pattern.`, `${place}.name`);
  if (type === 'function' && tool['strict'] === true && !isClosed(tool['parameters']))
    return invalidRequest(
      `Invalid schema for function '${name}': 'additionalProperties' is required to be supplied and to be false.`,
      `${place}.parameters`,
      'invalid_function_parameters',
    );
  return null;
}

function formatRefusal(body: Body): Refusal | null {
  const format = isObject(body['text']) && isObject(body['text']['format']) ? body['text']['format'] : {};
  if (format['type'] !== 'json_schema') return null;
  if (typeof format['name'] !== 'string')
    return invalidRequest("Missing required parameter: 'text.format.name'.", 'text.format.name');
  return format['strict'] === true && !isClosed(format['schema'])
    ? invalidRequest(`Invalid schema for response_format '${format['name']}'.`, 'text.format.schema')
    : null;
}

/** Every output answers a call that stands before it, and every call is answered. */
function pairingRefusal(body: Body): Refusal | null {
  if (typeof body['previous_response_id'] === 'string' || !Array.isArray(body['input'])) return null;
  const open = new Set<string>();
  for (const [index, item] of objectsOf(body['input']).entries()) {
    const type = textOf(item['type']);
    const id = textOf(item['call_id']);
    if (type === 'function_call' || type === 'custom_tool_call') open.add(id);
    if (type.endsWith('_call_output') && !open.delete(id))
      return invalidRequest(
        `No tool call found for function call output with call_id ${id}.`,
        `input[${index}]`,
      );
  }
  const [left] = open;
  return left === undefined
    ? null
    : invalidRequest(`No tool output found for function call ${left}.`, 'input');
}

/** Reasoning comes back as it was issued, or not at all. */
function reasoningRefusal(body: Body): Refusal | null {
  const items = Array.isArray(body['input']) ? objectsOf(body['input']) : [];
  const foreign = items.find(
    (item) => item['type'] === 'reasoning' && !textOf(item['encrypted_content']).startsWith('gAAAA'),
  );
  return foreign === undefined
    ? null
    : invalidRequest(
        `The encrypted content for item ${textOf(foreign['id'])} could not be verified.`,
        'input',
        'invalid_encrypted_content',
      );
}

function inputRefusal(body: Body): Refusal | null {
  const { input } = body;
  const isKept = typeof body['previous_response_id'] === 'string' || isObject(body['prompt']);
  if (input === undefined && !isKept)
    return invalidRequest("Missing required parameter: 'input'.", 'input', 'missing_required_parameter');
  if (input !== undefined && typeof input !== 'string' && !Array.isArray(input))
    return invalidRequest("Invalid type for 'input'.", 'input', 'invalid_type');
  return null;
}

export function responsesRefusal(body: Body): Refusal | null {
  const tools = objectsOf(body['tools']);
  return (
    unknownField(body) ??
    inputRefusal(body) ??
    limitRefusal(body) ??
    tools.map(toolRefusal).find((refusal) => refusal !== null) ??
    formatRefusal(body) ??
    reasoningRefusal(body) ??
    pairingRefusal(body)
  );
}
