/** What a simulated Anthropic demands of a conversation: roles, blocks, and tool results beside their calls. */
import { textSeed } from './random.ts';
import { isObject, listOf, objectsOf, textOf } from './speech.ts';
import type { Body } from './speech.ts';

/** The mark under thinking that this simulator issued; anything else is not accepted back. */
export function signatureOf(thinking: string): string {
  return `EqSim${textSeed(`signed:${thinking}`).toString(36).padStart(8, '0')}==`;
}

export const contentOf = (message: Body): readonly Body[] =>
  typeof message['content'] === 'string'
    ? [{ type: 'text', text: message['content'] }]
    : objectsOf(message['content']);

/** The fields of the blocks whose fields are checked; blocks of hosted tools are taken as they are. */
const blockFields: Readonly<Record<string, readonly string[]>> = {
  text: ['text', 'citations'],
  image: ['source', 'transformations'],
  document: ['source', 'title', 'context', 'citations'],
  thinking: ['thinking', 'signature'],
  redacted_thinking: ['data'],
  tool_use: ['id', 'name', 'input', 'caller', 'toolset_name'],
  tool_result: ['tool_use_id', 'content', 'is_error'],
  search_result: ['source', 'title', 'content', 'citations'],
};
const hostedBlock = /^(?:server_tool_use|mcp_tool_use|container_upload|[a-z_]+_tool_result)$/;
const imageTypes = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

function sourceProblem(block: Body, at: string): string | null {
  const source = isObject(block['source']) ? block['source'] : {};
  if (source['type'] === 'url') return null;
  if (source['type'] === 'file') return null;
  if (source['type'] !== 'base64')
    return `${at}.image.source: Input tag '${textOf(source['type'])}' found using 'type' does not match any of the expected tags: 'base64', 'file', 'url'`;
  if (!imageTypes.has(textOf(source['media_type'])))
    return `${at}.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'`;
  return /^[A-Za-z0-9+/]+={0,2}$/.test(textOf(source['data']))
    ? null
    : `${at}.image.source.base64: invalid base64 data`;
}

function fieldProblem(block: Body, at: string): string | null {
  const type = textOf(block['type']);
  const fields = blockFields[type];
  if (fields === undefined)
    return hostedBlock.test(type)
      ? null
      : `${at}: Input tag '${type}' found using 'type' does not match any of the expected tags: ${Object.keys(
          blockFields,
        )
          .map((name) => `'${name}'`)
          .join(', ')}`;
  const extra = Object.keys(block).find((key) => !['type', 'cache_control', ...fields].includes(key));
  return extra === undefined ? null : `${at}.${type}.${extra}: Extra inputs are not permitted`;
}

function assistantBlockProblem(block: Body, at: string): string | null {
  if (block['type'] === 'thinking') {
    if (typeof block['signature'] !== 'string') return `${at}.thinking.signature: Field required`;
    return block['signature'] === signatureOf(textOf(block['thinking']))
      ? null
      : `${at}: Invalid \`signature\` in \`thinking\` block`;
  }
  // This simulator never issues redacted thinking, so what comes back was made elsewhere.
  if (block['type'] === 'redacted_thinking') return `${at}: Invalid \`data\` in \`redacted_thinking\` block`;
  if (block['type'] !== 'tool_use') return null;
  if (!/^[a-zA-Z0-9_-]+$/.test(textOf(block['id'])))
    return `${at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`;
  if (!/^[a-zA-Z0-9_-]{1,128}$/.test(textOf(block['name'])))
    return `${at}.tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`;
  return isObject(block['input']) ? null : `${at}.tool_use.input: Input should be a valid dictionary`;
}

const onlyOf: Readonly<Record<string, string>> = {
  thinking: 'assistant',
  redacted_thinking: 'assistant',
  tool_use: 'assistant',
  tool_result: 'user',
  image: 'user',
};

function blockProblem(block: Body, role: string, version: string, at: string): string | null {
  const type = textOf(block['type']);
  const wrong = fieldProblem(block, at);
  if (wrong !== null) return wrong;
  if (role === 'system' && type !== 'text') return `${at}: system messages may only contain text blocks`;
  if (onlyOf[type] !== undefined && onlyOf[type] !== role)
    return `${at}: \`${type}\` blocks can only be in \`${onlyOf[type]}\` messages`;
  if (type === 'text' && textOf(block['text']) === '')
    return 'messages: text content blocks must be non-empty';
  if (type === 'image') return sourceProblem(block, at);
  if (type === 'document' && role === 'assistant' && version === '2026-10-21')
    return `${at}: \`document\` blocks are not permitted in \`assistant\` messages`;
  if (type === 'tool_result' && typeof block['tool_use_id'] !== 'string')
    return `${at}.tool_result.tool_use_id: Field required`;
  return assistantBlockProblem(block, at);
}

function messageProblem(message: unknown, version: string, index: number, isLast: boolean): string | null {
  const at = `messages.${index}`;
  if (!isObject(message)) return `${at}: Input should be a valid dictionary`;
  const role = textOf(message['role']);
  if (!['user', 'assistant', 'system'].includes(role))
    return `${at}.role: Input should be 'user' or 'assistant'`;
  const extra = Object.keys(message).find((key) => key !== 'role' && key !== 'content');
  if (extra !== undefined) return `${at}.${extra}: Extra inputs are not permitted`;
  const { content } = message as { readonly content?: unknown };
  if (typeof content !== 'string' && !Array.isArray(content)) return `${at}.content: Field required`;
  if (content === '') return 'messages: text content blocks must be non-empty';
  if (content.length === 0 && !(isLast && role === 'assistant'))
    return `${at}: all messages must have non-empty content except for the optional final assistant message`;
  for (const [place, block] of listOf(content).entries()) {
    if (!isObject(block)) return `${at}.content.${place}: Input should be a valid dictionary`;
    const problem = blockProblem(block, role, version, `${at}.content.${place}`);
    if (problem !== null) return problem;
  }
  return null;
}

type Turn = { readonly role: string; readonly content: Body[] };

/** Consecutive messages of one role count as one; system messages in between do not part them. */
function turnsOf(messages: readonly Body[]): readonly Turn[] {
  const turns: Turn[] = [];
  for (const message of messages) {
    const role = textOf(message['role']);
    if (role === 'system') continue;
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...contentOf(message));
    else turns.push({ role, content: [...contentOf(message)] });
  }
  return turns;
}

const idsOf = (blocks: readonly Body[], type: string, key: string): readonly string[] =>
  blocks.filter((block) => block['type'] === type).map((block) => textOf(block[key]));

function pairingProblem(turns: readonly Turn[]): string | null {
  const seen = new Set<string>();
  for (const [index, turn] of turns.entries()) {
    const before = turns[index - 1]?.content ?? [];
    const after = turns[index + 1]?.content ?? [];
    const calls = idsOf(turn.content, 'tool_use', 'id');
    for (const id of calls) {
      if (seen.has(id)) return 'messages: `tool_use` ids must be unique';
      seen.add(id);
    }
    const other = after.findIndex((block) => block['type'] !== 'tool_result');
    const answered = idsOf(other < 0 ? after : after.slice(0, other), 'tool_result', 'tool_use_id');
    const missing = calls.filter((id) => !answered.includes(id));
    if (missing.length > 0)
      return `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`;
    const asked = idsOf(before, 'tool_use', 'id');
    const results = idsOf(turn.content, 'tool_result', 'tool_use_id');
    const orphan = results.findIndex((id, at) => !asked.includes(id) || results.indexOf(id) !== at);
    if (orphan >= 0)
      return `messages.${index}.content.${orphan}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${results[orphan]}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`;
  }
  return null;
}

/** With thinking on by budget, the turn that called the tools must begin with its thinking. */
function thinkingProblem(turns: readonly Turn[]): string | null {
  const calling = turns.at(-2);
  const returnsResults = turns.at(-1)?.content.some((block) => block['type'] === 'tool_result') === true;
  const first = textOf(calling?.content[0]?.['type']);
  if (!returnsResults || first === 'thinking' || first === 'redacted_thinking') return null;
  return `messages.${turns.length - 2}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${first}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block.`;
}

export type HistoryRules = {
  readonly version: string;
  readonly allowsPrefill: boolean;
  readonly thinksByBudget: boolean;
};

export function historyProblem(body: Body, rules: HistoryRules): string | null {
  const raw = listOf(body['messages']);
  if (body['messages'] === undefined) return 'messages: Field required';
  if (!Array.isArray(body['messages'])) return 'messages: Input should be a valid list';
  if (raw.length === 0) return 'messages: at least one message is required';
  for (const [index, message] of raw.entries()) {
    const problem = messageProblem(message, rules.version, index, index === raw.length - 1);
    if (problem !== null) return problem;
  }
  const turns = turnsOf(objectsOf(raw));
  const last = turns.at(-1);
  if (turns[0]?.role !== 'user') return 'messages: first message must use the "user" role';
  if (last?.role === 'assistant') {
    if (!rules.allowsPrefill)
      return 'This model does not support assistant message prefill. The conversation must end with a user message.';
    if (/\s$/.test(textOf(last.content.at(-1)?.['text'])))
      return 'messages: final assistant content cannot end with trailing whitespace';
  }
  return pairingProblem(turns) ?? (rules.thinksByBudget ? thinkingProblem(turns) : null);
}
