/** As whom AWS is asked: credentials from a key, the environment, a profile or a role, and the signature made with them. */
import { failureOf } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { Secret } from '../core/secret.ts';
import type { Cloud } from '../core/target.ts';
import { createCredentialCache } from './credential-cache.ts';
import type { CredentialCache } from './credential-cache.ts';
import type { HttpCall } from './provider.ts';

type AwsCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
};

const service = 'bedrock';
const caches = new WeakMap<Secret, CredentialCache<AwsCredentials>>();

/** `ACCESS_KEY_ID:SECRET[:SESSION_TOKEN]`; null for a Bedrock API key, which is a plain bearer. */
function credentialsIn(text: string): AwsCredentials | null {
  const [accessKeyId = '', secretAccessKey = '', ...session] = text.split(':');
  if (!/^A[A-Z0-9]{15,127}$/.test(accessKeyId) || secretAccessKey === '') return null;
  const sessionToken = session.join(':');
  return { accessKeyId, secretAccessKey, ...(sessionToken === '' ? {} : { sessionToken }) };
}

async function sourceOf(
  auth: string,
  region: string,
): Promise<() => Promise<AwsCredentials & { expiration?: Date }>> {
  // Loaded when first needed: whoever does not use AWS does not pay for it.
  const library = await import('@aws-sdk/credential-providers');
  if (auth === 'environment') return library.fromEnv();
  if (auth.startsWith('profile:')) return library.fromIni({ profile: auth.slice('profile:'.length) });
  const chain = library.fromNodeProviderChain({ clientConfig: { region } });
  if (!auth.startsWith('role:')) return chain;
  return library.fromTemporaryCredentials({
    masterCredentials: chain,
    params: { RoleArn: auth.slice('role:'.length), RoleSessionName: 'breakwater' },
    clientConfig: { region },
  });
}

function cacheFor(secret: Secret, auth: string, region: string): CredentialCache<AwsCredentials> {
  const found = caches.get(secret);
  if (found !== undefined) return found;
  const cache = createCredentialCache(async () => {
    const source = await sourceOf(auth, region);
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await source();
    return {
      value: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
      expiresAt: expiration?.getTime() ?? null,
    };
  });
  caches.set(secret, cache);
  return cache;
}

/** Adds the signature to a call's headers. Only what AWS demands is signed; other headers stay free to change. */
async function signed(call: HttpCall, credentials: AwsCredentials, region: string): Promise<HttpCall> {
  // Loaded when first needed: whoever does not use AWS does not pay for it.
  const [{ SignatureV4 }, { Sha256 }] = await Promise.all([
    import('@smithy/signature-v4'),
    import('@aws-crypto/sha256-js'),
  ]);
  const url = new URL(call.url);
  const signer = new SignatureV4({ credentials, region, service, sha256: Sha256 });
  const request = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    headers: { host: url.host, 'content-type': 'application/json' },
    body: call.body,
  });
  for (const [name, value] of Object.entries(request.headers))
    if (name !== 'host') call.headers.set(name, value);
  return call;
}

/** The call with a credential on it, or the failure of the credential's source. */
export function authenticated(
  call: HttpCall,
  secret: Secret,
  cloud: Cloud,
): HttpCall | Promise<HttpCall | Failure> {
  const region = cloud.region ?? '';
  if (cloud.auth !== null) {
    const credentials = cacheFor(secret, cloud.auth, region).get();
    return credentials instanceof Promise
      ? credentials.then(
          (fetched) => signed(call, fetched, region),
          () => failureOf('credential_rejected', 'credential_source'),
        )
      : signed(call, credentials, region);
  }
  const given = credentialsIn(secret.reveal());
  if (given !== null) return signed(call, given, region);
  call.headers.set('authorization', `Bearer ${secret.reveal()}`);
  return call;
}
