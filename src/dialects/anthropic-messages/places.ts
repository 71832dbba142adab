/** Where things stand in a messages request. */
import type { RequestPlaces } from '../adapt-request.ts';
import { joinTexts } from '../adapt-request.ts';
import type { JsonObject } from '../dialect.ts';
import { numberOf, objectOf, objectsOf, textOf, without } from '../json-value.ts';
import { contentText } from '../openai-chat/places.ts';
import { claudeRules } from './claude.ts';

const block = (text: string | null): readonly JsonObject[] => (text === null ? [] : [{ type: 'text', text }]);

/** Any kind of JSON has no field of its own in this format: the prompt says it. */
function withoutFormat(body: JsonObject): JsonObject {
  const config = without(objectOf(body['output_config']) ?? {}, 'format');
  const rest = without(body, 'output_config', 'output_format');
  return Object.keys(config).length === 0 ? rest : { ...rest, output_config: config };
}

function thinks(body: JsonObject): boolean {
  const type = objectOf(body['thinking'])?.['type'];
  return type === 'enabled' || type === 'adaptive';
}

export const messagesPlaces: RequestPlaces<JsonObject> = {
  systemText: (body) => {
    const { system } = body;
    return (
      textOf(system) ??
      objectsOf(system)
        .map((part) => contentText(part['text']))
        .join('\n\n')
    );
  },
  withSystem(body, edit) {
    if (edit.kind === 'replace') return { ...body, system: edit.text };
    const { system } = body;
    return Array.isArray(system)
      ? { ...body, system: [...block(edit.prepend), ...(system as unknown[]), ...block(edit.append)] }
      : { ...body, system: joinTexts(edit.prepend, textOf(system), edit.append) };
  },
  outputTokensMax: (body) => numberOf(body['max_tokens']),
  withOutputTokensMax(body, tokens) {
    const budget = numberOf(objectOf(body['thinking'])?.['budget_tokens']);
    // A budget of thinking must be below the limit of the whole answer.
    const kept = budget !== null && budget >= tokens ? without(body, 'thinking') : body;
    return { ...kept, max_tokens: tokens };
  },
  withParam(body, name, value, traits) {
    const rules = claudeRules(traits);
    const samples = rules.sampling && !thinks(body);
    switch (name) {
      case 'temperature':
        return samples ? { ...without(body, 'top_p'), temperature: Math.min(1, Number(value)) } : null;
      case 'topP':
        return samples ? { ...without(body, 'temperature'), top_p: value } : null;
      case 'topK':
        return samples ? { ...body, top_k: value } : null;
      case 'stop':
        return { ...body, stop_sequences: value };
      case 'effort':
        return traits.thinking && rules.thinking === 'adaptive' && value !== 'none'
          ? {
              ...body,
              output_config: {
                ...objectOf(body['output_config']),
                effort: value === 'minimal' ? 'low' : value,
              },
            }
          : null;
    }
  },
  hasTools: (body) => objectsOf(body['tools']).length > 0,
  hasCalls: (body) =>
    objectsOf(body['messages']).some((message) =>
      objectsOf(message['content']).some((part) => /tool_(?:use|result)$/.test(textOf(part['type']) ?? '')),
    ),
  withoutTools: (body, how) =>
    how === 'forbidden' ? { ...body, tool_choice: { type: 'none' } } : without(body, 'tools', 'tool_choice'),
  structure(body) {
    const format = objectOf(objectOf(body['output_config'])?.['format']) ?? objectOf(body['output_format']);
    return format === null ? null : { kind: 'schema', schema: format['schema'] };
  },
  withStructure: (body) => withoutFormat(body),
};
