/**
 * Tools that only OpenAI's formats have, as plain functions of one name, and back again.
 *
 * Custom tools take text instead of JSON, and namespaces group functions under a name. Other dialects know neither: a
 * custom tool becomes a function with one text, a namespaced one a function whose name holds both. The name alone says
 * what it was, so nothing has to be remembered between request and answer.
 */
import type { Tool } from './conversation.ts';
import type { JsonObject } from './dialect.ts';
import { objectOf, parseJson, textOf } from './json-value.ts';

const customPrefix = 'custom__';
const namespacePattern = /^ns(\d{1,3})__/;

const customSchema: JsonObject = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
  additionalProperties: false,
};

/** A tool as its item names it. */
export type ItemName = {
  readonly kind: 'function' | 'custom';
  readonly namespace: string | null;
  readonly name: string;
};

export function flatName({ kind, namespace, name }: ItemName): string {
  const own = kind === 'custom' ? `${customPrefix}${name}` : name;
  return namespace === null || namespace === '' ? own : `ns${namespace.length}__${namespace}__${own}`;
}

export function itemName(flat: string): ItemName {
  const length = Number(namespacePattern.exec(flat)?.[1] ?? 0);
  const start = length === 0 ? 0 : flat.indexOf('__') + 2;
  const hasNamespace = length > 0 && flat.slice(start + length, start + length + 2) === '__';
  const namespace = hasNamespace ? flat.slice(start, start + length) : null;
  const own = hasNamespace ? flat.slice(start + length + 2) : flat;
  return own.startsWith(customPrefix)
    ? { kind: 'custom', namespace, name: own.slice(customPrefix.length) }
    : { kind: 'function', namespace, name: own };
}

/** The name of a call item, flat. */
export function callName(item: JsonObject): string {
  return flatName({
    kind: item['type'] === 'custom_tool_call' ? 'custom' : 'function',
    namespace: textOf(item['namespace']),
    name: textOf(item['name']) ?? '',
  });
}

/** The text a custom tool was called with, out of the arguments of the function that stood for it. */
export function customInput(json: string): string {
  return textOf(objectOf(parseJson(json))?.['input']) ?? json;
}

/** A custom tool as the function that stands for it. A grammar cannot be carried; the model is told of it in words. */
export function customTool(
  tool: { readonly name: string; readonly description: string | null; readonly grammar: string | null },
  namespace: string | null,
): Tool {
  const { name, description, grammar } = tool;
  const texts = [description, grammar === null ? null : `The input follows this grammar:\n${grammar}`];
  const joined = texts.filter((text) => text !== null).join('\n\n');
  return {
    name: flatName({ kind: 'custom', namespace, name }),
    description: joined === '' ? null : joined,
    schema: customSchema,
    strict: null,
  };
}
