/** A messages request → the neutral conversation. */
import { asksForCache } from '../cache-marks.ts';
import type { Conversation, Effort, Message } from '../conversation.ts';
import type { InvalidRequest, JsonObject } from '../dialect.ts';
import { numberOf, objectOf, textOf, objectsOf } from '../json-value.ts';
import { dropUnread, LeftOvers } from '../left-over.ts';
import { isInvalid, readBasics, wrongNumber } from '../request-basics.ts';
import { decodeMessage, decodeSystem } from './decode-message.ts';
import { decodeToolChoice, decodeTools } from './decode-tools.ts';

/** State that lives at the provider, and where it may think: both pin a request to it. */
const pinned = ['container', 'thread', 'inference_geo'] as const;

/** Fields that are read here, and those that only steer caches. */
const readFields: ReadonlySet<string> = new Set([
  ...pinned,
  'model',
  'messages',
  'system',
  'stream',
  'tools',
  'tool_choice',
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'thinking',
  'output_config',
  'output_format',
  'metadata',
  'cache_control',
]);

const efforts: ReadonlySet<string> = new Set([
  'low',
  'medium',
  'high',
  'xhigh',
  'max',
] satisfies readonly Effort[]);

/** A word for effort goes before a way of thinking; thinking without either leaves the effort to the model. */
function effortOf(body: JsonObject, leftOvers: LeftOvers): Effort | null {
  const effort = textOf(objectOf(body['output_config'])?.['effort']);
  if (effort !== null && efforts.has(effort)) return effort as Effort;
  if (effort !== null) leftOvers.drop('effort');
  const type = textOf(objectOf(body['thinking'])?.['type']);
  if (type === 'adaptive') return 'medium';
  return type === 'disabled' ? 'none' : null;
}

function formatOf(body: JsonObject, leftOvers: LeftOvers): Conversation['format'] {
  const format = objectOf(objectOf(body['output_config'])?.['format'] ?? body['output_format']);
  if (format === null) return null;
  if (format['type'] === 'json_schema')
    return { kind: 'schema', name: null, schema: format['schema'] ?? {}, strict: true };
  leftOvers.lack(`output format ${textOf(format['type']) ?? 'without type'}`);
  return null;
}

function readLeftOvers(body: JsonObject, leftOvers: LeftOvers): void {
  for (const name of pinned) {
    if (body[name] !== undefined && body[name] !== null) leftOvers.lack(name);
  }
  if (body['max_tokens'] === 0) leftOvers.lack('cache_warming');
  const isIdle = (key: string, value: unknown): boolean =>
    (key === 'service_tier' && (value === 'auto' || value === 'standard_only')) ||
    (key === 'speed' && value === 'standard');
  const asking = Object.fromEntries(Object.entries(body).filter(([key, value]) => !isIdle(key, value)));
  dropUnread(asking, readFields, leftOvers);
}

/** Some clients say −1 where nothing is wished. */
const wishOf = (value: unknown): number | null => (value === -1 ? null : numberOf(value));

export function decodeRequest(body: JsonObject): Conversation | InvalidRequest {
  const basics = readBasics(body);
  if (isInvalid(basics)) return basics;
  const wrong = wrongNumber(body, ['max_tokens', 'temperature', 'top_p', 'top_k']);
  if (wrong !== null) return wrong;
  const leftOvers = new LeftOvers();
  const messages: Message[] = [...decodeSystem(body['system'])];
  for (const [index, value] of basics.messages.entries()) {
    const message = decodeMessage(objectOf(value) ?? {}, index, leftOvers);
    if (isInvalid(message)) return message;
    messages.push(message);
  }
  // The model is asked to go on from these words; others would begin anew.
  if (messages.at(-1)?.role === 'assistant') leftOvers.lack('prefill');
  readLeftOvers(body, leftOvers);
  const tools = decodeTools(basics.tools, leftOvers);
  const choice = objectOf(body['tool_choice']);
  const format = formatOf(body, leftOvers);
  const effort = effortOf(body, leftOvers);
  const stops = Array.isArray(body['stop_sequences']) ? body['stop_sequences'] : [];
  return {
    messages,
    tools,
    toolChoice: decodeToolChoice(choice, tools),
    parallelToolCalls: choice?.['disable_parallel_tool_use'] === true ? false : null,
    outputTokensMax: numberOf(body['max_tokens']),
    temperature: numberOf(body['temperature']),
    topP: wishOf(body['top_p']),
    topK: wishOf(body['top_k']),
    stop: stops.filter((each): each is string => typeof each === 'string'),
    format,
    effort,
    thinkingBudgetTokens: numberOf(objectOf(body['thinking'])?.['budget_tokens']),
    user: textOf(objectOf(body['metadata'])?.['user_id']),
    stream: basics.stream,
    includeUsage: true,
    cache: asksForCache(body, [...objectsOf(body['messages']), { content: body['system'] }]),
    leftOver: leftOvers.list(),
  };
}
