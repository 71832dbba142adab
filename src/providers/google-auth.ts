/** As whom Google Cloud is asked: a service account's key, or what the machine itself is signed in as. */
import type { Secret } from '../core/secret.ts';
import type { Cloud } from '../core/target.ts';
import { objectOf, parseJson } from '../dialects/json-value.ts';
import { createCredentialCache } from './credential-cache.ts';
import type { CredentialCache } from './credential-cache.ts';

const scope = 'https://www.googleapis.com/auth/cloud-platform';
const caches = new WeakMap<Secret, CredentialCache<string>>();

function cacheFor(secret: Secret, account: object | null): CredentialCache<string> {
  const found = caches.get(secret);
  if (found !== undefined) return found;
  const cache = createCredentialCache(async () => {
    // Loaded when first needed: whoever does not use Google does not pay for it.
    const { GoogleAuth } = await import('google-auth-library');
    const auth = new GoogleAuth({ scopes: [scope], ...(account === null ? {} : { credentials: account }) });
    const client = await auth.getClient();
    // The library's own renewal threshold must not hand back a token that this cache wants replaced.
    client.eagerRefreshThresholdMillis = 360_000;
    const { token } = await client.getAccessToken();
    if (token === null || token === undefined) throw new Error('no token');
    return { value: token, expiresAt: client.credentials.expiry_date ?? null };
  });
  caches.set(secret, cache);
  return cache;
}

/** The bearer token: a given one, or one fetched for a service account or for the machine. */
export function googleToken(secret: Secret, cloud: Cloud): string | Promise<string> {
  if (cloud.auth !== null) return cacheFor(secret, null).get();
  const text = secret.reveal().trim();
  return text.startsWith('{') ? cacheFor(secret, objectOf(parseJson(text)) ?? {}).get() : text;
}
