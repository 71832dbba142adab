/** Where things stand in a request to generate content. Fields are read in both spellings and written in one. */
import type { RequestPlaces } from '../adapt-request.ts';
import type { Effort } from '../conversation.ts';
import type { JsonObject } from '../dialect.ts';
import { numberOf, objectOf, textOf, without } from '../json-value.ts';
import { contentsOf, declaredFunctions, field, partsOf } from './fields.ts';
import { thinkingConfigFor } from './encode-request.ts';

function configOf(body: JsonObject): JsonObject {
  return objectOf(field(body, 'generationConfig')) ?? {};
}

/** The body with fields of its generation config set, and those named left out. */
function withConfig(body: JsonObject, fields: JsonObject, ...dropped: readonly string[]): JsonObject {
  return {
    ...without(body, 'generation_config'),
    generationConfig: { ...without(configOf(body), ...dropped), ...fields },
  };
}

const textPart = (text: string | null): readonly JsonObject[] => (text === null ? [] : [{ text }]);
const schemaFields = ['responseJsonSchema', 'responseSchema'] as const;
const formatFields = [
  ...schemaFields,
  'responseMimeType',
  'response_json_schema',
  'response_schema',
  'response_mime_type',
];

export const contentPlaces: RequestPlaces<JsonObject> = {
  systemText: (body) =>
    partsOf(field(body, 'systemInstruction'))
      .flatMap((part) => textOf(part['text']) ?? [])
      .join('\n\n'),
  withSystem(body, edit) {
    const parts =
      edit.kind === 'replace'
        ? textPart(edit.text)
        : [...textPart(edit.prepend), ...partsOf(field(body, 'systemInstruction')), ...textPart(edit.append)];
    return { ...without(body, 'system_instruction'), systemInstruction: { parts } };
  },
  outputTokensMax: (body) => numberOf(field(configOf(body), 'maxOutputTokens')),
  withOutputTokensMax: (body, tokens) => withConfig(body, { maxOutputTokens: tokens }, 'max_output_tokens'),
  withParam(body, name, value, traits) {
    switch (name) {
      case 'temperature':
        return withConfig(body, { temperature: value });
      case 'topP':
        return withConfig(body, { topP: value }, 'top_p');
      case 'topK':
        return withConfig(body, { topK: value }, 'top_k');
      case 'stop':
        return withConfig(body, { stopSequences: value }, 'stop_sequences');
      case 'effort': {
        const thinkingConfig = traits.thinking ? thinkingConfigFor(value as Effort, traits) : null;
        return thinkingConfig === null ? null : withConfig(body, { thinkingConfig }, 'thinking_config');
      }
    }
  },
  hasTools: (body) => declaredFunctions(body).length > 0,
  hasCalls: (body) =>
    contentsOf(body).some((content) =>
      partsOf(content).some(
        (part) => field(part, 'functionCall') !== undefined || field(part, 'functionResponse') !== undefined,
      ),
    ),
  withoutTools: (body, how) =>
    how === 'forbidden'
      ? { ...without(body, 'tool_config'), toolConfig: { functionCallingConfig: { mode: 'NONE' } } }
      : without(body, 'tools', 'toolConfig', 'tool_config'),
  structure(body) {
    const config = configOf(body);
    const schema = schemaFields.map((name) => field(config, name)).find((value) => value !== undefined);
    if (schema !== undefined) return { kind: 'schema', schema };
    return field(config, 'responseMimeType') === 'application/json' ? { kind: 'json' } : null;
  },
  withStructure: (body, structure) =>
    withConfig(body, structure === null ? {} : { responseMimeType: 'application/json' }, ...formatFields),
};
