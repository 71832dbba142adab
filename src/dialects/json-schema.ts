/**
 * Whether a value fits a JSON Schema, for counting answers that do not. It knows the words that callers use for tools
 * and structured output (types, properties, required, items, enums, unions) in JSON Schema and in Google's spelling.
 * What it does not know it does not hold against an answer: it errs on the side of "fits".
 */
import { isJsonObject } from './json-value.ts';
import type { JsonObject } from './dialect.ts';

const depthMax = 16;

function hasType(type: string, value: unknown): boolean {
  switch (type.toLowerCase()) {
    case 'object':
      return isJsonObject(value);
    case 'array':
      return Array.isArray(value);
    case 'string':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'number';
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'null':
      return value === null;
  }
  return true;
}

function typeFits({ type, nullable }: JsonObject, value: unknown): boolean {
  if (value === null && nullable === true) return true;
  const types = (Array.isArray(type) ? type : [type]).filter((each) => typeof each === 'string');
  return types.length === 0 || types.some((each) => hasType(each, value));
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

function objectFits(schema: JsonObject, value: JsonObject, depth: number): boolean {
  const { required, additionalProperties } = schema as { required?: unknown; additionalProperties?: unknown };
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  if (
    Array.isArray(required) &&
    required.some((name) => typeof name === 'string' && !Object.hasOwn(value, name))
  )
    return false;
  return Object.entries(value).every(([name, each]) => {
    if (Object.hasOwn(properties, name)) return fits(properties[name], each, depth + 1);
    // Patterns may allow it: they are not read.
    if (schema['patternProperties'] !== undefined) return true;
    return additionalProperties === undefined || fits(additionalProperties, each, depth + 1);
  });
}

function unionFits(schema: JsonObject, value: unknown, depth: number): boolean {
  for (const word of ['anyOf', 'oneOf'] as const) {
    const among = schema[word];
    if (Array.isArray(among) && !among.some((each) => fits(each, value, depth + 1))) return false;
  }
  const all = schema['allOf'];
  return !Array.isArray(all) || all.every((each) => fits(each, value, depth + 1));
}

export function fits(schema: unknown, value: unknown, depth = 0): boolean {
  if (schema === false) return false;
  if (!isJsonObject(schema) || depth > depthMax) return true;
  if (!typeFits(schema, value)) return false;
  if (Array.isArray(schema['enum']) && !schema['enum'].some((each) => same(each, value)))
    return value === null && schema['nullable'] === true;
  if (schema['const'] !== undefined && !same(schema['const'], value)) return false;
  if (isJsonObject(value) && !objectFits(schema, value, depth)) return false;
  if (Array.isArray(value) && isJsonObject(schema['items']))
    if (!value.every((each) => fits(schema['items'], each, depth + 1))) return false;
  return unionFits(schema, value, depth);
}
