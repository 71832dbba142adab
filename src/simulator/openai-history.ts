/** What a simulated OpenAI demands of a conversation: roles, parts, and tool messages behind their calls. */
import { invalidRequest } from './openai-error.ts';
import { isObject, objectsOf, textOf } from './speech.ts';
import type { Body, Refusal } from './speech.ts';

const roles = ['system', 'assistant', 'user', 'function', 'tool', 'developer'];
const userParts = ['text', 'image_url', 'input_audio', 'file'];
const partsOf: Readonly<Record<string, readonly string[]>> = {
  user: userParts,
  assistant: ['text', 'refusal'],
  system: ['text'],
  developer: ['text'],
  tool: ['text'],
};
const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  user: ['name'],
  system: ['name'],
  developer: ['name'],
  assistant: ['name', 'refusal', 'tool_calls', 'function_call', 'annotations', 'audio'],
  tool: ['name', 'tool_call_id'],
  function: ['name'],
};

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(', ');

function extraRefusal(holder: Body, allowed: readonly string[], at: string): Refusal | null {
  const extra = Object.keys(holder).find((key) => !allowed.includes(key));
  return extra === undefined
    ? null
    : invalidRequest(`Additional properties are not allowed ('${extra}' was unexpected) - '${at}'`);
}

/** Fields that only other vendors know, in the messages and in their parts. */
function fieldRefusal(message: Body, role: string, index: number): Refusal | null {
  const at = `messages.${index}`;
  const extra = extraRefusal(message, ['role', 'content', ...(fieldsOf[role] ?? [])], at);
  if (extra !== null) return extra;
  for (const [place, part] of objectsOf(message['content']).entries()) {
    const allowed = ['type', textOf(part['type']), 'prompt_cache_breakpoint'];
    const refusal = extraRefusal(part, allowed, `${at}.content.${place}`);
    if (refusal !== null) return refusal;
  }
  return null;
}

function callsRefusal(message: Body, at: string): Refusal | null {
  const calls = message['tool_calls'];
  if (calls === undefined || calls === null) return null;
  if (!Array.isArray(calls) || calls.length === 0)
    return invalidRequest(
      `Invalid '${at}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
      `${at}.tool_calls`,
      'empty_array',
    );
  for (const [index, call] of objectsOf(calls).entries()) {
    if (call['type'] !== 'function') continue;
    const said = isObject(call['function']) ? call['function'] : {};
    const wrong = typeof said['arguments'] !== 'string' ? 'function.arguments' : null;
    const path = `${at}.tool_calls[${index}].${wrong ?? 'id'}`;
    if (wrong !== null || typeof call['id'] !== 'string')
      return invalidRequest(`Invalid type for '${path}': expected a string.`, path, 'invalid_type');
  }
  return null;
}

function contentRefusal(message: Body, role: string, at: string): Refusal | null {
  const path = `${at}.content`;
  const { content } = message as { readonly content?: unknown };
  if (typeof content === 'string') return null;
  if (content === null || content === undefined) {
    const mayBeNull =
      role === 'assistant' &&
      (objectsOf(message['tool_calls']).length > 0 || message['refusal'] !== undefined);
    return mayBeNull
      ? null
      : invalidRequest("Invalid value for 'content': expected a string, got null.", path);
  }
  if (!Array.isArray(content))
    return invalidRequest(
      `Invalid type for '${path}': expected one of a string or array of objects.`,
      path,
      'invalid_type',
    );
  const allowed = partsOf[role] ?? userParts;
  for (const [index, part] of content.entries()) {
    const type = isObject(part) ? textOf(part['type']) : '';
    if (!allowed.includes(type))
      return invalidRequest(
        `Invalid value: '${type}'. Supported values are: ${quoted(allowed)}.`,
        `${path}[${index}].type`,
        'invalid_value',
      );
    const image: unknown = isObject(part) && type === 'image_url' ? part['image_url'] : null;
    if (image !== null && !(isObject(image) && /^(?:https?:|data:image\/)/.test(textOf(image['url']))))
      return invalidRequest(
        `Invalid '${path}[${index}].image_url.url': expected a URL or a base64 data URL with an image MIME type.`,
        `${path}[${index}].image_url.url`,
        'invalid_value',
      );
  }
  return null;
}

/** Every call answered, right behind the message that made it, and nothing else answered. */
function pairingRefusal(messages: readonly Body[]): Refusal | null {
  let open: readonly string[] = [];
  const unanswered = (): Refusal =>
    invalidRequest(
      `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${open.join(', ')}`,
      'messages',
    );
  for (const [index, message] of messages.entries()) {
    if (message['role'] === 'tool') {
      const id = textOf(message['tool_call_id']);
      if (!open.includes(id))
        return invalidRequest(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          `messages.[${index}].role`,
        );
      open = open.filter((each) => each !== id);
      continue;
    }
    if (open.length > 0) return unanswered();
    open = objectsOf(message['tool_calls']).map((call) => textOf(call['id']));
  }
  return open.length === 0 ? null : unanswered();
}

/** The first thing wrong with a conversation; null when nothing is. */
export function historyRefusal(messages: readonly unknown[]): Refusal | null {
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`;
    if (!isObject(message))
      return invalidRequest(`Invalid type for '${at}': expected an object.`, at, 'invalid_type');
    const role = textOf(message['role']);
    if (!roles.includes(role))
      return invalidRequest(
        `Invalid value: '${role}'. Supported values are: ${quoted(roles)}.`,
        `${at}.role`,
        'invalid_value',
      );
    const refusal =
      callsRefusal(message, at) ?? contentRefusal(message, role, at) ?? fieldRefusal(message, role, index);
    if (refusal !== null) return refusal;
  }
  return pairingRefusal(objectsOf(messages));
}
