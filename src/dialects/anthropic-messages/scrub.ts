/** Takes thinking that we showed in a provider's place out of a request before it goes to one that checks signatures. */
import type { JsonObject } from '../dialect.ts';
import { foreignThinkingMark, isForeignMark } from '../foreign-thinking.ts';
import { isJsonObject } from '../json-value.ts';

function withoutForeign(message: unknown): unknown {
  if (!isJsonObject(message) || !Array.isArray(message['content'])) return message;
  const content = message['content'].filter(
    (block) => !(isJsonObject(block) && block['type'] === 'thinking' && isForeignMark(block['signature'])),
  );
  return content.length === message['content'].length ? message : { ...message, content };
}

export function scrub(text: string, read: () => JsonObject): JsonObject | null {
  if (!text.includes(foreignThinkingMark)) return null;
  const body = read();
  if (!Array.isArray(body['messages'])) return null;
  const messages = body['messages']
    .map(withoutForeign)
    .filter(
      (message) =>
        !(isJsonObject(message) && Array.isArray(message['content']) && message['content'].length === 0),
    );
  return { ...body, messages };
}
