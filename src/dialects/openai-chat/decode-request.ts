/** A chat completions request → the neutral conversation. */
import { asksForCache } from '../cache-marks.ts';
import type { Conversation, Message } from '../conversation.ts';
import type { InvalidRequest, JsonObject } from '../dialect.ts';
import { booleanOf, numberOf, objectOf, textOf, objectsOf } from '../json-value.ts';
import { readEffort } from '../effort.ts';
import { dropUnread, LeftOvers } from '../left-over.ts';
import { isInvalid, readBasics, wrongNumber } from '../request-basics.ts';
import { decodeMessage, gathered } from './decode-message.ts';
import { decodeTools } from './decode-tools.ts';

/** Fields that are read here, and those that only steer caches or the form of the stream. */
const readFields: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'functions',
  'function_call',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop',
  'response_format',
  'reasoning_effort',
  'user',
  'safety_identifier',
  'n',
  'modalities',
  'audio',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
]);

/** Values with which a field asks for nothing. */
const idle: ReadonlyMap<string, readonly unknown[]> = new Map([
  ['presence_penalty', [0]],
  ['frequency_penalty', [0]],
  ['service_tier', ['auto', 'default']],
  ['verbosity', ['medium']],
]);

function formatOf(value: unknown, leftOvers: LeftOvers): Conversation['format'] {
  const format = objectOf(value);
  const type = textOf(format?.['type']);
  if (type === null || type === 'text') return null;
  if (type === 'json_object') return { kind: 'json' };
  const schema = objectOf(format?.['json_schema']);
  if (type !== 'json_schema' || schema === null) {
    leftOvers.lack(`response_format ${type}`);
    return null;
  }
  return {
    kind: 'schema',
    name: textOf(schema['name']),
    schema: schema['schema'] ?? {},
    strict: booleanOf(schema['strict']),
  };
}

function stopOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}

function readLeftOvers(body: JsonObject, leftOvers: LeftOvers): void {
  if ((numberOf(body['n']) ?? 1) > 1) leftOvers.lack('n');
  if (Array.isArray(body['modalities']) && body['modalities'].includes('audio')) leftOvers.lack('audio');
  if (body['functions'] !== undefined && body['functions'] !== null) leftOvers.lack('functions');
  const asking = Object.fromEntries(
    Object.entries(body).filter(([key, value]) => !(idle.get(key) ?? []).includes(value)),
  );
  dropUnread(asking, readFields, leftOvers);
}

export function decodeRequest(body: JsonObject): Conversation | InvalidRequest {
  const basics = readBasics(body);
  if (isInvalid(basics)) return basics;
  const wrong = wrongNumber(body, [
    'temperature',
    'top_p',
    'top_k',
    'max_tokens',
    'max_completion_tokens',
    'n',
  ]);
  if (wrong !== null) return wrong;
  const leftOvers = new LeftOvers();
  const messages: Message[] = [];
  for (const [index, value] of basics.messages.entries()) {
    const message = decodeMessage(objectOf(value) ?? {}, index, leftOvers);
    if (isInvalid(message)) return message;
    messages.push(message);
  }
  readLeftOvers(body, leftOvers);
  const format = formatOf(body['response_format'], leftOvers);
  const effort = readEffort(body['reasoning_effort'], leftOvers);
  const { tools, toolChoice } = decodeTools(basics.tools, body['tool_choice'], leftOvers);
  return {
    messages: gathered(messages),
    tools,
    toolChoice,
    parallelToolCalls: booleanOf(body['parallel_tool_calls']),
    outputTokensMax: numberOf(body['max_completion_tokens']) ?? numberOf(body['max_tokens']),
    temperature: numberOf(body['temperature']),
    topP: numberOf(body['top_p']),
    topK: numberOf(body['top_k']),
    stop: stopOf(body['stop']),
    format,
    effort,
    thinkingBudgetTokens: null,
    user: textOf(body['safety_identifier']) ?? textOf(body['user']),
    stream: basics.stream,
    includeUsage: objectOf(body['stream_options'])?.['include_usage'] === true,
    cache: asksForCache(body, objectsOf(body['messages'])),
    leftOver: leftOvers.list(),
  };
}
