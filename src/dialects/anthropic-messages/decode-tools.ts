/** Tools and tool choice of a messages request. */
import type { Tool, ToolChoice } from '../conversation.ts';
import type { JsonObject } from '../dialect.ts';
import { objectsOf, textOf } from '../json-value.ts';
import { dropUnread } from '../left-over.ts';
import type { LeftOvers } from '../left-over.ts';

/** Dated tools that the provider runs itself. */
const hosted = /^(?:web_search|web_fetch|code_execution|tool_search_tool|mcp_toolset|advisor)(?:_|$)/;

/** Marks for the cache are read where marks on what is said are (`cache-marks.ts`). */
const read: ReadonlySet<string> = new Set([
  'type',
  'name',
  'description',
  'input_schema',
  'strict',
  'cache_control',
]);

export function decodeTools(values: readonly unknown[], leftOvers: LeftOvers): readonly Tool[] {
  return objectsOf(values).flatMap((tool): Tool[] => {
    const type = textOf(tool['type']);
    if (type === null || type === 'custom') {
      dropUnread(tool, read, leftOvers);
      return [
        {
          name: textOf(tool['name']) ?? '',
          description: textOf(tool['description']),
          schema: tool['input_schema'] ?? { type: 'object', properties: {} },
          strict: tool['strict'] === true ? true : null,
        },
      ];
    }
    // A tool that the caller runs, but whose form only this vendor's models know, can not be left out unseen.
    if (hosted.test(type)) leftOvers.drop('hosted_tools');
    else leftOvers.lack('builtin_tools');
    return [];
  });
}

export function decodeToolChoice(choice: JsonObject | null, tools: readonly Tool[]): ToolChoice | null {
  switch (choice?.['type']) {
    case 'auto':
      return { kind: 'auto' };
    case 'none':
      return { kind: 'none' };
    case 'any':
      return { kind: 'required' };
    case 'tool': {
      const name = textOf(choice['name']) ?? '';
      // A hosted tool that was dropped can not be chosen either; its absence is already named.
      return tools.some((tool) => tool.name === name) ? { kind: 'named', name } : null;
    }
  }
  return null;
}
