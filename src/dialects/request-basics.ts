/** What every dialect's request says in the same way, read with errors in the caller's own terms. */
import type { InvalidRequest, JsonObject } from './dialect.ts';

export type Basics = {
  readonly model: string;
  readonly stream: boolean;
  readonly messages: readonly unknown[];
  readonly tools: readonly unknown[];
};

export function invalid(param: string, message: string): InvalidRequest {
  return { kind: 'invalid', param, message };
}

export function isInvalid(value: object): value is InvalidRequest {
  return 'kind' in value && value.kind === 'invalid';
}

function readMessages(body: JsonObject): readonly unknown[] | InvalidRequest {
  const { messages } = body as { messages?: unknown };
  if (messages === undefined) return invalid('messages', '"messages" is missing; send a list of messages.');
  if (!Array.isArray(messages)) return invalid('messages', '"messages" must be a list.');
  if (messages.length === 0) return invalid('messages', '"messages" is empty; send at least one message.');
  const odd = messages.findIndex((one) => typeof one !== 'object' || one === null || Array.isArray(one));
  if (odd >= 0) return invalid(`messages[${odd}]`, `messages[${odd}] must be an object.`);
  return messages;
}

export function readBasics(body: JsonObject): Basics | InvalidRequest {
  const { model, stream, tools } = body as { model?: unknown; stream?: unknown; tools?: unknown };
  if (model === undefined)
    return invalid('model', '"model" is missing; name a feature, a model or a target.');
  if (typeof model !== 'string') return invalid('model', '"model" must be a string.');
  if (model === '') return invalid('model', '"model" is empty; name a feature, a model or a target.');
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean')
    return invalid('stream', '"stream" must be true or false.');
  if (tools !== undefined && tools !== null && !Array.isArray(tools))
    return invalid('tools', '"tools" must be a list.');
  const messages = readMessages(body);
  if (isInvalid(messages)) return messages;
  return { model, stream: stream === true, messages, tools: tools ?? [] };
}

/** A limit of tokens; null when it is not given. */
export function readTokensMax(body: JsonObject, key: string, least: number): number | null | InvalidRequest {
  const value = body[key];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least)
    return invalid(key, `"${key}" must be a whole number of at least ${least}.`);
  return value;
}

/** Numbers that must be numbers when they are given: read as anything else they would silently be dropped. */
export function wrongNumber(body: JsonObject, keys: readonly string[]): InvalidRequest | null {
  for (const key of keys) {
    const value = body[key];
    if (value !== undefined && value !== null && (typeof value !== 'number' || !Number.isFinite(value)))
      return invalid(key, `"${key}" must be a number.`);
  }
  return null;
}
