/** Hashes of high-entropy tokens, and their comparison in constant time. Not for passwords, which need a slow hash. */
import { timingSafeEqual } from 'node:crypto';

export function tokenHash(text: string): string {
  return Bun.CryptoHasher.hash('sha256', text, 'hex');
}

/** Whether a token has a hash. Compares hashes, so neither length nor content of the token shows in the time taken. */
export function hasHash(token: string, hash: string): boolean {
  const actual = Buffer.from(tokenHash(token), 'hex');
  const expected = Buffer.from(hash, 'hex');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

/** 256 bits of chance behind a prefix that secret scanners can know. */
export function newToken(prefix: string): string {
  return `${prefix}_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')}`;
}
