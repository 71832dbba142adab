/**
 * What an attempt cost at list price. Reading from a provider's cache is charged at a tenth and writing to it at a
 * quarter more, as the large vendors do; batch discounts, tiers and surcharges for long prompts are not known here, so
 * this is for comparing and for sums, not for invoices. It refuses to guess a price.
 */
/** US dollars per million tokens. */
export type TokenPrice = { readonly input: number; readonly output: number };

export type TokenCounts = {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number;
};

const cacheReadShare = 0.1;
const cacheWriteShare = 1.25;
const million = 1_000_000;

/** US dollars; null where price or tokens are not known. */
export function costUsd(price: TokenPrice | null, usage: TokenCounts | null): number | null {
  if (price === null || usage === null) return null;
  const { inputTokens, outputTokens, cachedTokens, cacheWriteTokens } = usage;
  const plain = Math.max(0, inputTokens - cachedTokens - cacheWriteTokens);
  const input = plain + cachedTokens * cacheReadShare + cacheWriteTokens * cacheWriteShare;
  return (input * price.input + outputTokens * price.output) / million;
}
