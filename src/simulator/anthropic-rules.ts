/** What a simulated Anthropic demands of a request beside its conversation: headers, parameters, tools, schemas. */
import { historyProblem } from './anthropic-history.ts';
import { isObject, listOf, objectsOf, textOf } from './speech.ts';
import type { Body } from './speech.ts';

const known = new Set([
  'model',
  'max_tokens',
  'messages',
  'system',
  'stream',
  'stop_sequences',
  'metadata',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'cache_control',
  'service_tier',
  'speed',
  'inference_geo',
  'container',
  'diagnostics',
  'temperature',
  'top_p',
  'top_k',
]);
/** Known only to callers that announce a beta. */
const knownInBeta = new Set([
  'context_management',
  'compaction',
  'thread',
  'fallbacks',
  'fallback_credit_token',
  'mcp_servers',
  'billing_policy',
  'output_format',
]);
const toolFields = new Set([
  'type',
  'name',
  'description',
  'input_schema',
  'strict',
  'defer_loading',
  'allowed_callers',
  'input_examples',
  'eager_input_streaming',
  'cache_control',
]);
const versions = new Set(['2023-06-01', '2026-10-21']);
/** Names of betas that do not end in a dashed date. */
const oldBetas = new Set(['claude-code-20250219']);
const cacheMarksMax = 4;
const budgetTokensMin = 1_024;

/** Models after Opus 4.6: no prefill, no free sampling. */
const newer = /^claude-(?:opus-(?:4-[7-9]|[5-9])|sonnet-[5-9]|haiku-5|fable)/;
const alwaysThinking = /^claude-(?:opus-5-5|sonnet-5-5|fable-5)/;
const withoutBudget = /^claude-(?:opus-5-5|sonnet-5-5|haiku-5-5|fable-5)/;
const withoutForcedTools = /^claude-(?:opus-5-5|sonnet-5-5|fable-5-[1-9])/;

export function headerProblem(headers: Headers): string | null {
  const version = headers.get('anthropic-version');
  if (version === null) return 'anthropic-version: header is required';
  if (!versions.has(version)) return `anthropic-version: "${version}" is not a valid version`;
  const unknown = (headers.get('anthropic-beta') ?? '')
    .split(',')
    .map((name) => name.trim())
    .find((name) => name !== '' && !oldBetas.has(name) && !/^[a-z0-9-]+-20\d\d-\d\d-\d\d$/.test(name));
  return unknown === undefined
    ? null
    : `Unexpected value(s) \`${unknown}\` for the \`anthropic-beta\` header. Please consult our documentation at docs.claude.com or try again without the header.`;
}

function samplingProblem(body: Body, version: string): string | null {
  const given = ['temperature', 'top_p', 'top_k'].find((key) => body[key] !== undefined);
  if (given === undefined) return null;
  if (version === '2026-10-21') return `${given}: Extra inputs are not permitted`;
  const { temperature, top_p: topP } = body as { readonly temperature?: unknown; readonly top_p?: unknown };
  if (temperature !== undefined && !(typeof temperature === 'number' && temperature >= 0 && temperature <= 1))
    return 'temperature: Input should be less than or equal to 1';
  if (!newer.test(textOf(body['model']))) return null;
  if (temperature !== undefined && temperature !== 1)
    return '`temperature` may only be set to 1 for this model.';
  if (topP !== undefined && !(typeof topP === 'number' && topP >= 0.99))
    return '`top_p` must be greater than or equal to 0.99 for this model.';
  return body['top_k'] === undefined ? null : '`top_k` is not supported for this model.';
}

function thinkingProblem(body: Body): string | null {
  const thinking = body['thinking'];
  if (thinking === undefined) return null;
  const model = textOf(body['model']);
  const type = isObject(thinking) ? textOf(thinking['type']) : '';
  if (!isObject(thinking) || !['enabled', 'adaptive', 'between_tools', 'disabled'].includes(type))
    return `thinking: Input tag '${type}' found using 'type' does not match any of the expected tags: 'adaptive', 'between_tools', 'disabled', 'enabled'`;
  if (type === 'disabled')
    return alwaysThinking.test(model) ? 'thinking.type: "disabled" is not supported for this model.' : null;
  const forced = isObject(body['tool_choice']) && /^(?:any|tool)$/.test(textOf(body['tool_choice']['type']));
  if (forced) return 'Thinking may not be enabled when tool_choice forces tool use.';
  if (type !== 'enabled') return null;
  if (withoutBudget.test(model)) return 'thinking.type: "enabled" is not supported for this model.';
  const budget = thinking['budget_tokens'];
  if (typeof budget !== 'number') return 'thinking.enabled.budget_tokens: Field required';
  if (budget < budgetTokensMin)
    return `thinking.enabled.budget_tokens: Input should be greater than or equal to ${budgetTokensMin}`;
  if (body['temperature'] !== undefined && body['temperature'] !== 1)
    return '`temperature` may only be set to 1 when thinking is enabled.';
  return budget < Number(body['max_tokens'])
    ? null
    : '`max_tokens` must be greater than `thinking.budget_tokens`.';
}

function toolProblem(body: Body): string | null {
  const names = new Set<string>();
  for (const [index, tool] of objectsOf(body['tools']).entries()) {
    const name = textOf(tool['name']);
    if (names.has(name)) return 'tools: Tool names must be unique.';
    names.add(name);
    if (typeof tool['type'] === 'string' && tool['type'] !== 'custom') continue;
    const at = `tools.${index}.custom`;
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name))
      return `${at}.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`;
    if (!isObject(tool['input_schema'])) return `${at}.input_schema: Field required`;
    if (tool['input_schema']['type'] !== 'object') return `${at}.input_schema.type: Input should be 'object'`;
    const extra = Object.keys(tool).find((key) => !toolFields.has(key));
    if (extra !== undefined) return `${at}.${extra}: Extra inputs are not permitted`;
  }
  const choice = body['tool_choice'];
  if (choice === undefined) return null;
  if (!isObject(choice) || !['auto', 'any', 'tool', 'none'].includes(textOf(choice['type'])))
    return "tool_choice: Input tag does not match any of the expected tags: 'any', 'auto', 'none', 'tool'";
  if (names.size === 0) return 'tool_choice: may only be specified while providing tools.';
  if (choice['type'] === 'tool' && !names.has(textOf(choice['name'])))
    return `Tool '${textOf(choice['name'])}' not found in provided tools`;
  return /^(?:any|tool)$/.test(textOf(choice['type'])) && withoutForcedTools.test(textOf(body['model']))
    ? 'tool_choice: forced tool use is not supported for this model.'
    : null;
}

const refusedInSchemas = ['minimum', 'maximum', 'multipleOf', 'minLength', 'maxLength', 'oneOf', 'maxItems'];

/** The part of JSON Schema that structured outputs understand. */
function schemaProblem(schema: unknown): string | null {
  if (Array.isArray(schema))
    return schema.reduce<string | null>((found, part) => found ?? schemaProblem(part), null);
  if (!isObject(schema)) return null;
  const type = textOf(schema['type']);
  if (type === 'object' && schema['additionalProperties'] !== false)
    return "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false";
  const refused = refusedInSchemas.find((key) => schema[key] !== undefined && !isObject(schema[key]));
  if (refused !== undefined)
    return `output_config.format.schema: For '${type}' type, property '${refused}' is not supported`;
  const properties = isObject(schema['properties']) ? Object.values(schema['properties']) : [];
  const definitions = isObject(schema['$defs']) ? Object.values(schema['$defs']) : [];
  return schemaProblem([...properties, ...definitions, ...listOf(schema['anyOf']), schema['items']]);
}

function outputProblem(body: Body): string | null {
  const config = body['output_config'];
  if (config === undefined) return null;
  if (!isObject(config)) return 'output_config: Input should be a valid dictionary';
  const { effort, format } = config as { readonly effort?: unknown; readonly format?: unknown };
  if (effort !== undefined && !['low', 'medium', 'high', 'xhigh', 'max'].includes(textOf(effort)))
    return "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'";
  if (format === undefined || format === null) return null;
  if (!isObject(format) || format['type'] !== 'json_schema')
    return "output_config.format.type: Input should be 'json_schema'";
  return isObject(format['schema'])
    ? schemaProblem(format['schema'])
    : 'output_config.format.schema: Field required';
}

function cacheProblem(body: Body): string | null {
  const blocks = [
    body,
    ...objectsOf(body['system']),
    ...objectsOf(body['tools']),
    ...objectsOf(body['messages']).flatMap((message) => objectsOf(message['content'])),
  ];
  const marks = blocks.filter((block) => isObject(block['cache_control'])).length;
  return marks > cacheMarksMax
    ? `A maximum of ${cacheMarksMax} blocks with cache_control may be provided. Found ${marks}.`
    : null;
}

function basicProblem(body: Body, headers: Headers, isSide: boolean): string | null {
  const inBeta = headers.get('anthropic-beta') !== null;
  const unknown = Object.keys(body).find((key) => !known.has(key) && !(inBeta && knownInBeta.has(key)));
  if (unknown !== undefined) return `${unknown}: Extra inputs are not permitted`;
  const limit = body['max_tokens'];
  if (limit === undefined && !isSide) return 'max_tokens: Field required';
  if (limit !== undefined && !(Number.isInteger(limit) && Number(limit) >= 0))
    return 'max_tokens: Input should be a valid integer';
  if (body['stream'] !== undefined && typeof body['stream'] !== 'boolean')
    return 'stream: Input should be a valid boolean';
  if (objectsOf(body['system']).some((block) => block['text'] === ''))
    return 'system: text content blocks must be non-empty';
  const metadata = isObject(body['metadata']) ? body['metadata'] : {};
  const extra = Object.keys(metadata).find((key) => key !== 'user_id');
  return extra === undefined ? null : `metadata.${extra}: Extra inputs are not permitted`;
}

/** The first thing wrong with a request, in the service's words; null when nothing is. */
export function requestProblem(body: Body, headers: Headers, isSide: boolean): string | null {
  const version = headers.get('anthropic-version') ?? '';
  const thinksByBudget = isObject(body['thinking']) && body['thinking']['type'] === 'enabled';
  return (
    basicProblem(body, headers, isSide) ??
    samplingProblem(body, version) ??
    toolProblem(body) ??
    thinkingProblem(body) ??
    outputProblem(body) ??
    cacheProblem(body) ??
    historyProblem(body, { version, allowsPrefill: !newer.test(textOf(body['model'])), thinksByBudget })
  );
}
