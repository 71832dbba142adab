/** The smallest telling value that fits a JSON Schema: what a simulated model puts into tool calls and structured answers. */
type Schema = Readonly<Record<string, unknown>>;

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const depthMax = 12;
const itemsMax = 100;
/** Deeper than this, lists stay empty, so that a schema that contains itself comes to an end. */
const filledListDepthMax = 5;

const formatSamples: Readonly<Record<string, string>> = {
  'date-time': '2026-06-07T09:30:00Z',
  date: '2026-06-07',
  time: '09:30:00Z',
  duration: 'PT30M',
  email: 'maria@example.com',
  hostname: 'example.com',
  uri: 'https://example.com/notes',
  ipv4: '192.0.2.7',
  ipv6: '2001:db8::7',
  uuid: '0198f0c2-7a10-7c3e-9b1a-3d5f0c8e2a11',
};

const numberIn = (schema: Schema, key: string): number | null => {
  const value = schema[key];
  return typeof value === 'number' ? value : null;
};

function sampleText(schema: Schema): string {
  const format = schema['format'];
  const known = typeof format === 'string' ? formatSamples[format] : undefined;
  if (known !== undefined) return known;
  const least = Math.min(numberIn(schema, 'minLength') ?? 0, itemsMax);
  return 'Rome'.padEnd(least, '.').slice(0, numberIn(schema, 'maxLength') ?? undefined);
}

function sampleNumber(schema: Schema): number {
  const least = numberIn(schema, 'minimum') ?? (numberIn(schema, 'exclusiveMinimum') ?? -Infinity) + 1;
  const most = numberIn(schema, 'maximum') ?? (numberIn(schema, 'exclusiveMaximum') ?? Infinity) - 1;
  const value = Math.min(Math.max(7, least), most);
  const step = numberIn(schema, 'multipleOf');
  return step === null || step <= 0 ? value : Math.ceil(value / step) * step;
}

/** What `#/$defs/Name` points to inside the whole schema. */
function pointedTo(root: unknown, pointer: unknown): unknown {
  if (typeof pointer !== 'string' || !pointer.startsWith('#')) return {};
  let at: unknown = root;
  for (const step of pointer.split('/').slice(1)) at = isSchema(at) ? at[step] : undefined;
  return at;
}

function firstOf(schema: Schema): unknown {
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    const choices = schema[key];
    if (Array.isArray(choices) && choices.length > 0) return choices[0];
  }
  return null;
}

function typeOf(schema: Schema): unknown {
  const type: unknown = schema['type'];
  return Array.isArray(type) ? type[0] : (type ?? (isSchema(schema['items']) ? 'array' : 'object'));
}

function sampleObject(schema: Schema, root: unknown, depth: number): unknown {
  const properties = isSchema(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'].map(String) : [];
  return Object.fromEntries(required.map((name) => [name, sample(properties[name], root, depth + 1)]));
}

function sampleList(schema: Schema, root: unknown, depth: number): unknown {
  const least = numberIn(schema, 'minItems') ?? (depth > filledListDepthMax ? 0 : 1);
  const size = Math.min(least, numberIn(schema, 'maxItems') ?? itemsMax, itemsMax);
  return Array.from({ length: size }, () => sample(schema['items'], root, depth + 1));
}

function sample(schema: unknown, root: unknown, depth: number): unknown {
  if (!isSchema(schema) || depth > depthMax) return {};
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  if ('$ref' in schema) return sample(pointedTo(root, schema['$ref']), root, depth + 1);
  const choice = firstOf(schema);
  if (choice !== null) return sample(choice, root, depth + 1);
  const type = typeOf(schema);
  if (type === 'string') return sampleText(schema);
  if (type === 'integer' || type === 'number') return sampleNumber(schema);
  if (type === 'boolean') return true;
  if (type === 'null') return null;
  return type === 'array' ? sampleList(schema, root, depth) : sampleObject(schema, root, depth);
}

export function jsonSample(schema: unknown): unknown {
  return sample(schema, schema, 0);
}
