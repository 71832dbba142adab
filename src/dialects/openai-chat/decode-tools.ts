/** Tools and tool choice of a chat completions request. */
import type { Tool, ToolChoice } from '../conversation.ts';
import { customTool, flatName } from '../custom-tools.ts';
import type { JsonObject } from '../dialect.ts';
import { booleanOf, objectOf, objectsOf, textOf } from '../json-value.ts';
import type { LeftOvers } from '../left-over.ts';

type Tools = { readonly tools: readonly Tool[]; readonly toolChoice: ToolChoice | null };

function customOf(custom: JsonObject, leftOvers: LeftOvers): Tool {
  const grammar = textOf(objectOf(objectOf(custom['format'])?.['grammar'])?.['definition']);
  if (grammar !== null) leftOvers.drop('tool_grammar');
  const name = textOf(custom['name']) ?? '';
  return customTool({ name, description: textOf(custom['description']), grammar }, null);
}

function decodeList(values: readonly unknown[], leftOvers: LeftOvers): readonly Tool[] {
  return objectsOf(values).flatMap((value): Tool[] => {
    const custom = objectOf(value['custom']);
    if (custom !== null) return [customOf(custom, leftOvers)];
    const tool = objectOf(value['function']);
    if (tool === null) {
      leftOvers.lack(`tool ${textOf(value['type']) ?? 'without type'}`);
      return [];
    }
    return [
      {
        name: textOf(tool['name']) ?? '',
        description: textOf(tool['description']),
        schema: tool['parameters'] ?? { type: 'object', properties: {} },
        strict: booleanOf(tool['strict']),
      },
    ];
  });
}

function nameIn(value: unknown): string | null {
  const choice = objectOf(value);
  const custom = textOf(objectOf(choice?.['custom'])?.['name']);
  return custom === null
    ? textOf(objectOf(choice?.['function'])?.['name'])
    : flatName({ kind: 'custom', namespace: null, name: custom });
}

export function decodeTools(values: readonly unknown[], choice: unknown, leftOvers: LeftOvers): Tools {
  const tools = decodeList(values, leftOvers);
  if (choice === 'auto' || choice === 'none' || choice === 'required')
    return { tools, toolChoice: { kind: choice } };
  const named = nameIn(choice);
  if (named !== null) return { tools, toolChoice: { kind: 'named', name: named } };
  const allowed = objectOf(objectOf(choice)?.['allowed_tools']);
  if (allowed === null) {
    if (choice !== undefined && choice !== null) leftOvers.lack('tool_choice');
    return { tools, toolChoice: null };
  }
  // Only some of the tools may be called: the others are not shown at all.
  const names = new Set(objectsOf(allowed['tools']).map(nameIn));
  return {
    tools: tools.filter((tool) => names.has(tool.name)),
    toolChoice: { kind: allowed['mode'] === 'required' ? 'required' : 'auto' },
  };
}
