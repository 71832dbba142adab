/** Whether a JSON Schema may be called strict here: every object closed, every property required. */
import { isJsonObject, objectOf } from '../json-value.ts';

const depthMax = 64;

export function isStrictReady(schema: unknown, depth = 0): boolean {
  if (Array.isArray(schema)) return schema.every((each) => isStrictReady(each, depth + 1));
  if (!isJsonObject(schema)) return true;
  if (depth > depthMax) return false;
  const properties = objectOf(schema['properties']);
  if (schema['type'] === 'object' || properties !== null) {
    const required = Array.isArray(schema['required']) ? schema['required'] : [];
    if (schema['additionalProperties'] !== false) return false;
    if (!Object.keys(properties ?? {}).every((name) => required.includes(name))) return false;
  }
  const maps = [properties, objectOf(schema['$defs']), objectOf(schema['definitions'])];
  const inner = [schema['items'], schema['anyOf'], schema['oneOf'], schema['allOf']];
  return [...inner, ...maps.flatMap((map) => Object.values(map ?? {}))].every((each) =>
    isStrictReady(each, depth + 1),
  );
}
