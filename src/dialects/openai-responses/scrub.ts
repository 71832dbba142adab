/** Takes reasoning that we showed in another provider's place out of a request: its issuer never wrote it. */
import type { JsonObject } from '../dialect.ts';
import { foreignThinkingMark, isForeignMark } from '../foreign-thinking.ts';
import { isJsonObject } from '../json-value.ts';

export function isForeignReasoning(item: unknown): boolean {
  return isJsonObject(item) && item['type'] === 'reasoning' && isForeignMark(item['encrypted_content']);
}

export function scrub(text: string, read: () => JsonObject): JsonObject | null {
  if (!text.includes(foreignThinkingMark)) return null;
  const body = read();
  if (!Array.isArray(body['input'])) return null;
  return { ...body, input: body['input'].filter((item) => !isForeignReasoning(item)) };
}
