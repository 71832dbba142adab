/**
 * Facts of models, as data: each with the page it was read from and the day. It decides nothing; `catalogue.ts` makes
 * models of it. `source: null` means that nobody has confirmed the fact; a price or a date that is not known is null and
 * is never guessed. It is not fetched at run time: a configuration that knows better says so.
 */
import type { TokenPrice } from './cost.ts';
import type { Capability } from './target.ts';

/** Where a fact was read; null when it is not confirmed. */
export type Source = { readonly page: string; readonly read: string } | null;

export type ModelFacts = {
  readonly vendor: string;
  readonly family: string;
  readonly contextTokens: number;
  readonly outputTokens: number;
  readonly limits: Source;
  readonly lacks: readonly Capability[];
  readonly price: TokenPrice | null;
  readonly priceSource: Source;
  /** The vendor promises to keep it until this day at least; null when no day is known. */
  readonly keptUntil: string | null;
  readonly lifecycle: Source;
};

const day = '2026-11-21';
const at = (page: string): Source => ({ page, read: day });
const claudeOverview = at('https://platform.claude.com/docs/models/overview');
const claudeOpus48 = at('https://platform.claude.com/docs/en/models/opus-4-8/overview');
const claudeOpus5 = at('https://platform.claude.com/docs/about-claude/models/whats-new-opus-5');
const claudeOlder = at('https://platform.claude.com/docs/claude/docs/models-overview');
const openaiCodex = at('https://developers.openai.com/api/docs/models/gpt-5-codex');
/** Resellers' pages: what they say of the vendor's model, not the vendor's own word. */
const vercel = at('https://vercel.com/ai-gateway/models/openai/gpt-5.2-fast');
const venice = at('https://docs.venice.ai/models/gpt-5-2');

type Limits = { readonly context: number; readonly output: number; readonly source?: Source };
type Priced = { readonly input: number; readonly output: number; readonly source: Source };

function facts(
  vendor: string,
  family: string,
  limits: Limits,
  more: {
    readonly lacks?: readonly Capability[];
    readonly price?: Priced;
    readonly keptUntil?: string;
    readonly lifecycle?: Source;
  } = {},
): ModelFacts {
  const { price = null } = more;
  return {
    vendor,
    family,
    contextTokens: limits.context,
    outputTokens: limits.output,
    limits: limits.source ?? null,
    lacks: more.lacks ?? [],
    price: price === null ? null : { input: price.input, output: price.output },
    priceSource: price?.source ?? null,
    keptUntil: more.keptUntil ?? null,
    lifecycle: more.lifecycle ?? null,
  };
}

const claude = (
  family: string,
  limits: Limits,
  more: { readonly price?: Priced; readonly keptUntil?: string; readonly lifecycle?: Source } = {},
): ModelFacts => facts('anthropic', family, limits, { lacks: ['audio'], ...more });
const gpt = (
  family: string,
  limits: Limits,
  more: { readonly lacks?: readonly Capability[]; readonly price?: Priced } = {},
): ModelFacts => facts('openai', family, limits, { lacks: ['audio'], ...more });
const open = (family: string, vendor: string, context: number, lacks: readonly Capability[]): ModelFacts =>
  facts(vendor, family, { context, output: 8_192 }, { lacks });

// oxfmt-ignore
export const catalogueData: Readonly<Record<string, ModelFacts>> = {
  'claude-opus-4-5':   claude('claude-opus',   { context: 200_000,   output: 64_000 }),
  'claude-opus-4-6':   claude('claude-opus',   { context: 200_000,   output: 128_000 }),
  'claude-opus-4-7':   claude('claude-opus',   { context: 1_000_000, output: 128_000, source: claudeOlder },    { price: { input: 5, output: 25, source: claudeOlder } }),
  'claude-opus-4-8':   claude('claude-opus',   { context: 1_000_000, output: 128_000, source: claudeOpus48 },   { price: { input: 5, output: 25, source: claudeOpus48 } }),
  'claude-opus-5':     claude('claude-opus',   { context: 1_000_000, output: 128_000, source: claudeOpus5 },    { price: { input: 5, output: 25, source: claudeOpus5 }, keptUntil: '2027-07-24', lifecycle: claudeOpus5 }),
  'claude-opus-5-5':   claude('claude-opus',   { context: 1_000_000, output: 128_000, source: claudeOpus5 },    { price: { input: 4, output: 20, source: claudeOpus5 } }),
  'claude-sonnet-4-5': claude('claude-sonnet', { context: 200_000,   output: 64_000 }),
  'claude-sonnet-4-6': claude('claude-sonnet', { context: 1_000_000, output: 64_000, source: claudeOlder },     { price: { input: 3, output: 15, source: claudeOlder } }),
  'claude-sonnet-5':   claude('claude-sonnet', { context: 1_000_000, output: 128_000, source: claudeOverview }, { price: { input: 2, output: 10, source: claudeOverview } }),
  'claude-sonnet-5-5': claude('claude-sonnet', { context: 1_000_000, output: 128_000, source: claudeOpus5 },    { price: { input: 2, output: 10, source: claudeOpus5 } }),
  'claude-haiku-4-5':  claude('claude-haiku',  { context: 200_000,   output: 64_000, source: claudeOverview },  { price: { input: 1, output: 5, source: claudeOverview } }),
  'claude-haiku-5-5':  claude('claude-haiku',  { context: 1_000_000, output: 128_000, source: claudeOpus5 }),
  'claude-fable-5':    claude('claude-fable',  { context: 1_000_000, output: 128_000, source: claudeOverview }, { price: { input: 10, output: 50, source: claudeOverview } }),
  'claude-fable-5-1':  claude('claude-fable',  { context: 1_000_000, output: 128_000, source: claudeOpus5 },    { price: { input: 10, output: 50, source: claudeOpus5 } }),
  'gpt-4o':            gpt('gpt-4o',  { context: 128_000,   output: 16_384 }, { lacks: ['audio', 'thinking'] }),
  'gpt-4o-mini':       gpt('gpt-4o',  { context: 128_000,   output: 16_384 }, { lacks: ['audio', 'thinking'] }),
  'gpt-4.1':           gpt('gpt-4.1', { context: 1_047_576, output: 32_768 }, { lacks: ['audio', 'thinking'] }),
  'gpt-4.1-mini':      gpt('gpt-4.1', { context: 1_047_576, output: 32_768 }, { lacks: ['audio', 'thinking'] }),
  'gpt-4.1-nano':      gpt('gpt-4.1', { context: 1_047_576, output: 32_768 }, { lacks: ['audio', 'thinking'] }),
  'gpt-5':             gpt('gpt-5',   { context: 400_000,   output: 128_000 }, { price: { input: 1.25, output: 10, source: openaiCodex } }),
  'gpt-5-mini':        gpt('gpt-5',   { context: 400_000,   output: 128_000 }),
  'gpt-5-nano':        gpt('gpt-5',   { context: 400_000,   output: 128_000 }),
  'gpt-5.1':           gpt('gpt-5',   { context: 400_000,   output: 128_000 }),
  'gpt-5.2':           gpt('gpt-5',   { context: 400_000,   output: 128_000, source: vercel }, { price: { input: 1.75, output: 14, source: venice } }),
  'gpt-5.4':           gpt('gpt-5',   { context: 400_000,   output: 128_000 }),
  'gpt-5.4-nano':      gpt('gpt-5',   { context: 400_000,   output: 128_000 }),
  'gpt-5.6':           gpt('gpt-5',   { context: 400_000,   output: 128_000 }),
  'o3':                gpt('o3',      { context: 200_000,   output: 100_000 }),
  'o4-mini':           gpt('o4',      { context: 200_000,   output: 100_000 }),
  'gemini-2.5-pro':        facts('google', 'gemini-pro',   { context: 1_048_576, output: 65_536 }),
  'gemini-2.5-flash':      facts('google', 'gemini-flash', { context: 1_048_576, output: 65_536 }),
  'gemini-2.5-flash-lite': facts('google', 'gemini-flash', { context: 1_048_576, output: 65_536 }),
  'gemini-3-pro-preview':  facts('google', 'gemini-pro',   { context: 1_048_576, output: 65_536 }),
  'gemini-3-flash':        facts('google', 'gemini-flash', { context: 1_048_576, output: 65_536 }),
  'llama-3.2-3b':      open('llama-3', 'meta', 128_000, ['vision', 'documents', 'audio', 'thinking']),
  'llama-3.3-70b':     open('llama-3', 'meta', 128_000, ['vision', 'documents', 'audio', 'thinking']),
  'qwen3-8b':          open('qwen3', 'alibaba', 32_768, ['vision', 'documents', 'audio']),
  'mistral-small':     open('mistral-small', 'mistral', 128_000, ['documents', 'audio', 'thinking']),
};
