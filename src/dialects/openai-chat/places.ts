/** Where things stand in a chat completions request. */
import type { RequestPlaces, Structure } from '../adapt-request.ts';
import type { JsonObject } from '../dialect.ts';
import { numberOf, objectOf, objectsOf, textOf, without } from '../json-value.ts';
import { takesSampling, thinksFirst } from './encode-request.ts';

const isSystem = ({ role }: JsonObject): boolean => role === 'system' || role === 'developer';

/** The messages that lead as the system prompt, and the rest. */
function split(body: JsonObject): {
  readonly led: readonly JsonObject[];
  readonly rest: readonly JsonObject[];
} {
  const messages = objectsOf(body['messages']);
  const first = messages.findIndex((message) => !isSystem(message));
  const end = first < 0 ? messages.length : first;
  return { led: messages.slice(0, end), rest: messages.slice(end) };
}

/** The text of a message, given as a text or as parts. */
export function contentText(content: unknown): string {
  return (
    textOf(content) ??
    objectsOf(content)
      .flatMap((part) => textOf(part['text']) ?? [])
      .join('')
  );
}

/** `response_format` and `text.format` say it in the same words, one level apart. */
export function structureOf(format: JsonObject | null): Structure {
  switch (format?.['type']) {
    case 'json_schema':
      return { kind: 'schema', schema: format['schema'] ?? objectOf(format['json_schema'])?.['schema'] };
    case 'json_object':
      return { kind: 'json' };
    default:
      return null;
  }
}

export const chatPlaces: RequestPlaces<JsonObject> = {
  systemText: (body) =>
    split(body)
      .led.map(({ content }) => contentText(content))
      .join('\n\n'),
  withSystem(body, edit) {
    const { led, rest } = split(body);
    const role = led[0]?.['role'] ?? 'system';
    const said = (text: string | null): readonly JsonObject[] =>
      text === null ? [] : [{ role, content: text }];
    const messages =
      edit.kind === 'replace'
        ? [...said(edit.text), ...rest]
        : [...said(edit.prepend), ...led, ...said(edit.append), ...rest];
    return { ...body, messages };
  },
  outputTokensMax: (body) => numberOf(body['max_completion_tokens']) ?? numberOf(body['max_tokens']),
  withOutputTokensMax: (body, tokens, traits) => ({
    ...without(body, 'max_tokens', 'max_completion_tokens'),
    [traits.compatible ? 'max_tokens' : 'max_completion_tokens']: tokens,
  }),
  withParam(body, name, value, traits) {
    switch (name) {
      case 'temperature':
        return takesSampling(traits, body['reasoning_effort']) ? { ...body, temperature: value } : null;
      case 'topP':
        return takesSampling(traits, body['reasoning_effort']) ? { ...body, top_p: value } : null;
      case 'stop':
        return thinksFirst(traits) ? null : { ...body, stop: value };
      case 'effort':
        return traits.thinking ? { ...body, reasoning_effort: value } : null;
      case 'topK':
        return null;
    }
  },
  hasTools: (body) => objectsOf(body['tools']).length > 0,
  hasCalls: (body) =>
    objectsOf(body['messages']).some(
      (message) => message['role'] === 'tool' || objectsOf(message['tool_calls']).length > 0,
    ),
  withoutTools: (body, how) =>
    how === 'forbidden'
      ? { ...body, tool_choice: 'none' }
      : without(body, 'tools', 'tool_choice', 'parallel_tool_calls'),
  structure: (body) => structureOf(objectOf(body['response_format'])),
  withStructure: (body, structure) =>
    structure === null
      ? without(body, 'response_format')
      : { ...body, response_format: { type: 'json_object' } },
};
