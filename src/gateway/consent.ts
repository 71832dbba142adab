/**
 * Consent tokens: one use, ten minutes, bound to key, feature, user and target. Kept in memory only: a token that
 * did not survive a restart is refused, and the caller asks again.
 */
import type { Instant, KeyId, TargetName } from '../core/ids.ts';

export type ConsentScope = {
  readonly key: KeyId | null;
  readonly feature: string;
  readonly user: string | null;
};

export type Consents = {
  offer(scope: ConsentScope, target: TargetName): string;
  /** The target a token agrees to; null when it is unknown, expired, used up or was given to somebody else. */
  check(token: string, scope: ConsentScope): TargetName | null;
  /** Uses the token up: an answer was committed. */
  use(token: string): void;
};

export const consentMs = 600_000;
const tokensMax = 50_000;

type Entry = { readonly scope: ConsentScope; readonly target: TargetName; readonly expiresAt: number };

export function createConsents(now: () => Instant): Consents {
  const entries = new Map<string, Entry>();
  const makeRoom = (): void => {
    const at = now();
    for (const [token, entry] of entries) {
      if (entry.expiresAt > at && entries.size < tokensMax) return;
      entries.delete(token);
    }
  };
  return {
    offer(scope, target) {
      makeRoom();
      const token = `cns_${Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString('base64url')}`;
      entries.set(token, { scope, target, expiresAt: now() + consentMs });
      return token;
    },
    check(token, scope) {
      const entry = entries.get(token);
      if (entry === undefined || entry.expiresAt <= now()) return null;
      const same =
        entry.scope.key === scope.key &&
        entry.scope.feature === scope.feature &&
        entry.scope.user === scope.user;
      return same ? entry.target : null;
    },
    use: (token) => void entries.delete(token),
  };
}
