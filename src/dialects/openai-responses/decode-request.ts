/** A responses request → the neutral conversation. */
import { asksForCache } from '../cache-marks.ts';
import type { Conversation, Message } from '../conversation.ts';
import type { InvalidRequest, JsonObject } from '../dialect.ts';
import { booleanOf, numberOf, objectOf, objectsOf, textOf } from '../json-value.ts';
import { readEffort } from '../effort.ts';
import { dropUnread, LeftOvers } from '../left-over.ts';
import { isInvalid, wrongNumber } from '../request-basics.ts';
import { decodeItems } from './decode-items.ts';
import { decodeToolChoice, decodeTools } from './decode-tools.ts';
import { pinOf, readFacts } from './request-facts.ts';

/** Fields that are read here, and those that only steer caches, storage or the form of the stream. */
const readFields: ReadonlySet<string> = new Set([
  'model',
  'input',
  'instructions',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'max_output_tokens',
  'temperature',
  'top_p',
  'text',
  'reasoning',
  'include',
  'user',
  'safety_identifier',
  'store',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'client_metadata',
  'previous_response_id',
  'conversation',
  'prompt',
  'background',
]);

/** Values with which a field asks for nothing. */
const idle: ReadonlyMap<string, readonly unknown[]> = new Map<string, readonly unknown[]>([
  ['service_tier', ['auto', 'default']],
  ['truncation', ['disabled']],
  ['top_logprobs', [0]],
]);

function formatOf(text: JsonObject | null, leftOvers: LeftOvers): Conversation['format'] {
  const verbosity = text?.['verbosity'];
  if (verbosity !== undefined && verbosity !== null && verbosity !== 'medium') leftOvers.drop('verbosity');
  const format = objectOf(text?.['format']);
  const type = textOf(format?.['type']);
  if (format === null || type === null || type === 'text') return null;
  if (type === 'json_object') return { kind: 'json' };
  if (type === 'json_schema')
    return {
      kind: 'schema',
      name: textOf(format['name']),
      schema: format['schema'] ?? {},
      strict: booleanOf(format['strict']),
    };
  leftOvers.lack(`text format ${type}`);
  return null;
}

function systemOf(instructions: unknown): readonly Message[] {
  return typeof instructions === 'string' && instructions !== ''
    ? [{ role: 'system', parts: [{ kind: 'text', text: instructions }] }]
    : [];
}

export function decodeRequest(body: JsonObject): Conversation | InvalidRequest {
  const facts = readFacts(body);
  if (isInvalid(facts)) return facts;
  const wrong = wrongNumber(body, ['temperature', 'top_p', 'max_output_tokens']);
  if (wrong !== null) return wrong;
  const leftOvers = new LeftOvers();
  const pin = pinOf(body);
  if (pin !== null) leftOvers.lack(pin);
  const messages = [...systemOf(body['instructions']), ...decodeItems(body['input'], leftOvers)];
  const asking = Object.fromEntries(
    Object.entries(body).filter(([key, value]) => !(idle.get(key) ?? []).includes(value)),
  );
  dropUnread(asking, readFields, leftOvers);
  const all = decodeTools(objectsOf(body['tools']), leftOvers);
  const { tools, toolChoice } = decodeToolChoice(body['tool_choice'], all, leftOvers);
  const format = formatOf(objectOf(body['text']), leftOvers);
  const effort = readEffort(objectOf(body['reasoning'])?.['effort'], leftOvers);
  return {
    messages,
    tools,
    toolChoice,
    parallelToolCalls: booleanOf(body['parallel_tool_calls']),
    outputTokensMax: numberOf(body['max_output_tokens']),
    temperature: numberOf(body['temperature']),
    topP: numberOf(body['top_p']),
    topK: null,
    stop: [],
    format,
    effort,
    thinkingBudgetTokens: null,
    user: textOf(body['safety_identifier']) ?? textOf(body['user']),
    stream: body['stream'] === true,
    includeUsage: true,
    cache: asksForCache(body, objectsOf(body['input'])),
    leftOver: leftOvers.list(),
  };
}
