/** The schemas of this format: an older subset of OpenAPI with capital types, and real JSON Schema beside it. */
import type { JsonObject } from '../dialect.ts';
import { isJsonObject } from '../json-value.ts';

const depthMax = 64;

/** The OpenAPI subset as JSON Schema: small types, and `nullable` as a type of its own. */
export function jsonSchemaOf(schema: unknown, depth = 0): unknown {
  if (Array.isArray(schema)) return schema.map((each) => jsonSchemaOf(each, depth + 1));
  if (!isJsonObject(schema) || depth > depthMax) return schema;
  const written: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'nullable' || key === 'propertyOrdering' || key === 'property_ordering') continue;
    if (key === 'type' && typeof value === 'string') written['type'] = value.toLowerCase();
    else if (key === 'properties' && isJsonObject(value))
      written['properties'] = Object.fromEntries(
        Object.entries(value).map(([name, inner]) => [name, jsonSchemaOf(inner, depth + 1)]),
      );
    else if (key === 'items' || key === 'anyOf') written[key] = jsonSchemaOf(value, depth + 1);
    else written[key] = value;
  }
  if (schema['nullable'] === true && typeof written['type'] === 'string')
    written['type'] = [written['type'], 'null'];
  return written;
}

/** `const` is refused here even in JSON Schema; an enumeration of one says the same. */
export function acceptedSchema(schema: unknown, depth = 0): unknown {
  if (Array.isArray(schema)) return schema.map((each) => acceptedSchema(each, depth + 1));
  if (!isJsonObject(schema) || depth > depthMax) return schema;
  const written: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'const') written['enum'] = [value];
    else if (key !== '$schema') written[key] = acceptedSchema(value, depth + 1);
  }
  return written;
}

/** A function that takes nothing has no parameters at all: an object without properties is refused. */
export function parametersOf(schema: unknown): JsonObject | null {
  if (!isJsonObject(schema)) return null;
  const { properties } = schema as { properties?: unknown };
  const isEmpty =
    schema['type'] === 'object' && (!isJsonObject(properties) || Object.keys(properties).length === 0);
  return isEmpty ? null : (acceptedSchema(schema) as JsonObject);
}
