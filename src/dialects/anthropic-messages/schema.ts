/** A JSON Schema for structured output, cut down to what this format's service accepts. */
import { isJsonObject } from '../json-value.ts';

const refused: ReadonlySet<string> = new Set([
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'default',
  'examples',
  '$schema',
]);
/** Keywords whose value is a map from names to schemas. */
const maps: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions']);
const depthMax = 64;

export function sanitisedSchema(schema: unknown, depth = 0): unknown {
  if (Array.isArray(schema)) return schema.map((each) => sanitisedSchema(each, depth + 1));
  if (!isJsonObject(schema) || depth > depthMax) return schema;
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (refused.has(key)) continue;
    if (maps.has(key) && isJsonObject(value))
      kept[key] = Object.fromEntries(
        Object.entries(value).map(([name, inner]) => [name, sanitisedSchema(inner, depth + 1)]),
      );
    else if (key === 'enum' || key === 'const' || key === 'required') kept[key] = value;
    else kept[key === 'oneOf' ? 'anyOf' : key] = sanitisedSchema(value, depth + 1);
  }
  if (kept['type'] === 'object') kept['additionalProperties'] = false;
  return kept;
}
