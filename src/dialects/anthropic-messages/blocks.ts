/** Kinds of content blocks, and which deltas belong into which. */

/** How a block counts: `other` holds part of the answer in a form that is not known here. */
export type BlockKind = 'text' | 'thinking' | 'redacted' | 'tool' | 'server_tool' | 'other';

const kinds: ReadonlyMap<string, BlockKind> = new Map([
  ['text', 'text'],
  ['thinking', 'thinking'],
  ['redacted_thinking', 'redacted'],
  ['tool_use', 'tool'],
  ['server_tool_use', 'server_tool'],
  ['mcp_tool_use', 'server_tool'],
]);

export function blockKind(type: string): BlockKind {
  return kinds.get(type) ?? 'other';
}

/** Blocks that tell what a tool hosted by the provider was asked and what it gave. */
export function isHostedBlock(type: string): boolean {
  return kinds.get(type) === 'server_tool' || type.endsWith('_tool_result');
}

/** The field of a delta that holds its text, for the deltas that are known. */
export const deltaFields: ReadonlyMap<string, string> = new Map([
  ['text_delta', 'text'],
  ['thinking_delta', 'thinking'],
  ['signature_delta', 'signature'],
  ['input_json_delta', 'partial_json'],
]);

const deltaHomes: ReadonlyMap<string, readonly BlockKind[]> = new Map([
  ['text_delta', ['text']],
  ['citations_delta', ['text']],
  ['thinking_delta', ['thinking']],
  ['signature_delta', ['thinking']],
  ['input_json_delta', ['tool', 'server_tool']],
]);

/** Whether a delta may stand in a block; what is not known fits everywhere. */
export function deltaFits(deltaType: string, block: BlockKind): boolean {
  if (block === 'other') return true;
  return deltaHomes.get(deltaType)?.includes(block) ?? true;
}
