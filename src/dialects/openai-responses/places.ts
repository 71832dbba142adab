/** Where things stand in a responses request. */
import { joinTexts } from '../adapt-request.ts';
import type { RequestPlaces } from '../adapt-request.ts';
import type { JsonObject } from '../dialect.ts';
import { numberOf, objectOf, objectsOf, textOf, without } from '../json-value.ts';
import { takesSampling } from '../openai-chat/encode-request.ts';
import { contentText, structureOf } from '../openai-chat/places.ts';

const isSystem = ({ role }: JsonObject): boolean => role === 'system' || role === 'developer';

/** System messages that lead the input, which stand beside `instructions`. */
function leadingTexts(body: JsonObject): readonly string[] {
  const items = objectsOf(body['input']);
  const first = items.findIndex((item) => !isSystem(item));
  return items.slice(0, first < 0 ? items.length : first).map(({ content }) => contentText(content));
}

export const responsesPlaces: RequestPlaces<JsonObject> = {
  systemText: (body) => joinTexts(textOf(body['instructions']), ...leadingTexts(body)),
  withSystem(body, edit) {
    const instructions = textOf(body['instructions']);
    if (edit.kind === 'around')
      return { ...body, instructions: joinTexts(edit.prepend, instructions, edit.append) };
    const led = leadingTexts(body).length;
    const { input } = body;
    return {
      ...body,
      instructions: edit.text,
      ...(Array.isArray(input) && led > 0 ? { input: input.slice(led) as unknown[] } : {}),
    };
  },
  outputTokensMax: (body) => numberOf(body['max_output_tokens']),
  withOutputTokensMax: (body, tokens) => ({ ...body, max_output_tokens: tokens }),
  withParam(body, name, value, traits) {
    switch (name) {
      case 'temperature':
        return takesSampling(traits, objectOf(body['reasoning'])?.['effort'])
          ? { ...body, temperature: value }
          : null;
      case 'topP':
        return takesSampling(traits, objectOf(body['reasoning'])?.['effort'])
          ? { ...body, top_p: value }
          : null;
      case 'effort':
        return traits.thinking
          ? { ...body, reasoning: { ...objectOf(body['reasoning']), effort: value } }
          : null;
      case 'topK':
      case 'stop':
        return null;
    }
  },
  hasTools: (body) => objectsOf(body['tools']).length > 0,
  hasCalls: (body) =>
    objectsOf(body['input']).some((item) => /_call(?:_output)?$/.test(textOf(item['type']) ?? '')),
  withoutTools: (body, how) =>
    how === 'forbidden'
      ? { ...body, tool_choice: 'none' }
      : without(body, 'tools', 'tool_choice', 'parallel_tool_calls'),
  structure: (body) => structureOf(objectOf(objectOf(body['text'])?.['format'])),
  withStructure(body, structure) {
    const text = without(objectOf(body['text']) ?? {}, 'format');
    return structure === null
      ? { ...body, text }
      : { ...body, text: { ...text, format: { type: 'json_object' } } };
  },
};
