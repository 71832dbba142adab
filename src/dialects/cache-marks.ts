/**
 * Whether a request asks for its prompt to be cached: by a field of its own, or by marks on what it says, as callers of
 * compatible servers write them. OpenAI's and Google's models cache by themselves; Claude caches only what is marked.
 */
import type { JsonObject } from './dialect.ts';
import { objectsOf } from './json-value.ts';

const fields = [
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'cache_control',
] as const;

const isMarked = (value: JsonObject): boolean =>
  value['cache_control'] !== undefined && value['cache_control'] !== null;

/** `turns` are the messages or items of the request. */
export function asksForCache(body: JsonObject, turns: readonly JsonObject[]): boolean {
  return (
    fields.some((field) => body[field] !== undefined && body[field] !== null) ||
    objectsOf(body['tools']).some(isMarked) ||
    turns.some((turn) => isMarked(turn) || objectsOf(turn['content']).some(isMarked))
  );
}
