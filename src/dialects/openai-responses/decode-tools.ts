/** Tools and tool choice of a responses request. */
import type { Tool, ToolChoice } from '../conversation.ts';
import type { JsonObject } from '../dialect.ts';
import { booleanOf, objectOf, objectsOf, textOf } from '../json-value.ts';
import type { LeftOvers } from '../left-over.ts';
import { customTool, flatName } from '../custom-tools.ts';

function functionTool(tool: JsonObject, namespace: string | null): Tool {
  return {
    name: flatName({ kind: 'function', namespace, name: textOf(tool['name']) ?? '' }),
    description: textOf(tool['description']),
    schema: tool['parameters'] ?? { type: 'object', properties: {} },
    strict: booleanOf(tool['strict']),
  };
}

function customOf(tool: JsonObject, namespace: string | null, leftOvers: LeftOvers): Tool {
  const grammar = textOf(objectOf(tool['format'])?.['definition']);
  if (grammar !== null) leftOvers.drop('tool_grammar');
  const name = textOf(tool['name']) ?? '';
  return customTool({ name, description: textOf(tool['description']), grammar }, namespace);
}

export function decodeTools(
  values: readonly JsonObject[],
  leftOvers: LeftOvers,
  namespace: string | null = null,
): readonly Tool[] {
  return values.flatMap((tool): readonly Tool[] => {
    switch (tool['type']) {
      case 'function':
        return [functionTool(tool, namespace)];
      case 'custom':
        return [customOf(tool, namespace, leftOvers)];
      case 'namespace':
        return decodeTools(objectsOf(tool['tools']), leftOvers, textOf(tool['name']));
    }
    // Tools that the provider runs itself: agents go on without them, and are told.
    leftOvers.drop(`tool ${textOf(tool['type']) ?? 'without type'}`);
    return [];
  });
}

function chosenName(choice: JsonObject): string | null {
  const name = textOf(choice['name']);
  if (name === null || (choice['type'] !== 'function' && choice['type'] !== 'custom')) return null;
  return flatName({
    kind: choice['type'],
    namespace: textOf(choice['namespace']),
    name,
  });
}

export function decodeToolChoice(
  value: unknown,
  tools: readonly Tool[],
  leftOvers: LeftOvers,
): { readonly tools: readonly Tool[]; readonly toolChoice: ToolChoice | null } {
  if (value === undefined || value === null) return { tools, toolChoice: null };
  if (value === 'auto' || value === 'none' || value === 'required')
    return { tools, toolChoice: { kind: value } };
  const choice = objectOf(value);
  if (choice?.['type'] === 'allowed_tools') {
    // Only some of the tools may be called: the others are not shown at all.
    const names = new Set(objectsOf(choice['tools']).map(chosenName));
    return {
      tools: tools.filter((tool) => names.has(tool.name)),
      toolChoice: { kind: choice['mode'] === 'required' ? 'required' : 'auto' },
    };
  }
  const name = choice === null ? null : chosenName(choice);
  if (name !== null) return { tools, toolChoice: { kind: 'named', name } };
  leftOvers.lack('tool_choice');
  return { tools, toolChoice: null };
}
