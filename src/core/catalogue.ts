/**
 * What Breakwater knows of models without being told: who makes them, their family, their limits. A configuration may
 * correct it. A model that is not listed is not refused: its vendor is read from its name, and its limits are taken
 * carefully.
 */
import { undatedModel } from './models.ts';
import type { Capability, Model } from './target.ts';

type Entry = {
  readonly family: string;
  readonly vendor: string;
  readonly contextTokens: number;
  readonly outputTokens: number;
  readonly lacks?: readonly Capability[];
  readonly aliases?: readonly string[];
};

const all: readonly Capability[] = ['tools', 'vision', 'documents', 'audio', 'structured_output', 'thinking'];

const claude = (family: string, contextTokens: number, outputTokens: number): Entry => ({
  family,
  vendor: 'anthropic',
  contextTokens,
  outputTokens,
  lacks: ['audio'],
});
const gpt = (
  family: string,
  contextTokens: number,
  outputTokens: number,
  lacks: readonly Capability[] = ['audio'],
): Entry => ({ family, vendor: 'openai', contextTokens, outputTokens, lacks });
const geminiModel = (outputTokens: number, contextTokens = 1_048_576): Entry => ({
  family: 'gemini',
  vendor: 'google',
  contextTokens,
  outputTokens,
});
const open = (
  family: string,
  vendor: string,
  contextTokens: number,
  lacks: readonly Capability[],
): Entry => ({ family, vendor, contextTokens, outputTokens: 8_192, lacks });

// oxfmt-ignore
const entries: Readonly<Record<string, Entry>> = {
  'claude-opus-4-5':   claude('claude-opus', 200_000, 64_000),
  'claude-opus-4-6':   claude('claude-opus', 200_000, 128_000),
  'claude-opus-4-7':   claude('claude-opus', 1_000_000, 128_000),
  'claude-opus-4-8':   claude('claude-opus', 1_000_000, 128_000),
  'claude-opus-5':     claude('claude-opus', 1_000_000, 128_000),
  'claude-opus-5-5':   claude('claude-opus', 1_000_000, 128_000),
  'claude-sonnet-4-5': claude('claude-sonnet', 200_000, 64_000),
  'claude-sonnet-4-6': claude('claude-sonnet', 1_000_000, 64_000),
  'claude-sonnet-5':   claude('claude-sonnet', 1_000_000, 128_000),
  'claude-sonnet-5-5': claude('claude-sonnet', 1_000_000, 128_000),
  'claude-haiku-4-5':  claude('claude-haiku', 200_000, 64_000),
  'claude-haiku-5-5':  claude('claude-haiku', 200_000, 64_000),
  'claude-fable-5':    claude('claude-fable', 1_000_000, 128_000),
  'claude-fable-5-1':  claude('claude-fable', 1_000_000, 128_000),
  'gpt-4o':            gpt('gpt-4o', 128_000, 16_384, ['audio', 'thinking']),
  'gpt-4o-mini':       gpt('gpt-4o', 128_000, 16_384, ['audio', 'thinking']),
  'gpt-4.1':           gpt('gpt-4.1', 1_047_576, 32_768, ['audio', 'thinking']),
  'gpt-4.1-mini':      gpt('gpt-4.1', 1_047_576, 32_768, ['audio', 'thinking']),
  'gpt-4.1-nano':      gpt('gpt-4.1', 1_047_576, 32_768, ['audio', 'thinking']),
  'gpt-5':             gpt('gpt-5', 400_000, 128_000),
  'gpt-5-mini':        gpt('gpt-5', 400_000, 128_000),
  'gpt-5-nano':        gpt('gpt-5', 400_000, 128_000),
  'gpt-5.1':           gpt('gpt-5', 400_000, 128_000),
  'gpt-5.2':           gpt('gpt-5', 400_000, 128_000),
  'gpt-5.4':           gpt('gpt-5', 400_000, 128_000),
  'gpt-5.4-nano':      gpt('gpt-5', 400_000, 128_000),
  'gpt-5.6':           gpt('gpt-5', 400_000, 128_000),
  'o3':                gpt('o3', 200_000, 100_000),
  'o4-mini':           gpt('o4', 200_000, 100_000),
  'gemini-2.5-pro':        { ...geminiModel(65_536), family: 'gemini-pro' },
  'gemini-2.5-flash':      { ...geminiModel(65_536), family: 'gemini-flash' },
  'gemini-2.5-flash-lite': { ...geminiModel(65_536), family: 'gemini-flash' },
  'gemini-3-pro-preview':  { ...geminiModel(65_536), family: 'gemini-pro' },
  'gemini-3-flash':        { ...geminiModel(65_536), family: 'gemini-flash' },
  'llama-3.2-3b':      open('llama-3', 'meta', 128_000, ['vision', 'documents', 'audio', 'thinking']),
  'llama-3.3-70b':     open('llama-3', 'meta', 128_000, ['vision', 'documents', 'audio', 'thinking']),
  'qwen3-8b':          open('qwen3', 'alibaba', 32_768, ['vision', 'documents', 'audio']),
  'mistral-small':     open('mistral-small', 'mistral', 128_000, ['documents', 'audio', 'thinking']),
};

function modelOf(name: string, entry: Entry): Model {
  const lacks = new Set(entry.lacks ?? []);
  return {
    name,
    vendor: entry.vendor,
    family: entry.family,
    aliases: entry.aliases ?? [],
    contextTokens: entry.contextTokens,
    outputTokens: entry.outputTokens,
    capabilities: new Set(all.filter((capability) => !lacks.has(capability))),
  };
}

export const catalogue: ReadonlyMap<string, Model> = new Map(
  Object.entries(entries).map(([name, entry]) => [name, modelOf(name, entry)]),
);

const vendorPrefixes: readonly (readonly [RegExp, string])[] = [
  [/^claude-/, 'anthropic'],
  [/^(?:gpt-|chatgpt-|text-embedding-|o\d)/, 'openai'],
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
    contextTokens: unknownContextTokens,
    outputTokens: unknownOutputTokens,
    capabilities: new Set(all),
  };
}
