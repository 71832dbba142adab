/**
 * Thinking of another provider, shown to a caller that expects signed thinking.
 *
 * Such a caller sends its thinking blocks back with the next request, and the issuer refuses a signature that is not
 * its own. So what we show carries a mark of ours instead of a signature, and whatever carries the mark is taken out
 * before a request goes to anyone who checks signatures.
 */
export const foreignThinkingMark = 'breakwater-unsigned-thinking';

export function isForeignMark(signature: unknown): boolean {
  return signature === foreignThinkingMark;
}
