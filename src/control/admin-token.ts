/**
 * The administrator's token. One from the environment wins and is never stored; otherwise one is made on first start,
 * printed once, and only its hash is kept.
 */
import type { Secret } from '../core/secret.ts';
import { hasHash, newToken, tokenHash } from './secrets.ts';
import { newChange } from './verb.ts';
import type { ControlDependencies } from './verb.ts';

export type AdminToken = {
  /** Where it came from; `made` carries the text, to be printed once. */
  readonly origin:
    | { readonly kind: 'environment' }
    | { readonly kind: 'stored' }
    | { readonly kind: 'made'; readonly token: string };
  readonly verify: (token: string) => boolean;
};

function verifier(hash: string): (token: string) => boolean {
  return (token) => hasHash(token, hash);
}

/** Null: there is none, and the caller does not allow one to be made. */
export async function ensureAdminToken(
  fromEnvironment: Secret | null,
  mayMake: boolean,
  dependencies: ControlDependencies,
): Promise<AdminToken | null> {
  if (fromEnvironment !== null)
    return { origin: { kind: 'environment' }, verify: verifier(tokenHash(fromEnvironment.reveal())) };
  const stored = await dependencies.store.adminTokenHash();
  if (stored !== null) return { origin: { kind: 'stored' }, verify: verifier(stored) };
  if (!mayMake) return null;
  const token = newToken('bwa');
  const hash = tokenHash(token);
  await dependencies.store.setAdminTokenHash(
    hash,
    newChange(
      {
        kind: 'admin_token.created',
        actor: 'system',
        subject: 'admin token',
        reason: 'first start',
        before: null,
        after: null,
      },
      dependencies,
    ),
  );
  return { origin: { kind: 'made', token }, verify: verifier(hash) };
}
