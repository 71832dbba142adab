/** A JSON Schema for structured output and strict tools, cut down to what this format's service accepts. */
import { isJsonObject } from '../json-value.ts';

/** Keywords the service refuses. Leaving a constraint out widens what the model may say; the caller checks anyway. */
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
  'contains',
  'minProperties',
  'maxProperties',
  'patternProperties',
  'propertyNames',
  'dependentRequired',
  'dependentSchemas',
  'not',
  'if',
  'then',
  'else',
  'default',
  'examples',
  '$schema',
]);
const formats: ReadonlySet<string> = new Set([
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'uri',
  'ipv4',
  'ipv6',
  'uuid',
]);
/** Keywords whose value is a map from names to schemas. */
const maps: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions']);
/** Keywords whose value is data, not a schema. */
const plain: ReadonlySet<string> = new Set([
  'enum',
  'const',
  'required',
  'type',
  'title',
  'description',
  '$ref',
]);
const depthMax = 64;

function sanitisedMap(value: unknown, depth: number): unknown {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, sanitisedSchema(inner, depth + 1)]),
  );
}

export function sanitisedSchema(schema: unknown, depth = 0): unknown {
  if (depth > depthMax) return {};
  if (Array.isArray(schema)) return schema.map((each) => sanitisedSchema(each, depth + 1));
  if (!isJsonObject(schema)) return schema;
  const kept: { [key: string]: unknown } = {};
  for (const [key, value] of Object.entries(schema)) {
    if (refused.has(key) || (key === 'format' && !formats.has(String(value)))) continue;
    if (maps.has(key)) kept[key] = sanitisedMap(value, depth);
    else if (plain.has(key) || key === 'format') kept[key] = value;
    else kept[key === 'oneOf' ? 'anyOf' : key] = sanitisedSchema(value, depth + 1);
  }
  if (kept['type'] === 'object' || isJsonObject(kept['properties'])) kept['additionalProperties'] = false;
  return kept;
}
