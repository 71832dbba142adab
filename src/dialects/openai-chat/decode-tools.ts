/** Tools and tool choice of a chat completions request. */
import type { Tool, ToolChoice } from '../conversation.ts';
import { booleanOf, objectOf, objectsOf, textOf } from '../json-value.ts';
import type { LeftOvers } from '../left-over.ts';

type Tools = { readonly tools: readonly Tool[]; readonly toolChoice: ToolChoice | null };

function decodeList(values: readonly unknown[], leftOvers: LeftOvers): readonly Tool[] {
  return objectsOf(values).flatMap((value): Tool[] => {
    const tool = objectOf(value['function']);
    if (tool === null) {
      // Grammars of custom tools can not be carried, and their calls would come back in another form.
      leftOvers.lack('custom_tools');
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
  return textOf(objectOf(objectOf(value)?.['function'])?.['name']);
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
