/**
 * What Breakwater knows of models without being told: who makes them, their family, their limits. A configuration may
 * correct it. A model that is not listed is not refused: its vendor is read from its name, and its limits are taken
 * carefully.
 */
import { catalogueData } from './catalogue-data.ts';
import type { ModelFacts } from './catalogue-data.ts';
import { undatedModel } from './models.ts';
import type { Capability, Model } from './target.ts';

const all: readonly Capability[] = [
  'tools',
  'vision',
  'documents',
  'audio',
  'structured_output',
  'thinking',
  'streaming',
];

function modelOf(name: string, facts: ModelFacts): Model {
  const lacks = new Set(facts.lacks);
  return {
    name,
    vendor: facts.vendor,
    family: facts.family,
    aliases: [],
    aliasesElsewhere: [],
    contextTokens: facts.contextTokens,
    outputTokens: facts.outputTokens,
    contextKnown: true,
    outputKnown: true,
    price: facts.price,
    keptUntil: facts.keptUntil,
    capabilities: new Set(all.filter((capability) => !lacks.has(capability))),
  };
}

export const catalogue: ReadonlyMap<string, Model> = new Map(
  Object.entries(catalogueData).map(([name, facts]) => [name, modelOf(name, facts)]),
);

const vendorPrefixes: readonly (readonly [RegExp, string])[] = [
  [/^claude-/, 'anthropic'],
  [/^(?:ft:)?(?:gpt-|chatgpt-|codex-|text-embedding-|o\d)/, 'openai'],
  [/^gemini-/, 'google'],
  [/^(?:llama|codellama)/, 'meta'],
  [/^(?:mistral|mixtral|magistral)/, 'mistral'],
  [/^qwen/, 'alibaba'],
  [/^deepseek/, 'deepseek'],
];

/** The vendor a name betrays; null when it betrays none. */
export function vendorOf(name: string): string | null {
  return vendorPrefixes.find(([prefix]) => prefix.test(undatedModel(name)))?.[1] ?? null;
}

/** `claude-opus-9-1` → `claude-opus`; the part before the version. */
function familyOf(name: string): string {
  return undatedModel(name).replace(/-?\d.*$/, '') || name;
}

export const unknownContextTokens = 128_000;
export const unknownOutputTokens = 8_192;

/** A model by name: from the catalogue (dates and host prefixes aside), or put together carefully. */
export function modelNamed(name: string, provider: string): Model {
  const known = catalogue.get(name) ?? catalogue.get(undatedModel(name));
  if (known !== undefined) return known;
  return {
    name,
    vendor: vendorOf(name) ?? provider,
    family: familyOf(name),
    aliases: [],
    aliasesElsewhere: [],
    contextTokens: unknownContextTokens,
    outputTokens: unknownOutputTokens,
    contextKnown: false,
    outputKnown: false,
    price: null,
    keptUntil: null,
    capabilities: new Set(all),
  };
}
