/**
 * Whether a value fits a JSON Schema, in JSON Schema's own spelling and in Google's. It judges answers, which are asked
 * for again when they do not fit: so it holds against an answer only what it is sure of. What it does not know fits.
 *
 * It walks schema and value and compiles nothing, because a schema comes with a request and is used once or twice. It
 * runs no pattern and follows no address, because schemas are written by strangers, and it gives up in favour of the
 * answer after a fixed number of steps. A test compares it with a full validator: what it refuses, that one refuses too.
 */
import { isJsonObject } from './json-value.ts';
import type { JsonObject } from './dialect.ts';

const depthMax = 64;
const stepsMax = 50_000;

type Judging = { readonly root: unknown; left: number };

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

function typeFits({ type }: JsonObject, value: unknown): boolean {
  const types = (Array.isArray(type) ? type : [type]).filter((each) => typeof each === 'string');
  return types.length === 0 || types.some((each) => hasType(each, value));
}

/** Equal as JSON, whatever the order of properties. */
function isSame(one: unknown, other: unknown, judging: Judging): boolean {
  if (judging.left-- <= 0 || one === other) return true;
  if (Array.isArray(one))
    return (
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((each, index) => isSame(each, other[index], judging))
    );
  if (!isJsonObject(one) || !isJsonObject(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSame(one[name], other[name], judging))
  );
}

/** A bound of a schema; Google writes counts as text. */
function bound(schema: JsonObject, name: string): number | null {
  const value = schema[name];
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : null;
}

function isWithin(schema: JsonObject, least: string, most: string, measured: number): boolean {
  return measured >= (bound(schema, least) ?? -Infinity) && measured <= (bound(schema, most) ?? Infinity);
}

function sizeFits(schema: JsonObject, value: unknown): boolean {
  if (typeof value === 'number') return isWithin(schema, 'minimum', 'maximum', value);
  if (Array.isArray(value)) return isWithin(schema, 'minItems', 'maxItems', value.length);
  // Characters may be counted in several ways; no text is longer than its code units.
  if (typeof value === 'string') return value.length >= (bound(schema, 'minLength') ?? 0);
  return true;
}

function objectFits(schema: JsonObject, value: JsonObject, depth: number, judging: Judging): boolean {
  const { required, additionalProperties: rest } = schema as {
    required?: unknown;
    additionalProperties?: unknown;
  };
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  if (
    Array.isArray(required) &&
    required.some((name) => typeof name === 'string' && !Object.hasOwn(value, name))
  )
    return false;
  return Object.entries(value).every(([name, each]) => {
    if (Object.hasOwn(properties, name)) return isFit(properties[name], each, depth, judging);
    // Patterns may allow it: they are not read.
    if (schema['patternProperties'] !== undefined) return true;
    return rest === undefined || isFit(rest, each, depth, judging);
  });
}

function itemsFit(schema: JsonObject, value: readonly unknown[], depth: number, judging: Judging): boolean {
  const first = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : [];
  const { items } = schema as { items?: unknown };
  return value.every((each, index) => {
    if (index < first.length) return isFit(first[index], each, depth, judging);
    return !isJsonObject(items) || isFit(items, each, depth, judging);
  });
}

function unionFits(schema: JsonObject, value: unknown, depth: number, judging: Judging): boolean {
  for (const word of ['anyOf', 'oneOf'] as const) {
    const among = schema[word];
    if (Array.isArray(among) && !among.some((each) => isFit(each, value, depth, judging))) return false;
  }
  const all = schema['allOf'];
  return !Array.isArray(all) || all.every((each) => isFit(each, value, depth, judging));
}

/** What `#/$defs/Name` names; undefined, which everything fits, when it cannot be found here. */
function pointedTo(pointer: unknown, root: unknown): unknown {
  if (typeof pointer !== 'string' || !/^#(?:\/[\w$.-]+)*$/.test(pointer)) return undefined;
  let at = root;
  for (const step of pointer.split('/').slice(1))
    at = isJsonObject(at) && Object.hasOwn(at, step) ? at[step] : undefined;
  return at;
}

function isFit(schema: unknown, value: unknown, above: number, judging: Judging): boolean {
  if (schema === false) return false;
  const depth = above + 1;
  if (!isJsonObject(schema) || depth > depthMax || judging.left-- <= 0) return true;
  if (value === null && schema['nullable'] === true) return true;
  if (schema['$ref'] !== undefined && !isFit(pointedTo(schema['$ref'], judging.root), value, depth, judging))
    return false;
  if (!typeFits(schema, value) || !sizeFits(schema, value)) return false;
  const among = schema['enum'];
  if (Array.isArray(among) && !among.some((each) => isSame(each, value, judging))) return false;
  if (schema['const'] !== undefined && !isSame(schema['const'], value, judging)) return false;
  if (isJsonObject(value) && !objectFits(schema, value, depth, judging)) return false;
  if (Array.isArray(value) && !itemsFit(schema, value, depth, judging)) return false;
  return unionFits(schema, value, depth, judging);
}

export function fits(schema: unknown, value: unknown): boolean {
  const judging: Judging = { root: schema, left: stepsMax };
  // What was not looked through to its end is not held against anybody.
  return isFit(schema, value, 0, judging) || judging.left <= 0;
}
