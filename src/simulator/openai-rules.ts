/** What a simulated OpenAI demands of a request. */
import { invalidRequest } from './openai-error.ts';
import { isObject, listOf, objectsOf, textOf } from './speech.ts';
import type { Body, Refusal } from './speech.ts';

const known = new Set([
  'model',
  'messages',
  'max_completion_tokens',
  'max_tokens',
  'temperature',
  'top_p',
  'n',
  'stop',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'reasoning_effort',
  'verbosity',
  'prompt_cache_key',
  'prompt_cache_options',
  'safety_identifier',
  'service_tier',
  'store',
  'metadata',
  'modalities',
  'audio',
  'prediction',
  'moderation',
  'logprobs',
  'top_logprobs',
  'logit_bias',
  'seed',
  'web_search_options',
  'user',
  'presence_penalty',
  'frequency_penalty',
]);
const reasoning = /^(?:gpt-5|o\d)/;
const stopsMax = 4;
export const choicesMax = 128;

const unsupported = (key: string, advice = ''): Refusal =>
  invalidRequest(
    `Unsupported parameter: '${key}' is not supported with this model.${advice}`,
    key,
    'unsupported_parameter',
  );

/** Models that think only when asked take sampling as long as they are not asked. */
export function takesSampling(model: string, effort: unknown): boolean {
  const isIdle = effort === 'none' || (/^gpt-5\.[1-4](?:-|$)/.test(model) && (effort ?? null) === null);
  return isIdle || !reasoning.test(model);
}

function reasoningRefusal(body: Body): Refusal | null {
  if (!reasoning.test(textOf(body['model'])))
    return body['reasoning_effort'] === undefined
      ? null
      : invalidRequest('Unrecognized request argument supplied: reasoning_effort');
  if (body['max_tokens'] !== undefined)
    return unsupported('max_tokens', " Use 'max_completion_tokens' instead.");
  if (body['stop'] !== undefined && body['stop'] !== null) return unsupported('stop');
  if (takesSampling(textOf(body['model']), body['reasoning_effort'])) return null;
  const free = ['temperature', 'top_p'].find(
    (key) => body[key] !== undefined && body[key] !== null && body[key] !== 1,
  );
  return free === undefined
    ? null
    : invalidRequest(
        `Unsupported value: '${free}' does not support ${JSON.stringify(body[free])} with this model. Only the default (1) value is supported.`,
        free,
        'unsupported_value',
      );
}

function numberRefusal(body: Body): Refusal | null {
  const ranges: readonly (readonly [string, number, number])[] = [
    ['temperature', 0, 2],
    ['top_p', 0, 1],
    ['presence_penalty', -2, 2],
    ['frequency_penalty', -2, 2],
    ['n', 1, choicesMax],
    ['max_tokens', 1, Infinity],
    ['max_completion_tokens', 1, Infinity],
  ];
  for (const [key, least, most] of ranges) {
    const value = body[key];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number')
      return invalidRequest(`Invalid type for '${key}': expected a number.`, key, 'invalid_type');
    if (value < least)
      return invalidRequest(
        `Invalid '${key}': decimal below minimum value. Expected a value >= ${least}, but got ${value} instead.`,
        key,
        'decimal_below_min_value',
      );
    if (value > most)
      return invalidRequest(
        `Invalid '${key}': decimal above maximum value. Expected a value <= ${most}, but got ${value} instead.`,
        key,
        'decimal_above_max_value',
      );
  }
  return null;
}

function parameterRefusal(body: Body): Refusal | null {
  const unknown = Object.keys(body).find((key) => !known.has(key));
  if (unknown !== undefined) return invalidRequest(`Unrecognized request argument supplied: ${unknown}`);
  if (body['max_tokens'] !== undefined && body['max_completion_tokens'] !== undefined)
    return invalidRequest(
      "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
      'max_tokens',
    );
  if (body['stream_options'] !== undefined && body['stream_options'] !== null && body['stream'] !== true)
    return invalidRequest(
      "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
      'stream_options',
    );
  if (listOf(body['stop']).length > stopsMax)
    return invalidRequest(
      `Invalid 'stop': array too long. Expected an array with maximum length ${stopsMax}.`,
      'stop',
      'array_above_max_length',
    );
  return numberRefusal(body);
}

function toolRefusal(body: Body): Refusal | null {
  const { tools } = body as { readonly tools?: unknown };
  if (tools === undefined || tools === null) {
    const without = ['tool_choice', 'parallel_tool_calls'].find((key) => body[key] !== undefined);
    return without === undefined
      ? null
      : invalidRequest(
          `Invalid value for '${without}': '${without}' is only allowed when 'tools' are specified.`,
          without,
        );
  }
  if (listOf(tools).length === 0)
    return invalidRequest(
      "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      'tools',
      'empty_array',
    );
  const names: string[] = [];
  for (const [index, tool] of objectsOf(tools).entries()) {
    const declared = isObject(tool['function']) ? tool['function'] : {};
    if (tool['type'] === 'custom') continue;
    const at = `tools[${index}].function.name`;
    const name = textOf(declared['name']);
    names.push(name);
    if (tool['type'] !== 'function' || name === '')
      return invalidRequest(`Missing required parameter: '${at}'.`, at, 'missing_required_parameter');
    if (!/^[a-zA-Z0-9_-]+$/.test(name))
      return invalidRequest(
        `Invalid '${at}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
        at,
        'invalid_value',
      );
    if (name.length > 64)
      return invalidRequest(
        `Invalid '${at}': string too long. Expected a string with maximum length 64, but got a string with length ${name.length} instead.`,
        at,
        'string_above_max_length',
      );
    if (declared['strict'] === true) {
      const problem = strictProblem(declared['parameters']);
      if (problem !== null)
        return invalidRequest(
          `Invalid schema for function '${name}': ${problem}`,
          `tools[${index}].function.parameters`,
          'invalid_function_parameters',
        );
    }
  }
  const choice = isObject(body['tool_choice']) ? body['tool_choice']['function'] : null;
  const wanted = isObject(choice) ? textOf(choice['name']) : null;
  return wanted === null || names.includes(wanted)
    ? null
    : invalidRequest(
        `Invalid value for 'tool_choice': no function named '${wanted}' was specified in the 'tools' parameter.`,
        'tool_choice',
      );
}

/** Strict schemas: closed objects, and every property required. */
function strictProblem(schema: unknown): string | null {
  if (Array.isArray(schema))
    return schema.reduce<string | null>((found, part) => found ?? strictProblem(part), null);
  if (!isObject(schema)) return null;
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  if (schema['type'] === 'object' && schema['additionalProperties'] !== false)
    return "In context=(), 'additionalProperties' is required to be supplied and to be false.";
  const required = listOf(schema['required']);
  const missing = Object.keys(properties).find((name) => !required.includes(name));
  if (missing !== undefined)
    return `In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`;
  const definitions = isObject(schema['$defs']) ? Object.values(schema['$defs']) : [];
  return strictProblem([
    ...Object.values(properties),
    ...definitions,
    ...listOf(schema['anyOf']),
    schema['items'],
  ]);
}

function formatRefusal(body: Body): Refusal | null {
  const format = isObject(body['response_format']) ? body['response_format'] : null;
  if (format === null) return null;
  if (format['type'] === 'json_object' && !/json/i.test(JSON.stringify(body['messages'])))
    return invalidRequest(
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
      'messages',
    );
  if (format['type'] !== 'json_schema') return null;
  const declared = isObject(format['json_schema']) ? format['json_schema'] : {};
  const name = textOf(declared['name']);
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name))
    return invalidRequest(
      "Missing required parameter: 'response_format.json_schema.name'.",
      'response_format.json_schema.name',
      'missing_required_parameter',
    );
  const problem = declared['strict'] === true ? strictProblem(declared['schema']) : null;
  return problem === null
    ? null
    : invalidRequest(`Invalid schema for response_format '${name}': ${problem}`, 'response_format');
}

/** The first thing wrong with the parameters of a request; null when nothing is. */
export function parametersRefusal(body: Body): Refusal | null {
  return parameterRefusal(body) ?? reasoningRefusal(body) ?? toolRefusal(body) ?? formatRefusal(body);
}
